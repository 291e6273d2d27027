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
    let (open_start, middle, open_end) = open_ends(pattern);
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

/// As [`matches_letters`], for a name that is compared with many patterns.
pub(super) fn fits_letters(pattern: &str, letters: &str) -> bool {
    let (open_start, middle, open_end) = open_ends(pattern);
    match (open_start, open_end) {
        (true, true) => letters.contains(middle),
        (false, true) => letters.starts_with(middle),
        (true, false) => letters.ends_with(middle),
        (false, false) => letters == middle,
    }
}

/// A pattern without its asterisks, and whether it begins and ends with one.
fn open_ends(pattern: &str) -> (bool, &str, bool) {
    let start = pattern.strip_prefix('*');
    let middle = start.unwrap_or(pattern);
    let end = middle.strip_suffix('*');
    (start.is_some(), end.unwrap_or(middle), end.is_some())
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
        for (pattern, name, is_match) in [
            ("modelname", "the_model_name", false),
            ("*modelname", "the_model_name", true),
            ("model*", "model_name", true),
            ("name*", "model_name", false),
            ("*odel*", "MY_MODEL_NAME", true),
            ("modelname", "", false),
        ] {
            let letters: String = letters(name).collect();
            assert_eq!(fits(pattern, name), is_match, "{pattern} {name}");
            assert_eq!(
                fits_letters(pattern, &letters),
                is_match,
                "{pattern} {name}"
            );
        }
    }
}
