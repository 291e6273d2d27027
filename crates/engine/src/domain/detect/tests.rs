use super::*;
use crate::domain::config_maps::NamespaceConfigMaps;
use crate::domain::fixtures::snapshot;
use crate::text::{Tree, proofs};

/// How often scalars are read again to find the IDs of a ConfigMap whose file has this many aliases of one text.
fn proofs_of_aliases(text: &str, aliases: usize) -> usize {
    let uses = "    - *id\n".repeat(aliases);
    let source = format!(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  app.yaml: |\n    id: &id {text}\n    models:\n{uses}"
    );
    let tree = Tree::yaml(&source).next().unwrap().unwrap();
    let object = Object::at(&tree, tree.root());
    let snapshot = snapshot();
    let environments = Environments::new(&tree, NamespaceConfigMaps::NONE);
    let before = proofs();
    let found = findings(&object, &environments, false, &snapshot);
    assert_eq!(found.len(), aliases + 1);
    proofs() - before
}

#[test]
fn a_text_is_read_once_for_all_aliases_of_it() {
    for text in [
        "anthropic.claude-sonnet-5",
        "\"\\tanthropic.claude-sonnet-5\"",
        "[\"\\tanthropic.claude-sonnet-5\"]",
    ] {
        assert_eq!(
            proofs_of_aliases(text, 1000),
            proofs_of_aliases(text, 1),
            "{text}"
        );
    }
}
