//! The assignments of a script that a command of the script may see.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use super::argument::Argument;
use super::{CommandReach, bytes_of, programs};
use crate::budget::Budget;
use crate::domain::setting::{Setting, SettingValue};
use crate::text::shell::{
    BlockKind, CommandKind, ParameterOperator, PartKind, ShellScript, SimpleCommand,
};

/// The maximum number of assignments of a script; a script with more is not understood.
const MOST_SETTINGS: usize = 256;

/// An assignment of a script.
pub(super) struct ScriptSetting {
    /// The index of its command.
    command: usize,
    setting: Setting<'static>,
}

/// What the assignments of a script cost for each command that they may reach: each is copied, and compared with those before it.
#[derive(Clone, Copy)]
pub(super) struct ReachCost {
    steps: usize,
    bytes: usize,
}

impl ReachCost {
    /// The cost of these assignments, and of the settings around the script.
    pub(super) fn of(all: &[ScriptSetting], outer: &CommandReach) -> Self {
        /// The comparisons of two usual names for one step.
        const PER_STEP: usize = 16;
        let own: usize = all.iter().map(|one| bytes_of(&one.setting)).sum();
        let bytes = 2 * own + outer.bytes();
        let words = bytes / size_of::<Setting<'_>>();
        Self {
            steps: words * (1 + all.len() / PER_STEP),
            bytes,
        }
    }

    /// Spends the steps for one command; `false` if the budget does not suffice for them, or for the memory.
    pub(super) fn spend(self, budget: &Budget) -> bool {
        if budget.bytes_left() < self.bytes {
            // Without its settings an ID would get the region of others.
            budget.exhaust_bytes();
        }
        budget.spend_steps(self.steps)
    }
}

/// Whether the effect of an earlier command reaches a later one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Certain,
    Possible,
    None,
}

/// All assignments of a script, in order; `None` if there are too many.
pub(super) fn of_script(
    script: &ShellScript<'_>,
    arguments: &[Argument<'_>],
) -> Option<Vec<ScriptSetting>> {
    let mut found = Vec::new();
    let functions = OnceCell::new();
    for (index, command) in script.commands.iter().enumerate() {
        let mut settings = Vec::new();
        if script.words_of(command).is_empty() {
            settings.extend(command.assignments.iter().map(|one| assigned(script, one)));
        }
        let own = &arguments[command.words.clone()];
        add_declared(own, &mut settings);
        found.extend(function_variables(script, command, own, &functions));
        if command.kind == CommandKind::Items {
            // The variable of a loop has another value each time.
            settings.extend(loop_variable(script, index));
        }
        found.extend(settings.into_iter().map(|setting| ScriptSetting {
            command: index,
            setting,
        }));
        if found.len() > MOST_SETTINGS {
            return None;
        }
    }
    for (index, word) in script.words.iter().enumerate() {
        for part in script.parts(index) {
            if let PartKind::Parameter(parameter) = &part.kind
                && let Some((ParameterOperator::Assign, default)) = parameter.alternative
            {
                let name = &script.source[parameter.name.clone()];
                let setting = Setting {
                    name: Cow::Owned(name.to_owned()),
                    value: script
                        .literal(default)
                        .map_or(SettingValue::Unreadable, |text| SettingValue::Variable {
                            name: Cow::Owned(name.to_owned()),
                            default: Some(Cow::Owned(text.into_owned())),
                        }),
                };
                found.push(ScriptSetting {
                    command: word.command,
                    setting,
                });
            }
        }
        if found.len() > MOST_SETTINGS {
            return None;
        }
    }
    found.sort_by_key(|one| one.command);
    Some(found)
}

/// The setting of `NAME=value` before a command.
pub(super) fn assigned(
    script: &ShellScript<'_>,
    assignment: &crate::text::shell::Assignment,
) -> Setting<'static> {
    let value = Argument::of_word(script, assignment.value);
    Setting {
        name: Cow::Owned(script.source[assignment.name.clone()].to_owned()),
        value: if assignment.is_part || !assignment.items.is_empty() {
            SettingValue::Unreadable
        } else {
            value.value_from(0)
        },
    }
}

/// Adds what a declaration, `unset` and `aws configure set` assign.
fn add_declared(arguments: &[Argument<'_>], settings: &mut Vec<Setting<'static>>) {
    let Some(program) = programs::program_index(arguments) else {
        return;
    };
    let rest = &arguments[program + 1..];
    match programs::name_of(&arguments[program]) {
        Some(name) if programs::is_declaration(name) => {
            for argument in rest {
                if let Some(length) = argument.name_length() {
                    settings.push(Setting {
                        name: Cow::Owned(argument.text[..length].to_owned()),
                        value: argument.value_from(length + 1),
                    });
                }
            }
        }
        Some("unset") => settings.extend(rest.iter().filter_map(|argument| {
            Some(Setting {
                name: Cow::Owned(argument.literal()?.to_owned()),
                value: SettingValue::Unreadable,
            })
        })),
        Some("aws") => {
            let words: Vec<_> = rest.iter().filter_map(Argument::literal).collect();
            if let ["configure", "set", name, ..] = &*words
                && let Some(value) = rest.get(3)
            {
                settings.push(Setting {
                    name: Cow::Owned(format!("aws configure {name}")),
                    value: value.value_from(0),
                });
            }
        }
        _ => {}
    }
}

/// The assignments before a call of a function of the script: which commands see them is not known.
fn function_variables<'t>(
    script: &ShellScript<'t>,
    command: &SimpleCommand,
    arguments: &[Argument<'_>],
    functions: &OnceCell<HashSet<&'t str>>,
) -> Vec<ScriptSetting> {
    let name = arguments.first().and_then(Argument::literal);
    let functions = || functions.get_or_init(|| function_names(script.source));
    if command.assignments.is_empty() || !name.is_some_and(|name| functions().contains(name)) {
        return Vec::new();
    }
    let names = command
        .assignments
        .iter()
        .map(|one| &script.source[one.name.clone()]);
    names
        .map(|name| ScriptSetting {
            command: 0,
            setting: Setting {
                name: Cow::Owned(name.to_owned()),
                value: SettingValue::Unreadable,
            },
        })
        .collect()
}

/// The words of a script that may be names of functions: before `()`, or behind `function`.
fn function_names(source: &str) -> HashSet<&str> {
    let ends = |c: char| c.is_whitespace() || ";&|(){}<>`".contains(c);
    let before = source.match_indices("()").filter_map(|(at, _)| {
        let before = &source[..at];
        before
            .strip_suffix(' ')
            .unwrap_or(before)
            .rsplit(ends)
            .next()
    });
    let behind = source
        .match_indices("function ")
        .filter_map(|(at, word)| source[at + word.len()..].split(ends).next());
    before
        .chain(behind)
        .filter(|name| !name.is_empty())
        .collect()
}

/// The variable of `for` or `select`.
fn loop_variable(script: &ShellScript<'_>, command: usize) -> Option<Setting<'static>> {
    let text = &script.source[script.commands[command].span.clone()];
    let name = text.split_whitespace().next()?;
    Some(Setting {
        name: Cow::Owned(name.to_owned()),
        value: SettingValue::Unreadable,
    })
}

/// The settings that reach the command at `command`; all of the script if `later` too.
pub(super) fn reaching(
    script: &ShellScript<'_>,
    all: &[ScriptSetting],
    command: usize,
    later: bool,
) -> Vec<Setting<'static>> {
    let mut reaching: Vec<Setting<'static>> = Vec::new();
    let around: Vec<_> = blocks_around(script, command).collect();
    let earlier = all.iter().take_while(|one| later || one.command < command);
    for ScriptSetting {
        command: from,
        setting,
    } in earlier
    {
        let effect = effect(script, *from, &around);
        let setting = Setting {
            name: setting.name.clone(),
            value: resolved(&setting.value, &reaching),
        };
        match effect {
            Effect::None => continue,
            Effect::Certain => reaching.retain(|one| one.name != setting.name),
            Effect::Possible if !reaching.iter().any(|one| one.name == setting.name) => {
                // The variable may still have the value of the container.
                reaching.push(Setting {
                    name: setting.name.clone(),
                    value: SettingValue::Variable {
                        name: setting.name.clone(),
                        default: None,
                    },
                });
            }
            Effect::Possible => {}
        }
        reaching.push(setting);
    }
    reaching
}

/// A value with a variable of the script replaced by the variable's own value.
pub(super) fn resolved(
    value: &SettingValue<'static>,
    settings: &[Setting<'static>],
) -> SettingValue<'static> {
    let SettingValue::Variable { name, .. } = value else {
        return value.clone();
    };
    let mut values = settings
        .iter()
        .filter(|one| one.name == *name)
        .map(|one| &one.value);
    match (values.next(), values.next()) {
        (None, _) => value.clone(),
        (Some(only), None) => only.clone(),
        (Some(_), Some(_)) => SettingValue::Unreadable,
    }
}

/// The blocks around a command, from the innermost to the script itself. A block has a greater number than the blocks around it.
fn blocks_around(script: &ShellScript<'_>, command: usize) -> impl Iterator<Item = usize> {
    let parent = |block: &usize| (*block > 0).then(|| script.blocks[*block].parent);
    std::iter::successors(Some(script.commands[command].block), parent)
}

/// The effect of the assignments of the command `from` on a command in these blocks.
fn effect(script: &ShellScript<'_>, from: usize, around: &[usize]) -> Effect {
    let is_around = |block: &usize| around.binary_search_by(|one| block.cmp(one)).is_ok();
    let mut effect = Effect::Certain;
    for block in blocks_around(script, from).take_while(|block| !is_around(block)) {
        match script.blocks[block].kind {
            BlockKind::Transparent => {}
            BlockKind::Conditional => effect = Effect::Possible,
            BlockKind::Subshell => return Effect::None,
        }
    }
    effect
}

/// The name of an ID: its own, or the flag before its argument.
pub(super) fn with_default_name(
    own: Option<String>,
    before: Option<&Argument<'_>>,
) -> Option<Cow<'static, str>> {
    let flag = || {
        let flag = before?.literal()?;
        let name = flag.trim_start_matches('-');
        (name.len() < flag.len() && !name.contains('=') && !name.is_empty())
            .then(|| name.to_owned())
    };
    own.or_else(flag).map(Cow::Owned)
}
