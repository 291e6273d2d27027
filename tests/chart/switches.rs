//! What each value does: a row for every one of them, which a test holds.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::helm::{CHART, Release, Rendered};
use crate::pinned::HELM_4;
use crate::tools::repository;
use crate::trial;

mod addons;
mod certificates;
mod objects;
mod pods;
mod policy;
mod webhooks;

/// The name of a row, the values, and what is to be seen then.
struct Row(&'static str, Value, fn(&Rendered));

/// Holds a value against what is expected of it.
#[track_caller]
fn is(found: &Value, expected: impl Into<Value>) {
    assert_eq!(*found, expected.into());
}

fn table() -> Vec<Row> {
    [
        objects::rows(),
        policy::rows(),
        webhooks::rows(),
        certificates::rows(),
        pods::rows(),
        addons::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(crate) fn trials() -> Vec<Trial> {
    let rows = table().into_iter().map(|Row(name, values, see)| {
        trial(format!("switch::{name}"), move || {
            see(&Release::default().objects(&values));
        })
    });
    let others = [
        trial("every_value_has_a_row", every_value),
        trial("in_the_namespace_default", in_default),
        trial("no_name_is_too_long", long_names),
        trial("nothing_is_looked_up_or_random", settled),
        trial("the_notes_say_what_to_do_next", notes),
    ];
    rows.chain(others).collect()
}

/// The paths of what a mapping holds, down to what is no mapping or an empty one.
fn leaves(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                leaves(value, &format!("{path}.{key}"), into);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            into.insert(path.to_owned());
        }
    }
}

/// Values that are passed on as they are: a row for one key of theirs is enough.
const WHOLE: &[&str] = &[
    ".nodeSelector",
    ".resources",
    ".livenessProbe",
    ".readinessProbe",
    ".podSecurityContext",
    ".securityContext",
    ".metrics.dashboard.labels",
];

fn every_value() {
    let text = std::fs::read_to_string(repository(CHART).join("values.yaml")).unwrap();
    let (mut known, mut tried) = (BTreeSet::new(), BTreeSet::new());
    leaves(&serde_yaml::from_str(&text).unwrap(), "", &mut known);
    for Row(_, values, _) in table() {
        leaves(&values, "", &mut tried);
    }
    let below = |path: &str, whole: &str| {
        path.strip_prefix(whole)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let covered = |path: &&String| {
        let whole = WHOLE.iter().find(|whole| below(path, whole));
        let path = whole.map_or(path.as_str(), |whole| whole);
        tried.iter().any(|one| below(one, path))
    };
    let missed: Vec<_> = known.iter().filter(|path| !covered(path)).collect();
    assert!(missed.is_empty(), "without a row: {missed:?}");
}

/// In `default` the release's own namespace is the one where people work, which the notes say.
fn in_default() {
    let release = Release {
        namespace: "default",
        ..Release::default()
    };
    let rendered = release.objects(&json!({}));
    let excluded = &rendered.webhook("pods")["namespaceSelector"]["matchExpressions"][0]["values"];
    assert!(excluded.as_array().unwrap().contains(&json!("default")));
    is(
        &rendered.get("Role", "bedrock-profiles")["metadata"]["namespace"],
        "default",
    );
    is(
        &rendered.get("Role", "bedrock-profiles-events")["metadata"]["namespace"],
        "default",
    );
}

fn long_names() {
    let name = "a".repeat(53);
    let release = Release {
        name: &name,
        ..Release::default()
    };
    for object in release.objects(&json!({})).0 {
        let name = object["metadata"]["name"].as_str().unwrap();
        let whole = object["kind"] == "CustomResourceDefinition";
        assert!(whole || name.len() <= 63, "{name}");
    }
}

/// The templates ask the cluster nothing and throw no dice.
fn settled() {
    let folder = repository(CHART).join("templates");
    for file in ignore::Walk::new(folder).map(Result::unwrap) {
        let Ok(text) = std::fs::read_to_string(file.path()) else {
            continue; // a folder
        };
        for word in [
            "lookup",
            "rand",
            "genCA",
            "genSelfSignedCert",
            "genSignedCert",
            "uuidv4",
            "now ",
            "getHostByName",
            "tpl ",
        ] {
            assert!(!text.contains(word), "{}: {word}", file.path().display());
        }
    }
}

fn notes() {
    let notes_of = |namespace: &str, values: &[&str]| {
        let mut helm = HELM_4.command().unwrap();
        helm.args([
            "install",
            "bedrock-profiles",
            CHART,
            "--dry-run=client",
            "--namespace",
            namespace,
        ]);
        let output = helm.args(values).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_once("\nNOTES:\n").unwrap().1.to_owned()
    };
    let next = [
        "kubectl wait --for=condition=Ready ipp/default",
        "kubectl run sample --namespace default",
        "--set policy.mode=Rewrite",
        "OnlyGlobalServes",
    ];
    let off = "kubectl delete mutatingwebhookconfigurations,validatingwebhookconfigurations --selector app.kubernetes.io/instance=bedrock-profiles";
    let usual = notes_of("bedrock-profiles", &[]);
    for line in next.iter().chain([&off, &"pause the application first"]) {
        assert!(usual.contains(line), "{line}: {usual}");
    }
    assert!(!usual.contains("NOTE:"), "{usual}");
    let other = notes_of("default", &["--set", "replicas=1"]);
    assert!(
        other.contains("no workload in `default` is rewritten"),
        "{other}"
    );
    assert!(
        other.contains("kubectl run sample --namespace my-namespace"),
        "{other}"
    );
    assert!(other.contains("with a single replica"), "{other}");
    let without = notes_of("bedrock-profiles", &["--set", "policy.create=false"]);
    assert!(
        without.contains("without a policy") && without.contains(off),
        "{without}"
    );
    assert!(!without.contains("ipp/default"), "{without}");
}
