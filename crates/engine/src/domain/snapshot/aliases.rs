//! A fast search for aliases in encoded bytes.
//!
//! Most aliases share their first bytes, so a few searches find them all.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem;

use crate::domain::id::is_id_byte;

/// The aliases and, for each alias, the longest part that every encoder writes unchanged.
#[derive(Debug, Default)]
pub(super) struct Aliases {
    names: BTreeSet<Box<str>>,
    groups: Box<[PrefixGroup]>,
}

/// Parts with the same first bytes.
#[derive(Debug)]
struct PrefixGroup {
    start: memmem::Finder<'static>,
    parts: Box<[Box<str>]>,
}

/// The length of the start by which parts are grouped, in bytes: long enough to be rare in any text.
const START: usize = 7;

impl Aliases {
    pub(super) fn new<'a>(aliases: impl IntoIterator<Item = &'a Box<str>>) -> Self {
        let names: BTreeSet<Box<str>> = aliases.into_iter().cloned().collect();
        let mut by_start = BTreeMap::<_, Vec<Box<str>>>::new();
        for part in names.iter().filter_map(|alias| plain_part(alias)) {
            let start = &part[..part.len().min(START)];
            by_start.entry(start).or_default().push(part.into());
        }
        let groups = by_start.into_iter().map(|(start, parts)| PrefixGroup {
            start: memmem::Finder::new(start).into_owned(),
            parts: parts.into(),
        });
        let groups = groups.collect();
        Self { names, groups }
    }

    /// All aliases.
    pub(super) fn names(&self) -> &BTreeSet<Box<str>> {
        &self.names
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The offsets of possible aliases, unordered.
    pub(super) fn hits<'a>(&'a self, haystack: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        self.groups.iter().flat_map(move |group| {
            let starts = group.start.find_iter(haystack);
            starts.filter(move |at| group.is_at(&haystack[*at..]))
        })
    }
}

impl PrefixGroup {
    /// Whether `rest` starts with a whole part.
    fn is_at(&self, rest: &[u8]) -> bool {
        self.parts.iter().any(|part| {
            let after = rest.strip_prefix(part.as_bytes());
            after.is_some_and(|after| after.first().is_none_or(|byte| !is_id_byte(*byte)))
        })
    }
}

/// The longest run of ID characters, which every encoder writes unchanged.
fn plain_part(alias: &str) -> Option<&str> {
    alias
        .split(|c: char| !c.is_ascii() || !is_id_byte(c as u8))
        .max_by_key(|part| part.len())
        .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(haystack: &str) -> bool {
        let aliases = ["claude-opus-4", "claude-opus-4-1", "x", "my/model@2"].map(Box::from);
        Aliases::new(&aliases)
            .hits(haystack.as_bytes())
            .next()
            .is_some()
    }

    #[test]
    fn an_alias_is_found_where_its_plain_part_ends() {
        for text in [
            r#"{"value":"claude-opus-4"}"#,
            r#"{"value":"claude-opus-4-1"}"#,
            r#"{"value":" claude-opus-4\n"}"#,
            r#"{"value":"\nclaude-opus-4"}"#,
            r#"{"value":"x"}"#,
            r#"{"value":"my\/model@2"}"#,
            "claude-opus-4",
        ] {
            assert!(found(text), "{text}");
        }
        for text in [
            "",
            "claude-",
            r#"{"value":"claude-opus-4-2"}"#,
            r#"{"value":"claude-opus-41"}"#,
            r#"{"value":"my/models@2"}"#,
        ] {
            assert!(!found(text), "{text}");
        }
    }

    #[test]
    fn an_empty_set_of_aliases_has_no_hits() {
        assert!(Aliases::default().hits(b"claude-opus-4").next().is_none());
        assert!(Aliases::default().is_empty());
    }
}
