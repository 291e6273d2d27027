//! Which reviews are parsed for what they take from elsewhere: a Pod with `envFrom` has no ID of its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait};
use bedrock_profiles::webhook::metrics::Metrics;
use serde_json::{Value, json};

use super::*;

fn world(spec: &str) -> Scenario {
    Scenario::under(spec).knowing(&[
        named_map(
            "models",
            &[("MODEL", SONNET_4_5), ("AWS_REGION", "eu-west-1")],
        ),
        {
            let mut map = named_map("plain", &[("HOST", "example.com")]);
            map["metadata"]["namespace"] = "web".into();
            map
        },
    ])
}

/// A review as the API server writes it, its fields in that order.
pub(super) fn review(namespace: &str, object: &Value) -> String {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"name":"chat","namespace":"{namespace}","operation":"CREATE","userInfo":{{}},"object":{object},"oldObject":null,"dryRun":false,"options":null}}}}"#
    )
}

fn patch(world: &Scenario, body: &str) -> Option<Value> {
    let handler = AdmissionHandler::new(
        Arc::new(Published::new(Some(world.view.clone()))),
        Metrics::register(&mut Registry::default()),
        BTreeSet::new(),
        || TODAY,
    );
    let answer = handler
        .handle(Endpoint::Mutate, body.as_bytes(), ConfigMapWait::Exhausted)
        .unwrap();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let patch = answer["response"]["patch"].as_str()?;
    Some(serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap())
}

#[test]
fn the_prefilter_passes_only_objects_that_can_hold_an_id() {
    let bulk = taking(&json!([]), &json!([all_of("models")]));
    let entry = taking(
        &json!([
            key("M", "models", "MODEL"),
            key("AWS_REGION", "models", "AWS_REGION")
        ]),
        &json!([]),
    );
    let mounted = {
        let mut pod = pod(&[]);
        pod["spec"]["volumes"] = json!([{ "name": "v", "configMap": { "name": "models" } }]);
        pod
    };
    for (spec, namespace, object, expected) in [
        ("{}", "ml", &bulk, true),
        ("{}", "ml", &entry, true),
        ("{ references: Report }", "ml", &bulk, true),
        ("{}", "ml", &pod(&[("A", "a configMapRef")]), false),
        ("{}", "ml", &mounted, false),
        // A ConfigMap that has not been seen there may be made in the same moment.
        ("{}", "web", &bulk, true),
        ("{}", "none", &bulk, true),
        (
            "{}",
            "web",
            &taking(&json!([]), &json!([all_of("plain")])),
            false,
        ),
        ("{ references: 'Off' }", "ml", &bulk, false),
    ] {
        let world = world(spec);
        let body = review(namespace, object);
        assert!(!world.view.snapshot.can_hold_an_id(body.as_bytes()));
        let worth = world.view.can_take_an_id(body.as_bytes(), namespace);
        assert_eq!(worth, expected, "{spec} {namespace} {object}");
        let patched = expected && namespace == "ml" && !spec.contains("Report");
        assert_eq!(
            patch(&world, &body).is_some(),
            patched,
            "{spec} {namespace} {object}"
        );
    }
}

#[test]
fn the_answer_is_the_patch_of_the_judgement() {
    let world = world("{}");
    let pod = taking(&json!([]), &json!([all_of("models")]));
    let patch = patch(&world, &review("ml", &pod)).unwrap();
    assert_eq!(patch, world.create(&pod).patch);
    assert_eq!(
        patch[0]["value"],
        variable("MODEL", &behind("eu", SONNET_4_5))
    );
    assert_eq!(patch[0]["path"], "/spec/containers/0/env/0");
}
