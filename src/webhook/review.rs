//! Reads the `AdmissionReview` of `admission.k8s.io/v1`.
//!
//! Most bodies cannot hold a model ID. For them [`Envelope::fast`] is enough: it reads the fields before the object of a
//! body that is written as the API server writes it, and parses nothing. Every other body is parsed once, into a
//! [`Tree`], and [`AdmissionReview::of`] takes the review from that tree.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

use crate::budget::Budget;
use crate::text::{Kind, NodeId, SyntaxError, Tree};

mod fast_path;

/// The supported version of the review.
const API_VERSION: &str = "admission.k8s.io/v1";

/// The request of a review without its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<'b> {
    /// Identifies the request; the response repeats it. Never empty.
    pub uid: &'b str,
    /// Plural name of the resource, `pods`.
    pub resource: &'b str,
    /// Subresource, such as `ephemeralcontainers`; empty for the resource itself.
    pub sub_resource: &'b str,
    /// Name of the object; empty while `generateName` is not resolved yet.
    pub name: &'b str,
    /// Namespace of the request; empty for cluster-scoped objects.
    pub namespace: &'b str,
    /// Operation of the request.
    pub operation: Operation,
    /// Whether the API server discards the object after admission.
    pub dry_run: bool,
}

/// A whole review. The objects are nodes of the tree that it was read from.
#[derive(Clone, Debug)]
pub struct AdmissionReview<'b> {
    /// The request without its objects.
    pub envelope: Envelope<'b>,
    /// The object as it would be stored; `None` on deletion.
    pub object: Option<NodeId>,
    /// The stored object; `None` on creation.
    pub old_object: Option<NodeId>,
}

/// Operation of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The object is created.
    Create,
    /// The object is changed.
    Update,
    /// The object is deleted.
    Delete,
    /// A connection is opened, as by `exec`.
    Connect,
}

/// Why a body is not a review that can be answered. No variant quotes the body, which may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// The body holds bytes that are not UTF-8.
    #[error("the body is not UTF-8 from byte {0} on; send the AdmissionReview as UTF-8 JSON")]
    NotUtf8(usize),
    /// The body is not JSON, or not JSON with one meaning (a key occurs twice).
    #[error("{field} is not valid JSON (byte {offset}): {problem}")]
    NotJson {
        /// The field that holds the offset, as far as that is known.
        field: &'static str,
        /// Offset in the body, in bytes.
        offset: usize,
        /// What is wrong at the offset.
        problem: Cow<'static, str>,
    },
    /// The body ends within the JSON.
    #[error("the body ends within the JSON (after byte {0}); send the whole AdmissionReview")]
    Truncated(usize),
    /// The body is JSON and not a review of the supported version.
    #[error(
        "the body is not an AdmissionReview of {API_VERSION}; set admissionReviewVersions to [v1]"
    )]
    NotAReview,
    /// The review has no request, as a response has not.
    #[error("the AdmissionReview has no request; send a request, not a response")]
    NoRequest,
    /// The request has no UID, so that no response can name it.
    #[error("request.uid of the AdmissionReview is missing or empty")]
    NoUid,
    /// The request lacks a field that every API server sends.
    #[error("request.{0} of the AdmissionReview is missing")]
    Missing(&'static str),
    /// A field of the request has a value of another type.
    #[error("request.{0} of the AdmissionReview has a wrong type")]
    WrongType(&'static str),
    /// The operation is not one of `admission.k8s.io/v1`.
    #[error("request.operation of the AdmissionReview is not CREATE, UPDATE, DELETE or CONNECT")]
    UnknownOperation,
}

/// Parses a whole body, within a budget.
///
/// # Errors
/// [`ReviewError::NotUtf8`], [`ReviewError::NotJson`] or [`ReviewError::Truncated`].
pub fn parse<'b>(body: &'b [u8], budget: &Budget) -> Result<Tree<'b>, ReviewError> {
    let text =
        std::str::from_utf8(body).map_err(|error| ReviewError::NotUtf8(error.valid_up_to()))?;
    Tree::json_within(text, budget).map_err(|error| ReviewError::of_syntax(body, error))
}

// === Envelope ===

impl<'b> Envelope<'b> {
    /// The envelope of a body that is written as the API server writes it; the object in it is not read. `None` for any
    /// other body, valid or not.
    pub fn fast(body: &'b [u8]) -> Option<Self> {
        fast_path::scan(body).map(|(envelope, _)| envelope)
    }

    fn of(tree: &'b Tree<'_>, request: NodeId) -> Result<Self, ReviewError> {
        let text = |field: &'static str| match tree.get(request, field) {
            Some(node) if tree.kind(node) == Kind::String => Ok(tree.text(node)),
            Some(node) if tree.text(node) != Some("null") => Err(ReviewError::WrongType(field)),
            _ => Ok(None),
        };
        let uid = text("uid")?.filter(|uid| !uid.is_empty());
        let resource = tree.at(request, &["resource", "resource"]);
        let dry_run = tree.get(request, "dryRun");
        Ok(Self {
            uid: uid.ok_or(ReviewError::NoUid)?,
            resource: resource
                .and_then(|node| tree.text(node))
                .ok_or(ReviewError::Missing("resource"))?,
            sub_resource: text("subResource")?.unwrap_or_default(),
            name: text("name")?.unwrap_or_default(),
            namespace: text("namespace")?.unwrap_or_default(),
            operation: text("operation")?
                .ok_or(ReviewError::Missing("operation"))
                .and_then(|name| Operation::parse(name).ok_or(ReviewError::UnknownOperation))?,
            dry_run: dry_run.and_then(|node| tree.text(node)) == Some("true"),
        })
    }
}

// === AdmissionReview ===

impl<'b> AdmissionReview<'b> {
    /// The review in the tree of a body.
    ///
    /// # Errors
    /// [`ReviewError`] where the tree is not a review that can be answered.
    pub fn of(tree: &'b Tree<'_>) -> Result<Self, ReviewError> {
        let root = |field| tree.get(tree.root(), field);
        let is = |field, value| root(field).and_then(|node| tree.text(node)) == Some(value);
        if !is("kind", "AdmissionReview") || !is("apiVersion", API_VERSION) {
            return Err(ReviewError::NotAReview);
        }
        let request = root("request")
            .filter(|node| tree.kind(*node) == Kind::Mapping)
            .ok_or(ReviewError::NoRequest)?;
        let object = |field| {
            tree.get(request, field)
                .filter(|node| tree.kind(*node) == Kind::Mapping)
        };
        Ok(Self {
            envelope: Envelope::of(tree, request)?,
            object: object("object"),
            old_object: object("oldObject"),
        })
    }
}

// === Operation ===

impl Operation {
    /// The name in a review.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete, Self::Connect]
            .into_iter()
            .find(|operation| operation.as_str() == name)
    }
}

impl EncodeLabelValue for Operation {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

// === ReviewError ===

impl ReviewError {
    fn of_syntax(body: &[u8], error: SyntaxError) -> Self {
        let SyntaxError {
            offset, problem, ..
        } = error;
        if offset >= body.len() {
            return Self::Truncated(offset);
        }
        let field = fast_path::field_at(body, offset).unwrap_or("the body");
        Self::NotJson {
            field,
            offset,
            problem,
        }
    }

    /// 400 where the body is not JSON, 422 where the JSON is not a review. The API server applies the failure policy to
    /// both.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotUtf8(_) | Self::NotJson { .. } | Self::Truncated(_) => StatusCode::BAD_REQUEST,
            Self::NotAReview
            | Self::NoRequest
            | Self::NoUid
            | Self::Missing(_)
            | Self::WrongType(_)
            | Self::UnknownOperation => StatusCode::UNPROCESSABLE_ENTITY,
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
