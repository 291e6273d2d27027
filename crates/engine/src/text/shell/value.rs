//! The values of words.

use std::borrow::Cow;
use std::ops::Range;

use super::{PartKind, ShellScript, ShellWord, SimpleCommand, WordPart};

impl<'t> ShellScript<'t> {
    /// The parts of a word, ordered by their start. Quotes and backslashes are in no part.
    pub fn parts(&self, word: usize) -> &[WordPart] {
        &self.parts[self.words[word].parts.clone()]
    }

    /// The indices of the words of a command; the first is the name of the program.
    pub fn words_of(&self, command: &SimpleCommand) -> &[usize] {
        &self.command_words[command.words.clone()]
    }

    /// The value of a word that has text only; `None` if it depends on parameters or commands.
    pub fn literal(&self, word: usize) -> Option<Cow<'t, str>> {
        let text = |span: &Range<usize>| &self.source[span.clone()];
        match self.parts(word) {
            [] => Some(Cow::Borrowed("")),
            [part] if part.kind == PartKind::Text => Some(Cow::Borrowed(text(&part.span))),
            parts => parts
                .iter()
                .map(|part| (part.kind == PartKind::Text).then(|| text(&part.span)))
                .collect::<Option<String>>()
                .map(Cow::Owned),
        }
    }

    /// The index of the innermost word that contains a range of the source.
    pub fn word_at(&self, range: &Range<usize>) -> Option<usize> {
        let behind = self
            .words
            .partition_point(|word| word.span.start <= range.start);
        let mut candidate = behind.checked_sub(1);
        while let Some(index) = candidate {
            let word = &self.words[index];
            if word.contains(range) {
                return Some(index);
            }
            candidate = word.parent;
        }
        None
    }
}

impl ShellWord {
    fn contains(&self, range: &Range<usize>) -> bool {
        self.span.start <= range.start && range.end <= self.span.end
    }
}
