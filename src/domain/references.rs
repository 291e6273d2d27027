//! ConfigMaps as far as Pods take model IDs and regions from them: an immutable value, never the API server.
//!
//! For each ConfigMap it has the names of all keys, for these decide which source of a variable counts, and of values only
//! words that may be model IDs, and regions. Nothing of a Secret is ever in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::object::Object;
use super::opt_out::{self, IGNORE, IGNORE_KEYS};
use super::record::{ANNOTATION, Entry, Record};
use super::region::Region;
use super::snapshot::Snapshot;
use super::whereabouts::{Found, said};

mod environment;
mod follow;
mod mounted;
mod reference;

pub use environment::{Environment, Value};
pub use follow::findings;
pub use reference::{By, Followed, Origin, Reference};

/// How long a text may be that is kept, in bytes: an ID has at most 64, and a wrapper, a region or white space around it.
const LONGEST: usize = 256;

/// The ConfigMaps that are known, by namespace and name.
///
/// A clone shares everything with its original, so that one writer can make the next value from the last one.
#[derive(Debug, Clone, Default)]
pub struct References {
    namespaces: BTreeMap<Box<str>, Arc<Maps>>,
    complete: bool,
}

/// The ConfigMaps of one namespace.
#[derive(Debug, Clone, Default)]
struct Maps {
    by_name: BTreeMap<Box<str>, Arc<ConfigMap>>,
    /// How many of them have a word that may be an ID.
    with_words: usize,
}

/// The ConfigMaps that a Pod can refer to: those of its own namespace.
#[derive(Debug, Clone, Copy)]
pub struct Neighbours<'r> {
    maps: Option<&'r Maps>,
    complete: bool,
}

/// What is known of a ConfigMap.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'r> {
    /// Its keys.
    Seen(&'r ConfigMap),
    /// There is none.
    Absent,
    /// Nothing.
    Unseen,
}

/// One ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigMap {
    /// By key, in order.
    texts: Box<[(Box<str>, Text)]>,
}

/// What is kept of the text under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// One word in which a vendor stands, as in a model ID.
    Word(Box<Word>),
    /// The name of a region.
    Region(Region),
    /// Nothing but white space.
    Blank,
    /// A placeholder that somebody else fills in.
    Placeholder,
    /// Anything else; nothing is kept of it.
    Other,
}

/// A word that may be a model ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As its author wrote it, white space and all.
    original: Box<str>,
    /// As it stands, or is about to, where we changed it.
    changed: Option<Box<str>>,
    opted_out: bool,
}

// === References ===

impl References {
    /// No ConfigMap has been seen.
    pub const NONE: &'static Self = &Self {
        namespaces: BTreeMap::new(),
        complete: false,
    };

    /// The start of a list of all ConfigMaps: one that it does not have does not exist.
    pub fn of_all() -> Self {
        Self {
            complete: true,
            ..Self::default()
        }
    }

    /// Takes a ConfigMap, in the place of one of its name.
    pub fn insert(&mut self, namespace: &str, name: &str, map: ConfigMap) {
        let maps = Arc::make_mut(self.namespaces.entry(namespace.into()).or_default());
        maps.with_words += usize::from(map.has_words());
        if let Some(old) = maps.by_name.insert(name.into(), Arc::new(map)) {
            maps.with_words -= usize::from(old.has_words());
        }
    }

    /// Forgets a ConfigMap.
    pub fn remove(&mut self, namespace: &str, name: &str) {
        let Some(maps) = self.namespaces.get_mut(namespace).map(Arc::make_mut) else {
            return;
        };
        if let Some(old) = maps.by_name.remove(name) {
            maps.with_words -= usize::from(old.has_words());
        }
        if maps.by_name.is_empty() {
            self.namespaces.remove(namespace);
        }
    }

    /// The ConfigMaps of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> Neighbours<'_> {
        Neighbours {
            maps: self.namespaces.get(namespace).map(|maps| &**maps),
            complete: self.complete,
        }
    }
}

impl<'r> Neighbours<'r> {
    /// What is known of the ConfigMap `name`. One that is not there does not exist where all were listed and nothing requires
    /// it; a required one will come, or the container never starts.
    pub fn look_up(self, name: &str, optional: bool) -> Lookup<'r> {
        match self.maps.and_then(|maps| maps.by_name.get(name)) {
            Some(map) => Lookup::Seen(map),
            None if optional && self.complete => Lookup::Absent,
            None => Lookup::Unseen,
        }
    }

    /// Whether some ConfigMap has a word that may be a model ID.
    pub fn have_words(self) -> bool {
        self.maps.is_some_and(|maps| maps.with_words > 0)
    }
}

// === ConfigMap ===

impl ConfigMap {
    /// Keeps of `data` what may matter. The annotations say what we have changed, and what its author opts out.
    ///
    /// Which words are kept is a matter of the snapshot's vendors alone: with other vendors, ConfigMaps are to be read again.
    pub fn read<'a>(
        data: impl IntoIterator<Item = (&'a str, &'a str)>,
        annotation: impl Fn(&str) -> Option<&'a str>,
        snapshot: &Snapshot,
    ) -> Self {
        let record = annotation(ANNOTATION)
            .map(Record::parse)
            .unwrap_or_default();
        let whole = annotation(IGNORE).is_some_and(opt_out::opts_out);
        let keys = annotation(IGNORE_KEYS);
        let opted_out = |key: &str| whole || keys.is_some_and(|globs| opt_out::lists(globs, key));
        let mut texts: Vec<(Box<str>, Text)> = data
            .into_iter()
            .map(|(key, text)| {
                let word = word(key, text, &record.entries, snapshot);
                let text = word.map_or_else(
                    || Text::without_words(text),
                    |mut word| {
                        word.opted_out = opted_out(key);
                        Text::Word(Box::new(word))
                    },
                );
                (Box::from(key), text)
            })
            .collect();
        texts.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self {
            texts: texts.into(),
        }
    }

    /// The same of an object in a document.
    pub fn of(object: &Object<'_>, snapshot: &Snapshot) -> Self {
        let tree = object.tree;
        let data = tree.get(object.root, "data").into_iter();
        let texts = data
            .flat_map(|data| tree.children(data))
            .filter_map(|node| Some((tree.key(node)?, tree.text(node)?)));
        Self::read(texts, |name| object.annotation(name), snapshot)
    }

    /// What is kept of the text under `key`; `None` where there is no such key.
    pub fn get(&self, key: &str) -> Option<&Text> {
        let at = self.texts.binary_search_by(|(one, _)| (**one).cmp(key));
        at.ok().map(|at| &self.texts[at].1)
    }

    /// Every word that may be a model ID, by key in order.
    pub fn words(&self) -> impl Iterator<Item = (&str, &Word)> {
        self.texts.iter().filter_map(|(key, text)| match text {
            Text::Word(word) => Some((&**key, &**word)),
            Text::Region(_) | Text::Blank | Text::Placeholder | Text::Other => None,
        })
    }

    /// Says that the word under `key` is about to be changed into `text`.
    pub fn change(&mut self, key: &str, text: &str) {
        let at = self.texts.binary_search_by(|(one, _)| (**one).cmp(key));
        if let Ok(at) = at
            && let Text::Word(word) = &mut self.texts[at].1
        {
            word.changed = Some(text.into());
        }
    }

    fn has_words(&self) -> bool {
        self.words().next().is_some()
    }
}

/// The word that `text` is, if it may be a model ID; the original one, where we have changed it.
fn word(key: &str, text: &str, record: &[Entry], snapshot: &Snapshot) -> Option<Word> {
    let may_be_an_id = |text: &str| {
        text.len() <= LONGEST
            && !text.trim().contains(char::is_whitespace)
            && snapshot.vendor_hits(text).next().is_some()
    };
    let is_ours = |entry: &&Entry| {
        entry.at.strip_prefix("data/") == Some(key)
            && !entry.to.is_empty()
            && text.matches(&*entry.to).count() == 1
    };
    let original = record
        .iter()
        .find(is_ours)
        .map(|entry| text.replacen(&*entry.to, &entry.from, 1))
        .filter(|original| may_be_an_id(original));
    match original {
        Some(original) => Some(Word {
            original: original.into(),
            changed: Some(text.into()),
            opted_out: false,
        }),
        None => may_be_an_id(text).then(|| Word {
            original: text.into(),
            changed: None,
            opted_out: false,
        }),
    }
}

// === Text, Word ===

impl Text {
    fn without_words(text: &str) -> Self {
        match said(text) {
            None => Self::Blank,
            Some(Found::Region(region)) => Self::Region(region),
            Some(Found::OutOfSight) => Self::Placeholder,
            Some(Found::NotARegion | Found::Conflict(..)) => Self::Other,
        }
    }

    /// What it says as the name of a region; an empty text counts as absent.
    pub fn region(&self) -> Option<Found> {
        match self {
            Self::Blank => None,
            Self::Region(region) => Some(Found::Region(*region)),
            Self::Placeholder => Some(Found::OutOfSight),
            Self::Word(_) | Self::Other => Some(Found::NotARegion),
        }
    }
}

impl Word {
    /// As its author wrote it: what we changed is asked for anew, so that Pods of two regions each get their own answer.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// As it stands in the ConfigMap, or is about to.
    pub fn standing(&self) -> &str {
        self.changed.as_deref().unwrap_or(&self.original)
    }

    /// Whether the ConfigMap's author has opted it out.
    pub fn is_opted_out(&self) -> bool {
        self.opted_out
    }
}

#[cfg(test)]
mod tests;
