//! Work on all cores whose results come in the order of the items, so that what is printed does not depend on the threads.
//!
//! The number of items between the two ends is bounded, and with it the memory: a slow item stops those far behind it.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// How many items of each thread are in work or wait for an earlier one.
const ITEMS_PER_THREAD: usize = 4;

/// Calls `work` with each of `items` on `threads` threads, and `consume` on this thread with the results in the order of the items. With
/// one thread, all of it happens on this one.
pub fn in_order<T: Send, R: Send>(
    threads: NonZero<usize>,
    items: impl Iterator<Item = T>,
    work: impl Fn(T) -> R + Sync,
    mut consume: impl FnMut(R),
) {
    if threads.get() == 1 {
        items.for_each(|item| consume(work(item)));
        return;
    }
    let (send_item, items_to_do) = mpsc::channel::<(usize, T)>();
    let (send_result, results) = mpsc::channel();
    let items_to_do = Mutex::new(items_to_do);
    let next_item = || {
        let items_to_do = items_to_do.lock().unwrap_or_else(PoisonError::into_inner);
        items_to_do.recv()
    };
    let run = |send_result: mpsc::Sender<_>| {
        while let Ok((at, item)) = next_item() {
            // A panic goes on where the results are awaited, which would wait for this one without end.
            let result = catch_unwind(AssertUnwindSafe(|| work(item)));
            if send_result.send((at, result)).is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            let send_result = send_result.clone();
            scope.spawn(|| run(send_result));
        }
        // Moved into this block, so that a panic ends the threads.
        let send_item = send_item;
        let mut done = Reordered::new(results);
        let mut take = || consume(done.next().unwrap_or_else(|panic| resume_unwind(panic)));
        let mut waiting = 0;
        for (at, item) in items.enumerate() {
            if waiting == threads.get() * ITEMS_PER_THREAD {
                take();
                waiting -= 1;
            }
            // The threads receive until the sender is dropped.
            if send_item.send((at, item)).is_ok() {
                waiting += 1;
            }
        }
        for _ in 0..waiting {
            take();
        }
    });
}

/// The results in the order of the items.
struct Reordered<R> {
    results: mpsc::Receiver<(usize, thread::Result<R>)>,
    /// The results that came before an earlier one; the first belongs to the item `next`.
    early: VecDeque<Option<thread::Result<R>>>,
    next: usize,
}

impl<R> Reordered<R> {
    const fn new(results: mpsc::Receiver<(usize, thread::Result<R>)>) -> Self {
        Self {
            results,
            early: VecDeque::new(),
            next: 0,
        }
    }

    /// Waits for the result of the next item, of those that were sent.
    fn next(&mut self) -> thread::Result<R> {
        while !matches!(self.early.front(), Some(Some(_))) {
            let (at, result) = self.results.recv().map_err(|error| Box::new(error) as _)?;
            let at = at - self.next;
            if self.early.len() <= at {
                self.early.resize_with(at + 1, || None);
            }
            self.early[at] = Some(result);
        }
        self.next += 1;
        let first = self.early.pop_front().flatten();
        first.unwrap_or_else(|| Err(Box::new("no result")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const TWO: NonZero<usize> = NonZero::new(2).unwrap();

    fn squares(threads: NonZero<usize>, items: usize) -> Vec<usize> {
        let mut squares = Vec::new();
        in_order(threads, 0..items, |one| one * one, |one| squares.push(one));
        squares
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for items in [0, 1, 2, 1_000] {
            let expected: Vec<_> = (0..items).map(|one| one * one).collect();
            assert_eq!(squares(NonZero::<usize>::MIN, items), expected);
            assert_eq!(squares(TWO, items), expected);
        }
    }

    #[test]
    fn two_items_are_in_work_at_once() {
        let both = Barrier::new(2);
        in_order(TWO, 0..2, |_| both.wait(), drop);
    }

    #[test]
    fn the_items_in_between_are_bounded() {
        let taken = AtomicUsize::new(0);
        let items = (0..1_000).inspect(|_| {
            taken.fetch_add(1, Ordering::SeqCst);
        });
        let (mut consumed, mut most) = (0, 0);
        in_order(TWO, items, drop, |()| {
            most = most.max(taken.load(Ordering::SeqCst) - consumed);
            consumed += 1;
        });
        assert_eq!(most, 2 * ITEMS_PER_THREAD + 1);
    }

    #[test]
    fn a_panic_of_the_work_reaches_the_caller() {
        let run = || in_order(TWO, 0..100, |one| assert_ne!(one, 50), drop);
        assert!(catch_unwind(run).is_err());
    }
}
