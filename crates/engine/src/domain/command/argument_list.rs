//! A command as a list of arguments, as in `command` and `args` of a container.

use std::borrow::Cow;
use std::sync::Arc;

use super::argument::{Argument, ArgumentRest};
use super::role::ArgumentText;
use super::script_settings::with_default_name;
use super::{CommandReach, Element, PlaceInCommand, programs, settings};
use crate::domain::tokens::Token;

/// The arguments of a command.
pub struct ArgumentList<'t> {
    arguments: Vec<Argument<'t>>,
    /// The number of arguments that are not elements: one for a program that is not in sight.
    hidden: usize,
    script: Option<usize>,
    reach: Arc<CommandReach>,
}

impl<'t> ArgumentList<'t> {
    /// The command of these elements. Without the program, as in `args` alone, the first element may be a flag.
    pub fn new(elements: impl Iterator<Item = &'t str>) -> Self {
        let mut arguments: Vec<_> = elements.map(Argument::plain).collect();
        let hidden = usize::from(
            arguments
                .first()
                .is_some_and(|first| first.text.starts_with('-')),
        );
        if hidden == 1 {
            let program = Argument {
                text: Cow::Borrowed(""),
                rest: ArgumentRest::Unreadable,
            };
            arguments.insert(0, program);
        }
        let script = if hidden == 1 {
            programs::command_flag(&arguments, 1).filter(|at| *at == 2)
        } else {
            programs::script_index(&arguments)
        };
        let mut beside = Vec::new();
        let end = script.unwrap_or(arguments.len());
        settings::add_arguments(arguments.get(1..end).unwrap_or_default(), &mut beside);
        let reach = CommandReach {
            beside,
            before: Vec::new(),
            is_other_process: programs::is_other_process(&arguments),
        };
        Self {
            arguments,
            hidden,
            script,
            reach: Arc::new(reach),
        }
    }

    /// The kind of the element at this index.
    pub fn element(&self, index: usize) -> Element {
        if self.script == Some(index + self.hidden) {
            Element::Script
        } else {
            Element::Argument
        }
    }

    /// The settings of the command.
    pub fn reach(&self) -> &Arc<CommandReach> {
        &self.reach
    }

    /// The places of tokens in the element at this index.
    pub fn places<'a>(
        &'a self,
        index: usize,
        tokens: &'a [Token<'a>],
    ) -> impl Iterator<Item = PlaceInCommand> {
        let at = index + self.hidden;
        let argument = self.arguments.get(at).map(|one| {
            let reach = with_words(&self.reach, &one.text);
            (ArgumentText::of(&one.text), reach)
        });
        tokens.iter().map(move |token| {
            let Some((text, reach)) = &argument else {
                return PlaceInCommand::not_understood();
            };
            let role = text.role(token);
            let before = at.checked_sub(1).map(|at| &self.arguments[at]);
            PlaceInCommand {
                syntax: programs::checked(role.syntax, &self.arguments, at),
                own: with_default_name(role.own, before),
                reach: Arc::clone(reach),
            }
        })
    }
}

/// The reach with the settings in an argument that is a list of words itself.
pub(super) fn with_words(reach: &Arc<CommandReach>, text: &str) -> Arc<CommandReach> {
    if !text.trim().contains(char::is_whitespace) {
        return Arc::clone(reach);
    }
    let mut own = CommandReach::clone(reach);
    own.beside.splice(0..0, settings_of_text(text));
    Arc::new(own)
}

/// The settings of a text that has words of a command line, or pairs between signs (`region=eu-west-1;model=…`).
pub(super) fn settings_of_text(text: &str) -> Vec<crate::domain::setting::Setting<'static>> {
    let is_sign = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '?' | ',' | '"' | '\'');
    let words: Vec<_> = text
        .split(is_sign)
        .filter(|word| !word.is_empty())
        .take(settings::MOST_ARGUMENTS)
        .map(Argument::plain)
        .collect();
    let mut found = Vec::new();
    settings::add_arguments(&words, &mut found);
    found
}
