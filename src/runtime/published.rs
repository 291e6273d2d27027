//! A value that one task replaces as a whole, and that any number of tasks read without waiting or wait for.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

/// The current value. A reader keeps the value that it loaded for as long as it needs it.
#[derive(Debug)]
pub struct Published<T> {
    value: ArcSwap<T>,
    generation: watch::Sender<u64>,
}

/// A subscription to the replacements of a [`Published`] value.
#[derive(Debug, Clone)]
pub struct Changes(watch::Receiver<u64>);

impl<T> Published<T> {
    /// Publishes an initial value.
    pub fn new(value: T) -> Self {
        Self {
            value: ArcSwap::from_pointee(value),
            generation: watch::Sender::new(0),
        }
    }

    /// The current value.
    pub fn load(&self) -> Guard<Arc<T>> {
        self.value.load()
    }

    /// Replaces the value, and wakes all subscribers.
    pub fn replace(&self, value: T) {
        self.value.store(Arc::new(value));
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// Subscribes to replacements: each one after this call is reported, also if it precedes the wait for it.
    pub fn subscribe(&self) -> Changes {
        Changes(self.generation.subscribe())
    }
}

impl Changes {
    /// Returns once the value was replaced since the subscription or the last call; never after the value was dropped.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replacement_between_load_and_wait_is_reported() {
        let published = Published::new(1);
        let mut changes = published.subscribe();
        assert_eq!(**published.load(), 1);
        published.replace(2);
        changes.changed().await;
        assert_eq!(**published.load(), 2);
    }
}
