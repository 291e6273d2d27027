//! The names around an ID, whatever they stand in: a container's variables, a ConfigMap's keys, the keys of a document.

use std::sync::Arc;

use crate::text::{Kind, NodeId, Tree};

use super::{ConditionSet, MatchedNames, ValueTest, letters};
use crate::domain::object::EnvVar;

/// What is around an ID.
#[derive(Debug, Default)]
pub struct NameContext<'t> {
    /// Its own key or variable; an argument has none.
    pub own: Option<&'t str>,
    /// The keys of what encloses it, the nearest first.
    pub path: Vec<&'t str>,
    /// What is said beside it, and beside what encloses it, the nearest first.
    pub scopes: Vec<Arc<MatchedNames<'t>>>,
}

/// A name beside an ID and what it says, which is read when a rule asks for it.
#[derive(Clone, Copy)]
pub struct Sibling<'t> {
    /// The key or variable; without what a container puts before it.
    pub name: &'t str,
    /// What a container puts before it.
    prefix: &'t str,
    source: ValueSource<'t>,
}

/// The source of the value of a name.
#[derive(Clone, Copy)]
enum ValueSource<'t> {
    /// In an entry of a list of `{name, value}`.
    Entry(&'t Tree<'t>, NodeId),
    /// Under the name as a key.
    Key(&'t Tree<'t>, NodeId),
    /// In no document any more.
    Text(&'t str),
    /// In a ConfigMap of which it was not kept.
    Conditions(ConditionSet),
    /// Where it cannot be read.
    Unknown,
}

impl<'t> Sibling<'t> {
    /// A name that says this text, from whatever it was read.
    pub fn with_text(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            prefix: "",
            source: ValueSource::Text(text),
        }
    }

    /// The key of a ConfigMap that a container takes as a variable behind a prefix; of its text is known what it says.
    pub fn taken(prefix: &'t str, key: &'t str, heard: ConditionSet) -> Self {
        Self {
            name: key,
            prefix,
            source: ValueSource::Conditions(heard),
        }
    }

    /// A name of which nothing is known but that it is there.
    pub fn out_of_sight(name: &'t str) -> Self {
        Self {
            name,
            prefix: "",
            source: ValueSource::Unknown,
        }
    }

    /// The letters of the whole name.
    pub(super) fn letters(&self) -> impl DoubleEndedIterator<Item = char> + use<'t> {
        letters(self.prefix).chain(letters(self.name))
    }

    /// Whether it meets the condition with this index.
    pub(super) fn says(&self, condition: usize, says: ValueTest) -> bool {
        match self.source {
            ValueSource::Conditions(heard) => heard.meets(condition),
            ValueSource::Entry(..)
            | ValueSource::Key(..)
            | ValueSource::Text(_)
            | ValueSource::Unknown => says.accepts(self.text()),
        }
    }

    /// What it says.
    pub fn text(&self) -> SiblingValue<'t> {
        match self.source {
            ValueSource::Entry(tree, node) => {
                let entry = EnvVar::read(tree, node);
                let literal = entry.value.and_then(|node| tree.text(node));
                if entry.value_from.is_some() {
                    SiblingValue::Unknown
                } else {
                    SiblingValue::Text(literal.unwrap_or_default())
                }
            }
            ValueSource::Key(tree, node) => match tree.text(node) {
                Some(text) => SiblingValue::Text(text),
                None => SiblingValue::Structure,
            },
            ValueSource::Text(text) => SiblingValue::Text(text),
            ValueSource::Conditions(_) | ValueSource::Unknown => SiblingValue::Unknown,
        }
    }
}

/// What a name says.
#[derive(Clone, Copy)]
pub enum SiblingValue<'t> {
    /// This text.
    Text(&'t str),
    /// Something that cannot be read here.
    Unknown,
    /// A mapping or a list.
    Structure,
}

/// Never what a text holds: it may be a secret.
impl std::fmt::Debug for SiblingValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Is(…)",
            Self::Unknown => "OutOfSight",
            Self::Structure => "Structure",
        })
    }
}

/// The variables of a list of `{name, value}`.
pub fn neighbours_in_list<'t>(
    tree: &'t Tree<'_>,
    list: NodeId,
) -> impl Iterator<Item = Sibling<'t>> {
    tree.children(list).filter_map(|node| {
        Some(Sibling {
            name: tree.text(tree.get(node, "name")?)?,
            prefix: "",
            source: ValueSource::Entry(tree, node),
        })
    })
}

/// The keys of a mapping.
pub fn neighbours_in_mapping<'t>(
    tree: &'t Tree<'_>,
    mapping: NodeId,
) -> impl Iterator<Item = Sibling<'t>> {
    tree.children(mapping).filter_map(|child| {
        Some(Sibling {
            name: tree.key(child)?,
            prefix: "",
            source: ValueSource::Key(tree, child),
        })
    })
}

/// The name of the variable that `site` is the value of, and the list of variables, where it is one.
pub fn variable<'t>(tree: &'t Tree<'_>, site: NodeId) -> Option<(&'t str, NodeId)> {
    let entry = tree.parent(site).filter(|_| tree.is_under(site, "value"))?;
    let list = tree
        .parent(entry)
        .filter(|list| tree.kind(*list) == Kind::Sequence)?;
    Some((tree.text(tree.get(entry, "name")?)?, list))
}
