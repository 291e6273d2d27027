//! The connections that wait for a client. When a listener has no place for another connection, the one that waits longest is
//! closed in favour of the new one: a client that connects to send a request does so at once, and an idle one can connect again.

use std::collections::BTreeMap;
use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio_util::sync::CancellationToken;

/// The waiting connections of a listener. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct WaitingConnections(Arc<Mutex<Queues>>);

/// The part of one connection. It leaves the queues when it is dropped.
#[derive(Debug)]
pub(super) struct WaitState {
    connections: WaitingConnections,
    /// Its number in the queues; [`BUSY`] from the end of a request to the response.
    number: AtomicU64,
    replaced: CancellationToken,
}

/// The body of a request, until whose end the connection waits for its client.
pub(super) struct AwaitedBody {
    body: Incoming,
    wait: Arc<WaitState>,
}

/// The number of a connection that does not wait.
const BUSY: u64 = 0;

/// The tokens of waiting connections, by numbers in the order of their wait.
#[derive(Debug, Default)]
struct Queues {
    last: u64,
    before_first_request: BTreeMap<u64, CancellationToken>,
    after_response: BTreeMap<u64, CancellationToken>,
    in_body: BTreeMap<u64, CancellationToken>,
}

impl WaitingConnections {
    /// A new connection, which waits for its first request.
    pub(super) fn join(&self) -> Arc<WaitState> {
        let replaced = CancellationToken::new();
        let mut queues = self.queues();
        let number = queues.next();
        queues.before_first_request.insert(number, replaced.clone());
        drop(queues);
        Arc::new(WaitState {
            connections: self.clone(),
            number: AtomicU64::new(number),
            replaced,
        })
    }

    /// Closes the connection that waits longest: of those without any request, of the idle ones, or of those whose request has not
    /// arrived in full. `false` if there are none.
    pub(super) fn close_one(&self) -> bool {
        let mut queues = self.queues();
        let longest = queues.before_first_request.pop_first();
        let longest = longest.or_else(|| queues.after_response.pop_first());
        let longest = longest.or_else(|| queues.in_body.pop_first());
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
        for queue in [
            &mut self.before_first_request,
            &mut self.after_response,
            &mut self.in_body,
        ] {
            if queue.remove(&number).is_some() {
                return;
            }
        }
    }
}

impl WaitState {
    /// The connection waits for the rest of a request.
    pub(super) fn begin_request(self: &Arc<Self>, body: Incoming) -> AwaitedBody {
        self.wait_in(|queues| &mut queues.in_body);
        let body = AwaitedBody {
            body,
            wait: Arc::clone(self),
        };
        if body.is_end_stream() {
            self.stop();
        }
        body
    }

    /// The connection waits for the next request.
    pub(super) fn end_request(&self) {
        self.wait_in(|queues| &mut queues.after_response);
    }

    fn wait_in(&self, queue: impl FnOnce(&mut Queues) -> &mut BTreeMap<u64, CancellationToken>) {
        let mut queues = self.connections.queues();
        let number = queues.next();
        queues.remove(self.number.swap(number, Ordering::Relaxed));
        queue(&mut queues).insert(number, self.replaced.clone());
    }

    /// The connection waits no longer.
    fn stop(&self) {
        let mut queues = self.connections.queues();
        queues.remove(self.number.swap(BUSY, Ordering::Relaxed));
    }

    /// Whether another connection takes the place of this one.
    pub(super) fn is_replaced(&self) -> bool {
        self.replaced.is_cancelled()
    }

    /// Returns when another connection takes the place of this one, unless it has a whole request in flight.
    pub(super) async fn replaced(&self) {
        self.replaced.cancelled().await;
        if self.number.load(Ordering::Relaxed) == BUSY {
            pending::<()>().await;
        }
    }
}

impl Drop for WaitState {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Body for AwaitedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        let ended = matches!(frame, Poll::Ready(None | Some(Err(_))));
        if ended || (frame.is_ready() && self.body.is_end_stream()) {
            self.wait.stop();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_that_waits_longest_is_closed_one_without_a_request_first() {
        let connections = WaitingConnections::default();
        let [idle, busy, reading, new, newer] = [(); 5].map(|()| connections.join());
        for one in [&idle, &busy] {
            one.stop();
        }
        reading.wait_in(|queues| &mut queues.in_body);
        idle.end_request();
        let replaced = || [&idle, &busy, &reading, &new, &newer].map(|one| one.is_replaced());
        assert_eq!(replaced(), [false; 5]);
        for expected in [
            [false, false, false, true, false],
            [false, false, false, true, true],
            [true, false, false, true, true],
            [true, false, true, true, true],
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
