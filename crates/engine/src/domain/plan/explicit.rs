//! Explicit variables for values that a container takes from a ConfigMap. An explicit variable replaces the entry that
//! refers to the ConfigMap, or precedes all entries, because the kubelet expands `$(X)` from `envFrom` and from earlier
//! entries.
//!
//! Entries are replaced before others are inserted, so no operation shifts the path of another.

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
    /// Variables by the entry that they replace.
    instead: BTreeMap<NodeId, Variable>,
    /// Variables that precede all entries of a container, in order.
    in_front: BTreeMap<NodeId, Vec<Variable>>,
}

impl Explicit {
    /// Replaces an entry.
    pub(super) fn instead(&mut self, entry: NodeId, name: String, text: &str) {
        self.instead.insert(entry, (name, escaped(text)));
    }

    /// Adds an entry before those of the container, after the variables added earlier.
    pub(super) fn in_front(&mut self, container: NodeId, name: String, text: &str) {
        let variables = self.in_front.entry(container).or_default();
        variables.push((name, escaped(text)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.instead.is_empty() && self.in_front.is_empty()
    }

    /// The operations in order, replacements first. Every node has a pointer, so none is skipped.
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

/// One `add` for each variable if the container has a list of entries, else one `add` of a new list.
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

/// Escapes a text so that the kubelet expands it to the same text: in an explicit value `$(X)` is a variable and `$$` a
/// dollar sign, in a ConfigMap both are literal.
fn escaped(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_text_expands_to_itself() {
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
