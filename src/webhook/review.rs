//! The `AdmissionReview` of `admission.k8s.io/v1` as bytes in and bytes out: borrowed requests, and the only place
//! that builds an admission response. It does not look into the object and decides nothing.
//!
//! Two depths of reading, because most bodies cannot concern us: [`Envelope::read`] stops where the object begins,
//! [`Review::read`] takes the whole body apart and keeps object and old object as the text they arrived in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

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

/// The answer to one review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'u> {
    /// The uid of the request.
    pub uid: &'u str,
    /// What shall happen.
    pub outcome: Outcome,
    /// Shown to whoever made the request; at most 120 characters each are promised to arrive.
    pub warnings: Vec<String>,
    /// Written to the API server's audit log, under the name of the webhook.
    pub audit_annotations: BTreeMap<&'static str, String>,
}

/// What an answer says. A refusal with a patch, or a patch without its type, cannot be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Admitted as it is.
    Allowed,
    /// Admitted after this JSON patch (RFC 6902), which has at least one operation.
    Patched(Vec<u8>),
    /// Refused; the API server does not ask the failure policy.
    Denied {
        /// HTTP status that the client sees, 403 for a rule of somebody's policy. Below 400 it becomes 400.
        code: u16,
        /// What is wrong and what to write instead.
        message: String,
    },
}

/// How far a body is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Up to the object, if all that is wanted stands before it in Go's order.
    Head,
    /// To the end.
    Whole,
}

/// Fields of the review that matter, in the order in which Go writes them.
#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum OuterKey {
    Kind,
    ApiVersion,
    Request,
    #[serde(other)]
    Other,
}

/// Fields of the request in the order in which Go writes them; the order is compared.
#[derive(Clone, Copy, PartialEq, PartialOrd, Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Uid,
    Kind,
    Resource,
    SubResource,
    RequestKind,
    RequestResource,
    RequestSubResource,
    Name,
    Namespace,
    Operation,
    UserInfo,
    Object,
    OldObject,
    DryRun,
    Options,
    #[serde(other)]
    Other,
}

/// What has been read of a request so far.
#[derive(Default)]
struct Request<'b> {
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

/// What has been read of a review so far. It is filled in place, so that it survives the error that ends the
/// reading of a head early: serde has no other way to stop.
struct Reading<'b> {
    extent: Extent,
    kind: Option<Text<'b>>,
    api_version: Option<Text<'b>>,
    request: Option<Request<'b>>,
    stopped: bool,
}

/// Reads the value of `request` into a [`Reading`].
struct RequestSeed<'r, 'b>(&'r mut Reading<'b>);

struct TextVisitor;

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

// === Envelope ===

impl<'b> Envelope<'b> {
    /// Reads what stands before the object and leaves the rest unread, valid or not. Where the fields do not come in
    /// the order in which an API server writes them, the body is read to its end instead.
    ///
    /// # Errors
    /// [`ReviewError`] where what was read is no review that can be answered.
    pub fn read(body: &'b [u8]) -> Result<Self, ReviewError> {
        let mut reading = Reading::new(Extent::Head);
        reading.run(&mut serde_json::Deserializer::from_slice(body), body.len())?;
        reading.finish().map(|(envelope, _)| envelope)
    }
}

// === Review ===

impl<'b> Review<'b> {
    /// Reads a whole body; object and old object are checked to be JSON and kept as text.
    ///
    /// # Errors
    /// [`ReviewError`] where the body is no review that can be answered.
    pub fn read(body: &'b [u8]) -> Result<Self, ReviewError> {
        // One pass over the bytes here saves one check for each string later.
        let text =
            std::str::from_utf8(body).map_err(|error| ReviewError::NotUtf8(error.valid_up_to()))?;
        let mut reading = Reading::new(Extent::Whole);
        reading.run(&mut serde_json::Deserializer::from_str(text), body.len())?;
        let (envelope, rest) = reading.finish()?;
        Ok(Self {
            envelope,
            object: rest.object.map(RawValue::get),
            old_object: rest.old_object.map(RawValue::get),
            dry_run: rest.dry_run.unwrap_or(false),
        })
    }
}

// === Reading ===

impl<'b> Reading<'b> {
    fn new(extent: Extent) -> Self {
        Self {
            extent,
            kind: None,
            api_version: None,
            request: None,
            stopped: false,
        }
    }

    /// Reads from `json`, whose text is `length` bytes long.
    fn run<R: serde_json::de::Read<'b>>(
        &mut self,
        json: &mut serde_json::Deserializer<R>,
        length: usize,
    ) -> Result<(), ReviewError> {
        match (&mut *self)
            .deserialize(&mut *json)
            .and_then(|()| json.end())
        {
            Err(error) if !self.stopped => Err(classify(&error, length)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Whether all of an envelope has been read that a request can hold before `object`.
    fn has_head(&self, request: &Request<'b>) -> bool {
        self.kind.is_some()
            && self.api_version.is_some()
            && request.uid.is_some()
            && request.kind.is_some()
            && request.resource.is_some()
            && request.operation.is_some()
    }

    fn finish(self) -> Result<(Envelope<'b>, Request<'b>), ReviewError> {
        let is = |field: &Option<Text<'b>>, wanted| field.as_deref() == Some(wanted);
        if !is(&self.kind, "AdmissionReview") || !is(&self.api_version, API_VERSION) {
            return Err(ReviewError::NotAReview);
        }
        let mut request = self.request.ok_or(ReviewError::NoRequest)?;
        let uid = request.uid.take().filter(|uid| !uid.is_empty());
        let envelope = Envelope {
            uid: uid.ok_or(ReviewError::NoUid)?,
            kind: request.kind.take().ok_or(ReviewError::Missing("kind"))?,
            resource: request
                .resource
                .take()
                .ok_or(ReviewError::Missing("resource"))?,
            sub_resource: request.sub_resource.take().unwrap_or_default(),
            name: request.name.take().unwrap_or_default(),
            namespace: request.namespace.take().unwrap_or_default(),
            operation: request.operation.ok_or(ReviewError::Missing("operation"))?,
        };
        Ok((envelope, request))
    }
}

impl<'b> DeserializeSeed<'b> for &mut Reading<'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'b> Visitor<'b> for &mut Reading<'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an AdmissionReview")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            match key {
                OuterKey::Kind => self.kind = map.next_value()?,
                OuterKey::ApiVersion => self.api_version = map.next_value()?,
                OuterKey::Request => map.next_value_seed(RequestSeed(self))?,
                OuterKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

// === RequestSeed ===

impl<'b> DeserializeSeed<'b> for RequestSeed<'_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'b> Visitor<'b> for RequestSeed<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(reading) = self;
        let mut request = Request::default();
        let mut last = None;
        let mut in_order = true;
        while let Some(key) = map.next_key::<Key>()? {
            in_order &= last < Some(key);
            last = Some(key);
            if key == Key::Object
                && in_order
                && reading.extent == Extent::Head
                && reading.has_head(&request)
            {
                reading.request = Some(request);
                reading.stopped = true;
                return Err(A::Error::custom(""));
            }
            request.take(key, &mut map, reading.extent)?;
        }
        reading.request = Some(request);
        Ok(())
    }
}

impl<'b> Request<'b> {
    /// Reads the value of one field. Of a repeated field the last one counts, as in Go.
    fn take<A: MapAccess<'b>>(
        &mut self,
        key: Key,
        map: &mut A,
        extent: Extent,
    ) -> Result<(), A::Error> {
        match key {
            Key::Uid => self.uid = map.next_value()?,
            Key::Kind => self.kind = map.next_value()?,
            Key::Resource => self.resource = map.next_value()?,
            Key::SubResource => self.sub_resource = map.next_value()?,
            Key::Name => self.name = map.next_value()?,
            Key::Namespace => self.namespace = map.next_value()?,
            Key::Operation => self.operation = map.next_value()?,
            Key::Object if extent == Extent::Whole => self.object = map.next_value()?,
            Key::OldObject if extent == Extent::Whole => self.old_object = map.next_value()?,
            Key::DryRun if extent == Extent::Whole => self.dry_run = map.next_value()?,
            Key::Object
            | Key::OldObject
            | Key::DryRun
            | Key::RequestKind
            | Key::RequestResource
            | Key::RequestSubResource
            | Key::UserInfo
            | Key::Options
            | Key::Other => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
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

// === Answer ===

impl<'u> Answer<'u> {
    /// Admits the object as it is, without a word. The answer to nearly every review.
    pub fn allowed(uid: &'u str) -> Self {
        let (warnings, audit_annotations) = (Vec::new(), BTreeMap::new());
        Self {
            uid,
            outcome: Outcome::Allowed,
            warnings,
            audit_annotations,
        }
    }

    /// Admits the object after `patch`, a JSON patch with at least one operation.
    pub fn patched(uid: &'u str, patch: Vec<u8>) -> Self {
        Self {
            outcome: Outcome::Patched(patch),
            ..Self::allowed(uid)
        }
    }

    /// Refuses the object.
    pub fn denied(uid: &'u str, code: u16, message: String) -> Self {
        Self {
            outcome: Outcome::Denied { code, message },
            ..Self::allowed(uid)
        }
    }

    /// The response `AdmissionReview` as JSON.
    pub fn to_bytes(&self) -> Bytes {
        let patch = match &self.outcome {
            Outcome::Patched(patch) => patch.as_slice(),
            Outcome::Allowed | Outcome::Denied { .. } => &[],
        };
        let mut out = String::with_capacity(160 + self.uid.len() + patch.len() * 4 / 3);
        out.push_str(
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"#,
        );
        push_string(&mut out, self.uid);
        match &self.outcome {
            Outcome::Allowed | Outcome::Patched(_) => out.push_str(r#","allowed":true"#),
            Outcome::Denied { code, message } => push_denial(&mut out, *code, message),
        }
        if !patch.is_empty() {
            out.push_str(r#","patchType":"JSONPatch","patch":""#);
            STANDARD.encode_string(patch, &mut out);
            out.push('"');
        }
        if !self.warnings.is_empty() {
            out.push_str(r#","warnings":["#);
            push_list(&mut out, &self.warnings, |out, warning| {
                push_string(out, warning)
            });
            out.push(']');
        }
        if !self.audit_annotations.is_empty() {
            out.push_str(r#","auditAnnotations":{"#);
            push_list(&mut out, &self.audit_annotations, |out, (key, value)| {
                push_string(out, key);
                out.push(':');
                push_string(out, value);
            });
            out.push('}');
        }
        out.push_str("}}");
        Bytes::from(out)
    }
}

impl IntoResponse for Answer<'_> {
    fn into_response(self) -> Response {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, JSON)], self.to_bytes()).into_response()
    }
}

fn push_denial(out: &mut String, code: u16, message: &str) {
    out.push_str(r#","allowed":false,"status":{"status":"Failure","message":"#);
    push_string(out, message);
    // kubectl shows the reason, so it is given where Kubernetes has a word for the code.
    match code {
        403 => out.push_str(r#","reason":"Forbidden""#),
        422 => out.push_str(r#","reason":"Invalid""#),
        _ => {}
    }
    out.push_str(r#","code":"#);
    out.push_str(&code.to_string());
    out.push('}');
}

fn push_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    push: impl Fn(&mut String, T),
) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        push(out, item);
    }
}

/// Appends `text` as a JSON string, quotes included.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        // Both ends are at ASCII bytes, so neither cuts a character.
        out.push_str(text.get(clean..at).unwrap_or_default());
        clean = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            _ => out.push_str(&format!("\\u{byte:04x}")),
        }
    }
    out.push_str(text.get(clean..).unwrap_or_default());
    out.push('"');
}

#[cfg(test)]
mod tests;
