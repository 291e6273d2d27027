//! The IDs in a shell script: each with its simple command.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::argument::Argument;
use super::argument_list::settings_of_text;
use super::script_settings::{ScriptSetting, assigned, of_script, reaching, resolved};
use super::{CommandReach, programs, settings};
use crate::domain::setting::{Setting, SettingValue};
use crate::text::shell::{self, CommandKind, DollarSpelling, PartKind, ShellScript};

mod embedded;
mod place;

pub use embedded::EmbeddedText;

/// A script with the model IDs in it.
pub struct ScriptCommands<'t> {
    script: ShellScript<'t>,
    /// The arguments of each command.
    arguments: Vec<Vec<Argument<'t>>>,
    /// The assignments of the script; `None` if there are too many.
    settings: Option<Vec<ScriptSetting>>,
    /// The words and parts that use a variable.
    uses: BTreeMap<&'t str, Vec<(usize, usize)>>,
    here_documents: Vec<(Range<usize>, usize, usize)>,
    other_processes: BTreeMap<usize, bool>,
    reaches: BTreeMap<usize, Arc<CommandReach>>,
    /// The settings around the script, of the command that starts it.
    outer: Arc<CommandReach>,
}

impl<'t> ScriptCommands<'t> {
    /// Reads a script. `outer` has the settings of the command that starts it.
    pub fn new(text: &'t str, dollar: DollarSpelling, outer: &Arc<CommandReach>) -> Self {
        let script = shell::read(text, dollar);
        let of_words = |words: &Vec<usize>| {
            words
                .iter()
                .map(|word| Argument::of_word(&script, *word))
                .collect::<Vec<_>>()
        };
        let arguments: Vec<_> = script
            .commands
            .iter()
            .map(|one| of_words(&one.words))
            .collect();
        let settings = of_script(&script, &arguments);
        let mut uses: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (word, of_word) in script.words.iter().enumerate() {
            for (at, part) in of_word.parts.iter().enumerate() {
                if let PartKind::Parameter(parameter) = &part.kind {
                    let name = &text[parameter.name.clone()];
                    uses.entry(name).or_default().push((word, at));
                }
            }
        }
        let mut here_documents = Vec::new();
        let mut other_processes: BTreeMap<usize, bool> = BTreeMap::new();
        for (index, command) in script.commands.iter().enumerate() {
            for (at, redirection) in command.redirections.iter().enumerate() {
                let body = redirection
                    .here_document
                    .as_ref()
                    .map(|one| one.body.clone());
                here_documents.extend(body.map(|body| (body, index, at)));
            }
            *other_processes.entry(command.pipeline).or_default() |=
                programs::is_other_process(&arguments[index]);
        }
        here_documents.sort_by_key(|one| one.0.start);
        Self {
            script,
            arguments,
            settings,
            uses,
            here_documents,
            other_processes,
            reaches: BTreeMap::new(),
            outer: Arc::clone(outer),
        }
    }

    /// The settings in reach of an ID in a command of the script.
    fn reach(&mut self, command: usize) -> Arc<CommandReach> {
        if let Some(reach) = self.reaches.get(&command) {
            return Arc::clone(reach);
        }
        let before = self.before(command, false);
        let mut beside = self.own_settings(command);
        for setting in &mut beside {
            setting.value = resolved(&setting.value, &before);
        }
        let reach = Arc::new(CommandReach {
            beside,
            before,
            is_other_process: self.is_other_process(command),
        });
        self.reaches.insert(command, Arc::clone(&reach));
        reach
    }

    /// The settings of the script that a command may see, and those around the script.
    fn before(&self, command: usize, later: bool) -> Vec<Setting<'static>> {
        let own = self.settings.as_deref().unwrap_or_default();
        let mut before = reaching(&self.script, own, command, later);
        before.extend(self.outer.beside.iter().chain(&self.outer.before).cloned());
        before
    }

    fn is_other_process(&self, command: usize) -> bool {
        let pipeline = self.script.commands[command].pipeline;
        self.outer.is_other_process
            || self
                .other_processes
                .get(&pipeline)
                .copied()
                .unwrap_or_default()
    }

    /// The assignments, flags and pairs of a command.
    fn own_settings(&self, command: usize) -> Vec<Setting<'static>> {
        let mut found: Vec<_> = self.script.commands[command]
            .assignments
            .iter()
            .map(|one| assigned(&self.script, one))
            .collect();
        let arguments = &self.arguments[command];
        let is_program = arguments
            .first()
            .and_then(programs::name_of)
            .is_none_or(|name| {
                !programs::is_declaration(name)
                    && !matches!(name, "echo" | "printf" | "[" | "test" | "set" | "unset")
            });
        if is_program && self.script.commands[command].kind == CommandKind::Simple {
            let end = programs::script_index(arguments).unwrap_or(arguments.len());
            settings::add_arguments(arguments.get(1..end).unwrap_or_default(), &mut found);
        }
        found
    }

    /// The settings of the script as the main program sees them: all assignments, and the flags of the last command.
    pub fn settings(&self) -> CommandReach {
        let last = self.main_program();
        let mut reach = CommandReach::default();
        if let Some(last) = last {
            reach.before = self.before(last, true);
            reach.beside = self.own_settings(last);
            for setting in &mut reach.beside {
                setting.value = resolved(&setting.value, &reach.before);
            }
        }
        reach
    }

    /// The last command with a program, or the one behind `exec`.
    fn main_program(&self) -> Option<usize> {
        let runs = |index: &usize| {
            self.script.commands[*index].kind == CommandKind::Simple
                && !self.arguments[*index].is_empty()
        };
        let is_exec = |index: &usize| {
            self.arguments[*index].first().and_then(Argument::literal) == Some("exec")
        };
        let mut all = (0..self.arguments.len()).rev().filter(runs);
        all.clone().find(is_exec).or_else(|| all.next())
    }
}

/// Settings of a variable's text that has words of a command line.
pub fn settings_in_value(text: &str) -> Vec<Setting<'static>> {
    let mut found = settings_of_text(text);
    found.retain(|setting| !matches!(setting.value, SettingValue::Unreadable));
    found
}
