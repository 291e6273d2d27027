//! The text of a setting that names a region: a literal, a text with `$(X)`, or a placeholder.

use std::borrow::Cow;

use super::{NearestRegions, Region, RuntimeEndpoint};
use crate::domain::expansion::{TextPart, parts};
use crate::domain::placeholder::has_placeholder;

/// The maximum length of a text that is expanded into a region's name, in bytes. A region has at most twenty.
pub(crate) const LONGEST_EXPANSION: usize = 256;

/// The region that a source sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionReading {
    /// A region.
    Region(Region),
    /// Two different regions, set by two names of the same rank.
    Conflict(Region, Region),
    /// A value that cannot be read.
    OutOfSight,
    /// A text that fits no partition's pattern, and the regions whose codes are nearest to it.
    NotARegion(NearestRegions),
}

/// Reads the name of a region without expanding variables; an empty text counts as absent.
pub fn read_region(text: &str) -> Option<RegionReading> {
    read(text, &|_| None)
}

/// Reads the name of a region and expands `$(X)` by `variable`; an empty text counts as absent.
pub(crate) fn read(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<RegionReading> {
    read_with(text, variable, NearestRegions::of)
}

/// As [`read_region`], without the regions nearest to a text that is not a region: for the many texts whose names do not name a
/// region.
pub(crate) fn read_region_only(text: &str) -> Option<RegionReading> {
    read_with(text, &|_| None, |_| NearestRegions::default())
}

fn read_with(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    nearest: fn(&str) -> NearestRegions,
) -> Option<RegionReading> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.len() > LONGEST_EXPANSION {
        return Some(RegionReading::OutOfSight);
    }
    // Most texts have no variable.
    let expanded = if text.contains('$') {
        expand(text, variable).map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(text))
    };
    let Some(text) = expanded else {
        return Some(RegionReading::OutOfSight);
    };
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if has_placeholder(text) {
        return Some(RegionReading::OutOfSight);
    }
    let misspelled = || RegionReading::NotARegion(nearest(text));
    Some(Region::from_code(text).map_or_else(misspelled, RegionReading::Region))
}

/// Reads an endpoint of Bedrock's runtime that is the whole text; `None` for another text.
pub fn read_endpoint(text: &str) -> Option<RegionReading> {
    let text = text.trim();
    if !text.contains('.') || text.contains(char::is_whitespace) {
        return None;
    }
    let region = Region::from_code(RuntimeEndpoint::parse(text)?.region);
    Some(region.map_or(RegionReading::OutOfSight, RegionReading::Region))
}

/// Expands `$(X)`; `None` if a variable cannot be expanded.
pub(crate) fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    parts(text)
        .map(|part| match part {
            TextPart::Text(text) => Some(Cow::Borrowed(text)),
            TextPart::Variable(name) => variable(name).map(Cow::Owned),
        })
        .collect()
}
