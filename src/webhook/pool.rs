//! The threads that evaluate large reviews: how many at once, and how many of them for one namespace.
//!
//! A review waits for its [`Slot`] in the order of arrival, first among the reviews of its namespace, then among all.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The threads that evaluate large reviews. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct EvaluationPool(Arc<PoolState>);

/// The permission to evaluate one review; the next one starts when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    // Dropped in this order: the namespace is forgotten when no review of it holds a permit.
    _thread: OwnedSemaphorePermit,
    _share: OwnedSemaphorePermit,
    _review: QueuedReview,
}

/// The reviews of a namespace that wait hold too many bytes already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamespaceBusy;

#[derive(Debug)]
struct PoolState {
    slots: Arc<Semaphore>,
    share: usize,
    namespaces: Mutex<BTreeMap<Box<str>, NamespaceReviews>>,
}

/// The reviews of one namespace that wait or are evaluated.
#[derive(Debug)]
struct NamespaceReviews {
    share: Arc<Semaphore>,
    count: usize,
    waiting_bytes: usize,
}

/// A review that is counted with its namespace, until it is dropped.
#[derive(Debug)]
struct QueuedReview {
    pool: EvaluationPool,
    namespace: Box<str>,
    waiting_bytes: usize,
}

impl EvaluationPool {
    /// Maximum number of threads, on a machine of any size: the memory budget has room for few large reviews.
    const MAX_SLOTS: usize = 4;

    /// Maximum size of the bodies of one namespace that wait, in bytes, unless only one waits: a quarter of the memory budget.
    const MAX_WAITING: usize = 16 * 1024 * 1024;

    /// A pool of `slots` threads, of which reviews of one namespace use at most half, but at least one.
    pub(super) fn new(slots: NonZero<usize>) -> Self {
        Self(Arc::new(PoolState {
            slots: Arc::new(Semaphore::new(slots.get().min(Semaphore::MAX_PERMITS))),
            share: (slots.get() / 2).max(1),
            namespaces: Mutex::default(),
        }))
    }

    /// A thread for each CPU of the process, but at least two, so that no namespace uses all of them, and at most
    /// [`EvaluationPool::MAX_SLOTS`].
    pub(super) fn for_this_machine() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, NonZero::get);
        let slots = cpus.clamp(2, Self::MAX_SLOTS);
        Self::new(NonZero::new(slots).unwrap_or(NonZero::<usize>::MIN))
    }

    /// Waits for a slot for a body of `bytes` bytes.
    ///
    /// # Errors
    /// [`NamespaceBusy`], at once.
    pub(super) async fn slot(&self, namespace: &str, bytes: usize) -> Result<Slot, NamespaceBusy> {
        let (mut review, share) = self.queue(namespace, bytes)?;
        // The semaphores are never closed.
        let share = share.acquire_owned().await.map_err(|_| NamespaceBusy)?;
        let slots = Arc::clone(&self.0.slots);
        let slot = slots.acquire_owned().await.map_err(|_| NamespaceBusy)?;
        review.start();
        Ok(Slot {
            _thread: slot,
            _share: share,
            _review: review,
        })
    }

    fn queue(
        &self,
        name: &str,
        bytes: usize,
    ) -> Result<(QueuedReview, Arc<Semaphore>), NamespaceBusy> {
        let mut namespaces = self.namespaces();
        let namespace = namespaces
            .entry(name.into())
            .or_insert_with(|| NamespaceReviews {
                share: Arc::new(Semaphore::new(self.0.share)),
                count: 0,
                waiting_bytes: 0,
            });
        let waiting_bytes = namespace.waiting_bytes.saturating_add(bytes);
        if namespace.waiting_bytes > 0 && waiting_bytes > Self::MAX_WAITING {
            return Err(NamespaceBusy);
        }
        namespace.waiting_bytes = waiting_bytes;
        namespace.count += 1;
        let review = QueuedReview {
            pool: self.clone(),
            namespace: name.into(),
            waiting_bytes: bytes,
        };
        Ok((review, Arc::clone(&namespace.share)))
    }

    fn namespaces(&self) -> MutexGuard<'_, BTreeMap<Box<str>, NamespaceReviews>> {
        // No code that holds the lock can panic.
        let namespaces = self.0.namespaces.lock();
        namespaces.unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueuedReview {
    /// The review waits no longer.
    fn start(&mut self) {
        if let Some(namespace) = self.pool.namespaces().get_mut(&self.namespace) {
            namespace.waiting_bytes -= std::mem::take(&mut self.waiting_bytes);
        }
    }
}

impl Drop for QueuedReview {
    fn drop(&mut self) {
        self.start();
        let mut namespaces = self.pool.namespaces();
        if let Some(namespace) = namespaces.get_mut(&self.namespace) {
            namespace.count -= 1;
            if namespace.count == 0 {
                namespaces.remove(&self.namespace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Waiting<'p> = Pin<Box<dyn Future<Output = Result<Slot, NamespaceBusy>> + 'p>>;

    fn pool(slots: usize) -> EvaluationPool {
        EvaluationPool::new(NonZero::new(slots).unwrap())
    }

    fn request<'p>(pool: &'p EvaluationPool, namespace: &'p str, bytes: usize) -> Waiting<'p> {
        Box::pin(pool.slot(namespace, bytes))
    }

    fn poll(waiting: &mut Waiting<'_>) -> Poll<Result<Slot, NamespaceBusy>> {
        waiting
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
    }

    fn slot(waiting: &mut Waiting<'_>) -> Slot {
        match poll(waiting) {
            Poll::Ready(slot) => slot.unwrap(),
            Poll::Pending => panic!("no slot"),
        }
    }

    #[test]
    fn a_namespace_uses_at_most_half_of_the_slots() {
        let pool = pool(4);
        let mut of_a: Vec<_> = (0..3).map(|_| request(&pool, "a", 1)).collect();
        let first = slot(&mut of_a[0]);
        let _second = slot(&mut of_a[1]);
        assert!(
            poll(&mut of_a[2]).is_pending(),
            "the share of the namespace"
        );
        let mut of_b: Vec<_> = (0..2).map(|_| request(&pool, "b", 1)).collect();
        let of_b: Vec<_> = of_b.iter_mut().map(slot).collect();
        let mut of_c = request(&pool, "c", 1);
        assert!(poll(&mut of_c).is_pending(), "all slots");
        drop(of_b);
        let _of_c = slot(&mut of_c);
        assert!(poll(&mut of_a[2]).is_pending());
        drop(first);
        slot(&mut of_a[2]);
    }

    #[test]
    fn reviews_of_a_namespace_wait_in_order_and_hold_no_more_than_their_bytes() {
        let pool = pool(2);
        let half = EvaluationPool::MAX_WAITING / 2;
        let running = slot(&mut request(&pool, "a", half));
        let mut waiting: Vec<_> = (0..2).map(|_| request(&pool, "a", half)).collect();
        assert!(waiting.iter_mut().all(|one| poll(one).is_pending()));
        let refused = poll(&mut request(&pool, "a", 1));
        assert!(matches!(refused, Poll::Ready(Err(NamespaceBusy))));
        drop(slot(&mut request(&pool, "b", half)));
        // One that gives up returns its bytes.
        drop(waiting.pop());
        let mut next = request(&pool, "a", half);
        assert!(poll(&mut next).is_pending());
        drop(running);
        drop(slot(&mut waiting[0]));
        drop(slot(&mut next));
        assert!(
            pool.namespaces().values().all(|one| one.count == 2),
            "the two futures"
        );
        drop((waiting, next));
        assert!(pool.namespaces().is_empty());
    }

    #[test]
    fn one_body_may_wait_whatever_its_size() {
        let pool = pool(2);
        let _running = slot(&mut request(&pool, "a", 1));
        let mut large = request(&pool, "a", 2 * EvaluationPool::MAX_WAITING);
        assert!(poll(&mut large).is_pending());
    }
}
