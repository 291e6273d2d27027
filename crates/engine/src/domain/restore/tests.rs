//! Updates of a rewritten Pod, and what is restored in them.

use serde_json::{Value, json};

use super::*;
use crate::text::Tree;

const ID: &str = "anthropic.claude-sonnet-5";
const EU: &str = "eu.anthropic.claude-sonnet-5";

fn entry(at: &str, config_map: Option<&str>) -> Value {
    let mut entry =
        json!({ "at": at, "from": ID, "to": EU, "region": "eu-west-1", "by": "ContainerEnv" });
    if let Some(config_map) = config_map {
        entry["configMap"] = config_map.into();
    }
    entry
}

fn pod(container: &Value, record: &[Value]) -> Value {
    let mut container = container.clone();
    container["name"] = "app".into();
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": { "containers": [container] }
    });
    if !record.is_empty() {
        let text = json!({ "entries": record }).to_string();
        pod["metadata"]["annotations"] = json!({ REWRITES: text });
    }
    pod
}

/// The update after the restoration, and its patch.
fn restored(old: &Value, new: &Value) -> (Value, Vec<PatchOperation>) {
    let texts = (new.to_string(), old.to_string());
    let trees = (Tree::json(&texts.0).unwrap(), Tree::json(&texts.1).unwrap());
    let object = Object::at(&trees.0, trees.0.root());
    let old = Object::at(&trees.1, trees.1.root());
    let mut after = new.clone();
    let Some(restoration) = restoration(&object, &old) else {
        return (after, Vec::new());
    };
    let patch: json_patch::Patch =
        serde_json::from_slice(&restoration.json_patch().unwrap()).unwrap();
    assert!(!patch.0.is_empty());
    json_patch::patch(&mut after, &patch).unwrap();
    (after, patch.0)
}

fn variable(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

fn reference(name: &str, map: &str, key: &str) -> Value {
    json!({ "name": name, "valueFrom": { "configMapKeyRef": { "name": map, "key": key } } })
}

#[test]
fn every_kind_of_place_is_restored() {
    let stored = |id: &str| {
        json!({
            "env": [variable("A", "1"), variable("MODEL", id)],
            "args": ["--model", id, "--other", EU],
            "command": ["sh", "-c", format!("app --model {id}\n")],
            "livenessProbe": { "exec": { "command": ["check", id] } },
        })
    };
    let record = [
        "app/env/MODEL",
        "app/args",
        "app/command",
        "app/livenessProbe",
    ];
    let record = record.map(|at| entry(at, None));
    let old = pod(&stored(EU), &record);
    let (after, patch) = restored(&old, &pod(&stored(ID), &record));
    assert_eq!((after, patch.len()), (old.clone(), 4));
    // The record comes back where the update drops it.
    let (after, patch) = restored(&old, &pod(&stored(ID), &[]));
    assert_eq!((after, patch.len()), (old.clone(), 5));
    let mut labelled = pod(&stored(EU), &[]);
    labelled["metadata"]["annotations"] = json!({ "a": "b" });
    let (after, patch) = restored(&old, &labelled);
    assert_eq!(after["metadata"]["annotations"]["a"], "b");
    assert_eq!(
        after["metadata"]["annotations"][REWRITES],
        old["metadata"]["annotations"][REWRITES]
    );
    assert_eq!(patch.len(), 1);
}

#[test]
fn only_the_recorded_original_is_restored() {
    let record = [entry("app/env/MODEL", None)];
    let stored = |value: &str| json!({ "env": [variable("MODEL", value), variable("KEY", "s")] });
    let old = pod(&stored(EU), &record);
    for value in [
        "anthropic.claude-sonnet-4-6",
        "us.anthropic.claude-sonnet-5",
        "anthropic.claude-sonnet-5 ",
        "",
        EU,
    ] {
        let new = pod(&stored(value), &record);
        assert_eq!(restored(&old, &new), (new, Vec::new()), "{value}");
    }
    // Other fields than the recorded ones stay as the update has them.
    let mut new = pod(&stored(ID), &record);
    new["spec"]["containers"][0]["env"][1]["value"] = "t".into();
    new["spec"]["containers"][0]["image"] = "new".into();
    let (after, patch) = restored(&old, &new);
    new["spec"]["containers"][0]["env"][0]["value"] = EU.into();
    assert_eq!((after, patch.len()), (new, 1));
}

#[test]
fn a_pod_without_a_record_or_with_another_form_of_it_is_unchanged() {
    let container = |id: &str| json!({ "env": [variable("MODEL", id)] });
    let new = pod(&container(ID), &[]);
    for text in [None, Some("{}"), Some("{\"entries\":[]}"), Some("[]")] {
        let mut old = pod(&container(EU), &[]);
        if let Some(text) = text {
            old["metadata"]["annotations"] = json!({ REWRITES: text });
        }
        assert_eq!(restored(&old, &new).1, [], "{text:?}");
    }
    let mut old = pod(&container(EU), &[entry("app/env/MODEL", None)]);
    old["kind"] = "ConfigMap".into();
    assert_eq!(restored(&old, &new).1, []);
}

#[test]
fn a_replaced_reference_is_restored_if_it_is_the_recorded_one() {
    let record = [entry("app/env/MODEL", Some("models/sonnet"))];
    let old = pod(
        &json!({ "env": [variable("A", "1"), variable("MODEL", EU)] }),
        &record,
    );
    let update = |entry: Value| pod(&json!({ "env": [variable("A", "1"), entry] }), &record);
    let mut both = reference("MODEL", "models", "sonnet");
    both["value"] = EU.into();
    for entry in [reference("MODEL", "models", "sonnet"), both] {
        assert_eq!(restored(&old, &update(entry)).0, old);
    }
    for entry in [
        reference("MODEL", "models", "other"),
        reference("MODEL", "other", "sonnet"),
        json!({ "name": "MODEL", "valueFrom": { "secretKeyRef": { "name": "models", "key": "sonnet" } } }),
    ] {
        assert_eq!(restored(&old, &update(entry.clone())).1, [], "{entry}");
    }
    let unnamed = [self::entry("app/env/MODEL", None)];
    let old = pod(&json!({ "env": [variable("MODEL", EU)] }), &unnamed);
    let new = pod(
        &json!({ "env": [reference("MODEL", "models", "sonnet")] }),
        &unnamed,
    );
    assert_eq!(restored(&old, &new).1, []);
}

#[test]
fn the_variable_of_an_env_from_is_restored_in_front() {
    let from = |map: &str| json!([{ "prefix": "P_", "configMapRef": { "name": map } }]);
    let record = [
        entry("app/env/P_ONE", Some("models/ONE")),
        entry("app/env/P_TWO", Some("models/TWO")),
    ];
    let explicit = [variable("P_ONE", EU), variable("P_TWO", EU)];
    for own in [vec![variable("A", "$(P_ONE)")], vec![]] {
        let env: Vec<_> = explicit.iter().chain(&own).cloned().collect();
        let old = pod(&json!({ "env": env, "envFrom": from("models") }), &record);
        let mut update = json!({ "envFrom": from("models") });
        if !own.is_empty() {
            update["env"] = json!(own);
        }
        assert_eq!(restored(&old, &pod(&update, &record)).0, old);
        update["envFrom"] = from("others");
        assert_eq!(restored(&old, &pod(&update, &record)).1, []);
    }
}

#[test]
fn texts_whose_number_differs_are_unchanged() {
    let record = [entry("app/args", None), entry("app/env/MODEL", None)];
    let old = pod(
        &json!({ "args": ["-m", EU], "env": [variable("MODEL", EU)] }),
        &record,
    );
    let new = pod(
        &json!({ "args": ["-v", "-m", ID], "env": [variable("MODEL", ID), variable("MODEL", ID)] }),
        &record,
    );
    assert_eq!(restored(&old, &new).1, []);
}
