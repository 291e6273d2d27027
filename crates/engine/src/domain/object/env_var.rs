//! An entry of a container's `env`.

use crate::text::{Kind as NodeKind, NodeId, Tree};

/// An entry of `env`, its fields read in one pass.
#[derive(Default)]
pub struct EnvVar<'t> {
    /// The variable's name.
    pub name: Option<&'t str>,
    /// Its literal value.
    pub value: Option<NodeId>,
    /// Its `valueFrom`, if it is a mapping.
    pub value_from: Option<NodeId>,
}

impl<'t> EnvVar<'t> {
    /// Reads the entry at `node`.
    pub fn read(tree: &'t Tree<'t>, node: NodeId) -> Self {
        let mut entry = Self::default();
        for field in tree.children(node) {
            match tree.key_bytes(field) {
                Some(b"name") => entry.name = tree.text(field),
                Some(b"value") => entry.value = Some(field),
                Some(b"valueFrom") => {
                    let is_mapping = tree.kind(field) == NodeKind::Mapping;
                    entry.value_from = Some(field).filter(|_| is_mapping);
                }
                Some(_) | None => {}
            }
        }
        entry
    }
}
