//! When a certificate is to be renewed: a pure function of its life and the wall clock. It renews nothing.
//!
//! The wall clock and not a timer, as machines sleep and are moved while a timer stands still.

use std::time::{Duration, SystemTime};

/// The life of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it was issued; its own start may lie before that.
    pub issued: SystemTime,
    /// When it becomes valid.
    pub not_before: SystemTime,
    /// When it ends.
    pub not_after: SystemTime,
}

/// What to do about a certificate now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Keep,
    /// Issue another.
    Renew,
}

impl Life {
    /// When two thirds of its life are over, counted from its issue.
    pub fn renewal(&self) -> SystemTime {
        let life = self
            .not_after
            .duration_since(self.issued)
            .unwrap_or(Duration::ZERO);
        self.issued + life / 3 * 2
    }

    /// What is to be done at `now`: renew after two thirds of the life, which leaves a third to notice that renewing
    /// fails, and where the clock has been set back so far that the certificate is not valid yet.
    pub fn action(&self, now: SystemTime) -> Action {
        if now < self.not_before || now >= self.renewal() {
            Action::Renew
        } else {
            Action::Keep
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renews_after_two_thirds_and_when_the_clock_went_back() {
        let issued = SystemTime::UNIX_EPOCH + Duration::from_hours(1_000);
        let hours = Duration::from_hours;
        let life = Life {
            issued,
            not_before: issued - hours(2),
            not_after: issued + hours(24),
        };
        let cases = [
            (issued - hours(2) - Duration::from_secs(1), Action::Renew),
            (issued - hours(2), Action::Keep),
            (issued, Action::Keep),
            (issued + hours(16) - Duration::from_secs(1), Action::Keep),
            (issued + hours(16), Action::Renew),
            (issued + hours(500), Action::Renew),
        ];
        for (now, action) in cases {
            assert_eq!(life.action(now), action, "{now:?}");
        }
        assert_eq!(life.renewal(), issued + hours(16));
    }
}
