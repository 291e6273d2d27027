//! The request side of admission: what must hold before a body is a review at all, how much memory bodies may take,
//! and how long the answer may take. It does not look into the body and builds no answer but refusals.
//!
//! A handler takes an [`Admission`] as its argument; the router's state gives the [`Gate`]. Connections, TLS and
//! drain are [`crate::runtime::http`]'s.

mod deadline;
mod trace;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRef, FromRequest};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::{Buf, Bytes, BytesMut};
use hyper::body::Body as _;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::runtime::admin::Registry;
use crate::runtime::http;

pub use deadline::allowance;
pub use trace::TraceParent;

/// What one server may be made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections and their times.
    pub connections: http::Limits,
    /// Bytes of one body.
    pub body: usize,
    /// Bytes of all bodies together that are being read or judged; at least `body`.
    pub bodies: usize,
    /// From the end of the header to the end of the body.
    pub body_time: Duration,
}

/// What every review passes first. Clones share its budget.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

/// What is counted about requests that were refused unread.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    refused: Family<RefusedLabels, Counter>,
    bodies: Gauge,
}

/// A request that may be a review: `POST`, JSON, whole, within the limits. The route refuses other methods.
///
/// It holds its part of the budget for bodies, so it is to be dropped with the last borrow of its body.
#[derive(Debug)]
pub struct Admission {
    /// Path and query.
    pub uri: Uri,
    /// When the answer must be written: what the client allows less a margin, from the arrival of the header.
    pub deadline: Instant,
    /// The caller's trace, for joining it.
    pub traceparent: Option<TraceParent>,
    body: Bytes,
    _reserved: Reserved,
}

/// Why a request was refused unread. No variant is an answer to a review: the API server's failure policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue, thiserror::Error)]
pub enum Refused {
    /// 415: the body is not declared to be JSON.
    #[error("the body must have the content type application/json")]
    ContentType,
    /// 415: the body is compressed.
    #[error("the body must not be compressed; send it without content-encoding")]
    ContentEncoding,
    /// 413: the body is longer than any review can be.
    #[error("the body is longer than a review can be; the limit is 8 MiB by default")]
    TooLarge,
    /// 503: bodies in flight take all the memory that they may.
    #[error("too many bodies in flight; send it again")]
    Busy,
    /// 408: the body did not come in time.
    #[error("the body did not arrive in time; send it without pauses")]
    Slow,
    /// 400: the connection ended within the body.
    #[error("the body ended before its declared length")]
    Cut,
}

#[derive(Debug)]
struct Inner {
    limits: Limits,
    budget: Arc<Semaphore>,
    metrics: Metrics,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedLabels {
    reason: Refused,
}

/// A part of the budget for bodies, given back when dropped.
#[derive(Debug)]
struct Reserved {
    permit: OwnedSemaphorePermit,
    gate: Gate,
}

// === Limits ===

impl Limits {
    /// A request to the API server is at most 3 MiB, and a review holds object and old object; with the envelope
    /// and the fields that the server adds, 7 MiB is what other webhooks allow. One more for safety.
    pub const BODY: usize = 8 * 1024 * 1024;
    /// Four of the largest bodies at once, or two thousand of a usual 16 KiB: more than connections bring. Together
    /// with 64 MiB of read buffers in the worst case this stays below a memory limit of 128 MiB.
    pub const BODIES: usize = 4 * Self::BODY;
    /// The default of `timeoutSeconds`: after that nobody waits for the answer any more.
    pub const BODY_TIME: Duration = Duration::from_secs(10);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: http::Limits::default(),
            body: Self::BODY,
            bodies: Self::BODIES,
            body_time: Self::BODY_TIME,
        }
    }
}

// === Metrics ===

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "requests_refused",
            "Requests refused before their body was read as a review",
            self.refused.clone(),
        );
        registry.register(
            "bodies_bytes",
            "Bytes of bodies in flight",
            self.bodies.clone(),
        );
    }
}

// === Gate ===

impl Gate {
    /// A gate with a budget of its own.
    pub fn new(limits: Limits, metrics: Metrics) -> Self {
        let bodies = limits.bodies.max(limits.body).min(Semaphore::MAX_PERMITS);
        let budget = Arc::new(Semaphore::new(bodies));
        Self(Arc::new(Inner {
            limits,
            budget,
            metrics,
        }))
    }

    /// The body, whole, with its part of the budget. What is refused is read to its end all the same, as far as it is
    /// not absurd: a client that is still writing when the connection closes may never see the answer.
    async fn read(
        &self,
        parts: &Parts,
        mut body: Body,
        until: Instant,
    ) -> Result<(Bytes, Reserved), Refused> {
        let read = async {
            let result = match check(&parts.headers) {
                Ok(()) => self.collect(&mut body).await,
                Err(refused) => Err(refused),
            };
            if result.is_err() {
                discard(&mut body, self.0.limits.body.saturating_mul(2)).await;
            }
            result
        };
        let result = timeout_at(until, read).await.unwrap_or(Err(Refused::Slow));
        result.inspect_err(|&reason| {
            self.0
                .metrics
                .refused
                .get_or_create(&RefusedLabels { reason })
                .inc();
            tracing::debug!(%reason, "request refused");
        })
    }

    /// Reads the body within limit and budget. A declared length is reserved before the first byte is read.
    async fn collect(&self, body: &mut Body) -> Result<(Bytes, Reserved), Refused> {
        let declared = body
            .size_hint()
            .exact()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let length = declared.unwrap_or(0);
        if length > self.0.limits.body {
            return Err(Refused::TooLarge);
        }
        let mut reserved = self.reserve(length)?;
        let first = frame(body).await?.unwrap_or_default();
        if declared.is_some() && first.len() == length {
            // The usual case, a body in one piece: no copy. The empty read is what lets the connection live on.
            while frame(body).await?.is_some() {}
            return Ok((first, reserved));
        }
        let mut whole = BytesMut::with_capacity(length.max(first.len()));
        let mut next = Some(first);
        while let Some(piece) = next {
            let total = whole.len() + piece.len();
            if total > self.0.limits.body {
                return Err(Refused::TooLarge);
            }
            if let Some(more) = total.checked_sub(reserved.bytes()).filter(|more| *more > 0) {
                reserved.join(self.reserve(more)?);
            }
            whole.extend_from_slice(&piece);
            next = frame(body).await?;
        }
        Ok((whole.freeze(), reserved))
    }

    fn reserve(&self, bytes: usize) -> Result<Reserved, Refused> {
        let permits = u32::try_from(bytes).map_err(|_| Refused::TooLarge)?;
        let permit = Arc::clone(&self.0.budget).try_acquire_many_owned(permits);
        let permit = permit.map_err(|_| Refused::Busy)?;
        self.0.metrics.bodies.inc_by(i64::from(permits));
        Ok(Reserved {
            permit,
            gate: self.clone(),
        })
    }
}

// === Reserved ===

impl Reserved {
    fn bytes(&self) -> usize {
        self.permit.num_permits()
    }

    fn join(&mut self, mut other: Self) {
        // The other keeps nothing, so that nothing is given back twice.
        if let Some(permit) = other.permit.split(other.bytes()) {
            self.permit.merge(permit);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.gate
            .0
            .metrics
            .bodies
            .dec_by(i64::try_from(self.bytes()).unwrap_or(i64::MAX));
    }
}

// === Admission ===

impl Admission {
    /// The body as it came.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl<S> FromRequest<S> for Admission
where
    Gate: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, Refused> {
        let gate = Gate::from_ref(state);
        let arrival = Instant::now();
        let (parts, body) = request.into_parts();
        let deadline = arrival + allowance(parts.uri.query());
        let until = deadline.min(arrival + gate.0.limits.body_time);
        let (body, reserved) = gate.read(&parts, body, until).await?;
        let traceparent = parts.headers.get("traceparent").and_then(TraceParent::new);
        Ok(Self {
            uri: parts.uri,
            deadline,
            traceparent,
            body,
            _reserved: reserved,
        })
    }
}

// === Refused ===

impl Refused {
    /// The HTTP status that says it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::ContentType | Self::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Cut => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // The rest of the body may still be under way, so the connection cannot be used again.
        let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
        (self.status(), close, format!("{self}\n")).into_response()
    }
}

/// 503 with `sentence`, for a review that cannot be answered now: no snapshot yet, or the deadline is near. The
/// server adds the headers that let the API server's client send it again elsewhere.
pub fn unavailable(sentence: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response()
}

/// Whether the headers promise plain JSON.
fn check(headers: &HeaderMap) -> Result<(), Refused> {
    let encodings = headers.get_all(header::CONTENT_ENCODING);
    if encodings
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Refused::ContentEncoding);
    }
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
    let is_json =
        essence.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"application/json"));
    if is_json {
        Ok(())
    } else {
        Err(Refused::ContentType)
    }
}

/// The next piece of data.
async fn frame(body: &mut Body) -> Result<Option<Bytes>, Refused> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            // Trailers say nothing about a review.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => return Err(Refused::Cut),
        }
    }
}

/// Reads what is left of a body and keeps none of it, up to `most` bytes.
async fn discard(body: &mut Body, most: usize) {
    let mut left = most;
    while let Ok(Some(piece)) = frame(body).await {
        match left.checked_sub(piece.remaining()) {
            Some(less) => left = less,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests;
