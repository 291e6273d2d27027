//! Lines for people: headings, paragraphs and labelled paragraphs within a width.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::printable::{printable, wrapped};

/// Begins bold text.
pub const BOLD: &str = "\u{1b}[1m";
/// Begins the text of something that is right.
pub const GREEN: &str = "\u{1b}[32m";
/// Begins the text of something that is wrong.
pub const RED: &str = "\u{1b}[31m";
/// Begins the text of something that is not known, or may become wrong.
pub const YELLOW: &str = "\u{1b}[33m";
/// Ends a colour.
pub const RESET: &str = "\u{1b}[0m";

/// The indentation of a paragraph, in columns.
pub const MARGIN: usize = 2;

/// The lines of a report, of at most `width` columns, except for words that are longer. The text contains colours, which the caller
/// strips for other outputs than a terminal.
#[derive(Debug)]
pub struct TextPage {
    /// The lines so far.
    pub text: String,
    /// The width of a line, in columns.
    pub width: usize,
}

impl TextPage {
    /// A page without lines.
    pub const fn new(width: usize) -> Self {
        Self {
            text: String::new(),
            width,
        }
    }

    /// A heading, after an empty line.
    pub fn heading(&mut self, text: &str) {
        let text = printable(text);
        let _ = writeln!(self.text, "\n{BOLD}{text}{RESET}");
    }

    /// Lines that all begin in this column.
    pub fn paragraph(&mut self, column: usize, text: &str) {
        let room = self.width.saturating_sub(column);
        for line in wrapped(&printable(text), room, room) {
            let _ = writeln!(self.text, "{:column$}{line}", "");
        }
    }

    /// A label, and lines beside it.
    pub fn labelled(&mut self, label: &str, column: usize, text: &str) {
        let room = self.width.saturating_sub(column);
        let mut label = format!("{:MARGIN$}{label}", "");
        for line in wrapped(&printable(text), room, room) {
            // A word that is longer than the room follows on a line of its own.
            let gap = if line.is_empty() {
                0
            } else {
                column.saturating_sub(plain_width(&label))
            };
            let _ = writeln!(self.text, "{label}{:gap$}{line}", "");
            label.clear();
        }
    }
}

/// The width of a text without its colours.
fn plain_width(text: &str) -> usize {
    let colors = [GREEN, RED, YELLOW, RESET];
    let colors: usize = colors
        .iter()
        .map(|color| text.matches(color).count() * color.width())
        .sum();
    text.width().saturating_sub(colors)
}
