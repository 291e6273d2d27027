//! The places of IDs in the words of a script.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::ScriptCommands;
use crate::budget::Budget;
use crate::domain::command::argument_list::with_words;
use crate::domain::command::role::{WordRole, WordText};
use crate::domain::command::script_settings::with_default_name;
use crate::domain::command::{CommandReach, PlaceInCommand, programs};
use crate::domain::reason::Reason;
use crate::domain::syntax::Syntax;
use crate::domain::tokens::Token;
use crate::text::shell::{CommandKind, ParameterOperator, PartKind};

/// The place of a word in its command.
enum WordPlace {
    /// An argument, by its index; the program is the first.
    Argument(usize),
    /// The value of an assignment, by its index.
    Assignment(usize),
    /// An item of an array or of a loop.
    Item,
    /// A comparison or a pattern.
    Pattern,
    /// Anything else.
    Other,
}

/// The bytes of a word that one step of work may read: the word around each ID is searched several times.
const WORD_PER_STEP: usize = 16;

impl ScriptCommands<'_> {
    /// The place of a token, in a script without the embedded texts.
    pub fn place(&self, token: &Token<'_>, budget: &Budget) -> PlaceInCommand {
        let range = &token.span;
        if self.script.unread.is_some_and(|start| start <= range.start) || self.settings.is_none() {
            return PlaceInCommand::not_understood();
        }
        if self.is_in_comment(range) {
            return PlaceInCommand::of(Err(Reason::Prose), &Arc::default());
        }
        let Some((word, part)) = self.part_at(range) else {
            return PlaceInCommand::not_understood();
        };
        let Some((word, part, default_of)) = self.outermost(word, part, token) else {
            return PlaceInCommand::not_understood();
        };
        let command = self.script.words[word].command;
        let around = WordText::around(&self.script, word, part, range);
        if !budget.spend_steps(around.text.len() / WORD_PER_STEP) {
            return PlaceInCommand::not_understood();
        }
        let mut role = around.role(token);
        if role.own.is_none() {
            role.own = default_of;
        }
        let mut place = match self.place_of_word(command, word) {
            WordPlace::Argument(at) => self.argument(command, at, role, budget),
            WordPlace::Assignment(at) => {
                let name = self.script.commands[command].assignments[at].name.clone();
                let name = self.script.source[name].to_owned();
                let is_alone = self
                    .script
                    .words_of(&self.script.commands[command])
                    .is_empty();
                self.assignment((command, name), &role, is_alone, budget)
            }
            WordPlace::Item => PlaceInCommand::of(
                role.syntax.map(|syntax| Syntax {
                    listed: true,
                    ..syntax
                }),
                &Arc::default(),
            ),
            WordPlace::Pattern => PlaceInCommand::of(Err(Reason::RoutingMatch), &Arc::default()),
            WordPlace::Other => PlaceInCommand::not_understood(),
        };
        place.reach = with_words(&place.reach, &around.text);
        place
    }

    /// The part of a word that contains a range.
    fn part_at(&self, range: &Range<usize>) -> Option<(usize, usize)> {
        let word = self.script.word_at(range)?;
        let parts = self.script.parts(word);
        let contains = |span: &Range<usize>| span.start <= range.start && range.end <= span.end;
        let part = parts.iter().position(|part| contains(&part.span))?;
        (parts[part].kind == PartKind::Text).then_some((word, part))
    }

    /// The word of the command and its part, for a token that is the default of a parameter in it; and the parameter's name.
    fn outermost(
        &self,
        word: usize,
        part: usize,
        token: &Token<'_>,
    ) -> Option<(usize, usize, Option<String>)> {
        let Some(parent) = self.script.words[word].parent else {
            return Some((word, part, None));
        };
        let parts = self.script.parts(parent);
        let uses_word = parts.iter().position(|part| match &part.kind {
            PartKind::Parameter(parameter) => {
                parameter.alternative.is_some_and(|(_, of)| of == word)
            }
            PartKind::Text | PartKind::Substitution | PartKind::Unknown => false,
        });
        let Some(at) = uses_word else {
            // A word of a command in a substitution, or of an expansion that is not understood.
            let is_of_command =
                self.script.words[word].command != self.script.words[parent].command;
            return is_of_command.then_some((word, part, None));
        };
        let PartKind::Parameter(parameter) = &parts[at].kind else {
            return None;
        };
        let (operator, _) = parameter.alternative?;
        let is_default = matches!(
            operator,
            ParameterOperator::Default | ParameterOperator::Assign
        );
        let is_whole =
            self.script.literal(word).as_deref() == Some(&self.script.source[token.span.clone()]);
        if !is_default
            || !is_whole
            || self.script.words[parent]
                .parent
                .is_some_and(|_| self.is_nested(parent))
        {
            return None;
        }
        let name = self.script.source[parameter.name.clone()].to_owned();
        Some((parent, at, Some(name)))
    }

    /// Whether a word is in an expansion of a word of the same command.
    fn is_nested(&self, word: usize) -> bool {
        let parent = self.script.words[word].parent;
        parent.is_some_and(|parent| {
            self.script.words[parent].command == self.script.words[word].command
        })
    }

    fn is_in_comment(&self, range: &Range<usize>) -> bool {
        let comments = &self.script.comments;
        let behind = comments.partition_point(|one| one.start <= range.start);
        behind
            .checked_sub(1)
            .is_some_and(|at| range.end <= comments[at].end)
    }

    fn place_of_word(&self, command: usize, word: usize) -> WordPlace {
        let of = &self.script.commands[command];
        match of.kind {
            CommandKind::Test | CommandKind::Subject | CommandKind::Pattern => {
                return WordPlace::Pattern;
            }
            CommandKind::Items => return WordPlace::Item,
            CommandKind::Simple => {}
        }
        if let Ok(at) = self.script.words_of(of).binary_search(&word) {
            return WordPlace::Argument(at);
        }
        for (at, assignment) in of.assignments.iter().enumerate() {
            if assignment.value == word {
                return WordPlace::Assignment(at);
            }
            if assignment.items.contains(&word) {
                return WordPlace::Item;
            }
        }
        WordPlace::Other
    }

    /// The place of an ID in an argument.
    fn argument(
        &self,
        command: usize,
        at: usize,
        role: WordRole,
        budget: &Budget,
    ) -> PlaceInCommand {
        let arguments = self.arguments_of(command);
        if at == 0 && role.own.is_none() {
            return PlaceInCommand::of(Err(Reason::UnknownFormat), &Arc::default());
        }
        let program = arguments.first().and_then(programs::name_of);
        if let (Some(name), true) = (&role.own, program.is_some_and(programs::is_declaration)) {
            let name = name.clone();
            return self.assignment((command, name), &role, true, budget);
        }
        let syntax = programs::checked(role.syntax, arguments, at);
        let before = at.checked_sub(1).map(|at| &arguments[at]);
        let own = with_default_name(role.own, before);
        PlaceInCommand {
            syntax,
            own,
            reach: self.reach(command, budget),
        }
    }

    /// The place of an ID that a variable of the script has: the commands that use the variable count too.
    fn assignment(
        &self,
        (command, name): (usize, String),
        role: &WordRole,
        is_alone: bool,
        budget: &Budget,
    ) -> PlaceInCommand {
        let mut syntax = role.syntax;
        let mut reach = CommandReach::clone(&self.reach(command, budget));
        if is_alone && self.cost.spend(budget) {
            reach.before = self.before(command, true);
        }
        // Without the rest of the script the uses of the variable are not known.
        if self.script.unread.is_some() && syntax.is_ok() {
            syntax = Err(Reason::UnknownFormat);
        }
        if let (Some(reason), true) = (self.reason_of_uses(&name), syntax.is_ok()) {
            syntax = Err(reason);
        }
        let users = self.users(&name);
        let main = self.main_program().filter(|_| users.is_empty() && is_alone);
        for user in users.into_iter().chain(main) {
            let used = self.reach(user, budget);
            if budget.bytes_left() < reach.bytes() + used.bytes() {
                budget.exhaust_bytes();
                break;
            }
            reach.beside.extend(used.beside.iter().cloned());
            reach.is_other_process |= used.is_other_process;
        }
        PlaceInCommand {
            syntax,
            own: Some(Cow::Owned(name)),
            reach: Arc::new(reach),
        }
    }

    /// The commands that use a variable, without those that only print or compare it.
    fn users(&self, name: &str) -> Vec<usize> {
        let commands = self
            .uses(name)
            .iter()
            .map(|(word, _)| self.script.words[*word].command);
        let mut found: Vec<_> = commands
            .filter(|command| {
                let is_simple = self.script.commands[*command].kind == CommandKind::Simple;
                let reason = programs::reason_of(self.arguments_of(*command), usize::MAX);
                is_simple && !matches!(reason, Some(Reason::Prose | Reason::RoutingMatch))
            })
            .collect();
        found.dedup();
        found.truncate(16);
        found
    }

    /// The reason for which an ID in a variable is unchanged, from the words that use the variable.
    pub fn reason_of_uses(&self, name: &str) -> Option<Reason> {
        self.uses(name).iter().find_map(|(word, part)| {
            let command = self.script.words[*word].command;
            if self.script.commands[command].kind != CommandKind::Simple {
                return None;
            }
            let at = self
                .script
                .words_of(&self.script.commands[command])
                .binary_search(word)
                .unwrap_or(0);
            match programs::reason_of(self.arguments_of(command), at) {
                Some(Reason::Prose | Reason::RoutingMatch) => return None,
                Some(reason) => return Some(reason),
                None => {}
            }
            let parts = self.script.parts(*word);
            let before = part.checked_sub(1).map(|at| &parts[at]);
            let completes = before.is_some_and(|before| match before.kind {
                PartKind::Text => self.script.source[before.span.clone()].ends_with('.'),
                PartKind::Parameter(_) | PartKind::Substitution | PartKind::Unknown => {
                    before.span.end == parts[*part].span.start
                }
            });
            completes.then_some(Reason::PrefixedByTool)
        })
    }
}
