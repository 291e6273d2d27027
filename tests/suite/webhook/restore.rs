//! Updates of rewritten Pods on the path `/restore`.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_profiles::domain::view::View;
use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait, HandleError};
use bedrock_profiles::webhook::metrics::Metrics;
use serde_json::{Value, json};

use crate::evaluate::scenario::{SONNET_4_5, Scenario, TODAY, behind, pod};

/// The request of an update.
struct Update {
    namespace: &'static str,
    operation: &'static str,
    sub_resource: &'static str,
    /// Whether the body is written as the API server writes it, so that its envelope is read without parsing the body.
    is_fast: bool,
}

const UPDATE: Update = Update {
    namespace: "ml",
    operation: "UPDATE",
    sub_resource: "",
    is_fast: true,
};

fn handler(view: Option<View>, registry: &mut Registry) -> AdmissionHandler {
    AdmissionHandler::new(
        Arc::new(Published::new(view)),
        Metrics::register(registry),
        BTreeSet::from(["kube-system".into()]),
        || TODAY,
    )
}

fn review(update: &Update, object: &Value, old: &Value) -> String {
    let Update {
        namespace,
        operation,
        sub_resource,
        is_fast,
    } = update;
    let sub_resource = match *sub_resource {
        "" => String::new(),
        name => format!(r#""subResource":"{name}","#),
    };
    let space = if *is_fast { "" } else { " " };
    format!(
        r#"{{{space}"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},{sub_resource}"name":"chat","namespace":"{namespace}","operation":"{operation}","userInfo":{{}},"object":{object},"oldObject":{old},"dryRun":false,"options":null}}}}"#
    )
}

/// The patch of the response, if any.
fn patch(handler: &AdmissionHandler, endpoint: Endpoint, body: &str) -> Option<json_patch::Patch> {
    let response = handler.handle(endpoint, body.as_bytes(), ConfigMapWait::Exhausted);
    let response: Value = serde_json::from_slice(&response.unwrap()).unwrap();
    let response = &response["response"];
    assert_eq!(
        (&response["uid"], &response["allowed"]),
        (&json!("u"), &json!(true))
    );
    assert_eq!(response["warnings"], Value::Null);
    let patch = STANDARD.decode(response["patch"].as_str()?).unwrap();
    Some(serde_json::from_slice(&patch).unwrap())
}

/// A Pod, and the same as it is stored.
fn manifest_and_stored() -> (Value, Value) {
    let manifest = pod(&[("MODEL", SONNET_4_5), ("AWS_REGION", "eu-west-1")]);
    let stored = Scenario::under("{}").create(&manifest);
    assert_eq!(stored.env("MODEL"), behind("eu", SONNET_4_5));
    (manifest, stored.after)
}

/// A policy that would rewrite to something else, that changes nothing, and none at all.
#[test]
fn the_stored_value_is_restored_whatever_the_policies_are() {
    let (manifest, stored) = manifest_and_stored();
    for view in [
        None,
        Some(Scenario::under("{ mode: DryRun }").view),
        Some(Scenario::under("{ models: { exclude: ['*'] } }").view),
    ] {
        let mut registry = Registry::default();
        let handler = handler(view, &mut registry);
        for is_fast in [true, false] {
            let update = Update { is_fast, ..UPDATE };
            let body = review(&update, &manifest, &stored);
            let mut after = manifest.clone();
            let patch = patch(&handler, Endpoint::Restore, &body).unwrap();
            json_patch::patch(&mut after, &patch).unwrap();
            assert_eq!(after, stored);
            // An update that changes nothing gets no patch.
            let same = review(&update, &stored, &stored);
            assert!(self::patch(&handler, Endpoint::Restore, &same).is_none());
        }
        let mut metrics = String::new();
        prometheus_client::encoding::text::encode(&mut metrics, &registry).unwrap();
        let series = "admission_reviews_total{kind=\"Pod\",operation=\"UPDATE\",outcome=\"restored\",dry_run=\"false\"} 2";
        assert!(metrics.contains(series), "{metrics}");
    }
}

#[test]
fn other_requests_on_the_path_get_no_patch() {
    let (manifest, stored) = manifest_and_stored();
    let mut registry = Registry::default();
    let handler = handler(Some(Scenario::under("{}").view), &mut registry);
    for update in [
        Update {
            operation: "CREATE",
            ..UPDATE
        },
        Update {
            operation: "DELETE",
            ..UPDATE
        },
        Update {
            sub_resource: "ephemeralcontainers",
            ..UPDATE
        },
        Update {
            sub_resource: "status",
            ..UPDATE
        },
        Update {
            namespace: "kube-system",
            ..UPDATE
        },
        Update {
            namespace: "kube-system",
            is_fast: false,
            ..UPDATE
        },
    ] {
        let body = review(&update, &manifest, &stored);
        assert!(
            patch(&handler, Endpoint::Restore, &body).is_none(),
            "{body}"
        );
    }
    for old in [&manifest, &Value::Null] {
        let body = review(&UPDATE, &manifest, old);
        assert!(patch(&handler, Endpoint::Restore, &body).is_none());
    }
    // A rule that an administrator has widened restores nothing, and rewrites nothing.
    let body = review(&UPDATE, &manifest, &stored);
    assert!(patch(&handler, Endpoint::Mutate, &body).is_none());
    let invalid = handler.handle(Endpoint::Restore, b"{", ConfigMapWait::Exhausted);
    assert!(matches!(invalid, Err(HandleError::Review(_))));
}
