//! How a review is read: serde visitors that can stop where the object begins. The types that they fill are the
//! parent's.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{API_VERSION, Envelope, Kind, Operation, Resource, Review, ReviewError, Text};

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
