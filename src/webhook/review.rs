//! The `AdmissionReview` of `admission.k8s.io/v1` as bytes in and bytes out: borrowed requests, and the only place
//! that builds an admission response. It does not look into the object and decides nothing.
//!
//! Two depths of reading, because most bodies cannot concern us: [`Envelope::read`] stops where the object begins,
//! [`Review::read`] takes the whole body apart and keeps object and old object as the text they arrived in.

mod answer;
mod head;
mod reading;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

pub use answer::{Answer, Outcome};

/// The one version of the review that is spoken here.
const API_VERSION: &str = "admission.k8s.io/v1";

/// A string of the review: borrowed from the body, or owned where JSON escapes had to be undone.
///
/// A type of its own, as `Option<Cow<str>>` is silently copied by serde.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'b>(Cow<'b, str>);

/// Group, version and kind of the object under review.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Kind<'b> {
    /// API group, empty for the core group.
    #[serde(borrow, default)]
    pub group: Text<'b>,
    /// API version without the group, `v1`.
    #[serde(borrow, default)]
    pub version: Text<'b>,
    /// Kind in its singular CamelCase form, `Pod`.
    #[serde(borrow, default)]
    pub kind: Text<'b>,
}

/// Group, version and plural name of the resource that was called.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Resource<'b> {
    /// API group, empty for the core group.
    #[serde(borrow, default)]
    pub group: Text<'b>,
    /// API version without the group, `v1`.
    #[serde(borrow, default)]
    pub version: Text<'b>,
    /// Plural lower-case name, `pods`.
    #[serde(borrow, default)]
    pub resource: Text<'b>,
}

/// What the client asks the API server to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// A new object.
    Create,
    /// A change of an existing object.
    Update,
    /// A removal; there is no object, only an old one.
    Delete,
    /// A connection such as `exec`.
    Connect,
}

/// What stands before the object in a review: who is judged and what happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'b> {
    /// Identifies the call; the answer repeats it. Never empty.
    pub uid: Text<'b>,
    /// Kind of the object.
    pub kind: Kind<'b>,
    /// Resource that was called.
    pub resource: Resource<'b>,
    /// Subresource that was called, such as `ephemeralcontainers`; empty for the resource itself.
    pub sub_resource: Text<'b>,
    /// Name of the object; empty while `generateName` is still to be carried out.
    pub name: Text<'b>,
    /// Namespace of the request; empty for cluster-scoped objects.
    pub namespace: Text<'b>,
    /// What is asked.
    pub operation: Operation,
}

/// A review, whole.
#[derive(Clone, Debug)]
pub struct Review<'b> {
    /// Everything but the objects.
    pub envelope: Envelope<'b>,
    /// The object as it would be stored, as JSON text of the body; none on deletion.
    pub object: Option<&'b str>,
    /// The object as it is stored, on update and deletion.
    pub old_object: Option<&'b str>,
    /// Whether nothing will be stored whatever the answer is.
    pub dry_run: bool,
}

/// Why a body is no review that can be answered. No variant holds a word of the body, which may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// The body holds bytes that are not UTF-8.
    #[error("the body is not UTF-8 from byte {0} on; send the AdmissionReview as UTF-8 JSON")]
    NotUtf8(usize),
    /// The body is not JSON.
    #[error("the body is not JSON (line {line}, column {column}); send an AdmissionReview as JSON")]
    NotJson {
        /// Line of the first byte that does not fit, from one.
        line: usize,
        /// Column of that byte, from one.
        column: usize,
    },
    /// The JSON ends too early.
    #[error("the body ends within the JSON (after byte {0}); send it whole")]
    Truncated(usize),
    /// Valid JSON with a value of a wrong type in it.
    #[error(
        "the body is JSON, but a field of the AdmissionReview has a wrong type (line {line}, column {column})"
    )]
    WrongType {
        /// Line of the value, from one.
        line: usize,
        /// Column of the value, from one.
        column: usize,
    },
    /// Another kind or version of object.
    #[error(
        "the body is no AdmissionReview of {API_VERSION}; set admissionReviewVersions to [\"v1\"]"
    )]
    NotAReview,
    /// A review without a request, such as an answer.
    #[error("the AdmissionReview has no request")]
    NoRequest,
    /// A request that cannot be answered, as an answer repeats the uid.
    #[error("the request of the AdmissionReview has no uid")]
    NoUid,
    /// A request without one of the fields that every API server sends.
    #[error("the request of the AdmissionReview has no {0}")]
    Missing(&'static str),
}

// === Text ===

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

// === Envelope ===

impl<'b> Envelope<'b> {
    /// Reads what stands before the object, and leaves the rest unread, valid or not, where the body begins as an API
    /// server writes it. Any other body is read whole.
    ///
    /// # Errors
    /// [`ReviewError`] where what was read is no review that can be answered.
    pub fn read(body: &'b [u8]) -> Result<Self, ReviewError> {
        head::scan(body).map_or_else(|| reading::read(body).map(|review| review.envelope), Ok)
    }
}

// === Review ===

impl<'b> Review<'b> {
    /// Reads a whole body; object and old object are checked to be JSON and kept as text.
    ///
    /// # Errors
    /// [`ReviewError`] where the body is no review that can be answered.
    pub fn read(body: &'b [u8]) -> Result<Self, ReviewError> {
        reading::read(body)
    }
}

// === ReviewError ===

impl ReviewError {
    /// 400 where the bytes are at fault, 422 where they say something that is not a review. Either way the API server
    /// applies the failure policy.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotUtf8(_) | Self::NotJson { .. } | Self::Truncated(_) => StatusCode::BAD_REQUEST,
            Self::WrongType { .. }
            | Self::NotAReview
            | Self::NoRequest
            | Self::NoUid
            | Self::Missing(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

impl IntoResponse for ReviewError {
    fn into_response(self) -> Response {
        (self.status(), format!("{self}\n")).into_response()
    }
}

#[cfg(test)]
mod tests;
