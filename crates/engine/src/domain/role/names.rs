//! The names around an ID, whatever they stand in: a container's variables, a ConfigMap's keys, the keys of a document.

use std::sync::Arc;

use crate::text::{Kind, NodeId, Tree};

use super::{Heard, Says, Told, letters};
use crate::domain::object::EnvEntry;

/// What stands around an ID.
#[derive(Debug, Default)]
pub struct Around<'t> {
    /// Its own key or variable; an argument has none.
    pub own: Option<&'t str>,
    /// The keys of what encloses it, the nearest first.
    pub path: Vec<&'t str>,
    /// What is said beside it, and beside what encloses it, the nearest first.
    pub scopes: Vec<Arc<Told<'t>>>,
}

/// A name beside an ID and what it says, which is read when a rule asks for it.
#[derive(Clone, Copy)]
pub struct Neighbour<'t> {
    /// The key or variable; without what a container puts before it.
    pub name: &'t str,
    /// What a container puts before it.
    prefix: &'t str,
    stands: Stands<'t>,
}

/// Where what a name says stands.
#[derive(Clone, Copy)]
enum Stands<'t> {
    /// In an entry of a list of `{name, value}`.
    Entry(&'t Tree<'t>, NodeId),
    /// Under the name as a key.
    Key(&'t Tree<'t>, NodeId),
    /// In no document any more.
    Apart(&'t str),
    /// In a ConfigMap of which it was not kept.
    Gone(Heard),
    /// Where it cannot be read.
    OutOfSight,
}

impl<'t> Neighbour<'t> {
    /// A name that says this text, from whatever it was read.
    pub fn saying(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            prefix: "",
            stands: Stands::Apart(text),
        }
    }

    /// The key of a ConfigMap that a container takes as a variable behind a prefix; of its text is known what it says.
    pub fn taken(prefix: &'t str, key: &'t str, heard: Heard) -> Self {
        Self {
            name: key,
            prefix,
            stands: Stands::Gone(heard),
        }
    }

    /// A name of which nothing is known but that it is there.
    pub fn out_of_sight(name: &'t str) -> Self {
        Self {
            name,
            prefix: "",
            stands: Stands::OutOfSight,
        }
    }

    /// The letters of the whole name.
    pub(super) fn letters(&self) -> impl DoubleEndedIterator<Item = char> + use<'t> {
        letters(self.prefix).chain(letters(self.name))
    }

    /// Whether it meets the condition with this index.
    pub(super) fn says(&self, condition: usize, says: Says) -> bool {
        match self.stands {
            Stands::Gone(heard) => heard.meets(condition),
            Stands::Entry(..) | Stands::Key(..) | Stands::Apart(_) | Stands::OutOfSight => {
                says.is_said_by(self.text())
            }
        }
    }

    /// What it says.
    pub fn text(&self) -> Text<'t> {
        match self.stands {
            Stands::Entry(tree, node) => {
                let entry = EnvEntry::read(tree, node);
                let literal = entry.value.and_then(|node| tree.text(node));
                if entry.elsewhere.is_some() {
                    Text::OutOfSight
                } else {
                    Text::Is(literal.unwrap_or_default())
                }
            }
            Stands::Key(tree, node) => match tree.text(node) {
                Some(text) => Text::Is(text),
                None => Text::Structure,
            },
            Stands::Apart(text) => Text::Is(text),
            Stands::Gone(_) | Stands::OutOfSight => Text::OutOfSight,
        }
    }
}

/// What a name says.
#[derive(Clone, Copy)]
pub enum Text<'t> {
    /// This text.
    Is(&'t str),
    /// Something that cannot be read here.
    OutOfSight,
    /// A mapping or a list.
    Structure,
}

/// Never what a text holds: it may be a secret.
impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Is(_) => "Is(…)",
            Self::OutOfSight => "OutOfSight",
            Self::Structure => "Structure",
        })
    }
}

/// The variables of a list of `{name, value}`.
pub fn neighbours_in_list<'t>(
    tree: &'t Tree<'_>,
    list: NodeId,
) -> impl Iterator<Item = Neighbour<'t>> {
    tree.children(list).filter_map(|node| {
        Some(Neighbour {
            name: tree.text(tree.get(node, "name")?)?,
            prefix: "",
            stands: Stands::Entry(tree, node),
        })
    })
}

/// The keys of a mapping.
pub fn neighbours_in_mapping<'t>(
    tree: &'t Tree<'_>,
    mapping: NodeId,
) -> impl Iterator<Item = Neighbour<'t>> {
    tree.children(mapping).filter_map(|child| {
        Some(Neighbour {
            name: tree.key(child)?,
            prefix: "",
            stands: Stands::Key(tree, child),
        })
    })
}

/// The name of the variable that `leaf` is the value of, and the list of variables, where it is one.
pub fn variable<'t>(tree: &'t Tree<'_>, leaf: NodeId) -> Option<(&'t str, NodeId)> {
    let entry = tree.parent(leaf).filter(|_| tree.is_under(leaf, "value"))?;
    let list = tree
        .parent(entry)
        .filter(|list| tree.kind(*list) == Kind::Sequence)?;
    Some((tree.text(tree.get(entry, "name")?)?, list))
}
