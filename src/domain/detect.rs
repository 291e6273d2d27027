//! Finds the places of an object where a model ID stands that may be ours to judge.
//!
//! Does not decide about any of them.

use crate::text::NodeId;

use super::object::{Leaf, Object};
use super::reason::Reason;
use super::record::Entry;
use super::shape::{Shape, shape};
use super::snapshot::Snapshot;
use super::token::{Prefix, Token, tokens};

/// One place where a model ID stands.
#[derive(Debug, Clone)]
pub struct Finding<'t> {
    /// The text.
    pub leaf: Leaf<'t>,
    /// The ID in it.
    pub token: Token<'t>,
    /// The ID with its prefix, as it stands.
    pub text: &'t str,
    /// In which shape it stands, or why it is left for its shape.
    pub shape: Result<Shape, Reason>,
}

impl<'t> Finding<'t> {
    /// A text of which nothing is known but where it stands, and why.
    pub(super) fn unread(leaf: Leaf<'t>, reason: Reason) -> Self {
        Self {
            leaf,
            token: Token {
                span: 0..0,
                prefix: Prefix::Bare,
                id: "",
                model: None,
                suffix: "",
            },
            text: "",
            shape: Err(reason),
        }
    }

    /// Whether nothing is known of the text but where it stands.
    pub fn is_unread(&self) -> bool {
        self.text.is_empty()
    }
}

/// Every finding in the texts of `object` itself, in document order.
pub fn findings<'t>(object: &Object<'t>, snapshot: &'t Snapshot) -> Vec<Finding<'t>> {
    let all = |node| {
        object
            .leaf(node)
            .map(|leaf| findings_in(object, leaf, snapshot))
    };
    match strings_with_hits(object, snapshot) {
        Some(strings) => strings.into_iter().filter_map(all).flatten().collect(),
        None => object
            .tree
            .strings(object.root)
            .filter_map(all)
            .flatten()
            .collect(),
    }
}

/// The strings of the object that a vendor stands in, from one search over the bytes; `None` where bytes do not tell.
fn strings_with_hits(object: &Object<'_>, snapshot: &Snapshot) -> Option<Vec<NodeId>> {
    let tree = object.tree;
    let range = tree.raw(object.root);
    let bytes = &tree.source().as_bytes()[range.clone()];
    let hits = snapshot.vendor_hits_in_spelling(bytes)?;
    tree.strings_at(hits.map(|hit| range.start + hit))
}

fn findings_in<'t>(
    object: &Object<'t>,
    leaf: Leaf<'t>,
    snapshot: &'t Snapshot,
) -> impl Iterator<Item = Finding<'t>> + use<'t> {
    let text: &'t str = leaf
        .scalar()
        .and_then(|node| object.tree.text(node))
        .unwrap_or_default();
    tokens(text, snapshot).map(move |token| {
        let shape = match token.prefix {
            Prefix::Doubled => Err(Reason::DoublePrefix),
            Prefix::Bare | Prefix::Geography(_) => shape(text, &token, leaf.spot.setting()),
        };
        Finding {
            leaf,
            text: &text[token.span.clone()],
            token,
            shape,
        }
    })
}

/// The whole-value leaf that still holds the answer of `entry`, for answers that are no tokens, such as ARNs.
pub fn leaf_with<'t>(object: &Object<'t>, entry: &Entry) -> Option<(Leaf<'t>, NodeId)> {
    let mut leaves = object
        .leaves()
        .filter_map(|leaf| Some((leaf, leaf.scalar()?)));
    leaves.find(|(leaf, node)| {
        leaf.spot.to_string() == entry.at
            && object.tree.text(*node).map(str::trim) == Some(&*entry.to)
    })
}
