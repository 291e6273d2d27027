//! `manifests/rbac.yaml` is the table of rights, and the table grants nothing that nobody can explain.

use std::collections::BTreeSet;
use std::path::Path;

use bedrock_profiles::controllers::installation::Installation;
use bedrock_profiles::controllers::rights::{Right, Scope, Switch, TABLE, objects};

const HEAD: &str = "# Rights of the service account, with the chart's default switches. Generated from src/controllers/rights.rs by
# `UPDATE=1 cargo test --test suite rights`; the namespace is the one of the release.
";

fn installation() -> Installation {
    Installation {
        namespace: "bedrock-profiles".into(),
        name: "bedrock-profiles".into(),
    }
}

fn rendered() -> String {
    let documents = objects(TABLE, Switch::DEFAULTS, &installation());
    let documents: Vec<String> = documents
        .iter()
        .map(|document| serde_yaml::to_string(document).unwrap())
        .collect();
    format!("{HEAD}{}", documents.join("---\n"))
}

#[test]
fn the_manifest_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/rbac.yaml");
    let rendered = rendered();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, rendered,
        "run: UPDATE=1 cargo test --test suite rights"
    );
}

#[test]
fn nothing_dangerous_is_granted() {
    let verbs = |right: &Right| right.verbs.iter().copied().collect::<BTreeSet<_>>();
    for right in TABLE {
        assert!(!right.why.is_empty(), "{right:?}");
        for all in [right.resources, right.verbs] {
            assert!(!all.contains(&"*"), "{right:?}");
        }
        if right.resources.contains(&"secrets") || right.resources.contains(&"leases") {
            assert!(matches!(right.scope, Scope::Own(_)), "{right:?}");
            assert!(!verbs(right).contains("create"), "{right:?}");
        }
        let writes = verbs(right)
            .intersection(&BTreeSet::from(["update", "patch", "delete"]))
            .count()
            > 0;
        let named = matches!(right.scope, Scope::Named(_) | Scope::Own(_));
        let ours = right
            .resources
            .iter()
            .all(|resource| resource.ends_with("/status"));
        let events = right.group == "events.k8s.io";
        assert!(
            !writes || named || ours || events,
            "may write anything of a kind: {right:?}"
        );
    }
}

#[test]
fn a_switch_that_is_off_takes_its_rights_away() {
    let rules = |on: &[Switch]| {
        let objects = objects(TABLE, on, &installation());
        let rules = objects
            .iter()
            .filter_map(|object| object["rules"].as_array());
        rules.flatten().cloned().collect::<Vec<_>>()
    };
    let all = rules(Switch::DEFAULTS);
    for switch in Switch::DEFAULTS {
        let others: Vec<_> = Switch::DEFAULTS
            .iter()
            .filter(|other| *other != switch)
            .copied()
            .collect();
        let granted = TABLE
            .iter()
            .filter(|right| right.when == Some(*switch))
            .count();
        assert!(granted > 0, "{switch:?} grants nothing");
        assert_eq!(rules(&others).len() + granted, all.len(), "{switch:?}");
    }
}
