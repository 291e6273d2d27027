//! Label selectors in the syntax of `kubectl -l`.

use crate::domain::policy::{Requirement, Selector};

/// A text is not a label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no condition on a label: expected `key=value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`, `key` or `!key`"
)]
pub(super) struct NotASelector(String);

/// Parses conditions that are separated by commas; the empty text selects everything.
pub(super) fn parse(text: &str) -> Result<Selector, NotASelector> {
    if text.trim().is_empty() {
        return Ok(Selector::default());
    }
    let conditions = split(text).into_iter().map(requirement);
    Ok(Selector::new(conditions.collect::<Result<Vec<_>, _>>()?))
}

/// The conditions; a comma in parentheses separates values.
fn split(text: &str) -> Vec<&str> {
    let mut in_parentheses = false;
    text.split(|c| {
        match c {
            '(' => in_parentheses = true,
            ')' => in_parentheses = false,
            _ => {}
        }
        c == ',' && !in_parentheses
    })
    .collect()
}

fn requirement(condition: &str) -> Result<Requirement, NotASelector> {
    let condition = condition.trim();
    parsed(condition).ok_or_else(|| NotASelector(condition.to_owned()))
}

fn parsed(condition: &str) -> Option<Requirement> {
    if let Some((key, value)) = condition.split_once("!=") {
        return Some(Requirement::NotIn(key_of(key)?, [value_of(value)?].into()));
    }
    if let Some((key, value)) = condition.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Some(Requirement::In(key_of(key)?, [value_of(value)?].into()));
    }
    if let Some(key) = condition.strip_prefix('!') {
        return Some(Requirement::DoesNotExist(key_of(key)?));
    }
    let Some((before, listed)) = condition.split_once('(') else {
        return Some(Requirement::Exists(key_of(condition)?));
    };
    let values = listed.strip_suffix(')')?.split(',').map(value_of);
    let values = values.collect::<Option<Box<[_]>>>()?;
    let (key, operator) = before.trim_end().rsplit_once(char::is_whitespace)?;
    match operator {
        "in" => Some(Requirement::In(key_of(key)?, values)),
        "notin" => Some(Requirement::NotIn(key_of(key)?, values)),
        _ => None,
    }
}

/// A key: letters, digits, `-`, `_` and `.`, with a prefix before `/`.
fn key_of(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().all(|c| is_name_char(c) || c == '/');
    fits.then(|| text.into())
}

/// A value, which may be empty.
fn value_of(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    text.chars().all(is_name_char).then(|| text.into())
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_conditions_of_kubectl_are_parsed() {
        let one = |key: &str, value: &str| Requirement::In(key.into(), [value.into()].into());
        let both = || ["a".into(), "b".into()].into();
        for (text, expected) in [
            ("app=chat", vec![one("app", "chat")]),
            ("app==chat,tier=", vec![one("app", "chat"), one("tier", "")]),
            (
                "a!=b",
                vec![Requirement::NotIn("a".into(), ["b".into()].into())],
            ),
            ("x in (a, b)", vec![Requirement::In("x".into(), both())]),
            (
                "x notin (a,b), y",
                vec![
                    Requirement::NotIn("x".into(), both()),
                    Requirement::Exists("y".into()),
                ],
            ),
            (
                "!example.com/x",
                vec![Requirement::DoesNotExist("example.com/x".into())],
            ),
        ] {
            assert_eq!(parse(text).unwrap(), Selector::new(expected), "{text}");
        }
    }

    #[test]
    fn another_text_is_no_selector() {
        for text in [
            "a,",
            "=b",
            "a in b",
            "a in (b",
            "a near (b)",
            "a b",
            "a=b c",
            "a>3",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
