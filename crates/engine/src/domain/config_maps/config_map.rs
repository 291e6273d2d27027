//! One ConfigMap: its keys, and of its texts those that may be model IDs or regions.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use crate::domain::context_rules::{ConditionSet, MatchedNames, NameContext, NameScope, Sibling};
use crate::domain::object::Object;
use crate::domain::opt_out::{self, IGNORE, IGNORE_KEYS};
use crate::domain::reason::Reason;
use crate::domain::record::{ANNOTATION, Entry, Record};
use crate::domain::region::{Region, RegionReading, read_region};
use crate::domain::snapshot::Snapshot;

/// How long a text may be that is kept, in bytes: an ID has at most 64, and a wrapper, a region or white space around it.
const LONGEST: usize = 256;

/// One ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigMap {
    /// By key, in order.
    texts: Box<[(Box<str>, StoredKey)]>,
}

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredKey {
    text: StoredValue,
    /// What its text says to the context rules, for the IDs that stand beside it where a container takes it.
    heard: ConditionSet,
}

/// What is kept of the text under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredValue {
    /// One word with a vendor in it, as in a model ID, or an alias.
    Word(Box<Word>),
    /// The name of a region.
    Region(Region),
    /// Nothing but white space.
    Blank,
    /// A placeholder that another program fills in.
    Placeholder,
    /// Anything else; nothing is kept of it.
    Other,
}

/// A word that may be a model ID, or that is an alias.
#[derive(Clone, PartialEq, Eq)]
pub struct Word {
    /// As its author wrote it, white space and all.
    original: Box<str>,
    /// The current word, or the one after our change.
    changed: Option<Box<str>>,
    opted_out: bool,
    role: Option<Reason>,
}

impl ConfigMap {
    /// Keeps of `data` what may matter. The annotations say what we have changed, and what its author opts out.
    ///
    /// Which words are kept is a matter of the snapshot's vendors, and of its aliases where some policy turns them on: with others,
    /// ConfigMaps are to be read again.
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
        let data: Vec<_> = data.into_iter().collect();
        let context_rules = Roles::new(&data, snapshot);
        let text = |(key, text): &(&str, &str)| {
            let Some((original, changed)) = word(key, text, &record.entries, snapshot) else {
                return StoredValue::without_words(text);
            };
            StoredValue::Word(Box::new(Word {
                original,
                changed,
                opted_out: opted_out(key),
                role: context_rules.of(key),
            }))
        };
        let kept = |entry: &(&str, &str)| StoredKey {
            text: text(entry),
            heard: snapshot.context_rules.heard(entry.1),
        };
        let mut texts: Vec<(Box<str>, StoredKey)> = data
            .iter()
            .map(|entry| (entry.0.into(), kept(entry)))
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
    pub fn get(&self, key: &str) -> Option<&StoredValue> {
        self.kept(key).map(|(text, _)| text)
    }

    /// The same, with what the text says to the context rules.
    pub(crate) fn kept(&self, key: &str) -> Option<(&StoredValue, ConditionSet)> {
        let at = self.texts.binary_search_by(|(one, _)| (**one).cmp(key));
        let kept = &self.texts[at.ok()?].1;
        Some((&kept.text, kept.heard))
    }

    /// Every key in order, with what its text says to the context rules.
    pub(crate) fn heard(&self) -> impl Iterator<Item = (&str, ConditionSet)> {
        self.texts.iter().map(|(key, kept)| (&**key, kept.heard))
    }

    /// Every word that may be a model ID, by key in order.
    pub fn words(&self) -> impl Iterator<Item = (&str, &Word)> {
        self.texts
            .iter()
            .filter_map(|(key, kept)| match &kept.text {
                StoredValue::Word(word) => Some((&**key, &**word)),
                StoredValue::Region(_)
                | StoredValue::Blank
                | StoredValue::Placeholder
                | StoredValue::Other => None,
            })
    }

    /// Says that the word under `key` is about to be changed into `text`.
    pub fn change(&mut self, key: &str, text: &str) {
        let at = self.texts.binary_search_by(|(one, _)| (**one).cmp(key));
        if let Ok(at) = at
            && let StoredValue::Word(word) = &mut self.texts[at].1.text
        {
            word.changed = Some(text.into());
        }
    }

    pub(super) fn has_words(&self) -> bool {
        self.words().next().is_some()
    }
}

/// The word that `text` is, if it may be a model ID, as its author wrote it and as we have changed it.
fn word(
    key: &str,
    text: &str,
    record: &[Entry],
    snapshot: &Snapshot,
) -> Option<(Box<str>, Option<Box<str>>)> {
    let may_be_an_id = |text: &str| {
        text.len() <= LONGEST
            && !text.trim().contains(char::is_whitespace)
            && (snapshot.vendor_hits(text).next().is_some()
                || snapshot.alias(text.trim()).is_some())
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
        Some(original) => Some((original.into(), Some(text.into()))),
        None => may_be_an_id(text).then(|| (text.into(), None)),
    }
}

/// The contexts of the keys of one ConfigMap; what its texts say is read once, and only if it is asked for.
struct Roles<'a> {
    data: &'a [(&'a str, &'a str)],
    snapshot: &'a Snapshot,
    matched: OnceCell<Arc<MatchedNames<'a>>>,
}

impl<'a> Roles<'a> {
    fn new(data: &'a [(&'a str, &'a str)], snapshot: &'a Snapshot) -> Self {
        Self {
            data,
            snapshot,
            matched: OnceCell::new(),
        }
    }

    fn of(&self, key: &str) -> Option<Reason> {
        let neighbours = self.data.iter();
        let neighbours = neighbours.map(|(name, text)| Sibling::with_text(name, text));
        let context_rules = &self.snapshot.context_rules;
        let matched = self
            .matched
            .get_or_init(|| Arc::new(context_rules.matched(neighbours, NameScope::Settings)));
        context_rules.reason(&NameContext {
            own: Some(key),
            path: Vec::new(),
            scopes: vec![Arc::clone(matched)],
        })
    }
}

// === StoredValue, Word ===

impl StoredValue {
    fn without_words(text: &str) -> Self {
        match read_region(text) {
            None => Self::Blank,
            Some(RegionReading::Region(region)) => Self::Region(region),
            Some(RegionReading::OutOfSight) => Self::Placeholder,
            Some(RegionReading::NotARegion | RegionReading::Conflict(..)) => Self::Other,
        }
    }

    /// What it says as the name of a region; an empty text counts as absent.
    pub fn region(&self) -> Option<RegionReading> {
        match self {
            Self::Blank => None,
            Self::Region(region) => Some(RegionReading::Region(*region)),
            Self::Placeholder => Some(RegionReading::OutOfSight),
            Self::Word(_) | Self::Other => Some(RegionReading::NotARegion),
        }
    }
}

impl Word {
    /// As its author wrote it: what we changed is asked for anew, so that Pods of two regions each get their own answer.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The word in the ConfigMap, now or after our change.
    pub fn current(&self) -> &str {
        self.changed.as_deref().unwrap_or(&self.original)
    }

    /// Why it is left for its role in the ConfigMap, if it is: for its key and the keys beside it.
    pub fn role(&self) -> Option<Reason> {
        self.role
    }

    /// Whether the ConfigMap's author has opted it out.
    pub fn is_opted_out(&self) -> bool {
        self.opted_out
    }
}

/// Never what it is: no observation shows that it is an ID.
impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Word").finish_non_exhaustive()
    }
}
