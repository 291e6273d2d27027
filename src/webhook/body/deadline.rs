//! How long a response may take, from the `timeout` parameter that the API server sends.

use std::time::Duration;

/// The timeout of a request without one: the default of `timeoutSeconds`.
const DEFAULT: Duration = Duration::from_secs(10);

/// The maximum of `timeoutSeconds`.
const MAX: Duration = Duration::from_secs(30);

/// The minimum and maximum of the margin for the network. A response after the timeout counts as a failure, so a tenth of
/// the timeout is kept, but not less than a busy network needs and not more than half a second.
const MARGIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// The time from the arrival of a request to its response: the `timeout` of the query (`timeout=2s`, a duration as Go writes
/// it) less a margin for the network. Without a valid timeout it is [`DEFAULT`].
pub fn allowance(query: Option<&str>) -> Duration {
    let given = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("timeout="))
        .and_then(go_duration)
        .filter(|timeout| !timeout.is_zero());
    let timeout = given.unwrap_or(DEFAULT).min(MAX);
    timeout.saturating_sub((timeout / 10).clamp(MARGIN.0, MARGIN.1))
}

/// Parses a duration like Go's `time.ParseDuration`, without a sign: `1m30s`, `1.5s`, `300ms`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, tail) = rest.split_at(number);
        let unit = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" | "%C2%B5s" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(amount.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part)?;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed_as_go_writes_them() {
        let ms = Duration::from_millis;
        let cases = [
            ("2s", Some(ms(2000))),
            ("30s", Some(ms(30_000))),
            ("1m30s", Some(ms(90_000))),
            ("1.5s", Some(ms(1500))),
            (".5s", Some(ms(500))),
            ("300ms", Some(ms(300))),
            ("1h0m0.5s", Some(ms(3_600_500))),
            ("250us", Some(Duration::from_micros(250))),
            ("250µs", Some(Duration::from_micros(250))),
            ("0s", Some(ms(0))),
            ("", None),
            ("2", None),
            ("s", None),
            ("-2s", None),
            ("1.2.3s", None),
            ("2d", None),
            ("99999999999999999999999h", None),
        ];
        for (text, duration) in cases {
            assert_eq!(go_duration(text), duration, "{text:?}");
        }
    }

    #[test]
    fn an_allowance_keeps_a_margin_for_the_network() {
        let ms = Duration::from_millis;
        let cases = [
            (None, ms(9500)),
            (Some("timeout=10s"), ms(9500)),
            (Some("dry=1&timeout=2s"), ms(1800)),
            (Some("timeout=1s"), ms(900)),
            (Some("timeout=100ms"), ms(50)),
            (Some("timeout=20ms"), ms(0)),
            (Some("timeout=9h"), ms(29_500)),
            (Some("timeout=0s"), ms(9500)),
            (Some("timeout=soon"), ms(9500)),
            (Some("mytimeout=1s"), ms(9500)),
        ];
        for (query, allowed) in cases {
            assert_eq!(allowance(query), allowed, "{query:?}");
        }
    }
}
