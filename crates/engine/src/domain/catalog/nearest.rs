//! The model whose ID is nearest to one that no mapping knows: of the same vendor and family, or none at all.
//!
//! An ID is read as words, a version, a date and a revision, in whatever order they stand: people swap, drop and add these,
//! and seldom misspell a letter.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::{Catalog, Knowledge, Model, ModelIx};
use crate::domain::id::LONGEST_ID;

/// The models by family, their IDs read once.
#[derive(Debug, Default)]
pub(super) struct Families(HashMap<Box<str>, Vec<(Name, ModelIx)>>);

/// A model ID without its family: what tells it from its relatives.
#[derive(Debug, Default, PartialEq, Eq)]
struct Name {
    /// The numbers between the words: 4 and 5 of `claude-sonnet-4-5`.
    version: Vec<u32>,
    /// The day or month of its making.
    date: Option<u32>,
    /// What follows a `v`: 1 and 0 of `v1:0`.
    revision: Vec<u32>,
}

/// How far two names are apart; the least is the nearest.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Distance {
    /// How many numbers of the version have to be put in, taken out or changed.
    edits: usize,
    other_date: bool,
    /// The model is past its end of life: of two that are as near, the living one is offered.
    gone: bool,
    /// How far the numbers of the version are from each other.
    version: u32,
    other_revision: bool,
    date: u32,
}

impl Catalog {
    /// The model whose ID is nearest to `id`, which is its own: of the same vendor and family, and not one that is gone on
    /// `today` unless nothing but a date or a revision is wrong.
    pub fn nearest(&self, id: &str, today: Date) -> Option<ModelIx> {
        let (family, name) = read(id)?;
        let relatives = self.families.0.get(&*family)?.iter();
        let others = relatives.filter(|(_, at)| self.model(*at).id.as_str() != id);
        let (distance, Reverse(at)) = others
            .map(|(other, at)| {
                let gone = self.model(*at).is_past_everywhere(today);
                (name.distance(other, gone), Reverse(*at))
            })
            .min()?;
        let another_version = distance.edits > 0 && (distance.other_date || name.date.is_none());
        (!(distance.gone && another_version)).then_some(at)
    }
}

impl Families {
    /// Those of `models`, which stand in the order of the catalog. What is served by bedrock-mantle alone is no answer for those
    /// who call Bedrock's own runtime.
    pub(super) fn of(models: &[Model]) -> Self {
        let mut families = HashMap::<_, Vec<_>>::new();
        for (model, at) in models.iter().zip(0..) {
            if model.knowledge == Knowledge::MantleOnly {
                continue;
            }
            if let Some((family, name)) = read(model.id.as_str()) {
                families
                    .entry(family)
                    .or_default()
                    .push((name, ModelIx(at)));
            }
        }
        Self(families)
    }
}

/// The family of an ID and what tells it from its relatives; `None` where it says no more than a vendor and numbers.
fn read(id: &str) -> Option<(Box<str>, Name)> {
    let (vendor, rest) = id.split_once('.').filter(|_| id.len() <= LONGEST_ID)?;
    let mut name = Name::default();
    // Sorted, for `claude-3-haiku` and `claude-haiku-4` are one family.
    let mut words = BTreeMap::<_, usize>::new();
    for piece in rest
        .split(['-', '.', '_'])
        .filter(|piece| !piece.is_empty())
    {
        if let Some(word) = name.take(piece) {
            *words.entry(word.to_ascii_lowercase()).or_default() += 1;
        }
    }
    let family = words
        .into_iter()
        .fold(vendor.to_owned(), |family, (word, times)| {
            family + &format!(" {word}").repeat(times)
        });
    (family.len() > vendor.len()).then(|| (family.into(), name))
}

impl Name {
    /// Takes the numbers of one piece; what is left is a word of the family.
    fn take<'p>(&mut self, piece: &'p str) -> Option<&'p str> {
        let behind_v = piece.strip_prefix('v').unwrap_or(piece);
        if behind_v.len() < piece.len() || piece.contains(':') {
            let numbers: Option<Vec<u32>> = behind_v
                .split(':')
                .map(|number| number.parse().ok())
                .collect();
            if let Some(numbers) = numbers {
                self.revision = numbers;
                return None;
            }
        }
        let word = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        // Sizes such as `70b` and `8x7b` are words: they tell models apart that are no versions of each other.
        if word.contains(|c: char| !c.is_ascii_alphabetic()) {
            return Some(piece);
        }
        let digits = &piece[word.len()..];
        match (digits.len(), digits.parse()) {
            (0, _) => {}
            (1..4, Ok(number)) => self.version.push(number),
            (_, Ok(date)) => self.date = Some(date),
            (_, Err(_)) => return Some(piece),
        }
        (!word.is_empty()).then_some(word)
    }

    fn distance(&self, other: &Self, gone: bool) -> Distance {
        let numbers = self.version.iter().zip(&other.version);
        Distance {
            edits: edits(&self.version, &other.version),
            other_date: self.date != other.date,
            gone,
            version: numbers.map(|(one, other)| one.abs_diff(*other)).sum(),
            other_revision: self.revision != other.revision,
            date: self
                .date
                .unwrap_or_default()
                .abs_diff(other.date.unwrap_or_default()),
        }
    }
}

/// How many numbers have to be put in, taken out or changed to make `other` of `one`.
fn edits(one: &[u32], other: &[u32]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, number) in one.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (to, wanted) in other.iter().enumerate() {
            let changed = diagonal + usize::from(number != wanted);
            diagonal = row[to + 1];
            row[to + 1] = changed.min(row[to] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
