//! The webhook: reviews in, answers out. Reads the view, and makes no call to anybody on the request path.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::time::Instant;

pub mod answer;
pub mod desk;
pub mod metrics;
pub mod review;
pub mod server;

use desk::{Desk, Door, NoAnswer};
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
    answer(&desk, Door::Mutate, &admission)
}

async fn validate(State(desk): State<Arc<Desk>>, admission: Admission) -> Response {
    answer(&desk, Door::Validate, &admission)
}

fn answer(desk: &Desk, door: Door, admission: &Admission) -> Response {
    if Instant::now() + ENOUGH > admission.deadline {
        return unavailable("the caller's deadline is too near to begin with the review\n");
    }
    let _joined = admission
        .traceparent
        .as_ref()
        .map(|parent| tracing::info_span!("review", traceparent = parent.as_str()).entered());
    match desk.answer(door, admission.body()) {
        Ok(bytes) => {
            const JSON: HeaderValue = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, JSON)], bytes).into_response()
        }
        Err(NoAnswer::Review(error)) => error.into_response(),
        Err(error @ NoAnswer::Object(_)) => {
            (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response()
        }
        Err(NoAnswer::NamespaceUnseen) => {
            unavailable("the namespace of the review has not been seen yet\n")
        }
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
