//! Changes to a source, byte for byte.

use std::ops::Range;

/// Bytes of a source to be replaced by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// The bytes to remove, as a range of the source.
    pub at: Range<usize>,
    /// The replacement, spelled as in the source.
    pub with: Box<str>,
}

/// The source with all splices applied; their order does not matter.
///
/// Equal splices count once. A splice outside the source, inside a character, or overlapping an earlier one is skipped.
pub fn splice(src: &str, splices: &[Splice]) -> String {
    let mut sorted: Vec<&Splice> = splices.iter().collect();
    sorted.sort_by_key(|splice| (splice.at.start, splice.at.end));
    sorted.dedup();
    let mut out = String::with_capacity(
        src.len() + sorted.iter().map(|splice| splice.with.len()).sum::<usize>(),
    );
    let mut done = 0;
    for Splice { at, with } in sorted {
        if at.start >= done
            && src.get(at.clone()).is_some()
            && let Some(before) = src.get(done..at.start)
        {
            out.push_str(before);
            out.push_str(with);
            done = at.end;
        }
    }
    out.push_str(&src[done..]);
    out
}
