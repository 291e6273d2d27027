//! The settings in the words of a command, or in the pairs of a text.

use std::borrow::Cow;

use crate::domain::setting::{Setting, SettingValue};

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
