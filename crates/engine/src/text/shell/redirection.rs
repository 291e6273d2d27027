//! Redirections.

use super::Redirection;
use super::here_document::PendingHereDocument;
use super::reader::{ScriptReader, Stop};
use super::word::WordEnd;

/// The operators, each before its prefixes.
const OPERATORS: &[&str] = &[
    "<<<", "<<-", "&>>", "<<", "<&", "<>", ">>", ">&", ">|", "&>", "<", ">",
];

impl ScriptReader<'_> {
    /// A redirection of the current command; `false` if none follows.
    pub(super) fn redirection(&mut self) -> Result<bool, Stop> {
        let digits = self.bytes[self.at..self.end]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let start = self.at + digits;
        let is_process_substitution =
            self.byte(start + 1) == Some(b'(') && digits == 0 && self.peek() != Some(b'&');
        let operator = OPERATORS
            .iter()
            .find(|one| self.bytes[start..self.end].starts_with(one.as_bytes()))
            .filter(|_| !is_process_substitution);
        let Some(operator) = operator else {
            return Ok(false);
        };
        self.at = start + operator.len();
        self.redirection_target()?;
        let operator_span = start..start + operator.len();
        let target = self.word(WordEnd::Blank)?;
        let redirection = self.script.commands[self.command].redirections.len();
        self.script.commands[self.command]
            .redirections
            .push(Redirection {
                operator: operator_span,
                target,
                here_document: None,
            });
        if matches!(*operator, "<<" | "<<-") {
            let delimiter = self.script.literal(target).ok_or(Stop::NotUnderstood)?;
            self.pending.push(PendingHereDocument {
                command: self.command,
                redirection,
                delimiter: delimiter.into_owned(),
                strips_tabs: *operator == "<<-",
                is_expanded: !self.script.words[target].has_quotes,
            });
        }
        Ok(true)
    }

    /// Skips the blanks before the word of a redirection.
    fn redirection_target(&mut self) -> Result<(), Stop> {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        match self.peek() {
            None => Err(Stop::Unclosed),
            Some(_) => Ok(()),
        }
    }
}
