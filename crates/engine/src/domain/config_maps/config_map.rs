//! One ConfigMap: its keys, and the values that may be model IDs or regions.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::domain::annotations::{IGNORE, IGNORE_KEYS, NameGlobs, OptOutEnd, REWRITES, opt_out};
use crate::domain::context_rules::{
    ConditionSet, MatchedNames, NameContext, NameScope, NameUses, Sibling,
};
use crate::domain::object::Object;
use crate::domain::reason::Reason;
use crate::domain::record::{Entry, Record};
use crate::domain::region::{
    NearestRegions, Region, RegionReading, read_endpoint, read_region_only,
};
use crate::domain::snapshot::Snapshot;

/// The maximum length of a stored word, in bytes: an ID of at most 64 with a wrapper, a region or white space around it.
const LONGEST: usize = 256;

/// One ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ConfigMap {
    /// Sorted by key.
    texts: Box<[(Box<str>, StoredKey)]>,
}

/// The stored data of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct StoredKey {
    text: StoredValue,
    /// The context conditions that the value meets, for the IDs beside it in a container that refers to the key.
    conditions: ConditionSet,
}

/// The stored form of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StoredValue {
    /// One word with a vendor in it, as in a model ID, or an alias.
    Word(Box<Word>),
    /// The name of a region.
    Region(Region),
    /// An endpoint of Bedrock's runtime in this region.
    Endpoint(Region),
    /// Nothing but white space.
    Blank,
    /// A placeholder that another program fills in.
    Placeholder,
    /// Any other text, which is not stored.
    Other,
}

/// A word that may be a model ID, or that is an alias.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// The text as its author wrote it, including white space.
    original: Box<str>,
    /// The text after a change by the webhook.
    changed: Option<Box<str>>,
    /// The end of the opt-out; `None` if the author has not opted it out.
    opted_out: Option<OptOutEnd>,
    role: Option<Reason>,
}

impl ConfigMap {
    /// Reads `data`, the record of the webhook's changes and the opt-outs of the author from the annotations.
    ///
    /// The stored words depend on the snapshot's vendors, and on its aliases if a policy enables them. If these change, every
    /// ConfigMap must be read again.
    pub fn read<'a>(
        data: impl IntoIterator<Item = (&'a str, &'a str)>,
        annotation: impl Fn(&str) -> Option<&'a str>,
        snapshot: &Snapshot,
    ) -> Self {
        let record = annotation(REWRITES).map(Record::parse).unwrap_or_default();
        let whole = annotation(IGNORE).and_then(opt_out);
        let keys = annotation(IGNORE_KEYS).map(NameGlobs::parse);
        let opted_out = |key: &str| {
            let by_key = keys.as_ref().is_some_and(|globs| globs.matches(key));
            if by_key {
                Some(OptOutEnd::Never)
            } else {
                whole
            }
        };
        let recorded = recorded_keys(&record);
        let data: Vec<_> = data.into_iter().collect();
        let roles = Roles::new(&data, snapshot);
        let text = |(key, text): &(&str, &str)| {
            let Some((original, changed)) = word(text, recorded.get(key).copied(), snapshot) else {
                return StoredValue::without_words(text);
            };
            StoredValue::Word(Box::new(Word {
                original,
                changed,
                opted_out: opted_out(key),
                role: roles.of(key, text),
            }))
        };
        let kept = |entry: &(&str, &str)| StoredKey {
            text: text(entry),
            conditions: snapshot.context_rules.conditions_met(entry.1),
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

    /// Reads a ConfigMap in a document.
    pub fn of(object: &Object<'_>, snapshot: &Snapshot) -> Self {
        let tree = object.tree;
        let data = tree.get(object.root, "data").into_iter();
        let texts = data
            .flat_map(|data| tree.children(data))
            .filter_map(|node| Some((tree.key(node)?, tree.text(node)?)));
        Self::read(texts, |name| object.annotation(name), snapshot)
    }

    /// The stored value of `key`; `None` if the key does not exist.
    pub fn get(&self, key: &str) -> Option<&StoredValue> {
        self.kept(key).map(|(text, _)| text)
    }

    /// The stored value of `key`, with the context conditions that it meets.
    pub(crate) fn kept(&self, key: &str) -> Option<(&StoredValue, ConditionSet)> {
        let at = self.texts.binary_search_by(|(one, _)| (**one).cmp(key));
        let kept = &self.texts[at.ok()?].1;
        Some((&kept.text, kept.conditions))
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// All keys in order, with the context conditions that their values meet.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (&str, ConditionSet)> {
        self.texts
            .iter()
            .map(|(key, kept)| (&**key, kept.conditions))
    }

    /// All keys in order, with their stored values.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, &StoredValue)> {
        self.texts.iter().map(|(key, kept)| (&**key, &kept.text))
    }

    /// All words that may be model IDs, sorted by key.
    pub fn words(&self) -> impl Iterator<Item = (&str, &Word)> {
        self.texts
            .iter()
            .filter_map(|(key, kept)| match &kept.text {
                StoredValue::Word(word) => Some((&**key, &**word)),
                StoredValue::Region(_)
                | StoredValue::Endpoint(_)
                | StoredValue::Blank
                | StoredValue::Placeholder
                | StoredValue::Other => None,
            })
    }

    /// Records that the webhook will change the word of `key` to `text`.
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

/// The entries of the keys whose whole value is one ID, by key. A key with more entries is ignored, because it is not one ID.
fn recorded_keys(record: &Record) -> BTreeMap<&str, &Entry> {
    let mut keys: BTreeMap<&str, Option<&Entry>> = BTreeMap::new();
    for entry in &record.entries {
        if let Some(key) = entry.at.strip_prefix("data/") {
            let is_one = entry.of == 1 && !entry.to.is_empty();
            let first = keys.entry(key);
            first
                .and_modify(|first| *first = None)
                .or_insert_with(|| Some(entry).filter(|_| is_one));
        }
    }
    let keys = keys.into_iter();
    keys.filter_map(|(key, entry)| Some((key, entry?)))
        .collect()
}

/// The original word and the text after the webhook's change, if any; `None` if the text may not be an ID.
fn word(
    text: &str,
    recorded: Option<&Entry>,
    snapshot: &Snapshot,
) -> Option<(Box<str>, Option<Box<str>>)> {
    let may_be_an_id = |text: &str| {
        text.len() <= LONGEST
            && !text.trim().contains(char::is_whitespace)
            && (snapshot.vendor_hits(text).next().is_some()
                || snapshot.alias(text.trim()).is_some())
    };
    let original = recorded
        .filter(|entry| text.len() <= LONGEST + entry.to.len())
        .filter(|entry| text.matches(&*entry.to).count() == 1)
        .map(|entry| text.replacen(&*entry.to, &entry.from, 1))
        .filter(|original| may_be_an_id(original));
    match original {
        Some(original) => Some((original.into(), Some(text.into()))),
        None => may_be_an_id(text).then(|| (text.into(), None)),
    }
}

/// The roles of the keys of one ConfigMap. The names that meet conditions are evaluated once, on demand.
struct Roles<'a> {
    data: &'a [(&'a str, &'a str)],
    snapshot: &'a Snapshot,
    matched: OnceCell<(Arc<MatchedNames<'a>>, NameUses<'a>)>,
}

impl<'a> Roles<'a> {
    fn new(data: &'a [(&'a str, &'a str)], snapshot: &'a Snapshot) -> Self {
        Self {
            data,
            snapshot,
            matched: OnceCell::new(),
        }
    }

    fn of(&self, key: &str, text: &str) -> Option<Reason> {
        let context_rules = &self.snapshot.context_rules;
        let (matched, uses) = self.matched.get_or_init(|| {
            let neighbours = self.data.iter();
            let neighbours = neighbours.map(|(name, text)| Sibling::with_text(name, text));
            let matched = context_rules.matched(neighbours, NameScope::Settings);
            let uses = NameUses::of(self.data.iter().map(|(_, text)| *text));
            (Arc::new(matched), uses)
        });
        context_rules.reason(&NameContext {
            own: Some(key),
            text,
            scopes: vec![Arc::clone(matched)],
            used: uses.how(key),
            ..NameContext::default()
        })
    }
}

// === StoredValue, Word ===

impl StoredValue {
    fn without_words(text: &str) -> Self {
        if let Some(RegionReading::Region(region)) = read_endpoint(text) {
            return Self::Endpoint(region);
        }
        match read_region_only(text) {
            None => Self::Blank,
            Some(RegionReading::Region(region)) => Self::Region(region),
            Some(RegionReading::OutOfSight) => Self::Placeholder,
            Some(RegionReading::NotARegion(_) | RegionReading::Conflict(..)) => Self::Other,
        }
    }

    /// The value as the name of a region; `None` if empty.
    pub fn region(&self) -> Option<RegionReading> {
        match self {
            Self::Blank => None,
            Self::Region(region) => Some(RegionReading::Region(*region)),
            Self::Placeholder => Some(RegionReading::OutOfSight),
            Self::Word(_) | Self::Endpoint(_) | Self::Other => {
                Some(RegionReading::NotARegion(NearestRegions::default()))
            }
        }
    }

    /// The region of the endpoint of Bedrock's runtime; `None` for another value.
    pub fn endpoint(&self) -> Option<RegionReading> {
        match self {
            Self::Endpoint(region) => Some(RegionReading::Region(*region)),
            Self::Word(_) | Self::Region(_) | Self::Blank | Self::Placeholder | Self::Other => None,
        }
    }
}

impl Word {
    /// The text as its author wrote it. A changed word is resolved from its original, so that Pods in two regions each get their
    /// own target.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The text in the ConfigMap, after the webhook's change, if any.
    pub fn current(&self) -> &str {
        self.changed.as_deref().unwrap_or(&self.original)
    }

    /// The reason of the context rules for no change, from the key and the keys beside it.
    pub fn role(&self) -> Option<Reason> {
        self.role
    }

    /// Whether the ConfigMap's author has opted the word out, and the opt-out has not ended.
    pub fn is_opted_out(&self, today: Date) -> bool {
        self.opted_out.is_some_and(|end| !end.is_over(today))
    }
}

/// Without the text, because the text may not be an ID.
impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Word").finish_non_exhaustive()
    }
}
