//! The tree of a text as a JSON value.
#![allow(clippy::unwrap_used, reason = "a node without its text is a panic")]

use bedrock_profiles::text::{Kind, NodeId, Tree};
use serde_json::Value;

/// A node of a tree as JSON; numbers by way of their text.
pub(crate) fn value(tree: &Tree<'_>, node: NodeId) -> Value {
    match tree.kind(node) {
        Kind::Mapping => tree
            .children(node)
            .map(|child| (tree.key(child).unwrap().to_owned(), value(tree, child)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Kind::Sequence => tree
            .children(node)
            .map(|item| value(tree, item))
            .collect::<Vec<_>>()
            .into(),
        Kind::String => tree.text(node).unwrap().into(),
        Kind::Scalar => match tree.text(node).unwrap() {
            "" | "~" => Value::Null,
            text => serde_json::from_str(text).unwrap(),
        },
    }
}
