//! Reviews as the API server writes them, and what the webhook's routes answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_profiles::domain::view::View;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::body::{BodyReader, ServerLimits};
use bedrock_profiles::webhook::handler::AdmissionHandler;
use bedrock_profiles::webhook::metrics::Metrics;
use bedrock_profiles::webhook::{MUTATE, VALIDATE, router};
use http_body_util::BodyExt as _;
use jiff::civil::Date;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// What the webhook answers under `view` on `today`, as one request to a router of its own.
pub(crate) async fn post(view: View, today: Date, uri: &str, body: String) -> (StatusCode, String) {
    asked(view, today, uri, body, &mut Registry::default()).await
}

async fn asked(
    view: View,
    today: Date,
    uri: &str,
    body: String,
    registry: &mut Registry,
) -> (StatusCode, String) {
    let metrics = Metrics::register(registry);
    let handler = AdmissionHandler::new(
        Arc::new(Published::new(Some(view))),
        metrics,
        BTreeSet::from(["kube-system".into()]),
        move || today,
    );
    let router = router(
        Arc::new(handler),
        BodyReader::register(ServerLimits::default(), registry),
    );
    // The longest that the API server waits, so that a slow machine changes no answer, unless the test has a timeout of its own.
    let timeout = if uri.contains('?') {
        ""
    } else {
        "?timeout=30s"
    };
    let request = Request::post(format!("{uri}{timeout}"))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

/// The review of the creation of `object` in the namespace `ml`, its fields in the API server's order.
pub(crate) fn creation(object: &Value) -> String {
    let resource = resource_of(object);
    let (group, kind) = (
        object["apiVersion"]
            .as_str()
            .unwrap()
            .rsplit_once('/')
            .map_or("", |(group, _)| group),
        object["kind"].as_str().unwrap(),
    );
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u","kind":{{"group":"{group}","version":"v1","kind":"{kind}"}},"resource":{{"group":"{group}","version":"v1","resource":"{resource}"}},"name":"chat","namespace":"ml","operation":"CREATE","userInfo":{{}},"object":{object},"oldObject":null,"dryRun":false,"options":null}}}}"#
    )
}

fn resource_of(object: &Value) -> String {
    format!("{}s", object["kind"].as_str().unwrap().to_lowercase())
}

/// The response to the creation of `object`, and the object as it is stored.
pub(crate) async fn created(view: View, today: Date, object: &Value) -> (Value, Value) {
    let (response, _) = counted(view, today, object).await;
    let mut stored = object.clone();
    if let Some(patch) = response["patch"].as_str() {
        assert_eq!(response["patchType"], json!("JSONPatch"));
        let patch: json_patch::Patch =
            serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
        json_patch::patch(&mut stored, &patch).unwrap();
    }
    (response, stored)
}

/// The response to the creation of `object`, and the metrics after it.
pub(crate) async fn counted(view: View, today: Date, object: &Value) -> (Value, String) {
    let uri = if ["pods", "configmaps"].contains(&&*resource_of(object)) {
        MUTATE
    } else {
        VALIDATE
    };
    let mut registry = Registry::default();
    let (status, response) = asked(view, today, uri, creation(object), &mut registry).await;
    assert_eq!(status, StatusCode::OK, "{response}");
    let answer: Value = serde_json::from_str(&response).unwrap();
    let mut metrics = String::new();
    encode(&mut metrics, &registry).unwrap();
    (answer["response"].clone(), metrics)
}
