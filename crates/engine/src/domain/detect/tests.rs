use super::*;
use crate::budget::Limits;
use crate::domain::command::script_reads;
use crate::domain::config_maps::NamespaceConfigMaps;
use crate::domain::fixtures::snapshot;
use crate::text::{Tree, proofs};

fn number_of_findings(source: &str) -> usize {
    let tree = Tree::yaml(source).next().unwrap().unwrap();
    let object = Object::at(&tree, tree.root());
    let budget = Budget::new(Limits::NONE);
    let environments = Environments::new(&tree, NamespaceConfigMaps::NONE, &budget);
    findings(&object, &environments, false, &snapshot(), &budget).len()
}

/// How often scalars are read again to find the IDs of a ConfigMap whose file has this many aliases of one text.
fn proofs_of_aliases(text: &str, aliases: usize) -> usize {
    let uses = "    - *id\n".repeat(aliases);
    let source = format!(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  app.yaml: |\n    id: &id {text}\n    models:\n{uses}"
    );
    let before = proofs();
    assert_eq!(number_of_findings(&source), aliases + 1);
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

/// How many scripts are read to find the IDs of a Pod whose shell runs `script` and has two variables with an ID.
fn reads_of_script(script: &str) -> usize {
    let source = format!(
        "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - command: [sh, -c, '{script}']\n    env:\n    - {{ name: A, value: anthropic.claude-sonnet-5 }}\n    - {{ name: B, value: anthropic.claude-sonnet-5 }}\n"
    );
    let before = script_reads();
    assert!(number_of_findings(&source) >= 2);
    script_reads() - before
}

#[test]
fn a_script_is_read_once_for_all_ids_around_it() {
    for (script, reads) in [
        ("exec app", 0),
        ("exec app --model anthropic.claude-sonnet-5", 1),
        ("export AWS_REGION=eu-west-1; exec app", 1),
        (
            "export AWS_REGION=eu-west-1; app --model anthropic.claude-sonnet-5 $A",
            1,
        ),
    ] {
        assert_eq!(reads_of_script(script), reads, "{script}");
    }
}
