//! Here-documents: their text follows the line of the operator.

use super::HereDocument;
use super::reader::{ScriptReader, Stop};

/// A here-document whose text has not been read.
pub(super) struct PendingHereDocument {
    /// The index of the command.
    pub(super) command: usize,
    /// The index of the redirection in the command.
    pub(super) redirection: usize,
    /// The line that ends the text.
    pub(super) delimiter: String,
    /// Whether tabs at the start of lines are removed (`<<-`).
    pub(super) strips_tabs: bool,
    /// Whether the shell expands parameters in the text.
    pub(super) is_expanded: bool,
}

impl ScriptReader<'_> {
    /// Reads the texts of the pending here-documents, at the start of a line.
    pub(super) fn here_documents(&mut self) -> Result<(), Stop> {
        for pending in std::mem::take(&mut self.pending) {
            let start = self.at;
            let end = loop {
                if self.at >= self.end() {
                    return Err(Stop::Unclosed);
                }
                let (from, to) = (self.at, self.line_end());
                self.at = self.end().min(to + 1);
                let line = &self.script.source[from..to];
                let tabs = if pending.strips_tabs {
                    line.trim_start_matches('\t')
                } else {
                    line
                };
                if tabs == pending.delimiter {
                    break from;
                }
                // Shells differ in whether a continued line can be the delimiter.
                if pending.is_expanded && line.ends_with('\\') && self.next_line_is(&pending) {
                    return Err(Stop::NotUnderstood);
                }
            };
            let command = &mut self.script.commands[pending.command];
            command.redirections[pending.redirection].here_document = Some(HereDocument {
                body: start..end,
                is_expanded: pending.is_expanded,
            });
        }
        Ok(())
    }

    fn next_line_is(&self, pending: &PendingHereDocument) -> bool {
        let line = &self.script.source[self.at..self.line_end()];
        line.trim_start_matches('\t') == pending.delimiter
    }
}
