//! Why a request was rejected without an evaluation.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelValue;

use crate::webhook::memory::BudgetExhausted;
use crate::webhook::pool::NamespaceBusy;

/// Why a request was rejected without an evaluation. The API server applies the failure policy; after a 503 it first repeats the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue, thiserror::Error)]
pub enum RequestRejected {
    /// 401: the caller has presented no client certificate, and the webhook requires one.
    #[error(
        "a client certificate is required; configure one in the AdmissionConfiguration of the API server"
    )]
    Unauthenticated,
    /// 403: the client certificate has another common name than those that may send reviews.
    #[error(
        "the common name of the client certificate may not send reviews; allow it with --client-common-name, or use another certificate"
    )]
    NotAllowed,
    /// 415: the body is not declared to be JSON.
    #[error("the body must have the content type application/json")]
    ContentType,
    /// 415: the body is compressed.
    #[error("the body must not be compressed; send it without content-encoding")]
    ContentEncoding,
    /// 413: the body is longer than any review can be.
    #[error("the body is longer than a review can be; the limit is 14 MiB by default")]
    TooLarge,
    /// 503: the reviews in flight use all the memory that they may.
    #[error("too many requests in flight; retry")]
    Busy,
    /// 503: other large reviews of the namespace wait.
    #[error("too many large requests of this namespace in flight; retry")]
    NamespaceBusy,
    /// 503: the deadline of the request passed, or is too near.
    #[error("the deadline of the request is too near; retry")]
    Deadline,
    /// 408: the body did not arrive in time.
    #[error("the body did not arrive in time; send it without pauses")]
    Slow,
    /// 400: the connection ended within the body.
    #[error("the body ended before its declared length")]
    Cut,
}

impl RequestRejected {
    /// The HTTP status of the response.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::ContentType | Self::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::NamespaceBusy | Self::Deadline => StatusCode::SERVICE_UNAVAILABLE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Cut => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<BudgetExhausted> for RequestRejected {
    fn from(_: BudgetExhausted) -> Self {
        Self::Busy
    }
}

impl From<NamespaceBusy> for RequestRejected {
    fn from(_: NamespaceBusy) -> Self {
        Self::NamespaceBusy
    }
}

impl IntoResponse for RequestRejected {
    fn into_response(self) -> Response {
        // The client may still send the rest of the body, so the connection cannot be used again.
        let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
        (self.status(), close, format!("{self}\n")).into_response()
    }
}
