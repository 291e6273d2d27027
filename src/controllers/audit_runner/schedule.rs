//! When the next audit is due, as a pure state machine: the time is an argument.

use jiff::{SignedDuration, Timestamp};

/// The share of an interval by which audits are moved at random, so that many clusters do not audit at the same time.
const JITTER: f64 = 0.1;

/// When audits run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditInterval {
    /// The time from the end of an audit to the start of the next.
    pub every: SignedDuration,
    /// The delay after policies or mappings change, and after a replica becomes the leader.
    pub delay: SignedDuration,
}

/// When the next audit is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    interval: AuditInterval,
    due: Timestamp,
}

impl Default for AuditInterval {
    fn default() -> Self {
        Self {
            every: SignedDuration::from_hours(1),
            delay: SignedDuration::from_secs(60),
        }
    }
}

impl AuditInterval {
    /// The interval with jitter from `chance`, between 0 and 1.
    fn with_jitter(self, chance: f64) -> SignedDuration {
        let factor = 1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0);
        self.every.mul_f64(factor)
    }
}

impl Schedule {
    /// The schedule of a new leader: an overdue audit starts after the delay, any other one at its time.
    pub(super) fn for_new_leader(
        interval: AuditInterval,
        now: Timestamp,
        last: Option<Timestamp>,
        chance: f64,
    ) -> Self {
        let earliest = now + interval.delay;
        let due = last.map_or(earliest, |last| last + interval.with_jitter(chance));
        Self {
            interval,
            due: due.max(earliest),
        }
    }

    /// Policies or mappings changed. Further changes do not postpone the audit.
    pub(super) fn input_changed(&mut self, now: Timestamp) {
        self.due = self.due.min(now + self.interval.delay);
    }

    /// An audit ended.
    pub(super) fn audit_ended(&mut self, now: Timestamp, chance: f64) {
        self.due = now + self.interval.with_jitter(chance);
    }

    /// The time until the next audit; zero when it is due.
    pub(super) fn until_due(&self, now: Timestamp) -> std::time::Duration {
        let wait = self.due.duration_since(now);
        wait.try_into().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn secs(seconds: i64) -> SignedDuration {
        SignedDuration::from_secs(seconds)
    }

    fn seconds_until_due(last: Option<i64>, chance: f64) -> u64 {
        let last = last.map(|ago| NOW - secs(ago));
        Schedule::for_new_leader(AuditInterval::default(), NOW, last, chance)
            .until_due(NOW)
            .as_secs()
    }

    #[test]
    fn the_first_audit_of_a_leader_starts_when_due_and_not_before_the_delay() {
        assert_eq!(seconds_until_due(None, 0.5), 60);
        assert_eq!(seconds_until_due(Some(7200), 0.5), 60);
        assert_eq!(seconds_until_due(Some(600), 0.5), 3000);
        assert_eq!(seconds_until_due(Some(600), 0.0), 2640);
        assert_eq!(seconds_until_due(Some(600), 1.0), 3360);
        assert_eq!(seconds_until_due(Some(3590), 0.5), 60);
    }

    #[test]
    fn a_change_brings_an_audit_forward_and_never_postpones_it() {
        let mut schedule = Schedule::for_new_leader(AuditInterval::default(), NOW, Some(NOW), 0.5);
        schedule.input_changed(NOW + secs(100));
        schedule.input_changed(NOW + secs(130));
        assert_eq!(schedule.until_due(NOW), Duration::from_secs(160));
        schedule.audit_ended(NOW + secs(160), 0.5);
        assert_eq!(schedule.until_due(NOW + secs(160)), Duration::from_hours(1));
        assert_eq!(schedule.until_due(NOW + secs(9999)), Duration::ZERO);
    }
}
