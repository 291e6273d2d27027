//! Flags that set the region beside an ID, in a list of arguments or in a command of a script.

use std::ops::Range;

use super::combined;
use super::variables::Variables;
use crate::domain::region::RegionReading;

/// Flags that set the region.
const FLAGS: &[&str] = &["--region", "--aws-region"];

/// The maximum distance from an ID to the ends of its command, in bytes: a bound for scripts of a megabyte.
const NEAR: usize = 4096;

/// The region that the flags among `words` set.
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
    combined(named)
}

/// The command of a shell script that contains `token`, cut at a distance of [`NEAR`].
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
