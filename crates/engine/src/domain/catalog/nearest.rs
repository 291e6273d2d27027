//! The model whose ID is nearest to an unknown ID: one that it misspells, else one of the same vendor and family.
//!
//! Of a family, an ID is parsed into words, a version, a date and a revision, in any order: users swap, omit and add these.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::{Catalog, Knowledge, Model, ModelIx};
use crate::domain::id::{LONGEST_ID, is_misspelling};
use crate::domain::spelling::Spelling;

/// The models by family, with their parsed IDs.
#[derive(Debug, Default)]
pub(super) struct Families(HashMap<Box<str>, Vec<(Name, ModelIx)>>);

/// The parts of a model ID that distinguish it from others of its family.
#[derive(Debug, Default, PartialEq, Eq)]
struct Name {
    /// The numbers between the words: 4 and 5 of `claude-sonnet-4-5`.
    version: Vec<u32>,
    /// The date in the ID: a day or a month.
    date: Option<u32>,
    /// The numbers after a `v`: 1 and 0 of `v1:0`.
    revision: Vec<u32>,
}

/// The distance of two names, compared field by field.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Distance {
    /// The edit distance of the versions, in numbers.
    edits: usize,
    other_date: bool,
    /// Whether the model is past its end of life. Of two models at the same distance, the one in service is suggested.
    gone: bool,
    /// The sum of the differences of the versions' numbers.
    version: u32,
    other_revision: bool,
    date: u32,
}

impl Catalog {
    /// The model whose ID `id` misspells by one letter, else the model of the same vendor and family whose ID is nearest to `id`,
    /// without the model of `id` itself. A model of the family past its end of life on `today` is returned only if the version or
    /// the date matches.
    pub fn nearest(&self, id: &str, today: Date) -> Option<ModelIx> {
        self.misspelled(id).or_else(|| self.relative(id, today))
    }

    /// The model whose ID, name without its vendor, or alias is spelled most like `text`, in any case: of a catalog of hundreds of IDs
    /// the only one at the least distance, which is at most an eighth of the text.
    pub fn spelled_like(&self, text: &str) -> Option<ModelIx> {
        let text = text.to_ascii_lowercase();
        let most = text.len() / 8;
        let mut spelling = Spelling::of(text.chars());
        let mut of_model = |model: &Model| {
            let id = model.id.as_str();
            let name = id.split_once('.').map(|(_, name)| name);
            let names = [Some(id), name].into_iter().flatten();
            let names = names.chain(model.aliases.iter().map(|alias| &**alias));
            names.filter_map(|name| spelling.distance(name, most)).min()
        };
        let mut found: Vec<_> = (0..)
            .zip(&self.models)
            .filter(|(_, model)| model.knowledge != Knowledge::MantleOnly)
            .filter_map(|(at, model)| Some((of_model(model)?, ModelIx(at))))
            .collect();
        found.sort_unstable();
        match found[..] {
            [(best, _), (next, _), ..] if best == next => None,
            [(_, at), ..] => Some(at),
            [] => None,
        }
    }

    /// The model whose ID `id` misspells by one letter.
    fn misspelled(&self, id: &str) -> Option<ModelIx> {
        let mut known = (0..).zip(&self.models);
        let (at, _) = known.find(|(_, model)| {
            model.knowledge != Knowledge::MantleOnly && is_misspelling(id, model.id.as_str())
        })?;
        Some(ModelIx(at))
    }

    fn relative(&self, id: &str, today: Date) -> Option<ModelIx> {
        let (family, name) = parse(id)?;
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
    /// The families of `models`, in the order of the catalog. Models that only bedrock-mantle serves are skipped, because
    /// clients of Bedrock's own runtime cannot call them.
    pub(super) fn of(models: &[Model]) -> Self {
        let mut families = HashMap::<_, Vec<_>>::new();
        for (model, at) in models.iter().zip(0..) {
            if model.knowledge == Knowledge::MantleOnly {
                continue;
            }
            if let Some((family, name)) = parse(model.id.as_str()) {
                families
                    .entry(family)
                    .or_default()
                    .push((name, ModelIx(at)));
            }
        }
        Self(families)
    }
}

/// Parses an ID into its family and its other parts; `None` if it has only a vendor and numbers.
fn parse(id: &str) -> Option<(Box<str>, Name)> {
    let (vendor, rest) = id.split_once('.').filter(|_| id.len() <= LONGEST_ID)?;
    let mut name = Name::default();
    // Sorted, because `claude-3-haiku` and `claude-haiku-4` are one family.
    let mut words = BTreeMap::<_, usize>::new();
    for piece in rest
        .split(['-', '.', '_'])
        .filter(|piece| !piece.is_empty())
    {
        if let Some(word) = name.read(piece) {
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
    /// Reads the numbers of one piece; returns the rest, which is a word of the family.
    fn read<'p>(&mut self, piece: &'p str) -> Option<&'p str> {
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
        // Sizes such as `70b` and `8x7b` are words: they distinguish models that are not versions of each other.
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

/// The edit distance of two versions: the number of insertions, deletions and changes.
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
