//! Whether this replica leads, for the tasks that only a leader may do.

use std::future::pending;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Whether this replica leads. Clones share the answer.
///
/// It carries the end of the term, so the answer is correct after that too, even if the process was paused in between or the
/// election is delayed.
#[derive(Clone, Debug)]
pub struct Leadership(watch::Receiver<Option<Instant>>);

/// Sets whether this replica leads: used by the election, and by tests of leaders without an election. Dropping it ends the
/// leadership.
#[derive(Debug)]
pub struct Term(watch::Sender<Option<Instant>>);

/// A change of leadership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderChange {
    /// This replica leads from now on.
    Acquired,
    /// This replica does not lead any more.
    Lost,
}

/// A term that has not begun, and the leadership that it sets.
pub fn term() -> (Term, Leadership) {
    let (term, leadership) = watch::channel(None);
    (Term(term), Leadership(leadership))
}

impl Term {
    /// Sets the end of the term. [`Leadership::changed`] returns when a term begins or ends, and not when it is extended.
    pub fn set(&self, until: Option<Instant>) -> Option<LeaderChange> {
        let mut change = None;
        self.0.send_if_modified(|current| {
            // A term whose time is over counts as led until its end is set.
            let led = current.is_some();
            let continued = led_until(*current).is_some();
            *current = until;
            change = match (led, until) {
                (true, None) => Some(LeaderChange::Lost),
                (false, Some(_)) => Some(LeaderChange::Acquired),
                _ => None,
            };
            change.is_some() || continued != until.is_some()
        });
        change
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.set(None);
    }
}

impl Leadership {
    /// Whether this replica leads now.
    pub fn is_leader(&self) -> bool {
        led_until(*self.0.borrow()).is_some()
    }

    /// Returns when this replica began or ceased to lead since the last call; never if there is no election any more.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            pending::<()>().await;
        }
    }

    /// Returns when this replica leads; at once if it does already.
    pub async fn leading(&mut self) {
        while !self.is_leader() {
            self.changed().await;
        }
    }

    /// Runs work that only a leader may do. Returns `None` if this replica does not lead, and drops the work when it ceases to
    /// lead.
    pub async fn run<F: Future>(&self, work: impl FnOnce() -> F) -> Option<F::Output> {
        if !self.is_leader() {
            return None;
        }
        tokio::select! {
            biased;
            () = self.clone().ended() => None,
            output = work() => Some(output),
        }
    }

    /// Returns at the end of the term, also if its end is never set.
    async fn ended(mut self) {
        loop {
            let until = *self.0.borrow_and_update();
            let Some(until) = led_until(until) else {
                return;
            };
            tokio::select! {
                () = sleep_until(until) => {}
                Ok(()) = self.0.changed() => {}
            }
        }
    }
}

fn led_until(until: Option<Instant>) -> Option<Instant> {
    until.filter(|until| Instant::now() < *until)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn has_changed(leadership: &mut Leadership) -> bool {
        timeout(Duration::ZERO, leadership.changed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn the_begin_and_the_end_of_a_term_are_changes_and_an_extension_is_none() {
        let (term, mut leadership) = term();
        let now = Instant::now();
        assert_eq!(term.set(None), None);
        assert!(!has_changed(&mut leadership).await);
        for (until, change, changed) in [
            (Some(now + SECOND), Some(LeaderChange::Acquired), true),
            (Some(now + 2 * SECOND), None, false),
            (None, Some(LeaderChange::Lost), true),
            (None, None, false),
        ] {
            assert_eq!(term.set(until), change);
            assert_eq!(has_changed(&mut leadership).await, changed, "{change:?}");
            assert_eq!(leadership.is_leader(), until.is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_ends_on_time_even_if_its_end_is_never_set() {
        let (term, mut leadership) = term();
        term.set(Some(Instant::now() + SECOND));
        leadership.changed().await;
        advance(SECOND).await;
        assert!(!leadership.is_leader());
        assert_eq!(leadership.run(|| async { "done" }).await, None);

        // A task that observed its end waits for the next extension.
        assert_eq!(term.set(Some(Instant::now() + SECOND)), None);
        assert!(has_changed(&mut leadership).await);
        assert!(leadership.is_leader());
    }

    #[tokio::test(start_paused = true)]
    async fn leader_work_runs_only_while_the_replica_leads() {
        let (term, leadership) = term();
        let begun = leadership.run(|| async { panic!("not the leader") }).await;
        assert_eq!(begun, None::<()>);

        let start = Instant::now();
        term.set(Some(start + SECOND));
        assert_eq!(leadership.run(|| async { "done" }).await, Some("done"));

        // Work continues through an extension, and ends at the end of the term.
        let work = tokio::spawn({
            let leadership = leadership.clone();
            async move { (leadership.run(pending::<()>).await, Instant::now()) }
        });
        tokio::task::yield_now().await;
        term.set(Some(start + 3 * SECOND));
        assert_eq!(work.await.unwrap(), (None, start + 3 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn no_replica_leads_without_an_election() {
        let (term, mut leadership) = term();
        term.set(Some(Instant::now() + SECOND));
        leadership.leading().await;
        leadership.changed().await;
        drop(term);
        leadership.changed().await;
        assert!(!leadership.is_leader());
        assert!(!has_changed(&mut leadership).await, "and it never changes");
    }
}
