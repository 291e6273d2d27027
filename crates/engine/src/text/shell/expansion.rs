//! What `$` and backticks start: parameters, substitutions and arithmetic.

use super::characters::is_identifier;
use super::reader::{ListEnd, ScriptReader, Stop};
use super::word::{BraceQuotes, WordEnd};
use super::{BlockKind, DollarSpelling, Parameter, ParameterOperator, PartKind};

/// Parameters whose name is one sign.
const SPECIAL: &[u8] = b"@*#?-$!";

impl ScriptReader<'_> {
    /// What `$` starts, at the dollar sign.
    pub(super) fn dollar(&mut self, is_quoted: bool) -> Result<(), Stop> {
        if self.dollar == DollarSpelling::Escapable && self.byte(self.at + 1) == Some(b'$') {
            self.at += 1;
        }
        let start = self.at;
        match self.byte(start + 1) {
            Some(b'(') if self.byte(start + 2) == Some(b'(') => {
                self.at += 3;
                self.nested(|reader| reader.arithmetic(false))?;
                self.part(start..self.at, PartKind::Unknown, is_quoted);
                Ok(())
            }
            Some(b'(') => {
                self.at += 2;
                self.substitution(start, is_quoted)
            }
            Some(b'{') => self.nested(|reader| reader.braces(start, is_quoted)),
            // Shells differ in whether a name goes on behind a line continuation.
            Some(b'\\') if self.byte(start + 2) == Some(b'\n') => Err(Stop::NotUnderstood),
            Some(b'[') => Err(Stop::NotUnderstood),
            Some(b'\'') if !is_quoted => self.ansi_quotes(),
            // A locale's translation in bash, a dollar sign and a quote in other shells.
            Some(b'"') if !is_quoted => {
                self.part(start..start + 1, PartKind::Unknown, is_quoted);
                self.at += 1;
                Ok(())
            }
            Some(next) => {
                self.at += 1;
                let length = match self.identifier() {
                    0 => usize::from(next.is_ascii_digit() || SPECIAL.contains(&next)),
                    length => length,
                };
                if length == 0 {
                    self.text(start..start + 1, is_quoted);
                    return Ok(());
                }
                let name = self.at..self.at + length;
                self.at = name.end;
                if self.starts_with(b"\\\n") {
                    return Err(Stop::NotUnderstood);
                }
                let parameter = Parameter {
                    name,
                    alternative: None,
                };
                self.part(start..self.at, PartKind::Parameter(parameter), is_quoted);
                Ok(())
            }
            None => {
                self.text(start..start + 1, is_quoted);
                Ok(())
            }
        }
    }

    /// The commands of `$(…)`, after the opening parenthesis.
    fn substitution(&mut self, start: usize, is_quoted: bool) -> Result<(), Stop> {
        // Shells differ in the line at which the text of an outer here-document starts.
        let pending = std::mem::take(&mut self.pending);
        let from = self.at;
        self.in_block(BlockKind::Subshell, |reader| {
            reader.list(ListEnd::Parenthesis)
        })?;
        let has_lines = self.bytes[from..self.at].contains(&b'\n');
        if !self.pending.is_empty() || (!pending.is_empty() && has_lines) {
            return Err(Stop::NotUnderstood);
        }
        self.pending = pending;
        self.at += 1;
        self.part(start..self.at, PartKind::Substitution, is_quoted);
        Ok(())
    }

    /// `<(…)` or `>(…)`.
    pub(super) fn process_substitution(&mut self) -> Result<(), Stop> {
        let start = self.at;
        self.at += 2;
        self.substitution(start, false)
    }

    /// The commands between backticks.
    pub(super) fn backticks(&mut self, is_quoted: bool) -> Result<(), Stop> {
        let start = self.at;
        let end = memchr::memchr(b'`', &self.bytes[start + 1..])
            .map(|length| start + 1 + length)
            .ok_or(Stop::Unclosed)?;
        // With backslashes the commands are not spelled as they are read.
        if self.bytes[start..end].contains(&b'\\') || !self.pending.is_empty() {
            return Err(Stop::NotUnderstood);
        }
        let outer = self.bytes;
        self.bytes = &outer[..end];
        self.at = start + 1;
        self.in_block(BlockKind::Subshell, |reader| reader.list(ListEnd::Text))?;
        self.bytes = outer;
        if !self.pending.is_empty() {
            return Err(Stop::NotUnderstood);
        }
        self.at = end + 1;
        self.part(start..self.at, PartKind::Substitution, is_quoted);
        Ok(())
    }

    /// `$'…'`: escapes in bash, a dollar sign and quotes in other shells.
    fn ansi_quotes(&mut self) -> Result<(), Stop> {
        let (start, inner) = (self.at, self.at + 2);
        let length = memchr::memchr(b'\'', &self.bytes[inner..]).ok_or(Stop::Unclosed)?;
        if self.bytes[inner..inner + length].ends_with(b"\\") {
            return Err(Stop::NotUnderstood);
        }
        self.at = inner + length + 1;
        self.mark_quotes(true);
        self.part(start..self.at, PartKind::Unknown, true);
        Ok(())
    }

    /// `${…}`, at the dollar sign.
    fn braces(&mut self, start: usize, is_quoted: bool) -> Result<(), Stop> {
        self.at = start + 2;
        let is_indirect = match self.peek() {
            Some(b'#' | b'!') => self.byte(self.at + 1).is_some_and(|b| b != b'}'),
            _ => false,
        };
        self.at += usize::from(is_indirect);
        let name = self.at..self.at + self.parameter_length();
        if name.is_empty() {
            return Err(Stop::NotUnderstood);
        }
        self.at = name.end;
        let has_subscript = self.peek() == Some(b'[');
        if has_subscript {
            let rest = &self.bytes[self.at + 1..];
            self.at += 1 + rest.iter().take_while(|b| is_subscript(**b)).count();
            if self.peek() != Some(b']') {
                return Err(Stop::NotUnderstood);
            }
            self.at += 1;
        }
        let operator = self.parameter_operator();
        let alternative = match (operator, self.peek()) {
            (_, None) => return Err(Stop::Unclosed),
            (Some(operator), Some(_)) => {
                let quotes = if is_quoted {
                    BraceQuotes::OnlyDouble
                } else {
                    BraceQuotes::AsOutside
                };
                Some((operator, self.brace_word(quotes)?))
            }
            (None, Some(b'}')) => None,
            (None, Some(_)) => {
                let quotes = if is_quoted {
                    BraceQuotes::NotKnown
                } else {
                    BraceQuotes::AsOutside
                };
                self.brace_word(quotes)?;
                self.close_braces(start, PartKind::Unknown, is_quoted);
                return Ok(());
            }
        };
        let kind = if is_indirect || has_subscript {
            PartKind::Unknown
        } else {
            PartKind::Parameter(Parameter { name, alternative })
        };
        self.close_braces(start, kind, is_quoted);
        Ok(())
    }

    /// The word behind an operator, which may be empty.
    fn brace_word(&mut self, quotes: BraceQuotes) -> Result<usize, Stop> {
        self.word_or_nothing(WordEnd::Brace(quotes))
    }

    fn close_braces(&mut self, start: usize, kind: PartKind, is_quoted: bool) {
        self.at += 1;
        self.part(start..self.at, kind, is_quoted);
    }

    /// The length of the name of a parameter.
    fn parameter_length(&self) -> usize {
        let rest = &self.bytes[self.at..];
        match rest.first() {
            Some(b) if b.is_ascii_digit() => rest.iter().take_while(|b| b.is_ascii_digit()).count(),
            Some(b) if is_identifier(*b) => self.identifier(),
            Some(b) => usize::from(SPECIAL.contains(b)),
            None => 0,
        }
    }

    /// Consumes an operator with a word that may be the value.
    fn parameter_operator(&mut self) -> Option<ParameterOperator> {
        let colon = usize::from(self.peek() == Some(b':'));
        let operator = match self.byte(self.at + colon)? {
            b'-' => ParameterOperator::Default,
            b'=' => ParameterOperator::Assign,
            b'+' => ParameterOperator::Alternative,
            b'?' => ParameterOperator::Error,
            _ => return None,
        };
        self.at += colon + 1;
        Some(operator)
    }

    /// Arithmetic after its opening parentheses, up to and with the closing ones; `for ((…))` has semicolons.
    pub(super) fn arithmetic(&mut self, has_semicolons: bool) -> Result<(), Stop> {
        self.in_word(|reader| reader.arithmetic_expression(has_semicolons))?;
        self.at += 2;
        Ok(())
    }

    fn arithmetic_expression(&mut self, has_semicolons: bool) -> Result<(), Stop> {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'(' => open += 1,
                b')' if open > 0 => open -= 1,
                b')' if self.byte(self.at + 1) == Some(b')') => return Ok(()),
                b'$' => {
                    self.dollar(true)?;
                    continue;
                }
                b';' if has_semicolons => {}
                // Shells differ, or the text is a subshell in a substitution.
                b')' | b'\'' | b'"' | b'\\' | b'`' | b';' | b'{' => {
                    return Err(Stop::NotUnderstood);
                }
                _ => {}
            }
            self.at += 1;
        }
        Err(Stop::Unclosed)
    }
}

/// Whether a byte may be in the subscript of an array.
fn is_subscript(byte: u8) -> bool {
    is_identifier(byte) || matches!(byte, b'@' | b'*' | b'-' | b'+' | b'$' | b'#')
}
