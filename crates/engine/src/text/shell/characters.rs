//! The characters at the current position: blanks, line ends, reserved words and names.

use super::reader::{ListEnd, ScriptReader, Stop};

impl ScriptReader<'_> {
    /// Skips spaces, line continuations and a comment.
    #[inline]
    pub(super) fn blanks(&mut self) {
        if matches!(self.peek(), Some(b' ' | b'\t' | b'\\' | b'#')) {
            self.some_blanks();
        }
    }

    fn some_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\\') if self.byte(self.at + 1) == Some(b'\n') => self.at += 2,
                Some(b'#') => {
                    let line = self.line_end();
                    self.script.comments.push(self.at..line);
                    self.at = line;
                }
                _ => return,
            }
        }
    }

    /// Skips blanks and line ends, with the here-documents of each line.
    pub(super) fn blank_lines(&mut self) -> Result<(), Stop> {
        loop {
            self.blanks();
            if self.peek() != Some(b'\n') {
                return Ok(());
            }
            self.at += 1;
            self.here_documents()?;
        }
    }

    /// The reserved word at the current position.
    pub(super) fn reserved(&mut self) -> Option<&'static str> {
        match self.reserved {
            Some((at, word)) if at == self.at => word,
            _ => {
                let word = reserved_word(&self.bytes[self.at..]);
                self.reserved = Some((self.at, word));
                word
            }
        }
    }

    /// Consumes a reserved word.
    pub(super) fn expect(&mut self, word: &str) -> Result<(), Stop> {
        if self.reserved() != Some(word) {
            let unclosed = self.at >= self.end();
            return Err(if unclosed {
                Stop::Unclosed
            } else {
                Stop::NotUnderstood
            });
        }
        self.at += word.len();
        Ok(())
    }

    pub(super) fn is_at(&mut self, end: ListEnd) -> bool {
        match end {
            ListEnd::Text => self.at >= self.end(),
            ListEnd::Parenthesis => self.peek() == Some(b')'),
            ListEnd::Reserved(words) => self.reserved().is_some_and(|word| words.contains(&word)),
            ListEnd::CaseItem => {
                self.starts_with(b";;")
                    || self.starts_with(b";&")
                    || self.reserved() == Some("esac")
            }
        }
    }

    pub(super) fn is_at_command_end(&self) -> bool {
        match self.peek() {
            None | Some(b'\n' | b';' | b'|' | b')') => true,
            Some(b'&') => self.byte(self.at + 1) != Some(b'>'),
            Some(_) => false,
        }
    }

    /// The length of the identifier at the current position.
    pub(super) fn identifier(&self) -> usize {
        let rest = &self.bytes[self.at..];
        if rest.first().is_none_or(u8::is_ascii_digit) {
            return 0;
        }
        rest.iter().take_while(|b| is_identifier(**b)).count()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    /// The end of the text that is read.
    pub(super) fn end(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(text)
    }

    /// The end of the current line.
    pub(super) fn line_end(&self) -> usize {
        memchr::memchr(b'\n', &self.bytes[self.at..]).map_or(self.end(), |length| self.at + length)
    }
}

/// The word at the start of a text, if it is part of the grammar in the position of a command.
fn reserved_word(text: &[u8]) -> Option<&'static str> {
    const LONGEST: usize = "function".len();
    // Most commands have another first letter.
    let (b'!' | b'[' | b']' | b'c'..=b'f' | b'i' | b's'..=b'u' | b'w' | b'{' | b'}') =
        text.first()?
    else {
        return None;
    };
    let near = &text[..text.len().min(LONGEST + 1)];
    let length = near.iter().position(|b| is_separator(*b));
    let word = match &near[..length.unwrap_or(near.len())] {
        b"!" => "!",
        b"[[" => "[[",
        b"]]" => "]]",
        b"case" => "case",
        b"coproc" => "coproc",
        b"do" => "do",
        b"done" => "done",
        b"elif" => "elif",
        b"else" => "else",
        b"esac" => "esac",
        b"fi" => "fi",
        b"for" => "for",
        b"function" => "function",
        b"if" => "if",
        b"in" => "in",
        b"select" => "select",
        b"then" => "then",
        b"time" => "time",
        b"until" => "until",
        b"while" => "while",
        b"{" => "{",
        b"}" => "}",
        _ => return None,
    };
    Some(word)
}

/// Whether a byte separates words in the position of a command.
fn is_separator(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')'
    )
}

/// Whether a byte is part of the name of a variable.
pub(super) fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
