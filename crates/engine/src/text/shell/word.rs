//! Words: quotes, backslashes and text.

use std::ops::Range;

use super::reader::{OpenWord, ScriptReader, Stop};
use super::{PartKind, ShellWord, WordPart};

/// The end of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WordEnd {
    /// A blank or an operator.
    Blank,
    /// A blank: the regular expression of `=~`.
    Space,
    /// The closing brace of `${X-word}`.
    Brace(BraceQuotes),
}

/// The effect of quotes in the word of `${X-word}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BraceQuotes {
    /// As in any word: the expansion is outside of double quotes.
    AsOutside,
    /// Single quotes are text: the expansion is inside double quotes.
    OnlyDouble,
    /// Shells differ.
    NotKnown,
}

impl WordEnd {
    /// Whether text in the word is quoted by double quotes around the expansion.
    fn is_quoted(self) -> bool {
        matches!(
            self,
            Self::Brace(BraceQuotes::OnlyDouble | BraceQuotes::NotKnown)
        )
    }
}

impl ScriptReader<'_> {
    /// A word, which may not be empty.
    pub(super) fn word(&mut self, end: WordEnd) -> Result<usize, Stop> {
        let start = self.at;
        let word = self.word_or_nothing(end)?;
        if self.at == start {
            return Err(Stop::NotUnderstood);
        }
        Ok(word)
    }

    /// A word up to its end, which is not consumed. The value of an assignment, and the word of an expansion, may be empty.
    pub(super) fn word_or_nothing(&mut self, end: WordEnd) -> Result<usize, Stop> {
        if end == WordEnd::Blank
            && let Some(word) = self.plain_word()
        {
            return Ok(word);
        }
        self.in_word(|reader| {
            while let Some(byte) = reader.peek() {
                if reader.is_word_end(byte, end) {
                    return Ok(());
                }
                reader.word_part(byte, end)?;
            }
            match end {
                WordEnd::Brace(_) => Err(Stop::Unclosed),
                WordEnd::Blank | WordEnd::Space => Ok(()),
            }
        })
    }

    /// A word of plain text alone; `None` if the word is another one, which is not consumed.
    fn plain_word(&mut self) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().take_while(|b| is_plain(**b)).count();
        let ends = rest.get(length).is_none_or(|b| is_blank_or_operator(*b));
        if length == 0 || !ends {
            return None;
        }
        let span = self.at..self.at + length;
        self.at = span.end;
        let first_part = self.script.parts.len();
        self.script.parts.push(WordPart {
            span: span.clone(),
            kind: PartKind::Text,
            is_quoted: false,
        });
        Some(self.add_word(ShellWord {
            span,
            parts: first_part..first_part + 1,
            ..ShellWord::default()
        }))
    }

    /// Adds a word to the current command.
    fn add_word(&mut self, word: ShellWord) -> usize {
        self.script.words.push(ShellWord {
            parent: self.word.map(|outer| outer.index),
            command: self.command.index,
            ..word
        });
        self.script.words.len() - 1
    }

    /// Reads a word with its parts, and returns its index.
    pub(super) fn in_word(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<usize, Stop> {
        let start = self.at;
        let index = self.add_word(ShellWord {
            span: start..start,
            ..ShellWord::default()
        });
        let first_part = self.open_parts.len();
        let outer = self.word.replace(OpenWord {
            index,
            first_part,
            has_quotes: false,
        });
        read(self)?;
        let has_quotes = self.word.is_some_and(|word| word.has_quotes);
        self.word = outer;
        let parts = &mut self.script.parts;
        let first = parts.len();
        parts.extend(self.open_parts.drain(first_part..));
        let word = &mut self.script.words[index];
        word.span.end = self.at;
        word.parts = first..parts.len();
        word.has_quotes = has_quotes;
        Ok(index)
    }

    fn is_word_end(&self, byte: u8, end: WordEnd) -> bool {
        match end {
            WordEnd::Brace(_) => byte == b'}',
            WordEnd::Space => matches!(byte, b' ' | b'\t' | b'\n'),
            // `<(` and `>(` start a process substitution.
            WordEnd::Blank if matches!(byte, b'<' | b'>') => self.byte(self.at + 1) != Some(b'('),
            WordEnd::Blank => is_blank_or_operator(byte),
        }
    }

    /// Reads the part at the current position.
    fn word_part(&mut self, byte: u8, end: WordEnd) -> Result<(), Stop> {
        match byte {
            b'\\' => self.backslash(end),
            b'\'' => match end {
                WordEnd::Brace(BraceQuotes::NotKnown) => Err(Stop::NotUnderstood),
                WordEnd::Brace(BraceQuotes::OnlyDouble) => self.literal_quotes(),
                WordEnd::Brace(BraceQuotes::AsOutside) | WordEnd::Blank | WordEnd::Space => {
                    self.single_quotes()
                }
            },
            b'"' => match end {
                WordEnd::Brace(BraceQuotes::NotKnown) => Err(Stop::NotUnderstood),
                WordEnd::Brace(BraceQuotes::AsOutside | BraceQuotes::OnlyDouble)
                | WordEnd::Blank
                | WordEnd::Space => self.double_quotes(),
            },
            b'$' => self.dollar(end.is_quoted()),
            b'`' => self.backticks(end.is_quoted()),
            b'<' | b'>' if end == WordEnd::Blank => self.process_substitution(),
            b'{' if self.template(end.is_quoted())? => Ok(()),
            _ => {
                let run = self.run(is_plain);
                self.text(run, end.is_quoted());
                Ok(())
            }
        }
    }

    /// A backslash outside of double quotes.
    fn backslash(&mut self, end: WordEnd) -> Result<(), Stop> {
        let Some(next) = self.byte(self.at + 1) else {
            return Err(Stop::Unclosed);
        };
        // A continued line is no part of the word.
        self.mark_quotes(next != b'\n');
        if end.is_quoted() && !matches!(next, b'$' | b'`' | b'"' | b'\\' | b'\n' | b'}') {
            self.text(self.at..self.at + 1, true);
            return Ok(());
        }
        self.escaped(next);
        Ok(())
    }

    /// A backslash with the character that it quotes. A backslash before a line end is no character.
    fn escaped(&mut self, next: u8) {
        self.at += 1;
        if next == b'\n' {
            self.at += 1;
            return;
        }
        let length = char_length(next);
        self.text(self.at..self.at + length, true);
    }

    fn single_quotes(&mut self) -> Result<(), Stop> {
        self.mark_quotes(true);
        let start = self.at + 1;
        let Some(length) = memchr::memchr(b'\'', &self.bytes[start..]) else {
            return Err(Stop::Unclosed);
        };
        self.at = start;
        self.text(start..start + length, true);
        self.at += 1;
        Ok(())
    }

    /// Single quotes in the word of an expansion between double quotes. They are text, but bash finds the end of the expansion
    /// behind them, and other shells do not.
    fn literal_quotes(&mut self) -> Result<(), Stop> {
        let after = &self.bytes[self.at + 1..];
        let length = after
            .iter()
            .position(|b| matches!(b, b'\'' | b'}' | b'"' | b'$' | b'`' | b'\\'))
            .ok_or(Stop::Unclosed)?;
        if after[length] != b'\'' {
            return Err(Stop::NotUnderstood);
        }
        self.text(self.at..self.at + length + 2, true);
        Ok(())
    }

    fn double_quotes(&mut self) -> Result<(), Stop> {
        self.mark_quotes(true);
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => match self.byte(self.at + 1) {
                    Some(next @ (b'$' | b'`' | b'"' | b'\\' | b'\n')) => self.escaped(next),
                    Some(_) => self.text(self.at..self.at + 1, true),
                    None => return Err(Stop::Unclosed),
                },
                b'$' => self.dollar(true)?,
                b'`' => self.backticks(true)?,
                b'{' if self.template(true)? => {}
                _ => {
                    let run = self.run(is_plain_in_quotes);
                    self.text(run, true);
                }
            }
        }
        Err(Stop::Unclosed)
    }

    /// `{{ … }}` on one line, which a template engine fills in before the shell starts; `false` if no template follows.
    ///
    /// A shell reads the text as its own. Both readings have to continue alike after the template.
    fn template(&mut self, is_quoted: bool) -> Result<bool, Stop> {
        if self.at < self.no_template_before || !self.starts_with(b"{{") {
            return Ok(false);
        }
        let line = self.line_end();
        let Some(length) = memchr::memmem::find(&self.bytes[self.at..line], b"}}") else {
            self.no_template_before = line;
            return Ok(false);
        };
        let inner = &self.bytes[self.at + 2..self.at + length];
        let count = |quote: u8| memchr::memchr_iter(quote, inner).count();
        let is_action = |b: &u8| !b"\\`;&<>={".contains(b);
        let are_paired = count(b'"').is_multiple_of(2) && count(b'\'').is_multiple_of(2);
        let has_substitution = memchr::memmem::find(inner, b"$(").is_some();
        if !are_paired || has_substitution || !inner.iter().all(is_action) {
            return Err(Stop::NotUnderstood);
        }
        let end = self.at + length + 2;
        self.part(self.at..end, PartKind::Unknown, is_quoted);
        self.at = end;
        Ok(true)
    }

    /// The byte at the current position, and the bytes after it that `is_text` accepts.
    fn run(&self, is_text: impl Fn(u8) -> bool) -> Range<usize> {
        let after = &self.bytes[self.at + 1..];
        let length = after.iter().take_while(|b| is_text(**b)).count();
        self.at..self.at + 1 + length
    }

    /// Notes a quote or a backslash of the word, if it is one.
    pub(super) fn mark_quotes(&mut self, is_one: bool) {
        if let Some(word) = &mut self.word {
            word.has_quotes |= is_one;
        }
    }

    /// Adds text of the value and continues after it.
    pub(super) fn text(&mut self, span: Range<usize>, is_quoted: bool) {
        self.at = span.end;
        let first_part = self.word.map_or(0, |word| word.first_part);
        if let Some(last) = self.open_parts[first_part..].last_mut()
            && last.kind == PartKind::Text
            && last.span.end == span.start
            && last.is_quoted == is_quoted
        {
            last.span.end = span.end;
            return;
        }
        if !span.is_empty() {
            self.part(span, PartKind::Text, is_quoted);
        }
    }

    pub(super) fn part(&mut self, span: Range<usize>, kind: PartKind, is_quoted: bool) {
        self.open_parts.push(WordPart {
            span,
            kind,
            is_quoted,
        });
    }
}

/// Whether a byte ends a word, without those that may start a process substitution.
pub(super) fn is_blank_or_operator(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')'
    )
}

/// Whether a byte is text wherever it is in a word.
fn is_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let mut plain = [false; 256];
        let mut byte = 0_u8;
        while byte < u8::MAX {
            plain[byte as usize] = byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'-' | b'_' | b'.' | b'/' | b':' | b'=' | b',' | b'@' | b'%' | b'+'
                );
            byte += 1;
        }
        plain
    };
    PLAIN[usize::from(byte)]
}

/// Whether a byte is text between double quotes.
fn is_plain_in_quotes(byte: u8) -> bool {
    !matches!(byte, b'"' | b'\\' | b'$' | b'`' | b'{')
}

/// The number of bytes of the character that starts with this byte in UTF-8.
fn char_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}
