//! The metrics of the webhook stay few, whatever a cluster holds and whoever asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::http;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::body;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait};
use bedrock_profiles::webhook::metrics::Metrics;
use serde_json::json;

use crate::evaluate::shipped_catalog::{TODAY, policy, view};

/// How many reviews are asked; every tenth has an ID in it.
const REVIEWS: usize = 1_000_000;

/// The share of the whole that the webhook's own metrics may take. Watches, certificates, audit and the process itself have
/// the rest of five hundred.
const MOST: usize = 350;

const KINDS: [(&str, &str, &str, &str); 12] = [
    ("", "pods", "", "Pod"),
    ("", "pods", "ephemeralcontainers", "Pod"),
    ("", "configmaps", "", "ConfigMap"),
    ("apps", "deployments", "", "Deployment"),
    ("apps", "statefulsets", "", "StatefulSet"),
    ("apps", "daemonsets", "", "DaemonSet"),
    ("apps", "replicasets", "", "ReplicaSet"),
    ("", "replicationcontrollers", "", "ReplicationController"),
    ("batch", "jobs", "", "Job"),
    ("batch", "cronjobs", "", "CronJob"),
    ("", "podtemplates", "", "PodTemplate"),
    ("example.com", "", "", "Applied"),
];

const OPERATIONS: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

const MODELS: [&str; 8] = [
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.us.anthropic.claude-sonnet-4-6",
    "anthropic.claude-2",
    "amazon.nova-lite-v1:0",
    "meta.llama3-2-1b-instruct-v1:0",
    "anthropic.claude-unheard-of-9-v1:0",
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6",
];

const REGIONS: [&str; 7] = [
    "eu-west-1",
    "us-east-1",
    "ap-northeast-1",
    "sa-east-1",
    "xx-nowhere-1",
    "mars",
    "",
];

/// The review of this number: names, kinds and contents that no other has.
fn review(number: usize) -> String {
    let (group, resource, sub, kind) = KINDS[number % KINDS.len()];
    let operation = OPERATIONS[number / KINDS.len() % OPERATIONS.len()];
    let dry_run = number / 48 % 2 == 1;
    let resource = if resource.is_empty() {
        format!("things{number}")
    } else {
        resource.to_owned()
    };
    let object = if number.is_multiple_of(10) {
        loaded(number / 10, kind)
    } else {
        json!({"kind": kind})
    };
    let sub = if sub.is_empty() {
        String::new()
    } else {
        format!(r#","subResource":"{sub}""#)
    };
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u{number}","kind":{{"group":"{group}","version":"v1","kind":"{kind}"}},"resource":{{"group":"{group}","version":"v1","resource":"{resource}"}}{sub},"name":"n{number}","namespace":"ns{number}","operation":"{operation}","userInfo":{{}},"object":{object},"oldObject":null,"dryRun":{dry_run},"options":null}}}}"#
    )
}

/// An object with an ID.
fn loaded(number: usize, kind: &str) -> serde_json::Value {
    let model = MODELS[number % MODELS.len()].replace("unheard", &format!("unheard{number}"));
    let region = REGIONS[number / MODELS.len() % REGIONS.len()];
    if kind == "ConfigMap" {
        return json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "n"}, "data": {"MODEL": model, "AWS_REGION": region}});
    }
    let env = json!([{"name": format!("MODEL_{number}"), "value": model}, {"name": "AWS_REGION", "value": region}]);
    let pod = json!({"containers": [{"name": "c", "env": env}]});
    let spec = match kind {
        "Pod" => pod,
        "CronJob" => json!({"jobTemplate": {"spec": {"template": {"spec": pod}}}}),
        _ => json!({"template": {"spec": pod}}),
    };
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "n"}, "spec": spec})
}

#[test]
fn a_million_varied_reviews_make_few_series() {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    body::Metrics::register(&mut registry);
    http::Metrics::register(&mut registry);
    let modes = ["Rewrite", "Deny"]
        .map(|mode| json!({"mode": mode, "references": "Off", "unresolved": "Deny"}));
    let views = modes.map(|spec| view(&policy(spec)));
    let current = Arc::new(Published::new(None));
    let handler = AdmissionHandler::new(Arc::clone(&current), metrics, BTreeSet::new(), || TODAY);
    let mut answered = 0;
    for view in views {
        current.replace(Some(view));
        for number in 0..REVIEWS / 2 {
            let endpoint = if number % 24 < 12 {
                Endpoint::Mutate
            } else {
                Endpoint::Validate
            };
            answered += usize::from(
                handler
                    .handle(
                        endpoint,
                        review(number).as_bytes(),
                        ConfigMapWait::Exhausted,
                    )
                    .is_ok(),
            );
        }
    }
    assert_eq!(answered, REVIEWS);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!((100..=MOST).contains(&series), "{series}:\n{text}");
}
