//! Durations as kubectl takes them.

use std::time::Duration;

use jiff::{SignedDuration, Span};

/// A text is not a duration.
#[derive(Debug, thiserror::Error)]
#[error("expected seconds, or a number with its unit, such as 30s or 2m")]
pub(super) struct NotADuration;

/// A text is no number of days.
#[derive(Debug, thiserror::Error)]
#[error("expected a number of days, weeks or months, such as 120d, 16w or 6mo")]
pub(super) struct NotAHorizon;

/// Parses a duration; a number without a unit counts seconds.
pub(super) fn parse(text: &str) -> Result<Duration, NotADuration> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let duration: SignedDuration = text.parse().map_err(|_| NotADuration)?;
    duration.try_into().map_err(|_| NotADuration)
}

/// Parses a number of days, weeks or months, such as `120d`, `16w` or `6mo`.
pub(super) fn parse_horizon(text: &str) -> Result<Span, NotAHorizon> {
    let span: Span = text.parse().map_err(|_| NotAHorizon)?;
    let is_of_days = span.get_hours() == 0 && span.get_minutes() == 0 && span.get_seconds() == 0;
    if is_of_days && span.signum() > 0 {
        Ok(span)
    } else {
        Err(NotAHorizon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horizon_is_a_number_of_days_or_more() {
        let today = jiff::civil::date(2026, 11, 23);
        for (text, last) in [
            ("120d", "2027-03-23"),
            ("2w", "2026-12-07"),
            ("6mo", "2027-05-23"),
        ] {
            let last_day = today.checked_add(parse_horizon(text).unwrap()).unwrap();
            assert_eq!(last_day.to_string(), last, "{text}");
        }
        for wrong in ["", "120", "0d", "-3d", "5h", "1d5h", "soon"] {
            assert!(parse_horizon(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_duration_is_read_as_kubectl_reads_it() {
        for (text, seconds) in [("0", 0), ("5", 5), ("30s", 30), ("2m", 120), ("1m30s", 90)] {
            assert_eq!(parse(text).unwrap(), Duration::from_secs(seconds), "{text}");
        }
        for wrong in ["", "-1s", "soon", "1.5"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
