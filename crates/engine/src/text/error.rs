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

// === free functions ===

/// See [`super::Tree::line_column`].
pub(super) fn line_column(src: &str, offset: usize) -> (usize, usize) {
    let before = &src[..src.floor_char_boundary(offset)];
    let line_start = memchr::memrchr(b'\n', before.as_bytes()).map_or(0, |newline| newline + 1);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
    (line, before[line_start..].chars().count() + 1)
}
