//! The settings in the words of a command, or in the pairs of a text.

use std::borrow::Cow;
use std::ops::Range;

use crate::domain::setting::{Setting, SettingValue};

/// The maximum distance from an ID to the ends of its command, in bytes: a bound for scripts of a megabyte.
const NEAR: usize = 4096;

/// The flags and assignments among `words`.
pub(super) fn settings_of_words<'t>(words: &[&'t str]) -> Vec<Setting<'t>> {
    let mut settings = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let name = word.trim_start_matches('-');
        let is_flag = name.len() < word.len();
        match name.split_once('=') {
            Some((name, value)) => settings.push(setting(name, value)),
            None if is_flag && !name.is_empty() => {
                let value = words.get(at + 1).filter(|next| !next.starts_with('-'));
                settings.extend(value.map(|value| setting(name, value)));
            }
            None => {}
        }
    }
    settings
}

/// The flags and pairs of a text, such as `provider=bedrock;region=eu-west-1` or `--region eu-west-1`.
pub(super) fn settings_of_text(text: &str) -> Vec<Setting<'_>> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '?' | ',');
    let words: Vec<_> = text.split(is_end).filter(|word| !word.is_empty()).collect();
    settings_of_words(&words)
}

fn setting<'t>(name: &'t str, value: &'t str) -> Setting<'t> {
    let value = value.trim_matches(['"', '\'']);
    let variable = value.strip_prefix('$').and_then(|rest| {
        let inner = rest
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let (name, default) = match inner.unwrap_or(rest).split_once(":-") {
            Some((name, default)) => (name, Some(Cow::Borrowed(default))),
            None => (inner.unwrap_or(rest), None),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        (!name.is_empty() && name.bytes().all(is_name)).then_some((name, default))
    });
    match variable {
        Some((variable, default)) => Setting {
            name: name.into(),
            value: SettingValue::Variable {
                name: variable.into(),
                default,
            },
        },
        None => Setting::with_text(name, value),
    }
}

/// The name that the argument at `token` of a text has: that of its flag or assignment.
pub(super) fn own_name<'t>(text: &'t str, token: &Range<usize>) -> Option<&'t str> {
    let before =
        text.get(text.floor_char_boundary(token.start.saturating_sub(NEAR))..token.start)?;
    let quote = |c: char| matches!(c, '"' | '\'');
    let mut words = before.rsplit(char::is_whitespace);
    let word = words.next()?.trim_matches(quote);
    let (name, is_assigned) = match word.rsplit_once('=') {
        Some((name, _)) => (name, true),
        None => (words.find(|word| !word.is_empty())?, false),
    };
    let name = name.trim_matches(quote);
    (is_assigned || name.starts_with('-')).then(|| name.trim_start_matches('-'))
}

/// The command of a shell script that contains `token`, cut at a distance of [`NEAR`].
pub(super) fn command_around<'t>(text: &'t str, token: &Range<usize>) -> &'t str {
    let ends = |at: usize, c: char| {
        matches!(c, ';' | '|' | '&') || (c == '\n' && !text[..at].ends_with('\\'))
    };
    let (from, to) = (
        text.floor_char_boundary(token.start.saturating_sub(NEAR)),
        text.ceil_char_boundary(token.end + NEAR),
    );
    let before = text[from..token.start]
        .char_indices()
        .rev()
        .map(|(at, c)| (from + at, c));
    let start = before
        .clone()
        .find(|&(at, c)| ends(at, c))
        .map_or(from, |(at, c)| at + c.len_utf8());
    let after = text[token.end..to]
        .char_indices()
        .map(|(at, c)| (token.end + at, c));
    let end = after
        .clone()
        .find(|&(at, c)| ends(at, c))
        .map_or(to, |(at, _)| at);
    &text[start..end]
}
