//! The connections that wait for a request. When a listener has no place for another connection, the one that waits longest is
//! closed in favour of the new one: a client that connects to send a request does so at once, and an idle one can connect again.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The waiting connections of a listener. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct WaitingConnections(Arc<Mutex<Queues>>);

/// The part of one connection. It leaves the queues when it is dropped.
#[derive(Debug)]
pub(super) struct WaitState {
    connections: WaitingConnections,
    /// Its number in the queues; [`BUSY`] while it has a request in flight.
    number: AtomicU64,
    replaced: CancellationToken,
}

/// The number of a connection that does not wait.
const BUSY: u64 = 0;

/// The tokens of waiting connections, by numbers in the order of their wait.
#[derive(Debug, Default)]
struct Queues {
    last: u64,
    before_first_request: BTreeMap<u64, CancellationToken>,
    after_response: BTreeMap<u64, CancellationToken>,
}

impl WaitingConnections {
    /// A new connection, which waits for its first request.
    pub(super) fn join(&self) -> WaitState {
        let replaced = CancellationToken::new();
        let mut queues = self.queues();
        let number = queues.next();
        queues.before_first_request.insert(number, replaced.clone());
        drop(queues);
        WaitState {
            connections: self.clone(),
            number: AtomicU64::new(number),
            replaced,
        }
    }

    /// Closes the connection that waits longest, one without any request first. `false` if all have a request in flight.
    pub(super) fn close_one(&self) -> bool {
        let mut queues = self.queues();
        let longest = queues.before_first_request.pop_first();
        let longest = longest.or_else(|| queues.after_response.pop_first());
        if let Some((_, replaced)) = &longest {
            replaced.cancel();
        }
        longest.is_some()
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        // No code that holds the lock can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queues {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn remove(&mut self, number: u64) {
        if self.before_first_request.remove(&number).is_none() {
            self.after_response.remove(&number);
        }
    }
}

impl WaitState {
    /// The connection has a request in flight.
    pub(super) fn begin_request(&self) {
        let mut queues = self.connections.queues();
        queues.remove(self.number.swap(BUSY, Ordering::Relaxed));
    }

    /// The connection waits for the next request.
    pub(super) fn end_request(&self) {
        let mut queues = self.connections.queues();
        let number = queues.next();
        queues.after_response.insert(number, self.replaced.clone());
        self.number.store(number, Ordering::Relaxed);
    }

    /// Whether another connection takes the place of this one.
    pub(super) fn is_replaced(&self) -> bool {
        self.replaced.is_cancelled()
    }

    /// Returns when another connection takes the place of this one, unless a request is in flight.
    pub(super) async fn replaced(&self) {
        self.replaced.cancelled().await;
        if self.number.load(Ordering::Relaxed) == BUSY {
            pending::<()>().await;
        }
    }
}

impl Drop for WaitState {
    fn drop(&mut self) {
        self.begin_request();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_waits_longest_is_closed_one_without_a_request_first() {
        let connections = WaitingConnections::default();
        let [idle, busy, new, newer] = [(); 4].map(|()| connections.join());
        for one in [&idle, &busy] {
            one.begin_request();
        }
        idle.end_request();
        let replaced = || [&idle, &busy, &new, &newer].map(WaitState::is_replaced);
        assert_eq!(replaced(), [false; 4]);
        for expected in [
            [false, false, true, false],
            [false, false, true, true],
            [true, false, true, true],
        ] {
            assert!(connections.close_one());
            assert_eq!(replaced(), expected);
        }
        assert!(
            !connections.close_one(),
            "the last one has a request in flight"
        );
        busy.end_request();
        drop(busy);
        assert!(!connections.close_one(), "a connection that has ended");
    }
}
