//! The admission webhook: a review in, a response out.
//!
//! [`caller`] refuses callers that may not send reviews, [`body`] reads a request within limits of size, time and [`memory`],
//! [`evaluator`] decides where it is evaluated, [`handler`] answers the review in it, and this module decides how long a response may
//! wait for inputs that have not been observed yet. No other process is called while a request is served.

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
pub mod caller;
mod evaluator;
pub mod handler;
pub mod memory;
pub mod metrics;
mod pool;
pub mod response;
pub mod review;

use action::Endpoint;
use body::{BodyReader, RequestRejected, ReviewRequest};
use evaluator::Evaluator;
use handler::{AdmissionHandler, ConfigMapWait, HandleError, MissingInput};
use pool::EvaluationPool;

/// Path of the mutating endpoint.
pub const MUTATE: &str = "/mutate";

/// Path of the endpoint that restores values in updates of rewritten Pods.
pub const RESTORE: &str = "/restore";

/// Path of the validating endpoint.
pub const VALIDATE: &str = "/validate";

/// Time that must remain before the deadline to start with a review. The largest review takes milliseconds.
const TIME_TO_ANSWER: Duration = Duration::from_millis(20);

/// How long a Pod waits for a ConfigMap that was created just before it. A watch delivers it within milliseconds, and
/// `helm install` creates ConfigMaps first.
const CONFIG_MAP_WAIT: Duration = Duration::from_millis(200);

#[derive(Clone)]
struct AppState {
    evaluator: Arc<Evaluator>,
    reader: BodyReader,
}

/// The routes of the webhook.
pub fn router(handler: Arc<AdmissionHandler>, reader: BodyReader) -> Router {
    let pool = EvaluationPool::for_this_machine();
    Router::new()
        .route(MUTATE, post(mutate))
        .route(RESTORE, post(restore))
        .route(VALIDATE, post(validate))
        .with_state(AppState {
            evaluator: Arc::new(Evaluator { handler, pool }),
            reader,
        })
}

async fn mutate(State(state): State<AppState>, request: ReviewRequest) -> Response {
    respond(&state, Endpoint::Mutate, request).await
}

async fn restore(State(state): State<AppState>, request: ReviewRequest) -> Response {
    respond(&state, Endpoint::Restore, request).await
}

async fn validate(State(state): State<AppState>, request: ReviewRequest) -> Response {
    respond(&state, Endpoint::Validate, request).await
}

async fn respond(state: &AppState, endpoint: Endpoint, request: ReviewRequest) -> Response {
    match respond_before_deadline(&state.evaluator, endpoint, request).await {
        Ok(Ok(bytes)) => {
            const JSON: HeaderValue = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, JSON)], bytes).into_response()
        }
        Ok(Err(HandleError::Review(error))) => error.into_response(),
        // The server adds the headers that let the API server's client retry with another replica.
        Ok(Err(error @ HandleError::Missing(_))) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
        }
        Err(rejected) => {
            state.reader.count(rejected);
            rejected.into_response()
        }
    }
}

/// Handles the review. Where an input has not been observed yet, waits for new views and handles it again: for a ConfigMap
/// as long as [`CONFIG_MAP_WAIT`], for anything else until the deadline.
async fn respond_before_deadline(
    evaluator: &Evaluator,
    endpoint: Endpoint,
    mut request: ReviewRequest,
) -> Result<Result<Bytes, HandleError>, RequestRejected> {
    let deadline = request
        .deadline
        .checked_sub(TIME_TO_ANSWER)
        .filter(|deadline| Instant::now() <= *deadline)
        .ok_or(RequestRejected::Deadline)?;
    let config_map_deadline = deadline.min(Instant::now() + CONFIG_MAP_WAIT);
    let (mut changes, mut wait) = (None, ConfigMapWait::Allowed);
    loop {
        let response;
        (request, response) = evaluator.handle(endpoint, request, wait).await?;
        let missing = match response {
            Err(HandleError::Missing(missing)) => missing,
            response => return Ok(response),
        };
        let until = match missing {
            MissingInput::ConfigMap => config_map_deadline,
            MissingInput::View | MissingInput::Namespace => deadline,
        };
        let Some(changes) = &mut changes else {
            // A view that was published before the subscription is taken by handling the review once more.
            changes = Some(evaluator.handler.subscribe());
            continue;
        };
        if timeout_at(until, changes.changed()).await.is_err() {
            match missing {
                MissingInput::ConfigMap => wait = ConfigMapWait::Exhausted,
                MissingInput::View | MissingInput::Namespace => {
                    return Ok(Err(HandleError::Missing(missing)));
                }
            }
        }
    }
}

impl FromRef<AppState> for BodyReader {
    fn from_ref(state: &AppState) -> Self {
        state.reader.clone()
    }
}
