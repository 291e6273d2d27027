//! A value that is replaced as a whole: one writes, all read without waiting, and who needs news can wait for them.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

/// The current value. Readers keep what they loaded for as long as they need it.
#[derive(Debug)]
pub struct Current<T> {
    value: ArcSwap<T>,
    generation: watch::Sender<u64>,
}

/// Waits for values that are newer than those it has waited for.
#[derive(Debug, Clone)]
pub struct News(watch::Receiver<u64>);

impl<T> Current<T> {
    /// Starts with a value.
    pub fn new(value: T) -> Self {
        Self {
            value: ArcSwap::from_pointee(value),
            generation: watch::Sender::new(0),
        }
    }

    /// The value as it is now.
    pub fn load(&self) -> Guard<Arc<T>> {
        self.value.load()
    }

    /// Replaces the value, and wakes whoever waits for news.
    pub fn replace(&self, value: T) {
        self.value.store(Arc::new(value));
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// News from this moment on: a value that is stored after this call and before the wait is not missed.
    pub fn news(&self) -> News {
        News(self.generation.subscribe())
    }
}

impl News {
    /// Comes when a newer value has been stored; never, where nobody can store one any more.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn news_that_come_between_the_look_and_the_wait_are_not_missed() {
        let current = Current::new(1);
        let mut news = current.news();
        assert_eq!(**current.load(), 1);
        current.replace(2);
        news.next().await;
        assert_eq!(**current.load(), 2);
    }
}
