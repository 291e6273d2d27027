//! A ConfigMap that is made in the same moment as the Pod: it is waited for, not long, and only where that can help.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bedrock_profiles::domain::view::View;
use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::body::{BodyReader, ServerLimits};
use bedrock_profiles::webhook::handler::AdmissionHandler;
use bedrock_profiles::webhook::metrics::Metrics;
use bedrock_profiles::webhook::{MUTATE, router};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::ServiceExt as _;

use super::prefilter::review;
use super::*;

/// Asks with `before` in force, and puts `after` in force when `later` has passed. Whether there was a patch, the status,
/// and how long it took on the clock of the test.
async fn ask(
    before: Option<View>,
    later: Duration,
    after: View,
    object: &Value,
) -> (bool, u16, Duration) {
    let view = Arc::new(Published::new(before));
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let handler = AdmissionHandler::new(Arc::clone(&view), metrics, BTreeSet::new(), || TODAY);
    let router = router(
        Arc::new(handler),
        BodyReader::register(ServerLimits::default(), &mut registry),
    );
    let request = Request::post(format!("{MUTATE}?timeout=2s"))
        .header("content-type", "application/json")
        .body(Body::from(review("ml", object)))
        .unwrap();
    let started = Instant::now();
    tokio::spawn(async move {
        tokio::time::sleep(later).await;
        view.replace(Some(after));
    });
    let response = router.oneshot(request).await.unwrap();
    let (status, took) = (response.status().as_u16(), started.elapsed());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    (!answer["response"]["patch"].is_null(), status, took)
}

fn knowing(maps: &[Value]) -> View {
    Scenario::under("{}").knowing(maps).view
}

fn models() -> Value {
    named_map(
        "models",
        &[("MODEL", SONNET_4_5), ("AWS_REGION", "eu-west-1")],
    )
}

const SOON: Duration = Duration::from_millis(50);
const NEVER: Duration = Duration::from_mins(10);
const A_FIFTH: Duration = Duration::from_millis(200);

#[tokio::test(start_paused = true)]
async fn a_required_config_map_that_arrives_in_time_is_resolved() {
    let pod = taking(&json!([]), &json!([all_of("models")]));
    let answer = ask(Some(knowing(&[])), SOON, knowing(&[models()]), &pod).await;
    assert_eq!((answer.0, answer.1), (true, 200));
    assert!(answer.2 >= SOON && answer.2 < A_FIFTH, "{:?}", answer.2);
}

#[tokio::test(start_paused = true)]
async fn a_missing_config_map_delays_a_review_briefly() {
    let pod = taking(
        &json!([key("MODEL", "models", "MODEL")]),
        &json!([all_of("others")]),
    );
    let answer = ask(Some(knowing(&[models()])), NEVER, knowing(&[]), &pod).await;
    assert_eq!(
        (answer.0, answer.1),
        (false, 200),
        "its region may stand in the one that did not come"
    );
    assert!(
        answer.2 >= A_FIFTH && answer.2 < 2 * A_FIFTH,
        "{:?}",
        answer.2
    );
}

#[tokio::test(start_paused = true)]
async fn optional_unlisted_and_unresolved_config_maps_are_not_awaited() {
    let optional = json!([{"configMapRef": {"name": "models", "optional": true}}]);
    let unlisted = Scenario::under("{}").observing(&[]).view;
    let unresolved = Scenario::under("{ references: 'Off' }").knowing(&[]).view;
    let required = json!([all_of("models")]);
    for (view, from) in [
        (knowing(&[]), &optional),
        (unlisted, &required),
        (unresolved, &required),
    ] {
        let answer = ask(Some(view), NEVER, knowing(&[]), &taking(&json!([]), from)).await;
        assert_eq!(answer, (false, 200, Duration::ZERO), "{from}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_view_is_awaited_until_the_deadline() {
    let pod = pod(&[("MODEL", SONNET_4_5), ("AWS_REGION", "eu-west-1")]);
    let answer = ask(None, SOON, knowing(&[]), &pod).await;
    assert_eq!((answer.0, answer.1), (true, 200));
    let answer = ask(None, NEVER, knowing(&[]), &pod).await;
    assert_eq!((answer.0, answer.1), (false, 503));
    assert!(answer.2 < Duration::from_secs(2), "{:?}", answer.2);
}
