//! Words: quotes, backslashes and text.

use std::ops::Range;

use super::reader::{ScriptReader, Stop};
use super::{PartKind, WordPart};

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
        let word = self.open_word();
        self.word_parts(word, end)?;
        if self.script.words[word].span.is_empty() {
            return Err(Stop::NotUnderstood);
        }
        Ok(word)
    }

    /// The value of an assignment, which may be empty.
    pub(super) fn word_after_assignment(&mut self) -> Result<usize, Stop> {
        let word = self.open_word();
        self.word_parts(word, WordEnd::Blank)?;
        Ok(word)
    }

    /// Reads the parts of `word` up to its end, which is not consumed.
    pub(super) fn word_parts(&mut self, word: usize, end: WordEnd) -> Result<(), Stop> {
        let outer = self.inside.replace(word);
        while let Some(byte) = self.peek() {
            if self.is_word_end(byte, end) {
                break;
            }
            self.word_part(word, byte, end)?;
        }
        self.inside = outer;
        self.script.words[word].span.end = self.at;
        match end {
            WordEnd::Brace(_) if self.at >= self.end => Err(Stop::Unclosed),
            WordEnd::Brace(_) | WordEnd::Blank | WordEnd::Space => Ok(()),
        }
    }

    fn is_word_end(&self, byte: u8, end: WordEnd) -> bool {
        match end {
            WordEnd::Brace(_) => byte == b'}',
            WordEnd::Space => matches!(byte, b' ' | b'\t' | b'\n'),
            // `<(` and `>(` start a process substitution.
            WordEnd::Blank if matches!(byte, b'<' | b'>') => self.byte(self.at + 1) != Some(b'('),
            WordEnd::Blank => {
                matches!(
                    byte,
                    b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')'
                )
            }
        }
    }

    /// Reads the part at the current position.
    fn word_part(&mut self, word: usize, byte: u8, end: WordEnd) -> Result<(), Stop> {
        match byte {
            b'\\' => self.backslash(word, end),
            b'\'' => match end {
                WordEnd::Brace(BraceQuotes::NotKnown) => Err(Stop::NotUnderstood),
                WordEnd::Brace(BraceQuotes::OnlyDouble) => self.literal_quotes(word),
                WordEnd::Brace(BraceQuotes::AsOutside) | WordEnd::Blank | WordEnd::Space => {
                    self.single_quotes(word)
                }
            },
            b'"' => match end {
                WordEnd::Brace(BraceQuotes::NotKnown) => Err(Stop::NotUnderstood),
                WordEnd::Brace(BraceQuotes::AsOutside | BraceQuotes::OnlyDouble)
                | WordEnd::Blank
                | WordEnd::Space => self.double_quotes(word),
            },
            b'$' => self.dollar(word, end.is_quoted()),
            b'`' => self.backticks(word, end.is_quoted()),
            b'<' | b'>' if end == WordEnd::Blank => self.process_substitution(word),
            b'{' if self.template(word, end.is_quoted())? => Ok(()),
            _ => {
                let run = self.run(|b| b.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&b));
                self.text(word, run, end.is_quoted());
                Ok(())
            }
        }
    }

    /// A backslash outside of double quotes.
    fn backslash(&mut self, word: usize, end: WordEnd) -> Result<(), Stop> {
        let Some(next) = self.byte(self.at + 1) else {
            return Err(Stop::Unclosed);
        };
        // A continued line is no part of the word.
        self.script.words[word].has_quotes |= next != b'\n';
        if end.is_quoted() && !matches!(next, b'$' | b'`' | b'"' | b'\\' | b'\n' | b'}') {
            self.text(word, self.at..self.at + 1, true);
            return Ok(());
        }
        self.escaped(word, next);
        Ok(())
    }

    /// A backslash with the character that it quotes. A backslash before a line end is no character.
    fn escaped(&mut self, word: usize, next: u8) {
        self.at += 1;
        if next == b'\n' {
            self.at += 1;
            return;
        }
        let length = char_length(next);
        self.text(word, self.at..self.at + length, true);
    }

    fn single_quotes(&mut self, word: usize) -> Result<(), Stop> {
        self.script.words[word].has_quotes = true;
        let start = self.at + 1;
        let Some(length) = memchr::memchr(b'\'', &self.bytes[start..self.end]) else {
            return Err(Stop::Unclosed);
        };
        self.at = start;
        self.text(word, start..start + length, true);
        self.at += 1;
        Ok(())
    }

    /// Single quotes in the word of an expansion between double quotes. They are text, but bash finds the end of the expansion
    /// behind them, and other shells do not.
    fn literal_quotes(&mut self, word: usize) -> Result<(), Stop> {
        let after = &self.bytes[self.at + 1..self.end];
        let length = after
            .iter()
            .position(|b| matches!(b, b'\'' | b'}' | b'"' | b'$' | b'`' | b'\\'))
            .ok_or(Stop::Unclosed)?;
        if after[length] != b'\'' {
            return Err(Stop::NotUnderstood);
        }
        self.text(word, self.at..self.at + length + 2, true);
        Ok(())
    }

    fn double_quotes(&mut self, word: usize) -> Result<(), Stop> {
        self.script.words[word].has_quotes = true;
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => match self.byte(self.at + 1) {
                    Some(next @ (b'$' | b'`' | b'"' | b'\\' | b'\n')) => self.escaped(word, next),
                    Some(_) => self.text(word, self.at..self.at + 1, true),
                    None => return Err(Stop::Unclosed),
                },
                b'$' => self.dollar(word, true)?,
                b'`' => self.backticks(word, true)?,
                b'{' if self.template(word, true)? => {}
                _ => {
                    let run = self.run(|b| !matches!(b, b'"' | b'\\' | b'$' | b'`' | b'{'));
                    self.text(word, run, true);
                }
            }
        }
        Err(Stop::Unclosed)
    }

    /// `{{ … }}` on one line, which a template engine fills in before the shell starts; `false` if no template follows.
    ///
    /// A shell reads the text as its own. Both readings have to continue alike after the template.
    fn template(&mut self, word: usize, is_quoted: bool) -> Result<bool, Stop> {
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
        self.part(word, self.at..end, PartKind::Unknown, is_quoted);
        self.at = end;
        Ok(true)
    }

    /// The byte at the current position, and the bytes after it that `is_text` accepts.
    fn run(&self, is_text: impl Fn(u8) -> bool) -> Range<usize> {
        let after = &self.bytes[self.at + 1..self.end];
        let length = after.iter().take_while(|b| is_text(**b)).count();
        self.at..self.at + 1 + length
    }

    /// Adds text of the value and continues after it.
    pub(super) fn text(&mut self, word: usize, span: Range<usize>, is_quoted: bool) {
        self.at = span.end;
        let parts = &mut self.script.words[word].parts;
        if let Some(last) = parts.last_mut()
            && last.kind == PartKind::Text
            && last.span.end == span.start
            && last.is_quoted == is_quoted
        {
            last.span.end = span.end;
            return;
        }
        if !span.is_empty() {
            self.part(word, span, PartKind::Text, is_quoted);
        }
    }

    pub(super) fn part(
        &mut self,
        word: usize,
        span: Range<usize>,
        kind: PartKind,
        is_quoted: bool,
    ) {
        self.script.words[word].parts.push(WordPart {
            span,
            kind,
            is_quoted,
        });
    }
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
