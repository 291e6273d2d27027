//! The webhook answers whatever it is sent, and every patch in an answer applies.

use std::cell::Cell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::ConfigMapWait;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::holds;
use super::scenes::{any_json, scenes, text};
use crate::fuzz_bodies::{answers_well, handler};

/// A review of `object` as the API server writes it.
fn review(resource: &str, operation: &str, object: &Value, old: &Value) -> Value {
    let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
    json!({
        "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u-1", "kind": { "group": "", "version": "v1", "kind": "X" },
            "resource": { "group": "", "version": "v1", "resource": resource },
            "subResource": sub, "name": "n", "namespace": "ml", "operation": operation,
            "userInfo": {}, "object": object, "oldObject": old, "dryRun": false, "options": null,
        },
    })
}

fn resources() -> impl Strategy<Value = &'static str> {
    select(vec![
        "pods",
        "pods/ephemeralcontainers",
        "pods/exec",
        "configmaps",
        "deployments",
        "cronjobs",
        "secrets",
    ])
}

fn operations() -> impl Strategy<Value = &'static str> {
    select(vec!["CREATE", "UPDATE", "DELETE", "CONNECT", "NONE"])
}

/// Objects that are nearly ours.
fn objects() -> impl Strategy<Value = Value> {
    let item = || prop_oneof![any_json(), text().prop_map(Value::from)];
    let literal =
        (text(), item()).prop_map(|(name, value)| json!({ "name": name, "value": value }));
    let source = || {
        let selector = prop_oneof![
            3 => Just(json!({ "name": "models", "key": "MODEL" })),
            1 => Just(json!({ "name": "models", "key": "AWS_REGION", "optional": true })),
            1 => any_json(),
        ];
        let kinds = select(vec![
            "configMapKeyRef",
            "configMapRef",
            "secretRef",
            "fieldRef",
            "prefix",
        ]);
        (kinds, selector).prop_map(|(kind, selector)| json!({ kind: selector }))
    };
    let taken = (text(), source(), prop::option::of(item())).prop_map(|(name, source, value)| {
        let mut entry = json!({ "name": name, "valueFrom": source });
        if let Some(value) = value {
            entry["value"] = value;
        }
        entry
    });
    let entry = prop_oneof![1 => literal, 1 => taken];
    let env = prop_oneof![6 => vec(entry, 0..4).prop_map(Value::from), 1 => any_json()];
    let from = prop_oneof![
        3 => vec(source(), 0..3).prop_map(Value::from),
        1 => Just(json!([{ "configMapRef": { "name": "models" } }])),
        1 => any_json(),
    ];
    let container = (text(), env, from, vec(item(), 0..3), any_json()).prop_map(
        |(name, env, from, args, command)| json!({ "name": name, "env": env, "envFrom": from, "args": args, "command": command }),
    );
    let pod = (vec(container, 0..3), text(), any_json()).prop_map(|(containers, note, noise)| {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "annotations": { "bedrock-profiles.dev/rewrites": note, "noise": noise } },
            "spec": { "containers": containers, "ephemeralContainers": containers, "volumes": noise },
        })
    });
    let map = (vec((text(), item()), 0..4), any_json()).prop_map(|(data, noise)| {
        let data: serde_json::Map<String, Value> = data.into_iter().collect();
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": noise, "data": data })
    });
    prop_oneof![2 => pod, 1 => map, 1 => any_json(), 2 => scenes().prop_map(|scene| scene.before)]
}

#[test]
fn any_object_is_answered_and_its_patch_applies() {
    let handlers = [
        "{ mode: Rewrite, lists: Rewrite, region: { default: us-east-1 } }",
        "{ mode: Deny, unresolved: Deny, region: { default: eu-west-2 } }",
    ]
    .map(handler);
    let asked = (resources(), operations(), objects(), objects());
    holds(400, &asked, |(resource, operation, object, old)| {
        for old in [&Value::Null, &object, &old] {
            let body = review(resource, operation, &object, old).to_string();
            for handler in &handlers {
                answers_well(handler, body.as_bytes());
                if operation != "NONE" {
                    prop_assert!(
                        handler
                            .handle(Endpoint::Mutate, body.as_bytes(), ConfigMapWait::Exhausted)
                            .is_ok(),
                        "{body}"
                    );
                }
            }
        }
        Ok(())
    });
}

/// What happens to a body on its way.
#[derive(Debug, Clone)]
enum Damage {
    Cut(Index),
    Put(Index, Vec<u8>),
    Drop(Index, usize),
    Twice(Index, usize),
}

fn damages() -> impl Strategy<Value = Damage> {
    let bytes = || prop_oneof![vec(any::<u8>(), 1..5), text().prop_map(String::into_bytes)];
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), bytes()).prop_map(|(at, with)| Damage::Put(at, with)),
        (any::<Index>(), 1..30_usize).prop_map(|(at, many)| Damage::Drop(at, many)),
        (any::<Index>(), 1..90_usize).prop_map(|(at, many)| Damage::Twice(at, many)),
    ]
}

fn damaged(mut body: Vec<u8>, damages: Vec<Damage>) -> Vec<u8> {
    for damage in damages {
        let size = body.len().max(1);
        match damage {
            Damage::Cut(at) => body.truncate(at.index(size)),
            Damage::Put(at, with) => {
                let at = at.index(size).min(body.len());
                body.splice(at..at, with);
            }
            Damage::Drop(at, many) => {
                let at = at.index(size).min(body.len());
                let end = (at + many).min(body.len());
                body.drain(at..end);
            }
            Damage::Twice(at, many) => {
                let at = at.index(size).min(body.len());
                let piece = body[at..(at + many).min(body.len())].to_vec();
                body.splice(at..at, piece);
            }
        }
    }
    body
}

#[test]
fn a_damaged_review_is_refused_or_answered_well() {
    let handler = handler(
        "{ mode: Rewrite, models: { aliases: { enabled: true, envNames: ['*'] } }, region: { default: us-east-1 } }",
    );
    let asked = (resources(), operations(), objects(), vec(damages(), 1..4));
    holds(600, &asked, |(resource, operation, object, damages)| {
        let body = review(resource, operation, &object, &Value::Null).to_string();
        answers_well(&handler, &damaged(body.into_bytes(), damages));
        Ok(())
    });
}

#[test]
fn any_bytes_are_refused_or_answered_well() {
    let handler = handler("{ mode: Rewrite }");
    holds(400, &vec(any::<u8>(), 0..200), |body| {
        answers_well(&handler, &body);
        Ok(())
    });
    holds(400, &(any_json(), text()), |(value, text)| {
        answers_well(&handler, value.to_string().as_bytes());
        answers_well(&handler, text.as_bytes());
        Ok(())
    });
}

/// The kinds of containers in the spec of a Pod.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// The commands of a container, with the number of their words.
const COMMANDS: [&str; 7] = [
    "/args",
    "/command",
    "/livenessProbe/exec/command",
    "/readinessProbe/exec/command",
    "/startupProbe/exec/command",
    "/lifecycle/postStart/exec/command",
    "/lifecycle/preStop/exec/command",
];

/// The object without what a patch may reach: the texts of commands, variables and data, and the record.
fn out_of_reach(mut object: Value) -> Value {
    let blank = |text: &mut Value| {
        if text.is_string() {
            *text = Value::Null;
        }
    };
    for kind in CONTAINERS {
        let containers = object["spec"][kind].as_array_mut();
        for container in containers.into_iter().flatten() {
            for path in COMMANDS {
                let words = container.pointer_mut(path).and_then(Value::as_array_mut);
                words.into_iter().flatten().for_each(blank);
            }
            if let Some(container) = container.as_object_mut() {
                container.remove("env");
            }
        }
    }
    if let Some(data) = object["data"].as_object_mut() {
        data.values_mut().for_each(blank);
    }
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove("bedrock-profiles.dev/rewrites");
    }
    if object["metadata"]["annotations"] == json!({}) {
        object["metadata"]["annotations"] = Value::Null;
    }
    object
}

#[test]
fn a_patch_reaches_texts_and_the_record_only() {
    let handler = handler("{ mode: Rewrite, lists: Rewrite, region: { default: us-east-1 } }");
    let patched = Cell::new(0);
    holds(1_000, &(resources(), objects()), |(resource, object)| {
        let body = review(resource, "CREATE", &object, &Value::Null).to_string();
        let answer = handler.handle(Endpoint::Mutate, body.as_bytes(), ConfigMapWait::Exhausted);
        let answer: Value = serde_json::from_slice(&answer.unwrap()).unwrap();
        if let Some(patch) = answer["response"]["patch"].as_str() {
            let patch = STANDARD.decode(patch).unwrap();
            let patch: json_patch::Patch = serde_json::from_slice(&patch).unwrap();
            let mut after = object.clone();
            json_patch::patch(&mut after, &patch).unwrap();
            prop_assert_eq!(out_of_reach(after), out_of_reach(object), "{}", patch);
            patched.set(patched.get() + 1);
        }
        Ok(())
    });
    assert!(patched.get() > 40, "{patched:?} patches");
}
