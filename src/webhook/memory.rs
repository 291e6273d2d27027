//! The memory of reviews: one budget that request bodies and their evaluations draw on.
//!
//! A [`Reservation`] grows before the memory is used, and returns its bytes on drop. A reservation that cannot grow fails at
//! once: waiting while it holds bytes could block every other review.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Bytes that the first evaluation of a body may need for each byte of it.
const EVALUATION_FACTOR: usize = 24;

/// Bytes that the first evaluation of the smallest body may need.
const EVALUATION_MIN: usize = MIB;

/// Maximum number of bytes that an evaluation needs, whatever the size of the body: under
/// [`Limits::REVIEW`](crate::budget::Limits::REVIEW).
pub const EVALUATION_MAX: usize = 48 * MIB;

const MIB: usize = 1024 * 1024;

/// Limits of the memory of reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimits {
    /// Maximum size of all reservations together, in bytes.
    pub total: usize,
    /// Bytes of `total` that only small reservations may use.
    pub kept: usize,
    /// Maximum size of a small reservation, in bytes.
    pub small: usize,
}

/// The memory that reviews may use. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<BudgetState>);

/// A part of a [`MemoryBudget`], returned on drop.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    bytes: usize,
}

/// The budget has too few bytes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetExhausted;

#[derive(Debug)]
struct BudgetState {
    limits: MemoryLimits,
    used: AtomicUsize,
    gauge: Gauge,
}

/// The bytes that the first evaluation of a body of `body` bytes may need: the tree, copies of strings, and the response. An evaluation
/// that exceeds them is repeated with [`EVALUATION_MAX`].
pub const fn evaluation_bytes(body: usize) -> usize {
    let bytes = body.saturating_mul(EVALUATION_FACTOR);
    if bytes < EVALUATION_MIN {
        EVALUATION_MIN
    } else if bytes < EVALUATION_MAX {
        bytes
    } else {
        EVALUATION_MAX
    }
}

// === MemoryLimits ===

impl MemoryLimits {
    /// One review of 14 MiB with its evaluation (62 MiB), and [`MemoryLimits::KEPT`]. The chart's limit of 128 MiB leaves 56 MiB:
    /// an idle replica has up to 26 MiB besides the pages of its executable, and the rest is for connections.
    pub const TOTAL: usize = 72 * MIB;
    /// Four of the largest small reservations, or twenty for the usual 16 KiB.
    pub const KEPT: usize = 8 * MIB;
    /// A body of 80 KiB with its evaluation. Pods have 6 to 20 KiB.
    pub const SMALL: usize = 2 * MIB;
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self {
            total: Self::TOTAL,
            kept: Self::KEPT,
            small: Self::SMALL,
        }
    }
}

// === MemoryBudget ===

impl MemoryBudget {
    /// A budget under `limits`, whose used bytes are a metric.
    pub fn register(limits: MemoryLimits, registry: &mut Registry) -> Self {
        let gauge = Gauge::default();
        registry.register(
            "reserved_bytes",
            "Memory reserved for request bodies and their evaluation",
            gauge.clone(),
        );
        Self(Arc::new(BudgetState {
            limits,
            used: AtomicUsize::new(0),
            gauge,
        }))
    }

    /// An empty reservation.
    pub fn reservation(&self) -> Reservation {
        Reservation {
            budget: self.clone(),
            bytes: 0,
        }
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }
}

// === Reservation ===

impl Reservation {
    /// Changes the size to `bytes`. If the budget has too few left, the size stays as it is.
    ///
    /// # Errors
    /// [`BudgetExhausted`], never for a smaller size.
    pub fn resize(&mut self, bytes: usize) -> Result<(), BudgetExhausted> {
        let MemoryLimits { total, kept, small } = self.budget.0.limits;
        let limit = if bytes <= small {
            total
        } else {
            total.saturating_sub(kept)
        };
        let others_and = |used: usize| used.checked_sub(self.bytes)?.checked_add(bytes);
        let is_smaller = bytes <= self.bytes;
        self.budget
            .0
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                others_and(used).filter(|used| is_smaller || *used <= limit)
            })
            .map_err(|_| BudgetExhausted)?;
        self.budget
            .0
            .gauge
            .inc_by(signed(bytes) - signed(self.bytes));
        self.bytes = bytes;
        Ok(())
    }

    /// The size, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // A smaller size is always granted.
        let _ = self.resize(0);
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::body::ServerLimits;

    fn budget(total: usize, kept: usize, small: usize) -> MemoryBudget {
        let limits = MemoryLimits { total, kept, small };
        MemoryBudget::register(limits, &mut Registry::default())
    }

    #[test]
    fn a_reservation_grows_within_the_budget_and_returns_its_bytes() {
        let budget = budget(10, 0, 0);
        let (mut one, mut two) = (budget.reservation(), budget.reservation());
        assert_eq!(one.resize(6), Ok(()));
        assert_eq!(two.resize(5), Err(BudgetExhausted));
        assert_eq!((two.bytes(), budget.used()), (0, 6));
        assert_eq!(two.resize(4), Ok(()));
        assert_eq!(one.resize(7), Err(BudgetExhausted));
        assert_eq!(one.resize(2), Ok(()));
        assert_eq!(two.resize(8), Ok(()));
        assert_eq!((budget.used(), budget.0.gauge.get()), (10, 10));
        drop(one);
        drop(two);
        assert_eq!((budget.used(), budget.0.gauge.get()), (0, 0));
    }

    #[test]
    fn large_reservations_leave_a_part_to_small_ones() {
        let budget = budget(10, 4, 2);
        let mut large = budget.reservation();
        assert_eq!(large.resize(7), Err(BudgetExhausted));
        assert_eq!(large.resize(6), Ok(()));
        let mut small = budget.reservation();
        assert_eq!(small.resize(2), Ok(()));
        assert_eq!(small.resize(3), Err(BudgetExhausted), "it is large then");
        assert_eq!(small.bytes(), 2);
        // Small ones in the part of the large ones: a large one can still shrink.
        let mut other = budget.reservation();
        assert_eq!(other.resize(2), Ok(()));
        assert_eq!(budget.used(), 10);
        assert_eq!(large.resize(5), Ok(()));
    }

    #[test]
    fn the_largest_body_can_be_evaluated() {
        let limits = ServerLimits::default();
        let budget = MemoryBudget::register(limits.memory, &mut Registry::default());
        let mut one = budget.reservation();
        let whole = limits.body + evaluation_bytes(limits.body);
        assert_eq!(one.resize(whole), Ok(()));
        assert_eq!(
            budget.reservation().resize(limits.memory.kept),
            Err(BudgetExhausted)
        );
        let mut small = budget.reservation();
        assert_eq!(small.resize(limits.memory.small), Ok(()));
        assert!(whole <= 64 * MIB, "{whole}");
    }
}
