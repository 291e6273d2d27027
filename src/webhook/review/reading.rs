//! A review taken apart whole, by serde. The types that it fills are the parent's.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;

use super::{API_VERSION, Envelope, Kind, Operation, Resource, Review, ReviewError, Text};

/// The review as it is written. Everything is optional, so that what is missing can be named.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'b> {
    #[serde(borrow)]
    kind: Option<Text<'b>>,
    api_version: Option<Text<'b>>,
    request: Option<Request<'b>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'b> {
    #[serde(borrow)]
    uid: Option<Text<'b>>,
    kind: Option<Kind<'b>>,
    resource: Option<Resource<'b>>,
    sub_resource: Option<Text<'b>>,
    name: Option<Text<'b>>,
    namespace: Option<Text<'b>>,
    operation: Option<Operation>,
    object: Option<&'b RawValue>,
    old_object: Option<&'b RawValue>,
    dry_run: Option<bool>,
}

struct TextVisitor;

/// Reads a whole body.
pub(super) fn read(body: &[u8]) -> Result<Review<'_>, ReviewError> {
    // One pass over the bytes here saves one check for each string later.
    let text =
        std::str::from_utf8(body).map_err(|error| ReviewError::NotUtf8(error.valid_up_to()))?;
    let written: Written<'_> =
        serde_json::from_str(text).map_err(|error| classify(&error, body.len()))?;
    let is = |field: &Option<Text<'_>>, wanted| field.as_deref() == Some(wanted);
    if !is(&written.kind, "AdmissionReview") || !is(&written.api_version, API_VERSION) {
        return Err(ReviewError::NotAReview);
    }
    let request = written.request.ok_or(ReviewError::NoRequest)?;
    let envelope = Envelope {
        uid: request
            .uid
            .filter(|uid| !uid.is_empty())
            .ok_or(ReviewError::NoUid)?,
        kind: request.kind.ok_or(ReviewError::Missing("kind"))?,
        resource: request.resource.ok_or(ReviewError::Missing("resource"))?,
        sub_resource: request.sub_resource.unwrap_or_default(),
        name: request.name.unwrap_or_default(),
        namespace: request.namespace.unwrap_or_default(),
        operation: request.operation.ok_or(ReviewError::Missing("operation"))?,
    };
    Ok(Review {
        envelope,
        object: request.object.map(RawValue::get),
        old_object: request.old_object.map(RawValue::get),
        dry_run: request.dry_run.unwrap_or(false),
    })
}

/// Keeps the place of a parser's error and drops its words, which may quote the body.
fn classify(error: &serde_json::Error, length: usize) -> ReviewError {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        serde_json::error::Category::Eof => ReviewError::Truncated(length),
        serde_json::error::Category::Data => ReviewError::WrongType { line, column },
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            ReviewError::NotJson { line, column }
        }
    }
}

impl<'de: 'b, 'b> Deserialize<'de> for Text<'b> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
