//! The role of an ID in a word: the whole word, or the whole value of a flag or an assignment.

use std::borrow::Cow;
use std::ops::Range;

use super::argument::is_name;
use crate::domain::reason::Reason;
use crate::domain::site::TextKind;
use crate::domain::syntax::{Syntax, TextContext};
use crate::domain::tokens::Token;
use crate::text::shell::{PartKind, ShellScript};

/// The maximum length of the text on either side of an ID in a word with several parts.
const NEAR: usize = 4096;

/// The text of a word around an ID, and whether the shell adds more.
pub(super) struct WordText<'t> {
    /// The text with the ID.
    pub(super) text: Cow<'t, str>,
    /// The ID in the text.
    pub(super) span: Range<usize>,
    /// Whether an expansion precedes the text.
    pub(super) is_joined_before: bool,
    /// Whether an expansion follows the text.
    pub(super) is_joined_after: bool,
}

/// The role of an ID, and the name whose value it is.
pub(super) struct WordRole {
    pub(super) syntax: Result<Syntax, Reason>,
    pub(super) own: Option<String>,
}

impl<'t> WordText<'t> {
    /// The text around a range of the part at `part` of a word.
    pub(super) fn around(
        script: &ShellScript<'t>,
        word: usize,
        part: usize,
        range: &Range<usize>,
    ) -> Self {
        let parts = script.parts(word);
        let is_text = |at: &usize| parts[*at].kind == PartKind::Text;
        let first = (0..part).rev().take_while(is_text).last().unwrap_or(part);
        let last = (part + 1..parts.len())
            .take_while(is_text)
            .last()
            .unwrap_or(part);
        let joined = |at: Option<usize>| at.is_some_and(|at| at < parts.len());
        let (is_joined_before, is_joined_after) =
            (joined(first.checked_sub(1)), joined(Some(last + 1)));
        if first == last && parts[part].kind == PartKind::Text {
            let start = parts[part].span.start;
            return Self {
                text: Cow::Borrowed(&script.source[parts[part].span.clone()]),
                span: range.start - start..range.end - start,
                is_joined_before,
                is_joined_after,
            };
        }
        let text = |at: usize| &script.source[parts[at].span.clone()];
        // The part of a parameter is its default, which is the ID.
        let own = if parts[part].kind == PartKind::Text {
            parts[part].span.clone()
        } else {
            range.clone()
        };
        let before: String = (first..part)
            .map(text)
            .chain([&script.source[own.start..range.start]])
            .collect();
        let after: String = [&script.source[range.end..own.end]]
            .into_iter()
            .chain((part + 1..=last).map(text))
            .collect();
        let before = &before[before.ceil_char_boundary(before.len().saturating_sub(NEAR))..];
        let after = &after[..after.floor_char_boundary(NEAR)];
        let id = &script.source[range.clone()];
        Self {
            span: before.len()..before.len() + id.len(),
            text: Cow::Owned(format!("{before}{id}{after}")),
            is_joined_before,
            is_joined_after,
        }
    }

    /// The role of the ID in the word.
    pub(super) fn role(&self, token: &Token<'_>) -> WordRole {
        let left = |reason| WordRole {
            syntax: Err(reason),
            own: None,
        };
        let before = &self.text[..self.span.start];
        let name = before.find('=').map(|at| &before[..at]);
        if self.is_joined_after && !self.text[self.span.end..].contains(char::is_whitespace) {
            return left(Reason::UnknownFormat);
        }
        if self.is_joined_before && name.is_none() {
            let completes = before.is_empty() || before.ends_with('.');
            return left(if completes {
                Reason::PrefixedByTool
            } else {
                Reason::UnknownFormat
            });
        }
        let (start, end) = self.piece();
        let piece = &self.text[start..end];
        let span = self.span.start - start..self.span.end - start;
        let moved = Token {
            span,
            ..token.clone()
        };
        ArgumentText::of(piece).role(&moved)
    }

    /// The range of the pair with the ID in a list of pairs (`a=1,b=ID`), or the whole text.
    fn piece(&self) -> (usize, usize) {
        let value = self.text[..self.span.start].find('=').unwrap_or_default();
        let start = self.text[..self.span.start]
            .rfind(',')
            .filter(|at| *at > value);
        let end = self.text[self.span.end..]
            .find(',')
            .map(|at| self.span.end + at);
        if start.is_none() && end.is_none() {
            return (0, self.text.len());
        }
        let first = self.text.trim_start_matches('-');
        let are_pairs = first
            .split(',')
            .all(|piece| piece.find('=').is_some_and(|at| is_name(&piece[..at])));
        if !are_pairs {
            return (0, self.text.len());
        }
        (start.map_or(0, |at| at + 1), end.unwrap_or(self.text.len()))
    }
}

/// The text of an argument, whose properties are read once for all IDs in it.
pub(super) struct ArgumentText<'t> {
    text: &'t str,
    is_one_word: bool,
    context: TextContext<'t>,
}

impl<'t> ArgumentText<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let is_one_word = !text.trim().contains(char::is_whitespace);
        let kind = if is_one_word {
            TextKind::Argument
        } else {
            TextKind::Env
        };
        Self {
            text,
            is_one_word,
            context: TextContext::of(text, kind),
        }
    }

    /// The role of an ID in the text.
    pub(super) fn role(&self, token: &Token<'_>) -> WordRole {
        let before = &self.text[..token.span.start];
        let syntax = match self.context.syntax(token) {
            // A list of words has the ID as the value of a flag; an item of a list has another reason.
            Ok(syntax) if self.is_one_word && !syntax.listed && !is_whole_value(before) => {
                Err(Reason::UnknownFormat)
            }
            syntax => syntax,
        };
        WordRole {
            syntax,
            own: own_name(before),
        }
    }
}

/// Whether the text before an ID in a word is a name with `=` and a route, or a route.
fn is_whole_value(before: &str) -> bool {
    let value = before.rfind('=').map_or(before, |at| &before[at + 1..]);
    let name = &before[..before.len() - value.len()];
    let is_pair = |name: &str| is_name(name.trim_start_matches('-'));
    // A value may be a pair itself: `--set=a=ID`.
    name.is_empty() || name.trim_end_matches('=').split('=').all(is_pair) || value.contains("://")
}

/// The name whose value starts after `before`.
fn own_name(before: &str) -> Option<String> {
    let word = before
        .rsplit(|c: char| c.is_whitespace())
        .next()
        .unwrap_or(before);
    let name = word[..word.rfind('=')?].rsplit('=').next()?;
    let dashes = name.len() - name.trim_start_matches('-').len();
    let name = &name[dashes..];
    let name = if dashes == 1 {
        name.strip_prefix('D').unwrap_or(name)
    } else {
        name
    };
    (!name.is_empty()).then(|| name.trim_matches(['"', '\'']).to_owned())
}
