//! The validity period of a certificate, and when to renew it: pure functions of the wall clock.
//!
//! Renewal goes by the wall clock and not by a timer, because timers do not advance while a machine is suspended.

use std::time::{Duration, SystemTime};

/// The validity period of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// When it was issued; `not_before` may be earlier.
    pub issued: SystemTime,
    /// Start of the validity period.
    pub not_before: SystemTime,
    /// End of the validity period.
    pub not_after: SystemTime,
}

impl Validity {
    /// Whether `now` is within the validity period.
    pub fn contains(&self, now: SystemTime) -> bool {
        (self.not_before..self.not_after).contains(&now)
    }

    /// When to renew: after two thirds of the time from issue to end. The last third is left to notice that renewal fails.
    pub fn renewal(&self) -> SystemTime {
        let lifetime = self
            .not_after
            .duration_since(self.issued)
            .unwrap_or(Duration::ZERO);
        self.issued + lifetime / 3 * 2
    }

    /// Whether the certificate is due for renewal at `now`, or not valid yet because the clock was set back.
    pub fn needs_renewal(&self, now: SystemTime) -> bool {
        now < self.not_before || now >= self.renewal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_lifetime_or_if_the_clock_went_back() {
        let issued = SystemTime::UNIX_EPOCH + Duration::from_hours(1_000);
        let hours = Duration::from_hours;
        let validity = Validity {
            issued,
            not_before: issued - hours(2),
            not_after: issued + hours(24),
        };
        let cases = [
            (issued - hours(2) - Duration::from_secs(1), true),
            (issued - hours(2), false),
            (issued, false),
            (issued + hours(16) - Duration::from_secs(1), false),
            (issued + hours(16), true),
            (issued + hours(500), true),
        ];
        for (now, renews) in cases {
            assert_eq!(validity.needs_renewal(now), renews, "{now:?}");
        }
        assert_eq!(validity.renewal(), issued + hours(16));
    }
}
