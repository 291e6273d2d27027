//! Delays between retries: exponential, bounded, with jitter.

use std::time::Duration;

/// The delay before the next retry. Doubles with each retry up to a bound; [`Backoff::reset`] starts over.
#[derive(Debug, Clone)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// Delays from `initial`, doubled up to `max`.
    pub const fn new(initial: Duration, max: Duration) -> Self {
        Self {
            initial,
            max,
            next: initial,
        }
    }

    /// The next delay: a random time between half and all of the current bound, so that replicas do not retry in step.
    pub fn next_delay(&mut self) -> Duration {
        let bound = self.next;
        self.next = (bound * 2).min(self.max);
        bound.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Starts over, after a success.
    pub fn reset(&mut self) {
        self.next = self.initial;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_bound_and_start_over_after_a_reset() {
        let (initial, max) = (Duration::from_millis(100), Duration::from_secs(2));
        let mut backoff = Backoff::new(initial, max);
        let delays: Vec<_> = (0..50).map(|_| backoff.next_delay()).collect();
        assert!(delays[0] <= initial);
        assert!(
            delays
                .iter()
                .all(|delay| *delay >= initial / 2 && *delay <= max)
        );
        assert!(delays[10..].iter().all(|delay| *delay >= max / 2));
        backoff.reset();
        assert!(backoff.next_delay() <= initial);
    }
}
