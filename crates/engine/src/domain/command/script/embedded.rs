//! Texts inside a script: here-documents, and the scripts in arguments of shells.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::ScriptCommands;
use crate::budget::Budget;
use crate::domain::command::{ARGUMENTS_PER_STEP, CommandReach, programs};
use crate::text::shell::PartKind;

/// The maximum number of commands of a pipeline in which the file is searched that a text is written to.
const LONGEST_PIPELINE: usize = 16;

/// A text of another language or a script inside a script.
pub struct EmbeddedText<'t> {
    /// The range of the text in the script.
    pub span: Range<usize>,
    /// The name of the file that the text is written to.
    pub name: Option<Cow<'t, str>>,
    /// Whether a shell reads the text.
    pub is_script: bool,
    /// The settings in reach of the text.
    pub reach: Arc<CommandReach>,
}

impl EmbeddedText<'_> {
    /// The range in a text in which the script starts at this offset.
    pub fn range_in_text(&self, script_start: usize) -> Range<usize> {
        self.span.start + script_start..self.span.end + script_start
    }
}

impl<'t> ScriptCommands<'t> {
    /// The here-documents and the scripts in arguments that contain one of these ranges; incomplete if the budget does not suffice.
    pub fn embedded(&self, ranges: &[Range<usize>], budget: &Budget) -> Vec<EmbeddedText<'t>> {
        let mut found: Vec<EmbeddedText<'t>> = Vec::new();
        for range in ranges {
            let is_known = found
                .last()
                .is_some_and(|one| one.span.start <= range.start && range.end <= one.span.end);
            if !is_known {
                let text = self
                    .here_document(range, budget)
                    .or_else(|| self.inner_script(range, budget));
                found.extend(text);
            }
        }
        found
    }

    /// The here-document that contains a range.
    fn here_document(&self, range: &Range<usize>, budget: &Budget) -> Option<EmbeddedText<'t>> {
        let behind = self
            .here_documents
            .partition_point(|one| one.0.start <= range.start);
        let (span, command) = self.here_documents.get(behind.checked_sub(1)?)?.clone();
        if span.end < range.end {
            return None;
        }
        let arguments = self.arguments_of(command);
        let program =
            programs::program_index(arguments).and_then(|at| programs::name_of(&arguments[at]));
        let is_script = program.is_some_and(|name| programs::is_shell(name) || name == "ssh");
        let name = self.written_file(command);
        Some(EmbeddedText {
            span,
            name,
            is_script,
            reach: self.reach(command, budget),
        })
    }

    /// The file that a command writes: the target of `>`, or the argument of `tee`, in the same pipeline.
    fn written_file(&self, command: usize) -> Option<Cow<'t, str>> {
        let pipeline = self.script.commands[command].pipeline;
        let of_pipeline = (command..self.script.commands.len())
            .take(LONGEST_PIPELINE)
            .take_while(|at| self.script.commands[*at].pipeline == pipeline);
        of_pipeline.into_iter().find_map(|at| self.file_of(at))
    }

    fn file_of(&self, command: usize) -> Option<Cow<'t, str>> {
        let redirections = self.script.commands[command].redirections.iter();
        let target = redirections
            .filter(|one| self.script.source[one.operator.clone()].starts_with('>'))
            .find_map(|one| self.script.literal(one.target));
        let arguments = self.arguments_of(command);
        target.or_else(|| {
            let is_tee = arguments.first().and_then(programs::name_of) == Some("tee");
            let file = arguments
                .iter()
                .skip(1)
                .find(|one| !one.text.starts_with('-'))?;
            is_tee.then(|| Cow::Owned(file.text.to_string()))
        })
    }

    /// The script in an argument that contains a range (`bash -c '…'`).
    fn inner_script(&self, range: &Range<usize>, budget: &Budget) -> Option<EmbeddedText<'t>> {
        let word = self.script.word_at(range)?;
        let command = self.script.words[word].command;
        let arguments = self.arguments_of(command);
        // The arguments are searched for each ID.
        if !budget.spend_steps(arguments.len() / ARGUMENTS_PER_STEP) {
            return None;
        }
        let at = programs::script_index(arguments)?;
        let [part] = self.script.parts(word) else {
            return None;
        };
        let is_script = self.script.words_of(&self.script.commands[command]).get(at) == Some(&word)
            && part.kind == PartKind::Text;
        is_script
            .then(|| part.span.clone())
            .map(|span| EmbeddedText {
                span,
                name: None,
                is_script: true,
                reach: self.reach(command, budget),
            })
    }
}
