//! Syntax errors with their location.

use super::NO_PARENT;
use std::borrow::Cow;

/// The text is no document of its syntax, or one whose meaning is not certain (a key that occurs twice).
///
/// The message never quotes the document, so it can be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct SyntaxError {
    /// Where reading stopped, in bytes from the start of the source.
    pub offset: usize,
    /// The line of `offset`, from 1.
    pub line: usize,
    /// The column of `offset` in characters, from 1.
    pub column: usize,
    /// The problem, without text of the document.
    pub problem: Cow<'static, str>,
}

pub(super) const DUPLICATE_KEY: &str =
    "this key occurs twice in its mapping; remove one of the two";

/// The problem of a text whose tree would be larger than its budget.
pub(super) const OVER_BUDGET: &str = "the text has too many values to be evaluated";

// === impl SyntaxError ===

impl SyntaxError {
    #[cold]
    pub(super) fn new(src: &str, offset: usize, problem: impl Into<Cow<'static, str>>) -> Self {
        let (line, column) = line_column(src, offset);
        Self {
            offset,
            line,
            column,
            problem: problem.into(),
        }
    }

    /// Spans are kept in 32 bits.
    pub(super) fn too_large(src: &str) -> Option<Self> {
        (src.len() >= NO_PARENT as usize)
            .then(|| Self::new(src, 0, "the text is larger than 4 GiB; split it"))
    }
}

/// The lines of a text, counted once for locations in order.
pub(super) struct LineCounter<'t> {
    src: &'t str,
    /// The offset that was counted up to, and its line, from 1.
    offset: usize,
    line: usize,
}

impl<'t> LineCounter<'t> {
    pub(super) fn new(src: &'t str) -> Self {
        Self {
            src,
            offset: 0,
            line: 1,
        }
    }

    /// A syntax error at an offset. One before an earlier error is counted from the start.
    #[cold]
    pub(super) fn error(
        &mut self,
        offset: usize,
        problem: impl Into<Cow<'static, str>>,
    ) -> SyntaxError {
        let at = self.src.floor_char_boundary(offset);
        if at < self.offset {
            *self = Self::new(self.src);
        }
        let passed = &self.src.as_bytes()[self.offset..at];
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.offset = at;
        SyntaxError {
            offset,
            line: self.line,
            column: column(self.src, at),
            problem: problem.into(),
        }
    }
}

// === free functions ===

/// See [`super::Tree::line_column`].
pub(super) fn line_column(src: &str, offset: usize) -> (usize, usize) {
    let at = src.floor_char_boundary(offset);
    let line = memchr::memchr_iter(b'\n', &src.as_bytes()[..at]).count() + 1;
    (line, column(src, at))
}

/// The column of a character boundary, in characters from 1.
fn column(src: &str, at: usize) -> usize {
    let before = &src[..at];
    let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |newline| newline + 1);
    before[line_start..].chars().count() + 1
}
