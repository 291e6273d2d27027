//! Flags that name a region beside an ID, in a list of arguments or in one command of a script.

use std::ops::Range;

use super::together;
use super::variables::Variables;
use crate::domain::region::RegionReading;

/// Flags that name a region beside an ID.
const FLAGS: &[&str] = &["--region", "--aws-region"];

/// How far around an ID in a script its command is looked for, in bytes: a bound for scripts of a megabyte.
const NEAR: usize = 4096;

/// What the flags for a region name among `words`.
pub(super) fn flagged(words: &[&str], variables: &Variables<'_>) -> Option<RegionReading> {
    let named = words.iter().enumerate().filter_map(|(at, word)| {
        let is_flag = |flag: &&&str| {
            word.strip_prefix(**flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let flag = FLAGS.iter().find(is_flag)?;
        let value = word[flag.len()..]
            .strip_prefix('=')
            .or_else(|| words.get(at + 1).copied())?;
        variables.read(value, None)
    });
    together(named)
}

/// The one command of a shell script that `token` is in, as far as it is near.
pub(super) fn command_around<'t>(text: &'t str, token: &Range<usize>) -> &'t str {
    let ends = |at: usize, c: char| {
        matches!(c, ';' | '|' | '&') || (c == '\n' && !text[..at].ends_with('\\'))
    };
    let (from, to) = (
        text.floor_char_boundary(token.start.saturating_sub(NEAR)),
        text.ceil_char_boundary(token.end + NEAR),
    );
    let before = text[from..token.start]
        .char_indices()
        .rev()
        .map(|(at, c)| (from + at, c));
    let start = before
        .clone()
        .find(|&(at, c)| ends(at, c))
        .map_or(from, |(at, c)| at + c.len_utf8());
    let after = text[token.end..to]
        .char_indices()
        .map(|(at, c)| (token.end + at, c));
    let end = after
        .clone()
        .find(|&(at, c)| ends(at, c))
        .map_or(to, |(at, _)| at);
    &text[start..end]
}
