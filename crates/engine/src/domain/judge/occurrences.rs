//! The places of equal IDs at one location, which distinguish an entry of a record from the author's own IDs.
//!
//! A location is a name: all arguments of a container share it, and all IDs of a file. An ordinal among equal IDs distinguishes
//! them; the text around an ID would too, but may be a secret.

use std::collections::BTreeMap;

use crate::domain::detect::Finding;
use crate::domain::object::Object;
use crate::domain::reason::Reason;
use crate::domain::record::Entry;
use crate::domain::site::{Location, text_sites};
use crate::text::NodeId;

/// The place of an ID, in document order among the IDs of one location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum IdPlace {
    /// In the variable of this location that precedes all entries of its container.
    InFront,
    /// In this scalar or entry, with the start of the ID in the text.
    At(NodeId, usize),
}

impl IdPlace {
    /// The place of a finding in the object's own texts. An ID that is not written in one piece has none.
    pub(super) fn of(finding: &Finding<'_>) -> Option<Self> {
        let node = finding.site.scalar()?;
        let is_written = finding.syntax != Err(Reason::Unmappable) && finding.token().is_some();
        is_written.then(|| Self::At(node, finding.span().start))
    }
}

/// The places of some IDs at some locations.
#[derive(Default)]
pub(super) struct Occurrences<'k> {
    /// By ID, then by location.
    places: BTreeMap<&'k str, BTreeMap<&'k str, Vec<IdPlace>>>,
}

impl<'k> Occurrences<'k> {
    /// No places yet of the IDs and locations of `entries`.
    pub(super) fn of(entries: impl Iterator<Item = &'k Entry>) -> Self {
        let mut places: BTreeMap<_, BTreeMap<_, Vec<_>>> = BTreeMap::new();
        for entry in entries {
            let locations = places.entry(&*entry.to).or_default();
            locations.insert(&*entry.at, Vec::new());
        }
        Self { places }
    }

    /// Adds a place of `id`, if the ID and the location are among those of the entries.
    pub(super) fn add(&mut self, location: &Location<'_>, id: &str, place: IdPlace) {
        if let Some(locations) = self.places.get_mut(id)
            && let Some(places) = locations.get_mut(&*location.to_string())
        {
            places.push(place);
        }
    }

    /// Adds the texts of `object` that are ARNs, which detection does not find, except for those that `is_changed`.
    pub(super) fn add_arns(&mut self, object: &Object<'_>, is_changed: impl Fn(NodeId) -> bool) {
        if !self.places.keys().any(|id| id.starts_with("arn:")) {
            return;
        }
        for site in text_sites(object) {
            let Some(node) = site.scalar().filter(|node| !is_changed(*node)) else {
                continue;
            };
            let text = object.tree.text(node).unwrap_or_default();
            let start = text.len() - text.trim_start().len();
            if text[start..].starts_with("arn:") {
                self.add(&site.location, text.trim(), IdPlace::At(node, start));
            }
        }
    }

    /// Orders the places. Aliases of YAML visit one place more than once.
    pub(super) fn sorted(mut self) -> Self {
        for places in self.places.values_mut().flat_map(BTreeMap::values_mut) {
            places.sort_unstable();
            places.dedup();
        }
        self
    }

    fn at(&self, entry: &Entry) -> &[IdPlace] {
        let locations = self.places.get(&*entry.to);
        let places = locations.and_then(|locations| locations.get(&*entry.at));
        places.map_or(&[], Vec::as_slice)
    }

    /// The number of the place among those of the entry, from one, and their count.
    pub(super) fn ordinal(&self, entry: &Entry, place: IdPlace) -> Option<(usize, usize)> {
        let places = self.at(entry);
        let at = places.binary_search(&place).ok()?;
        Some((at + 1, places.len()))
    }

    /// The place that an entry names; `None` if the number of equal IDs is not the recorded one.
    fn named_by(&self, entry: &Entry) -> Option<IdPlace> {
        let places = self.at(entry);
        let index = entry.nth.checked_sub(1)?;
        (places.len() == entry.of).then(|| places.get(index).copied())?
    }
}

/// The entries of a record by the place that each names. An entry that names no place of the object, or one that another entry
/// names too, is ignored.
pub(super) fn recorded_places(
    object: &Object<'_>,
    entries: &[Entry],
    found: &[Finding<'_>],
) -> BTreeMap<IdPlace, Entry> {
    let mut occurrences = Occurrences::of(entries.iter());
    for finding in found {
        if let Some(place) = IdPlace::of(finding) {
            occurrences.add(&finding.site.location, finding.text(), place);
        }
    }
    occurrences.add_arns(object, |_| false);
    let occurrences = occurrences.sorted();
    let mut named: BTreeMap<IdPlace, Option<&Entry>> = BTreeMap::new();
    for entry in entries {
        let Some(place) = occurrences.named_by(entry) else {
            continue;
        };
        named
            .entry(place)
            .and_modify(|first| *first = first.filter(|first| *first == entry))
            .or_insert(Some(entry));
    }
    let entries = named.into_iter();
    entries
        .filter_map(|(place, entry)| Some((place, entry?.clone())))
        .collect()
}
