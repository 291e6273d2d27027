//! The names around an ID: a container's variables, a ConfigMap's keys, or the keys of a document.

use std::sync::Arc;

use crate::text::{Kind, NodeId, Tree};

use super::{ConditionSet, MatchedNames, NameUse, ValueTest, letters};
use crate::domain::object::EnvVar;

/// The maximum length of a value that is compared with the ID, in bytes.
const LONGEST_TEXT: usize = 256;

/// The names around an ID.
#[derive(Debug, Default)]
pub struct NameContext<'t> {
    /// The ID's own key, variable or flag; `None` for a positional argument.
    pub own: Option<&'t str>,
    /// The text with the ID.
    pub text: &'t str,
    /// The key of the mapping that has the ID's own key; `None` if the mapping has no key, as an item of a list.
    pub mapping: Option<&'t str>,
    /// The keys of the mappings and lists around the ID, the nearest first.
    pub path: Vec<&'t str>,
    /// The names beside the ID that meet conditions, and those beside each mapping around it, the nearest first.
    pub scopes: Vec<Arc<MatchedNames<'t>>>,
    /// How a neighbouring text uses the ID's own name, if one refers to it.
    pub used: Option<NameUse>,
}

/// A name beside an ID, with its value, which is read on demand.
#[derive(Clone, Copy)]
pub struct Sibling<'t> {
    /// The key or variable, without the prefix of `envFrom`.
    pub name: &'t str,
    /// The prefix of `envFrom`.
    pub(super) prefix: &'t str,
    source: ValueSource<'t>,
}

/// The source of the value of a name.
#[derive(Clone, Copy)]
enum ValueSource<'t> {
    /// An entry of a list of `{name, value}`.
    Entry(&'t Tree<'t>, NodeId),
    /// The value of a key in a mapping.
    Key(&'t Tree<'t>, NodeId),
    /// A text.
    Text(&'t str),
    /// A text without hyphens.
    Plain(&'t str),
    /// A value of a ConfigMap, of which only the conditions that it meets are stored.
    Conditions(ConditionSet),
    /// An unknown value.
    Unknown,
}

impl<'t> Sibling<'t> {
    /// A name with this value.
    pub fn with_text(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            prefix: "",
            source: ValueSource::Text(text),
        }
    }

    /// A name with this value, which has no hyphens.
    pub fn with_plain_text(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            prefix: "",
            source: ValueSource::Plain(text),
        }
    }

    /// A variable from the key of a ConfigMap, whose value meets these conditions.
    pub fn from_config_map(prefix: &'t str, key: &'t str, conditions: ConditionSet) -> Self {
        Self {
            name: key,
            prefix,
            source: ValueSource::Conditions(conditions),
        }
    }

    /// A name with an unknown value.
    pub fn unknown(name: &'t str) -> Self {
        Self {
            name,
            prefix: "",
            source: ValueSource::Unknown,
        }
    }

    /// The prefix and the name.
    pub(super) fn parts(&self) -> [&'t str; 2] {
        [self.prefix, self.name]
    }

    /// The letters of the name with its prefix.
    pub(super) fn letters(&self) -> impl DoubleEndedIterator<Item = char> + use<'t> {
        letters(self.prefix).chain(letters(self.name))
    }

    /// Whether the value passes the test with this index.
    pub(super) fn passes(&self, index: usize, test: ValueTest) -> bool {
        match self.source {
            ValueSource::Conditions(conditions) => conditions.passes(index),
            ValueSource::Plain(value) => test.may_accept_plain(value) && test.accepts(self.text()),
            ValueSource::Entry(..)
            | ValueSource::Key(..)
            | ValueSource::Text(_)
            | ValueSource::Unknown => test.accepts(self.text()),
        }
    }

    /// The value, if it is a text as short as an ID; otherwise empty.
    pub(super) fn short_text(&self) -> &'t str {
        match self.text() {
            SiblingValue::Text(text) if text.len() <= LONGEST_TEXT => text,
            SiblingValue::Text(_) | SiblingValue::Unknown | SiblingValue::Structure => "",
        }
    }

    /// The value.
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
            ValueSource::Text(text) | ValueSource::Plain(text) => SiblingValue::Text(text),
            ValueSource::Conditions(_) | ValueSource::Unknown => SiblingValue::Unknown,
        }
    }
}

/// The value of a name.
#[derive(Clone, Copy)]
pub enum SiblingValue<'t> {
    /// A text.
    Text(&'t str),
    /// An unknown value.
    Unknown,
    /// A mapping or a list.
    Structure,
}

/// Without the text, which may be a secret.
impl std::fmt::Debug for SiblingValue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Is(…)",
            Self::Unknown => "OutOfSight",
            Self::Structure => "Structure",
        })
    }
}

/// The variables of a list of `{name, value}`, with every value that a reader of the document may take.
pub fn neighbours_in_list<'t>(
    tree: &'t Tree<'_>,
    list: NodeId,
) -> impl Iterator<Item = Sibling<'t>> {
    tree.children(list).flat_map(move |node| {
        let name = tree.get(node, "name").and_then(|node| tree.text(node));
        let sibling = move |source| {
            Some(Sibling {
                name: name?,
                prefix: "",
                source,
            })
        };
        let value = tree.get(node, "value").into_iter();
        let others = value.flat_map(move |value| tree.alternatives(value));
        let others = others.filter_map(move |other| sibling(ValueSource::Key(tree, other)));
        let entry = sibling(ValueSource::Entry(tree, node));
        entry.into_iter().chain(others)
    })
}

/// The keys of a mapping, with every value that a reader of the document may take.
pub fn neighbours_in_mapping<'t>(
    tree: &'t Tree<'_>,
    mapping: NodeId,
) -> impl Iterator<Item = Sibling<'t>> {
    tree.possible_children(mapping).filter_map(|child| {
        Some(Sibling {
            name: tree.key(child)?,
            prefix: "",
            source: ValueSource::Key(tree, child),
        })
    })
}

/// The name and the list of the variable whose value is at `site`; `None` if `site` is not the value of a variable.
pub fn variable<'t>(tree: &'t Tree<'_>, site: NodeId) -> Option<(&'t str, NodeId)> {
    let entry = tree.parent(site).filter(|_| tree.is_under(site, "value"))?;
    let list = tree
        .parent(entry)
        .filter(|list| tree.kind(*list) == Kind::Sequence)?;
    Some((tree.text(tree.get(entry, "name")?)?, list))
}
