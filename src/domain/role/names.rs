//! The names around an ID, whatever they stand in: a container's variables, a ConfigMap's keys, the keys of a document.

use std::sync::Arc;

use crate::text::{Kind, NodeId, Tree};

use super::super::object::EnvEntry;
use super::Told;

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

/// A name beside an ID and what it says.
#[derive(Debug, Clone, Copy)]
pub struct Neighbour<'t> {
    /// The key or variable.
    pub name: &'t str,
    /// What it says.
    pub text: Text<'t>,
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
        let entry = EnvEntry::read(tree, node);
        let literal = || entry.value.and_then(|node| tree.text(node));
        let text = if entry.elsewhere.is_some() {
            Text::OutOfSight
        } else {
            Text::Is(literal().unwrap_or_default())
        };
        Some(Neighbour {
            name: entry.name?,
            text,
        })
    })
}

/// The keys of a mapping.
pub fn neighbours_in_mapping<'t>(
    tree: &'t Tree<'_>,
    mapping: NodeId,
) -> impl Iterator<Item = Neighbour<'t>> {
    tree.children(mapping).filter_map(|child| {
        let text = match tree.kind(child) {
            Kind::String | Kind::Scalar => Text::Is(tree.text(child)?),
            Kind::Mapping | Kind::Sequence => Text::Structure,
        };
        Some(Neighbour {
            name: tree.key(child)?,
            text,
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
