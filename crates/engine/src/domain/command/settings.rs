//! The settings of a list of arguments: flags of every spelling, pairs, and arguments without a name.

use std::borrow::Cow;

use super::argument::{Argument, is_name};
use crate::domain::setting::{Setting, SettingValue};

/// Letters of flags whose pair may follow without a blank (`-Daws.region=eu-west-1`, `-eAWS_REGION=eu-west-1`).
const PAIR_LETTERS: &[char] = &['D', 'e', 'E', 'P', 'p', 'S', 'v', 'X'];

/// Flags that pass the variable of this name on to another process (`docker run -e AWS_REGION`).
const VARIABLE_FLAGS: &[&str] = &["-e", "--env"];

/// The maximum number of arguments whose settings are read.
pub(super) const MOST_ARGUMENTS: usize = 512;

/// Adds the settings of the arguments of a program; the first argument follows the program.
pub(super) fn add_arguments(arguments: &[Argument<'_>], settings: &mut Vec<Setting<'static>>) {
    let arguments = &arguments[..arguments.len().min(MOST_ARGUMENTS)];
    let mut follows_flag = false;
    for (index, argument) in arguments.iter().enumerate() {
        let is_value = std::mem::take(&mut follows_flag);
        if argument.text.starts_with('-') {
            follows_flag = add_flag(argument, arguments.get(index + 1), settings);
        } else if argument.name_length().is_some() {
            argument.add_pairs(0, settings);
        } else if !is_value {
            settings.push(Setting {
                name: Cow::Owned(format!("argument {}", index + 1)),
                value: argument.value_from(0),
            });
        }
    }
}

/// Adds the setting of a flag, and returns whether the next argument is its value.
fn add_flag(
    flag: &Argument<'_>,
    next: Option<&Argument<'_>>,
    settings: &mut Vec<Setting<'static>>,
) -> bool {
    let text = &*flag.text;
    let dashes = text.len() - text.trim_start_matches('-').len();
    if let Some(length) = text.find('=') {
        let name = &text[dashes..length];
        settings.push(Setting {
            name: Cow::Owned(name.to_owned()),
            value: flag.value_from(length + 1),
        });
        flag.add_pairs(length + 1, settings);
        if dashes == 1 && name.starts_with(PAIR_LETTERS) && is_name(&name[1..]) {
            settings.push(Setting {
                name: Cow::Owned(name[1..].to_owned()),
                value: flag.value_from(length + 1),
            });
        }
        return false;
    }
    let Some(next) = next.filter(|next| !next.text.starts_with('-')) else {
        return false;
    };
    if flag.literal().is_none() {
        return false;
    }
    settings.push(Setting {
        name: Cow::Owned(text[dashes..].to_owned()),
        value: next.value_from(0),
    });
    if let Some(name) = next
        .literal()
        .filter(|name| VARIABLE_FLAGS.contains(&text) && is_name(name))
    {
        settings.push(Setting {
            name: Cow::Owned(name.to_owned()),
            value: SettingValue::Variable {
                name: Cow::Owned(name.to_owned()),
                default: None,
            },
        });
    }
    // A pair is a setting of its own.
    next.name_length().is_none()
}
