//! When the next audit is due. Pure: the time is an argument.

use jiff::{SignedDuration, Timestamp};

/// By how much of an interval audits are moved, so that those of many clusters do not fall together.
const JITTER: f64 = 0.1;

/// How often audits are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// From the end of one to the beginning of the next.
    pub every: SignedDuration,
    /// How long after a change of what is judged by, and after the lease was taken.
    pub settle: SignedDuration,
}

/// When the next audit is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    rhythm: Rhythm,
    due: Timestamp,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            every: SignedDuration::from_hours(1),
            settle: SignedDuration::from_secs(60),
        }
    }
}

impl Rhythm {
    /// An interval, moved by `chance` between 0 and 1.
    fn interval(&self, chance: f64) -> SignedDuration {
        let factor = 1.0 - JITTER + 2.0 * JITTER * chance.clamp(0.0, 1.0);
        self.every.mul_f64(factor)
    }
}

impl Schedule {
    /// The lease was taken: an audit that is too old, or was never made, is due when all has settled; else when its time comes.
    pub(super) fn of_leader(
        rhythm: Rhythm,
        now: Timestamp,
        last: Option<Timestamp>,
        chance: f64,
    ) -> Self {
        let settled = now + rhythm.settle;
        let due = last.map_or(settled, |last| last + rhythm.interval(chance));
        Self {
            rhythm,
            due: due.max(settled),
        }
    }

    /// What is judged by has changed. Changes that follow one another move nothing further away.
    pub(super) fn changed(&mut self, now: Timestamp) {
        self.due = self.due.min(now + self.rhythm.settle);
    }

    /// An audit has ended.
    pub(super) fn ended(&mut self, now: Timestamp, chance: f64) {
        self.due = now + self.rhythm.interval(chance);
    }

    /// How long until the next one; zero where it is due.
    pub(super) fn wait(&self, now: Timestamp) -> std::time::Duration {
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

    fn waits(last: Option<i64>, chance: f64) -> u64 {
        let last = last.map(|ago| NOW - secs(ago));
        Schedule::of_leader(Rhythm::default(), NOW, last, chance)
            .wait(NOW)
            .as_secs()
    }

    #[test]
    fn a_new_leader_waits_for_the_time_of_the_last_audit_and_settles_before() {
        assert_eq!(waits(None, 0.5), 60);
        assert_eq!(waits(Some(7200), 0.5), 60);
        assert_eq!(waits(Some(600), 0.5), 3000);
        assert_eq!(waits(Some(600), 0.0), 2640);
        assert_eq!(waits(Some(600), 1.0), 3360);
        assert_eq!(waits(Some(3590), 0.5), 60);
    }

    #[test]
    fn a_change_brings_the_audit_nearer_and_never_moves_it_away() {
        let mut schedule = Schedule::of_leader(Rhythm::default(), NOW, Some(NOW), 0.5);
        schedule.changed(NOW + secs(100));
        schedule.changed(NOW + secs(130));
        assert_eq!(schedule.wait(NOW), Duration::from_secs(160));
        schedule.ended(NOW + secs(160), 0.5);
        assert_eq!(schedule.wait(NOW + secs(160)), Duration::from_hours(1));
        assert_eq!(schedule.wait(NOW + secs(9999)), Duration::ZERO);
    }
}
