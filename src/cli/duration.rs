//! Durations as kubectl takes them.

use std::time::Duration;

use jiff::SignedDuration;

/// A text is not a duration.
#[derive(Debug, thiserror::Error)]
#[error("expected seconds, or a number with its unit, such as 30s or 2m")]
pub(super) struct NotADuration;

/// Parses a duration; a number without a unit counts seconds.
pub(super) fn parse(text: &str) -> Result<Duration, NotADuration> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let duration: SignedDuration = text.parse().map_err(|_| NotADuration)?;
    duration.try_into().map_err(|_| NotADuration)
}

#[cfg(test)]
mod tests {
    use super::*;

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
