//! Explicit variables for what a container takes from a ConfigMap: instead of the entry that refers to it, or in front of all
//! entries, for the kubelet expands `$(X)` from `envFrom` and from the entries before it.
//!
//! Right by construction: an entry is replaced where it is, and only then entries are put in front of others, so that no
//! path of one operation is moved by another.

use std::collections::BTreeMap;

use json_patch::jsonptr::{PointerBuf, Token};
use json_patch::{AddOperation, PatchOperation, ReplaceOperation};
use serde_json::{Value, json};

use crate::text::{Kind, NodeId, Tree};

/// A variable and its value.
type Variable = (String, String);

/// Explicit variables for the containers of one object.
#[derive(Default)]
pub(super) struct Explicit {
    /// By the entry that each replaces.
    instead: BTreeMap<NodeId, Variable>,
    /// By the container in front of whose entries they come, in their order.
    in_front: BTreeMap<NodeId, Vec<Variable>>,
}

impl Explicit {
    /// Replaces an entry.
    pub(super) fn instead(&mut self, entry: NodeId, name: String, text: &str) {
        self.instead.insert(entry, (name, escaped(text)));
    }

    /// Puts an entry in front of those of a container, behind what was put there before.
    pub(super) fn in_front(&mut self, container: NodeId, name: String, text: &str) {
        let variables = self.in_front.entry(container).or_default();
        variables.push((name, escaped(text)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.instead.is_empty() && self.in_front.is_empty()
    }

    /// The operations in their order, replacements first. `None` is for what has no pointer, and nothing is without one.
    pub(super) fn operations<'o>(
        &'o self,
        tree: &'o Tree<'_>,
        root: NodeId,
    ) -> impl Iterator<Item = PatchOperation> + 'o {
        let pointer = move |node| PointerBuf::parse(tree.pointer(root, node)).ok();
        let replaced = self.instead.iter().filter_map(move |(entry, variable)| {
            Some(PatchOperation::Replace(ReplaceOperation {
                path: pointer(*entry)?,
                value: entry_of(variable),
            }))
        });
        let added = self
            .in_front
            .iter()
            .filter_map(move |(container, variables)| {
                let path = pointer(*container)?;
                Some(additions(tree, *container, &path, variables))
            });
        replaced.chain(added.flatten())
    }
}

/// One `add` for each variable where the container has a list of entries, else one for a list of all.
fn additions(
    tree: &Tree<'_>,
    container: NodeId,
    path: &PointerBuf,
    variables: &[Variable],
) -> Vec<PatchOperation> {
    let has_list = tree
        .get(container, "env")
        .is_some_and(|list| tree.kind(list) == Kind::Sequence);
    let env = path.with_trailing_token(Token::new("env"));
    if !has_list {
        let value = variables.iter().map(entry_of).collect();
        return vec![PatchOperation::Add(AddOperation { path: env, value })];
    }
    let each = variables.iter().enumerate().map(|(at, variable)| {
        PatchOperation::Add(AddOperation {
            path: env.with_trailing_token(Token::from(at)),
            value: entry_of(variable),
        })
    });
    each.collect()
}

fn entry_of((name, value): &Variable) -> Value {
    json!({ "name": name, "value": value })
}

/// The text as a value that the kubelet expands back into it: in an explicit value `$(X)` is a variable and `$$` a dollar sign,
/// in a ConfigMap neither is anything.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_expanded_back_into_itself() {
        for (text, written) in [
            ("anthropic.claude-sonnet-5", "anthropic.claude-sonnet-5"),
            ("$(X)", "$$(X)"),
            ("$$(X)", "$$$$(X)"),
            ("a$b", "a$$b"),
        ] {
            assert_eq!(escaped(text), written);
        }
    }

    #[test]
    fn replacements_come_first_and_additions_keep_their_order() {
        let text = r#"{"a":{"env":[{"name":"X"},{"name":"Y"}]},"b":{},"c":{"env":null}}"#;
        let tree = Tree::json(text).unwrap();
        let at = |path: &[&str]| tree.at(tree.root(), path).unwrap();
        let mut explicit = Explicit::default();
        for container in ["a", "b", "c"] {
            explicit.in_front(at(&[container]), "M".into(), "1");
            explicit.in_front(at(&[container]), "N".into(), "2");
        }
        explicit.instead(at(&["a", "env", "1"]), "Y".into(), "3");
        let patch = json_patch::Patch(explicit.operations(&tree, tree.root()).collect());
        let mut value: Value = serde_json::from_str(text).unwrap();
        json_patch::patch(&mut value, &patch).unwrap();
        let new = json!([{"name": "M", "value": "1"}, {"name": "N", "value": "2"}]);
        assert_eq!(
            value,
            json!({
                "a": {"env": [new[0], new[1], {"name": "X"}, {"name": "Y", "value": "3"}]},
                "b": {"env": new},
                "c": {"env": new},
            })
        );
    }
}
