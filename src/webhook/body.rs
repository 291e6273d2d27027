//! Reads the body of a request that may be a review: only JSON, only within the limits of size, memory and time.
//!
//! A handler takes a [`ReviewRequest`] as its argument; the router's state provides the [`BodyReader`]. The body is not
//! parsed here. Connections, TLS and drain are in [`crate::runtime::http`].

mod deadline;
mod rejected;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRef, FromRequest};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Request, header};
use bytes::{Buf, Bytes};
use hyper::body::Body as _;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::time::{Instant, timeout_at};

use crate::runtime::admin::Registry;
use crate::runtime::http;

use super::memory::{BudgetExhausted, MemoryBudget, MemoryLimits, Reservation};

pub use deadline::allowance;
pub use rejected::RequestRejected;

/// Limits of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Limits of connections.
    pub connections: http::ConnectionLimits,
    /// Maximum size of one body, in bytes.
    pub body: usize,
    /// Limits of the memory of bodies in flight and their evaluation.
    pub memory: MemoryLimits,
    /// Maximum time from the end of the request header to the end of the body.
    pub body_time: Duration,
}

/// Reads bodies within the limits. Clones share the memory budget.
#[derive(Clone, Debug)]
pub struct BodyReader(Arc<ReaderState>);

/// The metrics of reading bodies.
#[derive(Clone, Debug)]
pub struct Metrics {
    rejected: Family<RejectedLabels, Counter>,
}

/// A request that may be a review: `POST`, JSON, complete, within the limits. The route rejects other methods.
///
/// It holds a part of the [`MemoryBudget`] until it is dropped.
#[derive(Debug)]
pub struct ReviewRequest {
    /// When the response must be written: the client's timeout less a margin, from the arrival of the request header.
    pub deadline: Instant,
    /// The caller's trace context.
    pub traceparent: Option<TraceParent>,
    body: Bytes,
    memory: Reservation,
}

/// A W3C `traceparent` of version 00. It is valid, so that it can be logged; it is sent nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(HeaderValue);

#[derive(Debug)]
struct ReaderState {
    limits: ServerLimits,
    memory: MemoryBudget,
    metrics: Metrics,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    reason: RequestRejected,
}

// === ServerLimits ===

impl ServerLimits {
    /// A request to the API server is at most 3 MiB, and a review has the object twice on UPDATE. The API server writes `<`, `>`
    /// and `&` as six bytes each, so a text of markup grows: 14 MiB is an object and its predecessor of 3 MiB, more than a third of
    /// each such characters.
    pub const BODY: usize = 14 * 1024 * 1024;
    /// The default of `timeoutSeconds`: later the API server does not wait for the response.
    pub const BODY_TIME: Duration = Duration::from_secs(10);
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: http::ConnectionLimits::default(),
            body: Self::BODY,
            memory: MemoryLimits::default(),
            body_time: Self::BODY_TIME,
        }
    }
}

// === Metrics ===

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            rejected: Family::default(),
        };
        registry.register(
            "requests_rejected",
            "Requests rejected without an evaluation, by reason",
            metrics.rejected.clone(),
        );
        metrics
    }
}

// === BodyReader ===

impl BodyReader {
    /// A reader under `limits`, with a memory budget of `limits.memory`.
    pub fn register(limits: ServerLimits, registry: &mut Registry) -> Self {
        Self(Arc::new(ReaderState {
            limits,
            memory: MemoryBudget::register(limits.memory, registry),
            metrics: Metrics::register(registry),
        }))
    }

    /// The whole body with its part of the budget. A rejected body is read to its end as well, up to twice the limit: a
    /// client that still writes when the connection closes may not read the response.
    async fn read(
        &self,
        parts: &Parts,
        mut body: Body,
        until: Instant,
    ) -> Result<(Bytes, Reservation), RequestRejected> {
        let read = async {
            let result = match check(&parts.headers) {
                Ok(()) => self.collect(&mut body).await,
                Err(rejected) => Err(rejected),
            };
            if result.is_err() {
                discard(&mut body, self.0.limits.body.saturating_mul(2)).await;
            }
            result
        };
        let result = timeout_at(until, read)
            .await
            .unwrap_or(Err(RequestRejected::Slow));
        result.inspect_err(|&reason| self.count(reason))
    }

    /// Counts and logs a rejected request.
    pub(super) fn count(&self, reason: RequestRejected) {
        let labels = RejectedLabels { reason };
        self.0.metrics.rejected.get_or_create(&labels).inc();
        tracing::debug!(%reason, "request rejected");
    }

    /// Reads the body within the limit and the budget. Memory is reserved as bytes arrive: a declared length alone reserves nothing.
    async fn collect(&self, body: &mut Body) -> Result<(Bytes, Reservation), RequestRejected> {
        let declared = body
            .size_hint()
            .exact()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let limit = self.0.limits.body;
        if declared.is_some_and(|length| length > limit) {
            return Err(RequestRejected::TooLarge);
        }
        let mut reserved = self.0.memory.reservation();
        let first = frame(body).await?.unwrap_or_default();
        if declared == Some(first.len()) {
            reserved.resize(first.len())?;
            // The usual case, a body in one piece: no copy. The connection is kept open only after a read at the end.
            while frame(body).await?.is_some() {}
            return Ok((first, reserved));
        }
        let mut whole = Vec::new();
        let mut next = Some(first);
        while let Some(piece) = next {
            let needed = whole.len() + piece.len();
            if needed > limit {
                return Err(RequestRejected::TooLarge);
            }
            if needed > whole.capacity() {
                // Twice the bytes that have arrived, but not more than will.
                let doubled = (2 * whole.capacity()).min(declared.unwrap_or(limit));
                let capacity = needed.max(doubled);
                reserved.resize(capacity)?;
                whole.reserve_exact(capacity - whole.len());
            }
            whole.extend_from_slice(&piece);
            next = frame(body).await?;
        }
        Ok((Bytes::from(whole), reserved))
    }
}

// === ReviewRequest ===

impl ReviewRequest {
    /// The body as it was sent.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Reserves the memory of an evaluation, besides that of the body.
    pub(super) fn reserve_for_evaluation(&mut self, bytes: usize) -> Result<(), BudgetExhausted> {
        self.memory.resize(self.body.len() + bytes)
    }

    /// Returns the memory of the evaluation, which has ended.
    pub(super) fn release_evaluation(&mut self) {
        // A smaller size is always granted.
        let _ = self.memory.resize(self.body.len());
    }
}

impl<S> FromRequest<S> for ReviewRequest
where
    BodyReader: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = RequestRejected;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, RequestRejected> {
        let reader = BodyReader::from_ref(state);
        let arrival = Instant::now();
        let (parts, body) = request.into_parts();
        let deadline = arrival + allowance(parts.uri.query());
        let until = deadline.min(arrival + reader.0.limits.body_time);
        let (body, memory) = reader.read(&parts, body, until).await?;
        let traceparent = parts.headers.get("traceparent").and_then(TraceParent::new);
        Ok(Self {
            deadline,
            traceparent,
            body,
            memory,
        })
    }
}

// === TraceParent ===

impl TraceParent {
    /// The header, where it is valid.
    fn new(header: &HeaderValue) -> Option<Self> {
        let fields: Vec<&[u8]> = header.as_bytes().split(|byte| *byte == b'-').collect();
        let hex = |field: &[u8], length| {
            field.len() == length && field.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let valid = matches!(
            fields.as_slice(),
            [b"00", trace, parent, flags] if hex(trace, 32) && hex(parent, 16) && hex(flags, 2)
        );
        valid.then(|| Self(header.clone()))
    }

    /// The whole header, `00-<trace>-<parent>-<flags>`.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Checks that the headers declare uncompressed JSON.
fn check(headers: &HeaderMap) -> Result<(), RequestRejected> {
    let encodings = headers.get_all(header::CONTENT_ENCODING);
    if encodings
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(RequestRejected::ContentEncoding);
    }
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let essence = content_type.and_then(|value| value.split(|byte| *byte == b';').next());
    let is_json =
        essence.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"application/json"));
    if is_json {
        Ok(())
    } else {
        Err(RequestRejected::ContentType)
    }
}

/// The next piece of data.
async fn frame(body: &mut Body) -> Result<Option<Bytes>, RequestRejected> {
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Ok(None),
            // Trailers are not part of the body.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => return Err(RequestRejected::Cut),
        }
    }
}

/// Reads the rest of a body and discards it, up to `most` bytes.
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
