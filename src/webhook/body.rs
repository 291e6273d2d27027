//! Reads the body of a request that may be a review: only JSON, only within the limits of size, memory and time.
//!
//! A handler takes a [`ReviewRequest`] as its argument; the router's state provides the [`BodyBudget`]. The body is not
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
use bytes::{Buf, Bytes, BytesMut};
use hyper::body::Body as _;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::runtime::admin::Registry;
use crate::runtime::http;

pub use deadline::allowance;
pub use rejected::RequestRejected;

/// Limits of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// Limits of connections.
    pub connections: http::ConnectionLimits,
    /// Maximum size of one body, in bytes.
    pub body: usize,
    /// Maximum size of all bodies in flight together, in bytes; at least `body`.
    pub bodies: usize,
    /// Maximum time from the end of the request header to the end of the body.
    pub body_time: Duration,
}

/// The memory that bodies in flight may use. Clones share it.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<BudgetState>);

/// The metrics of reading bodies.
#[derive(Clone, Debug)]
pub struct Metrics {
    rejected: Family<RejectedLabels, Counter>,
    bodies: Gauge,
}

/// A request that may be a review: `POST`, JSON, complete, within the limits. The route rejects other methods.
///
/// It holds a part of the [`BodyBudget`] until it is dropped.
#[derive(Debug)]
pub struct ReviewRequest {
    /// When the response must be written: the client's timeout less a margin, from the arrival of the request header.
    pub deadline: Instant,
    /// The caller's trace context.
    pub traceparent: Option<TraceParent>,
    body: Bytes,
    _permit: BodyPermit,
}

/// A W3C `traceparent` of version 00. It is valid, so that it can be logged; it is sent nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(HeaderValue);

#[derive(Debug)]
struct BudgetState {
    limits: ServerLimits,
    free: Arc<Semaphore>,
    metrics: Metrics,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    reason: RequestRejected,
}

/// A part of the budget, returned on drop.
#[derive(Debug)]
struct BodyPermit {
    permit: OwnedSemaphorePermit,
    budget: BodyBudget,
}

// === ServerLimits ===

impl ServerLimits {
    /// A request to the API server is at most 3 MiB, and a review holds the object and the old object. With the envelope
    /// and the fields that the API server adds, other webhooks allow 7 MiB; this is one more.
    pub const BODY: usize = 8 * 1024 * 1024;
    /// Four of the largest bodies at once, or two thousand of a usual 16 KiB, which is more than the connections can
    /// carry. Together with 64 MiB of read buffers in the worst case this is less than a memory limit of 128 MiB.
    pub const BODIES: usize = 4 * Self::BODY;
    /// The default of `timeoutSeconds`: later the API server does not wait for the response.
    pub const BODY_TIME: Duration = Duration::from_secs(10);
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: http::ConnectionLimits::default(),
            body: Self::BODY,
            bodies: Self::BODIES,
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
            bodies: Gauge::default(),
        };
        registry.register(
            "requests_rejected",
            "Requests rejected before their body was parsed, by reason",
            metrics.rejected.clone(),
        );
        registry.register(
            "bodies_bytes",
            "Size of the request bodies in flight",
            metrics.bodies.clone(),
        );
        metrics
    }
}

// === BodyBudget ===

impl BodyBudget {
    /// A budget of `limits.bodies`.
    pub fn new(limits: ServerLimits, metrics: Metrics) -> Self {
        let bodies = limits.bodies.max(limits.body).min(Semaphore::MAX_PERMITS);
        let free = Arc::new(Semaphore::new(bodies));
        Self(Arc::new(BudgetState {
            limits,
            free,
            metrics,
        }))
    }

    /// The whole body with its part of the budget. A rejected body is read to its end as well, up to twice the limit: a
    /// client that still writes when the connection closes may not read the response.
    async fn read(
        &self,
        parts: &Parts,
        mut body: Body,
        until: Instant,
    ) -> Result<(Bytes, BodyPermit), RequestRejected> {
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
        result.inspect_err(|&reason| {
            self.0
                .metrics
                .rejected
                .get_or_create(&RejectedLabels { reason })
                .inc();
            tracing::debug!(%reason, "request rejected");
        })
    }

    /// Reads the body within the limit and the budget. A declared length is reserved before the first byte is read.
    async fn collect(&self, body: &mut Body) -> Result<(Bytes, BodyPermit), RequestRejected> {
        let declared = body
            .size_hint()
            .exact()
            .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let length = declared.unwrap_or(0);
        if length > self.0.limits.body {
            return Err(RequestRejected::TooLarge);
        }
        let mut reserved = self.reserve(length)?;
        let first = frame(body).await?.unwrap_or_default();
        if declared.is_some() && first.len() == length {
            // The usual case, a body in one piece: no copy. The connection is kept open only after a read at the end.
            while frame(body).await?.is_some() {}
            return Ok((first, reserved));
        }
        let mut whole = BytesMut::with_capacity(length.max(first.len()));
        let mut next = Some(first);
        while let Some(piece) = next {
            let total = whole.len() + piece.len();
            if total > self.0.limits.body {
                return Err(RequestRejected::TooLarge);
            }
            if let Some(more) = total.checked_sub(reserved.bytes()).filter(|more| *more > 0) {
                reserved.join(self.reserve(more)?);
            }
            whole.extend_from_slice(&piece);
            next = frame(body).await?;
        }
        Ok((whole.freeze(), reserved))
    }

    fn reserve(&self, bytes: usize) -> Result<BodyPermit, RequestRejected> {
        let permits = u32::try_from(bytes).map_err(|_| RequestRejected::TooLarge)?;
        let permit = Arc::clone(&self.0.free).try_acquire_many_owned(permits);
        let permit = permit.map_err(|_| RequestRejected::Busy)?;
        self.0.metrics.bodies.inc_by(i64::from(permits));
        Ok(BodyPermit {
            permit,
            budget: self.clone(),
        })
    }
}

// === BodyPermit ===

impl BodyPermit {
    fn bytes(&self) -> usize {
        self.permit.num_permits()
    }

    fn join(&mut self, mut other: Self) {
        // `other` keeps no permits, so that its drop returns none.
        if let Some(permit) = other.permit.split(other.bytes()) {
            self.permit.merge(permit);
        }
    }
}

impl Drop for BodyPermit {
    fn drop(&mut self) {
        self.budget
            .0
            .metrics
            .bodies
            .dec_by(i64::try_from(self.bytes()).unwrap_or(i64::MAX));
    }
}

// === ReviewRequest ===

impl ReviewRequest {
    /// The body as it was sent.
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

impl<S> FromRequest<S> for ReviewRequest
where
    BodyBudget: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = RequestRejected;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, RequestRejected> {
        let budget = BodyBudget::from_ref(state);
        let arrival = Instant::now();
        let (parts, body) = request.into_parts();
        let deadline = arrival + allowance(parts.uri.query());
        let until = deadline.min(arrival + budget.0.limits.body_time);
        let (body, permit) = budget.read(&parts, body, until).await?;
        let traceparent = parts.headers.get("traceparent").and_then(TraceParent::new);
        Ok(Self {
            deadline,
            traceparent,
            body,
            _permit: permit,
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
