//! The IDs in a shell script: each with its simple command.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::argument::Argument;
use super::argument_list::settings_of_text;
use super::script_settings::{ReachCost, ScriptSetting, assigned, of_script, reaching, resolved};
use super::{CommandReach, programs, settings};
use crate::budget::Budget;
use crate::domain::setting::{Setting, SettingValue};
use crate::text::shell::{self, CommandKind, DollarSpelling, PartKind, ShellScript};

mod embedded;
mod place;

pub use embedded::EmbeddedText;

#[cfg(test)]
thread_local! {
    /// How many scripts were read.
    static READS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The memory of a word of a script as a command of its own, in bytes: measured with `a;a;a`.
const BYTES_PER_WORD: usize = 384;

/// Whether a byte may end a word of a script, or begin one in it.
fn ends_a_word(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'\n'
            | b';'
            | b'&'
            | b'|'
            | b'<'
            | b'>'
            | b'('
            | b')'
            | b'$'
            | b'`'
            | b'\''
            | b'"'
            | b'\\'
            | b'{'
    )
}

/// How many scripts this thread has read.
#[cfg(test)]
pub(crate) fn script_reads() -> usize {
    READS.with(std::cell::Cell::get)
}

/// A script with the model IDs in it.
pub struct ScriptCommands<'t> {
    script: ShellScript<'t>,
    /// The arguments of all commands, in the order of the script's command words.
    arguments: Vec<Argument<'t>>,
    /// The assignments of the script; `None` if there are too many.
    settings: Option<Vec<ScriptSetting>>,
    /// The cost of the assignments for each command that they may reach.
    cost: ReachCost,
    /// The words and parts that use a variable.
    uses: OnceCell<BTreeMap<&'t str, Vec<(usize, usize)>>>,
    here_documents: Vec<(Range<usize>, usize)>,
    /// Whether a command of the pipeline configures another process, by the number of the pipeline.
    other_processes: OnceCell<BTreeMap<usize, bool>>,
    reaches: RefCell<BTreeMap<usize, Arc<CommandReach>>>,
    /// The settings around the script, of the command that starts it.
    outer: Arc<CommandReach>,
}

impl<'t> ScriptCommands<'t> {
    /// Reads a script. `outer` has the settings of the command that starts it. The script is empty if the budget does not suffice.
    pub fn new(
        text: &'t str,
        dollar: DollarSpelling,
        outer: &Arc<CommandReach>,
        budget: &Budget,
    ) -> Self {
        #[cfg(test)]
        READS.with(|reads| reads.set(reads.get() + 1));
        let ends = text.bytes().filter(|byte| ends_a_word(*byte)).count();
        let is_within = budget.spend_text(text) && budget.spend_bytes(ends * BYTES_PER_WORD);
        let script = shell::read(if is_within { text } else { "" }, dollar);
        let words = script.command_words.iter();
        let arguments: Vec<_> = words
            .map(|word| Argument::of_word(&script, *word))
            .collect();
        let settings = of_script(&script, &arguments);
        let cost = ReachCost::of(settings.as_deref().unwrap_or_default(), outer);
        let mut here_documents = Vec::new();
        for (index, command) in script.commands.iter().enumerate() {
            let texts = command.redirections.iter();
            let bodies = texts.filter_map(|one| Some(one.here_document.as_ref()?.body.clone()));
            here_documents.extend(bodies.map(|body| (body, index)));
        }
        here_documents.sort_by_key(|one| one.0.start);
        Self {
            script,
            arguments,
            settings,
            cost,
            uses: OnceCell::new(),
            here_documents,
            other_processes: OnceCell::new(),
            reaches: RefCell::default(),
            outer: Arc::clone(outer),
        }
    }

    /// The arguments of a command; the first is the name of the program.
    fn arguments_of(&self, command: usize) -> &[Argument<'t>] {
        &self.arguments[self.script.commands[command].words.clone()]
    }

    /// The words and parts that use a variable.
    fn uses(&self, name: &str) -> &[(usize, usize)] {
        let uses = self.uses.get_or_init(|| {
            let mut uses: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for word in 0..self.script.words.len() {
                for (at, part) in self.script.parts(word).iter().enumerate() {
                    if let PartKind::Parameter(parameter) = &part.kind {
                        let name = &self.script.source[parameter.name.clone()];
                        uses.entry(name).or_default().push((word, at));
                    }
                }
            }
            uses
        });
        uses.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The settings in reach of an ID in a command of the script; none if the budget does not suffice.
    fn reach(&self, command: usize, budget: &Budget) -> Arc<CommandReach> {
        if let Some(reach) = self.reaches.borrow().get(&command) {
            return Arc::clone(reach);
        }
        if !self.cost.spend(budget) {
            return Arc::default();
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
        budget.spend_bytes(reach.bytes());
        self.reaches
            .borrow_mut()
            .insert(command, Arc::clone(&reach));
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
        let processes = self.other_processes.get_or_init(|| {
            let mut processes = BTreeMap::new();
            for (index, command) in self.script.commands.iter().enumerate() {
                *processes.entry(command.pipeline).or_default() |=
                    programs::is_other_process(self.arguments_of(index));
            }
            processes
        });
        let pipeline = self.script.commands[command].pipeline;
        self.outer.is_other_process || processes.get(&pipeline).copied().unwrap_or_default()
    }

    /// The assignments, flags and pairs of a command.
    fn own_settings(&self, command: usize) -> Vec<Setting<'static>> {
        let mut found: Vec<_> = self.script.commands[command]
            .assignments
            .iter()
            .map(|one| assigned(&self.script, one))
            .collect();
        let arguments = self.arguments_of(command);
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
    pub fn settings(&self, budget: &Budget) -> CommandReach {
        let last = self.main_program();
        let mut reach = CommandReach::default();
        if let Some(last) = last.filter(|_| self.cost.spend(budget)) {
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
                && !self.arguments_of(*index).is_empty()
        };
        let is_exec = |index: &usize| {
            self.arguments_of(*index)
                .first()
                .and_then(Argument::literal)
                == Some("exec")
        };
        let mut all = (0..self.script.commands.len()).rev().filter(runs);
        all.clone().find(is_exec).or_else(|| all.next())
    }
}

/// Settings of a variable's text that has words of a command line.
pub fn settings_in_value(text: &str) -> Vec<Setting<'static>> {
    let mut found = settings_of_text(text);
    found.retain(|setting| !matches!(setting.value, SettingValue::Unreadable));
    found
}
