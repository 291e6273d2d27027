//! The one YAML writer: every scalar survives YAML 1.1 readers as well as YAML 1.2 readers.
//!
//! kubectl, Helm and the API server read YAML 1.1, in which a plain `Off` is a boolean, `1:30` a number and `2026-01-01` a timestamp.
//! A YAML 1.2 writer leaves such strings plain, and a reader then gets another value than was written.

use serde::Serialize;
use serde_saphyr::{SerializerOptions, ser};

/// A value as YAML that YAML 1.1 and 1.2 read alike: strings that either version would resolve to another type are quoted.
pub fn to_string(value: &impl Serialize) -> Result<String, ser::Error> {
    let mut options = SerializerOptions::default();
    options.folded_wrap_chars = usize::MAX; // one line a string, as kubectl prints it
    serde_saphyr::to_string_with_options(value, options)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::to_string;

    /// Strings that a YAML 1.1 reader takes for a boolean, null, a number, a timestamp, a merge key or the value key.
    const AMBIGUOUS: &[&str] = &[
        "",
        "~",
        "null",
        "Null",
        "NULL",
        "y",
        "Y",
        "n",
        "N",
        "yes",
        "Yes",
        "YES",
        "no",
        "No",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "true",
        "True",
        "TRUE",
        "false",
        "False",
        "FALSE",
        "0",
        "-1",
        "+1",
        "007",
        "0o7",
        "0x1F",
        "0b101",
        "1_000",
        "1:30",
        "190:20:30",
        "1.5",
        ".5",
        "1e3",
        "1.5e+3",
        "190:20:30.15",
        ".inf",
        "-.inf",
        "+.INF",
        ".nan",
        ".NaN",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "2026-1-1 0:0:0 -5",
        "<<",
        "=",
    ];

    /// Strings that every reader takes for strings.
    const PLAIN: &[&str] = &[
        "Required",
        "anthropic.claude-sonnet-4-6",
        "us-east-1",
        "v1alpha1",
    ];

    #[test]
    fn a_string_that_yaml_1_1_resolves_to_another_type_is_quoted() {
        for text in AMBIGUOUS {
            for written in [
                to_string(&json!({ "value": text })).unwrap(),
                to_string(&json!([text])).unwrap(),
                to_string(&json!({ *text: 0 })).unwrap(),
            ] {
                let scalar = written
                    .trim_start_matches("value: ")
                    .trim_start_matches("- ");
                assert!(
                    scalar.starts_with(['"', '\'']),
                    "{text:?} is written as {written}"
                );
            }
        }
    }

    #[test]
    fn a_string_that_is_a_string_everywhere_stays_plain() {
        for text in PLAIN {
            assert_eq!(to_string(&json!([text])).unwrap(), format!("- {text}\n"));
        }
    }

    #[test]
    fn a_written_value_is_read_back_equal() {
        let values = json!({
            "strings": AMBIGUOUS, "long": "word ".repeat(100), "lines": "a\n  b\n\nc\n\n", "open": "a\nb", "indented": "  a\nb\n",
            "tab": "a\tb", "quotes": "'\"\\", "colon": "a: b", "comment": "a #b", "unicode": "é\u{85}\u{2028}\u{7f}",
            "empty": [{}, []], "numbers": [0, -1, 1.5, 1e30, u64::MAX], "null": null, "switches": [true, false],
        });
        let read: Value = serde_yaml::from_str(&to_string(&values).unwrap()).unwrap();
        assert_eq!(read, values);
    }
}
