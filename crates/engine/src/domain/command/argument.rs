//! An argument of a command: its text up to the first expansion, and the value that it gives to a name.

use std::borrow::Cow;

use crate::domain::setting::{Setting, SettingValue};
use crate::text::shell::{ParameterOperator, PartKind, ShellScript};

/// An argument of a command.
#[derive(Debug, Clone)]
pub(super) struct Argument<'t> {
    /// The text, up to the first expansion of the shell.
    pub(super) text: Cow<'t, str>,
    /// What follows the text.
    pub(super) rest: ArgumentRest<'t>,
}

/// What follows the text of an argument.
#[derive(Debug, Clone)]
pub(super) enum ArgumentRest<'t> {
    /// Nothing: the text is the argument.
    Nothing,
    /// One parameter of the shell.
    Variable {
        /// The name.
        name: &'t str,
        /// The default.
        default: Option<Cow<'t, str>>,
    },
    /// Anything else.
    Unreadable,
}

impl<'t> Argument<'t> {
    /// An argument that no shell reads.
    pub(super) fn plain(text: &'t str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            rest: ArgumentRest::Nothing,
        }
    }

    /// The argument that a word of a script is.
    pub(super) fn of_word(script: &ShellScript<'t>, word: usize) -> Self {
        let parts = script.parts(word);
        let texts = parts.iter().take_while(|part| part.kind == PartKind::Text);
        let text = |span: &std::ops::Range<usize>| &script.source[span.clone()];
        let length = texts.clone().count();
        let joined = match &parts[..length] {
            [only] => Cow::Borrowed(text(&only.span)),
            _ => Cow::Owned(texts.map(|part| text(&part.span)).collect()),
        };
        let rest = match &parts[length..] {
            [] => ArgumentRest::Nothing,
            [only] => match &only.kind {
                PartKind::Parameter(parameter) => {
                    let name = text(&parameter.name);
                    match parameter.alternative {
                        None | Some((ParameterOperator::Error, _)) => ArgumentRest::Variable {
                            name,
                            default: None,
                        },
                        Some((ParameterOperator::Default | ParameterOperator::Assign, word)) => {
                            match script.literal(word) {
                                Some(default) => ArgumentRest::Variable {
                                    name,
                                    default: Some(default),
                                },
                                None => ArgumentRest::Unreadable,
                            }
                        }
                        Some((ParameterOperator::Alternative, _)) => ArgumentRest::Unreadable,
                    }
                }
                // The kubelet may expand `$(X)` before the shell starts.
                PartKind::Substitution if is_kubelet_variable(text(&only.span)) => {
                    return Self {
                        text: Cow::Owned(format!("{joined}{}", text(&only.span))),
                        rest: ArgumentRest::Nothing,
                    };
                }
                PartKind::Text | PartKind::Substitution | PartKind::Unknown => {
                    ArgumentRest::Unreadable
                }
            },
            _ => ArgumentRest::Unreadable,
        };
        Self { text: joined, rest }
    }

    /// The whole text; `None` if the shell expands a part of it.
    pub(super) fn literal(&self) -> Option<&str> {
        matches!(self.rest, ArgumentRest::Nothing).then_some(&*self.text)
    }

    /// The value from an offset of the text on.
    pub(super) fn value_from(&self, offset: usize) -> SettingValue<'static> {
        let text = &self.text[offset..];
        match &self.rest {
            ArgumentRest::Nothing => SettingValue::Text(Cow::Owned(text.to_owned())),
            ArgumentRest::Variable { name, default } if text.is_empty() => SettingValue::Variable {
                name: Cow::Owned((*name).to_owned()),
                default: default.as_ref().map(|text| Cow::Owned(text.to_string())),
            },
            ArgumentRest::Variable { .. } | ArgumentRest::Unreadable => SettingValue::Unreadable,
        }
    }

    /// The length of the name in `NAME=value`, if the argument is one.
    pub(super) fn name_length(&self) -> Option<usize> {
        let length = self.text.find('=')?;
        is_name(&self.text[..length]).then_some(length)
    }

    /// Adds the settings in the text from `offset` on, if it is `NAME=value` or a list of those with commas.
    pub(super) fn add_pairs(&self, offset: usize, settings: &mut Vec<Setting<'static>>) {
        let text = &self.text[offset..];
        let pieces = || text.split(',');
        let are_pairs =
            pieces().all(|piece| piece.find('=').is_some_and(|at| is_name(&piece[..at])));
        if !are_pairs {
            return;
        }
        let mut start = offset;
        for piece in pieces() {
            let end = start + piece.len();
            let length = piece.find('=').unwrap_or_default();
            let value = if end == self.text.len() {
                self.value_from(start + length + 1)
            } else {
                SettingValue::Text(Cow::Owned(piece[length + 1..].to_owned()))
            };
            settings.push(Setting {
                name: Cow::Owned(piece[..length].to_owned()),
                value,
            });
            start = end + 1;
        }
    }
}

/// Whether a text may be the name of a variable, a property or a key.
pub(super) fn is_name(text: &str) -> bool {
    let may_start = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    text.bytes().next().is_some_and(may_start)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.:/[]".contains(&b))
}

/// Whether a substitution of a command is `$(X)` with a name that the kubelet may expand.
fn is_kubelet_variable(text: &str) -> bool {
    let name = text
        .strip_prefix("$(")
        .and_then(|rest| rest.strip_suffix(')'));
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
    })
}
