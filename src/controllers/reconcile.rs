//! The loop of every controller: do what is due, then wait for a change, a deadline, or the retry of a failure.

use std::fmt::Display;
use std::future::Future;
use std::time::Duration;

use tokio::time::sleep;

use crate::cluster::backoff::Backoff;
use crate::runtime;

/// The delay before the first retry of a failed step.
const INITIAL_DELAY: Duration = Duration::from_secs(1);

/// The longest delay between retries. A controller recovers within this time after the API server does.
const MAX_DELAY: Duration = Duration::from_secs(8);

/// A controller: it compares the desired with the observed state, and acts on the difference.
pub trait Reconciler: Send {
    /// Why a step failed; logged when it differs from the last one.
    type Error: Display;

    /// The controller's name in logs.
    const NAME: &'static str;

    /// Waits until an input of [`Self::step`] has changed. Must be cancel safe: the loop drops the future at each deadline.
    fn changed(&mut self) -> impl Future<Output = ()> + Send;

    /// Does what is due.
    fn step(&mut self) -> impl Future<Output = Result<Next, Self::Error>> + Send;
}

/// When the next step follows a successful one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// As soon as an input changes.
    Change,
    /// As soon as an input changes, at the latest after this time.
    Within(Duration),
}

/// Runs a controller forever. A failed step is retried with backoff, or as soon as an input changes.
pub async fn run(mut reconciler: impl Reconciler) {
    let mut log = LogState::default();
    let mut backoff = Backoff::new(INITIAL_DELAY, MAX_DELAY);
    loop {
        let deadline = match reconciler.step().await {
            Ok(next) => {
                backoff.reset();
                log.on_success(name_of(&reconciler));
                match next {
                    Next::Change => None,
                    Next::Within(time) => Some(time),
                }
            }
            Err(error) => {
                log.on_error(name_of(&reconciler), &error);
                Some(backoff.next_delay())
            }
        };
        tokio::select! {
            () = reconciler.changed() => {}
            () = sleep(deadline.unwrap_or_default()), if deadline.is_some() => {}
        }
    }
}

fn name_of<R: Reconciler>(_: &R) -> &'static str {
    R::NAME
}

/// The error that was logged last; `None` after a success.
#[derive(Default)]
struct LogState(Option<String>);

impl LogState {
    fn on_error(&mut self, controller: &str, error: &impl Display) {
        let text = error.to_string();
        if self.0.as_ref() != Some(&text) {
            if runtime::is_draining() {
                tracing::debug!(
                    controller,
                    error = text,
                    "reconciliation failed during the shutdown"
                );
            } else {
                tracing::warn!(controller, error = text, "reconciliation failed; retrying");
            }
        }
        self.0 = Some(text);
    }

    fn on_success(&mut self, controller: &str) {
        if self.0.take().is_some() {
            tracing::info!(controller, "reconciliation recovered");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;
    use tokio::time::Instant;

    use super::*;

    /// Fails three times, then asks for a step within a minute, then for none, and records the times of its steps.
    struct Scripted {
        change: Arc<Notify>,
        steps: tokio::sync::mpsc::UnboundedSender<Instant>,
        count: usize,
    }

    impl Reconciler for Scripted {
        type Error = &'static str;
        const NAME: &'static str = "scripted";

        async fn changed(&mut self) {
            self.change.notified().await;
        }

        async fn step(&mut self) -> Result<Next, Self::Error> {
            let _ = self.steps.send(Instant::now());
            self.count += 1;
            match self.count {
                1..=3 => Err("refused"),
                4 => Ok(Next::Within(Duration::from_mins(1))),
                _ => Ok(Next::Change),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_step_is_retried_with_backoff_and_a_change_starts_the_next_step() {
        let change = Arc::new(Notify::new());
        let (steps, mut times) = tokio::sync::mpsc::unbounded_channel();
        let scripted = Scripted {
            change: Arc::clone(&change),
            steps,
            count: 0,
        };
        let running = tokio::spawn(run(scripted));
        let mut at = Vec::new();
        for _ in 0..5 {
            at.push(times.recv().await.unwrap());
        }
        let waits: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (wait, bound) in waits.iter().zip([1, 2, 4]) {
            let bound = Duration::from_secs(bound);
            assert!(*wait >= bound / 2 && *wait <= bound + Duration::from_millis(2));
        }
        assert_eq!(waits[3].as_secs(), 60);
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert!(times.try_recv().is_err(), "no step without a change");
        change.notify_one();
        assert!(times.recv().await.is_some());
        running.abort();
    }
}
