//! Whether this replica leads, for those who write.

use std::future::pending;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Whether this replica leads. Clones share the answer.
///
/// It carries the end of the term: who asks after that, because the process was stopped in between or the election is busy,
/// hears the truth.
#[derive(Clone, Debug)]
pub struct Leadership(watch::Receiver<Option<Instant>>);

/// Where the election says whether this replica leads, or whoever tries a writer without one. Nobody leads when it is gone.
#[derive(Debug)]
pub struct Term(watch::Sender<Option<Instant>>);

/// What a new term means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// This replica leads from now on.
    Begins,
    /// It leads no more.
    Ends,
}

/// A term that has not begun, and where that is told.
pub fn term() -> (Term, Leadership) {
    let (term, leadership) = watch::channel(None);
    (Term(term), Leadership(leadership))
}

impl Term {
    /// Sets the end of the term. Those who wait hear of its beginning and its end, and of no renewal.
    pub fn set(&self, until: Option<Instant>) -> Option<Turn> {
        let mut turn = None;
        self.0.send_if_modified(|current| {
            // A term that is over was not told to be so yet.
            let led = current.is_some();
            let went_on = led_until(*current).is_some();
            *current = until;
            turn = match (led, until) {
                (true, None) => Some(Turn::Ends),
                (false, Some(_)) => Some(Turn::Begins),
                _ => None,
            };
            turn.is_some() || went_on != until.is_some()
        });
        turn
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.set(None);
    }
}

impl Leadership {
    /// Whether this replica leads at this moment.
    pub fn is_leader(&self) -> bool {
        led_until(*self.0.borrow()).is_some()
    }

    /// Comes when this replica has begun or ended to lead since the last call; never, where there is no election any more.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            pending::<()>().await;
        }
    }

    /// Comes when this replica leads; at once, if it does already.
    pub async fn leading(&mut self) {
        while !self.is_leader() {
            self.changed().await;
        }
    }

    /// Does work that only a leader may do. It is dropped where it stands when this replica leads no more: `None`, also where
    /// it did not lead in the first place and nothing was begun.
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

    /// Comes at the end of the term, also where nobody tells it.
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

    async fn is_news(leadership: &mut Leadership) -> bool {
        timeout(Duration::ZERO, leadership.changed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn its_beginning_and_its_end_are_news_and_a_renewal_is_none() {
        let (term, mut leadership) = term();
        let now = Instant::now();
        assert_eq!(term.set(None), None);
        assert!(!is_news(&mut leadership).await);
        for (until, turn, news) in [
            (Some(now + SECOND), Some(Turn::Begins), true),
            (Some(now + 2 * SECOND), None, false),
            (None, Some(Turn::Ends), true),
            (None, None, false),
        ] {
            assert_eq!(term.set(until), turn);
            assert_eq!(is_news(&mut leadership).await, news, "{turn:?}");
            assert_eq!(leadership.is_leader(), until.is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_term_is_over_at_its_end_also_where_nobody_says_so() {
        let (term, mut leadership) = term();
        term.set(Some(Instant::now() + SECOND));
        leadership.changed().await;
        advance(SECOND).await;
        assert!(!leadership.is_leader());
        assert_eq!(leadership.run(|| async { "done" }).await, None);

        // Who has seen it over waits for news of the next renewal.
        assert_eq!(term.set(Some(Instant::now() + SECOND)), None);
        assert!(is_news(&mut leadership).await);
        assert!(leadership.is_leader());
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_done_only_as_long_as_one_leads() {
        let (term, leadership) = term();
        let begun = leadership.run(|| async { panic!("nobody leads") }).await;
        assert_eq!(begun, None::<()>);

        let start = Instant::now();
        term.set(Some(start + SECOND));
        assert_eq!(leadership.run(|| async { "done" }).await, Some("done"));

        // Work goes on over renewals, and ends where nothing is heard any more.
        let work = tokio::spawn({
            let leadership = leadership.clone();
            async move { (leadership.run(pending::<()>).await, Instant::now()) }
        });
        tokio::task::yield_now().await;
        term.set(Some(start + 3 * SECOND));
        assert_eq!(work.await.unwrap(), (None, start + 3 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_leads_without_an_election() {
        let (term, mut leadership) = term();
        term.set(Some(Instant::now() + SECOND));
        leadership.leading().await;
        leadership.changed().await;
        drop(term);
        leadership.changed().await;
        assert!(!leadership.is_leader());
        assert!(!is_news(&mut leadership).await, "and nobody ever will");
    }
}
