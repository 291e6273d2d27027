//! The webhook: reviews in, answers out. Reads the view, and makes no call to anybody on the request path.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

pub mod answer;
pub mod desk;
pub mod metrics;
pub mod review;
pub mod server;

use desk::{Awaited, Desk, Door, NoAnswer, Patience};
use server::{Admission, Gate, unavailable};

/// Path of the mutating entry.
pub const MUTATE: &str = "/mutate";

/// Path of the validating entry.
pub const VALIDATE: &str = "/validate";

/// How much time must be left to begin with a review: the largest takes milliseconds.
const ENOUGH: Duration = Duration::from_millis(20);

#[derive(Clone)]
struct Counter {
    desk: Arc<Desk>,
    gate: Gate,
}

/// The routes of the webhook.
pub fn router(desk: Arc<Desk>, gate: Gate) -> Router {
    Router::new()
        .route(MUTATE, post(mutate))
        .route(VALIDATE, post(validate))
        .with_state(Counter { desk, gate })
}

async fn mutate(State(desk): State<Arc<Desk>>, admission: Admission) -> Response {
    answer(&desk, Door::Mutate, &admission).await
}

async fn validate(State(desk): State<Arc<Desk>>, admission: Admission) -> Response {
    answer(&desk, Door::Validate, &admission).await
}

/// How long a Pod waits for a ConfigMap that was made in the same moment: a watch brings it within a few milliseconds, and
/// `helm install` sends ConfigMaps first.
const FOR_CONFIG_MAPS: Duration = Duration::from_millis(200);

async fn answer(desk: &Desk, door: Door, admission: &Admission) -> Response {
    if Instant::now() + ENOUGH > admission.deadline {
        return unavailable("the caller's deadline is too near to begin with the review\n");
    }
    match patient(desk, door, admission).await {
        Ok(bytes) => {
            const JSON: HeaderValue = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, JSON)], bytes).into_response()
        }
        Err(NoAnswer::Review(error)) => error.into_response(),
        Err(error @ NoAnswer::Object(_)) => {
            (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response()
        }
        Err(NoAnswer::Awaits(_)) => {
            unavailable("what the answer rests on has not been seen yet; send it again\n")
        }
    }
}

/// Answers, and where the answer rests on what has not been seen yet, waits for it as long as that makes sense.
async fn patient(desk: &Desk, door: Door, admission: &Admission) -> Result<Bytes, NoAnswer> {
    let last = admission.deadline - ENOUGH;
    let for_config_maps = last.min(Instant::now() + FOR_CONFIG_MAPS);
    let (mut changes, mut patience) = (None, Patience::Some);
    loop {
        let answer = joined(admission, || desk.answer(door, admission.body(), patience));
        let until = match answer {
            Err(NoAnswer::Awaits(Awaited::ConfigMap)) => for_config_maps,
            Err(NoAnswer::Awaits(Awaited::View | Awaited::Namespace)) => last,
            answer => return answer,
        };
        let Some(changes) = &mut changes else {
            // What came between the answer and this line is seen by answering once more.
            changes = Some(desk.subscribe());
            continue;
        };
        if timeout_at(until, changes.changed()).await.is_err() {
            match answer {
                Err(NoAnswer::Awaits(Awaited::ConfigMap)) => patience = Patience::None,
                answer => return answer,
            }
        }
    }
}

/// Does something as part of the caller's trace.
fn joined<T>(admission: &Admission, act: impl FnOnce() -> T) -> T {
    match &admission.traceparent {
        Some(parent) => tracing::info_span!("review", traceparent = parent.as_str()).in_scope(act),
        None => act(),
    }
}

impl FromRef<Counter> for Arc<Desk> {
    fn from_ref(counter: &Counter) -> Self {
        Self::clone(&counter.desk)
    }
}

impl FromRef<Counter> for Gate {
    fn from_ref(counter: &Counter) -> Self {
        counter.gate.clone()
    }
}
