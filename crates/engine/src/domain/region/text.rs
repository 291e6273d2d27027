//! The text of a setting that names a region: written in full, with `$(X)`, or as a placeholder.

use super::Region;
use crate::domain::placeholder::is_filled_in;

/// How long a text may be that a region's name is put together from, in bytes; a region has at most twenty.
pub(crate) const LONGEST_EXPANSION: usize = 256;

/// What a source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionReading {
    /// A region.
    Region(Region),
    /// Two regions by two names of the same rank.
    Conflict(Region, Region),
    /// Something that cannot be read here.
    OutOfSight,
    /// A text that fits no partition.
    NotARegion,
}

/// Reads the name of a region, written in full; an empty text counts as absent.
pub fn read_region(text: &str) -> Option<RegionReading> {
    read(text, &|_| None)
}

/// Reads the name of a region; an empty text counts as absent.
pub(crate) fn read(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<RegionReading> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let Some(text) = Some(text)
        .filter(|text| text.len() <= LONGEST_EXPANSION)
        .and_then(|text| expand(text, variable))
    else {
        return Some(RegionReading::OutOfSight);
    };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if is_filled_in(text) {
        return Some(RegionReading::OutOfSight);
    }
    Some(Region::parse(text).map_or(RegionReading::NotARegion, RegionReading::Region))
}

/// Expands `$(X)`; `None` where a variable cannot be.
pub(crate) fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("$(") {
        let end = rest[at..].find(')')? + at;
        expanded.push_str(&rest[..at]);
        expanded.push_str(&variable(&rest[at + 2..end])?);
        rest = &rest[end + 1..];
    }
    expanded.push_str(rest);
    Some(expanded)
}
