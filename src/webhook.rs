//! The admission webhook: a review in, a response out.
//!
//! [`body`] reads a request within limits, [`handler`] answers the review in it, and this module decides how long a
//! response may wait for inputs that have not been observed yet. No other process is called while a request is served.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

pub mod action;
pub mod body;
pub mod handler;
pub mod metrics;
pub mod response;
pub mod review;

use action::Endpoint;
use body::{BodyBudget, ReviewRequest};
use handler::{AdmissionHandler, ConfigMapWait, HandleError, MissingInput};

/// Path of the mutating endpoint.
pub const MUTATE: &str = "/mutate";

/// Path of the validating endpoint.
pub const VALIDATE: &str = "/validate";

/// Time that must remain before the deadline to start with a review. The largest review takes milliseconds.
const TIME_TO_ANSWER: Duration = Duration::from_millis(20);

/// How long a Pod waits for a ConfigMap that was created just before it. A watch delivers it within milliseconds, and
/// `helm install` creates ConfigMaps first.
const CONFIG_MAP_WAIT: Duration = Duration::from_millis(200);

#[derive(Clone)]
struct AppState {
    handler: Arc<AdmissionHandler>,
    budget: BodyBudget,
}

/// The routes of the webhook.
pub fn router(handler: Arc<AdmissionHandler>, budget: BodyBudget) -> Router {
    Router::new()
        .route(MUTATE, post(mutate))
        .route(VALIDATE, post(validate))
        .with_state(AppState { handler, budget })
}

async fn mutate(State(handler): State<Arc<AdmissionHandler>>, request: ReviewRequest) -> Response {
    respond(&handler, Endpoint::Mutate, &request).await
}

async fn validate(
    State(handler): State<Arc<AdmissionHandler>>,
    request: ReviewRequest,
) -> Response {
    respond(&handler, Endpoint::Validate, &request).await
}

async fn respond(
    handler: &AdmissionHandler,
    endpoint: Endpoint,
    request: &ReviewRequest,
) -> Response {
    if Instant::now() + TIME_TO_ANSWER > request.deadline {
        return unavailable("too little time is left before the deadline of the request; retry");
    }
    match respond_before_deadline(handler, endpoint, request).await {
        Ok(bytes) => {
            const JSON: HeaderValue = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, JSON)], bytes).into_response()
        }
        Err(HandleError::Review(error)) => error.into_response(),
        Err(error @ HandleError::Missing(_)) => unavailable(&error.to_string()),
    }
}

/// 503 with a message. The server adds the headers that let the API server's client retry with another replica.
fn unavailable(message: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{message}\n")).into_response()
}

/// Handles the review. Where an input has not been observed yet, waits for new views and handles it again: for a ConfigMap
/// as long as [`CONFIG_MAP_WAIT`], for anything else until the deadline.
async fn respond_before_deadline(
    handler: &AdmissionHandler,
    endpoint: Endpoint,
    request: &ReviewRequest,
) -> Result<Bytes, HandleError> {
    let deadline = request.deadline - TIME_TO_ANSWER;
    let config_map_deadline = deadline.min(Instant::now() + CONFIG_MAP_WAIT);
    let (mut changes, mut wait) = (None, ConfigMapWait::Allowed);
    loop {
        let response = in_trace_span(request, || handler.handle(endpoint, request.body(), wait));
        let missing = match response {
            Err(HandleError::Missing(missing)) => missing,
            response => return response,
        };
        let until = match missing {
            MissingInput::ConfigMap => config_map_deadline,
            MissingInput::View | MissingInput::Namespace => deadline,
        };
        let Some(changes) = &mut changes else {
            // A view that was published before the subscription is taken by handling the review once more.
            changes = Some(handler.subscribe());
            continue;
        };
        if timeout_at(until, changes.changed()).await.is_err() {
            match missing {
                MissingInput::ConfigMap => wait = ConfigMapWait::Exhausted,
                MissingInput::View | MissingInput::Namespace => {
                    return Err(HandleError::Missing(missing));
                }
            }
        }
    }
}

/// Runs `act` in a span of the caller's trace.
fn in_trace_span<T>(request: &ReviewRequest, act: impl FnOnce() -> T) -> T {
    match &request.traceparent {
        Some(parent) => tracing::info_span!("review", traceparent = parent.as_str()).in_scope(act),
        None => act(),
    }
}

impl FromRef<AppState> for Arc<AdmissionHandler> {
    fn from_ref(state: &AppState) -> Self {
        Self::clone(&state.handler)
    }
}

impl FromRef<AppState> for BodyBudget {
    fn from_ref(state: &AppState) -> Self {
        state.budget.clone()
    }
}
