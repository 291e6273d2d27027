//! Simple commands: assignments, words and redirections.

use super::reader::{ScriptReader, Stop};
use super::word::WordEnd;
use super::{Assignment, CommandKind};

impl ScriptReader<'_> {
    /// A simple command, or a function definition.
    pub(super) fn simple(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let outer = self.open_command(CommandKind::Simple);
        loop {
            self.blanks();
            if self.is_at_command_end() {
                break;
            }
            if self.redirection()? {
                continue;
            }
            if self.is_wordless() && self.assignment()? {
                continue;
            }
            let word = self.word(WordEnd::Blank)?;
            if self.peek() == Some(b'(') {
                if self.is_wordless() {
                    self.close_command(outer);
                    self.function_parentheses()?;
                    return self.function_body();
                }
                self.open_words.push(word);
                self.array_of_builtin(word)?;
                continue;
            }
            self.open_words.push(word);
        }
        self.close_command(outer);
        if self.at == start {
            Err(Stop::NotUnderstood)
        } else {
            Ok(())
        }
    }

    /// `NAME=value`, `NAME+=value`, `NAME[…]=value` or `NAME=(…)`; `false` if no assignment follows.
    fn assignment(&mut self) -> Result<bool, Stop> {
        let start = self.at;
        let name = start..start + self.identifier();
        if name.is_empty() {
            return Ok(false);
        }
        let mut at = name.end;
        if self.byte(at) == Some(b'[') {
            let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'@' | b'*');
            at += 1;
            at += self.bytes[at..].iter().take_while(|b| inside(b)).count();
            if self.byte(at) != Some(b']') {
                return Ok(false);
            }
            at += 1;
        }
        let is_appended = self.byte(at) == Some(b'+');
        at += usize::from(is_appended);
        if self.byte(at) != Some(b'=') {
            return Ok(false);
        }
        let is_part = is_appended || at > name.end;
        self.at = at + 1;
        let value = self.word_or_nothing(WordEnd::Blank)?;
        let items = if self.peek() == Some(b'(') && self.script.words[value].span.is_empty() {
            self.array()?
        } else {
            Vec::new()
        };
        let assignment = Assignment {
            name,
            value,
            is_part,
            items,
        };
        self.current().assignments.push(assignment);
        Ok(true)
    }

    /// `NAME=(…)` as an argument of `declare`, `export` or `local`.
    fn array_of_builtin(&mut self, word: usize) -> Result<(), Stop> {
        let span = self.script.words[word].span.clone();
        if !self.script.source[span].ends_with('=') {
            return Err(Stop::NotUnderstood);
        }
        let items = self.array()?;
        self.open_words.extend(items);
        Ok(())
    }

    /// The items of an array, between parentheses.
    fn array(&mut self) -> Result<Vec<usize>, Stop> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blank_lines()?;
            match self.peek() {
                Some(b')') => {
                    self.at += 1;
                    return Ok(items);
                }
                Some(_) => items.push(self.word(WordEnd::Blank)?),
                None => return Err(Stop::Unclosed),
            }
        }
    }
}
