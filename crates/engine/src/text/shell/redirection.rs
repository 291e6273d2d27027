//! Redirections.

use super::Redirection;
use super::here_document::PendingHereDocument;
use super::reader::{ScriptReader, Stop};
use super::word::{WordEnd, is_blank_or_operator};

impl ScriptReader<'_> {
    /// A redirection of the current command; `false` if none follows.
    #[inline]
    pub(super) fn redirection(&mut self) -> Result<bool, Stop> {
        match self.peek() {
            Some(b'<' | b'>' | b'&' | b'0'..=b'9') => self.redirection_with_digits(),
            _ => Ok(false),
        }
    }

    fn redirection_with_digits(&mut self) -> Result<bool, Stop> {
        let digits = self.bytes[self.at..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let start = self.at + digits;
        self.refuse_continued_operator(start, b"<>")?;
        // Digits before `&>` are a word.
        if digits > 0 && self.byte(start) == Some(b'&') {
            return Ok(false);
        }
        let is_process_substitution =
            self.byte(start + 1) == Some(b'(') && digits == 0 && self.peek() != Some(b'&');
        let length = operator_length(&self.bytes[start..]);
        if length == 0 || is_process_substitution {
            return Ok(false);
        }
        self.at = start + length;
        let operator = &self.bytes[start..start + length];
        let goes_on: &[u8] = if operator == b"<<" { b"<-" } else { b"<>&|(" };
        self.refuse_continued_operator(self.at, goes_on)?;
        self.refuse_joined_close(operator)?;
        self.redirection_target()?;
        let target = self.word(WordEnd::Blank)?;
        if operator.starts_with(b"&") {
            self.refuse_word()?;
        }
        let redirections = &mut self.current().redirections;
        let redirection = redirections.len();
        redirections.push(Redirection {
            operator: start..start + length,
            target,
            here_document: None,
        });
        if matches!(operator, b"<<" | b"<<-") {
            let delimiter = self.script.literal(target).ok_or(Stop::NotUnderstood)?;
            self.pending.push(PendingHereDocument {
                command: self.command.index,
                redirection,
                delimiter: delimiter.into_owned(),
                strips_tabs: operator == b"<<-",
                is_expanded: !self.script.words[target].has_quotes,
            });
        }
        Ok(true)
    }

    /// Refuses a line continuation at `start`, if one of `signs` follows it, with digits between: shells differ in whether an operator
    /// goes on behind a continuation.
    fn refuse_continued_operator(&self, start: usize, signs: &[u8]) -> Result<(), Stop> {
        let mut behind = start;
        while self.bytes[behind..].starts_with(b"\\\n") {
            behind += 2;
            let digits = self.bytes[behind..].iter();
            behind += digits.take_while(|b| b.is_ascii_digit()).count();
        }
        let sign = self.byte(behind).filter(|sign| signs.contains(sign));
        match sign {
            Some(_) if behind > start => Err(Stop::NotUnderstood),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses text that is joined to the operator that closes a descriptor: for bash the text behind `>&-` starts a word, and for other
    /// shells it belongs to the name of the descriptor. A continuation before the dash is refused too.
    fn refuse_joined_close(&self, operator: &[u8]) -> Result<(), Stop> {
        if !matches!(operator, b"<&" | b">&") {
            return Ok(());
        }
        self.refuse_continued_operator(self.at, b"-")?;
        let behind = self.byte(self.at + 1);
        let is_joined = behind.is_some_and(|byte| !is_blank_or_operator(byte));
        if self.peek() == Some(b'-') && is_joined {
            return Err(Stop::NotUnderstood);
        }
        Ok(())
    }

    /// Refuses a word behind `&>` and its target: bash reads an argument of the command, and other shells, for which `&` ends the
    /// command, another command.
    fn refuse_word(&mut self) -> Result<(), Stop> {
        self.blanks();
        let digits = self.bytes[self.at..].iter();
        let digits = digits.take_while(|b| b.is_ascii_digit()).count();
        let is_redirection = matches!(self.byte(self.at + digits), Some(b'<' | b'>'));
        if self.is_at_command_end() || is_redirection {
            Ok(())
        } else {
            Err(Stop::NotUnderstood)
        }
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

/// The length of the operator at the start of a text; zero if there is none.
fn operator_length(text: &[u8]) -> usize {
    match text {
        [b'<', b'<', b'<' | b'-', ..] | [b'&', b'>', b'>', ..] => 3,
        [b'<', b'<' | b'&' | b'>', ..] | [b'>', b'>' | b'&' | b'|', ..] | [b'&', b'>', ..] => 2,
        [b'<' | b'>', ..] => 1,
        _ => 0,
    }
}
