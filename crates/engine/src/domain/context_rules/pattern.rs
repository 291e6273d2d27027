//! Patterns of names, compared regardless of separators and case.

/// Whether `name` matches one of `patterns`.
pub(super) fn matches_any(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, name))
}

/// Whether `name` matches `pattern`, regardless of separators and case.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    matches_letters(pattern, letters(name))
}

/// Whether the letters of a name match `pattern`.
pub(super) fn matches_letters(
    pattern: &str,
    mut letters: impl DoubleEndedIterator<Item = char>,
) -> bool {
    let (middle, open_start) = pattern
        .strip_prefix('*')
        .map_or((pattern, false), |rest| (rest, true));
    let (middle, open_end) = middle
        .strip_suffix('*')
        .map_or((middle, false), |rest| (rest, true));
    match (open_start, open_end) {
        (true, true) => letters.collect::<String>().contains(middle),
        (false, true) => middle.chars().all(|one| letters.next() == Some(one)),
        (_, false) => {
            middle
                .chars()
                .rev()
                .all(|one| letters.next_back() == Some(one))
                && (open_start || letters.next_back().is_none())
        }
    }
}

/// A name in lower case, without separators.
pub(in crate::domain) fn letters(name: &str) -> impl DoubleEndedIterator<Item = char> {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_regardless_of_separators_and_case() {
        for name in [
            "model_name",
            "modelName",
            "MODEL_NAME",
            "model-name",
            "ModelName",
        ] {
            assert!(fits("modelname", name), "{name}");
        }
        assert!(!fits("modelname", "the_model_name"));
        assert!(fits("*modelname", "the_model_name"));
        assert!(fits("model*", "model_name"));
        assert!(!fits("name*", "model_name"));
        assert!(fits("*odel*", "MY_MODEL_NAME"));
        assert!(!fits("modelname", ""));
    }
}
