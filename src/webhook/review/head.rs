//! The head of a review as an API server writes it, byte for byte: Go's encoder has one order of fields and one way to
//! write them, so the head can be compared with a template instead of being parsed. Whatever differs is not judged
//! here but left to the parser.

use std::borrow::Cow;

use super::{Envelope, Kind, Operation, Resource, Text};

/// What has not been read yet.
struct Rest<'b>(&'b [u8]);

/// The envelope, where the body begins like that of an API server and reaches the object.
pub(super) fn scan(body: &[u8]) -> Option<Envelope<'_>> {
    let mut rest = Rest(body);
    rest.expect(br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":"#)?;
    let uid = rest.field(br#"{"uid":""#)?;
    let (group, version, kind) = rest.three(br#","kind":{"group":""#, br#","kind":""#)?;
    let kind = Kind {
        group,
        version,
        kind,
    };
    let (group, version, resource) =
        rest.three(br#","resource":{"group":""#, br#","resource":""#)?;
    let resource = Resource {
        group,
        version,
        resource,
    };
    let sub_resource = rest.optional(br#","subResource":""#)?;
    // What was asked for before the API server converted it; Go writes all that are there.
    if rest.has(br#","requestKind""#) {
        rest.three(br#","requestKind":{"group":""#, br#","kind":""#)?;
    }
    if rest.has(br#","requestResource""#) {
        rest.three(br#","requestResource":{"group":""#, br#","resource":""#)?;
    }
    rest.optional(br#","requestSubResource":""#)?;
    let name = rest.optional(br#","name":""#)?;
    let namespace = rest.optional(br#","namespace":""#)?;
    let operation = match &*rest.field(br#","operation":""#)? {
        "CREATE" => Operation::Create,
        "UPDATE" => Operation::Update,
        "DELETE" => Operation::Delete,
        "CONNECT" => Operation::Connect,
        _ => return None,
    };
    // Only the user stands in between. A body that is cut before its object is for the parser to refuse.
    rest.expect(br#","userInfo":{"#)?;
    memchr::memmem::find(rest.0, br#""object":"#)?;
    (!uid.is_empty()).then_some(Envelope {
        uid,
        kind,
        resource,
        sub_resource,
        name,
        namespace,
        operation,
    })
}

impl<'b> Rest<'b> {
    fn has(&self, literal: &[u8]) -> bool {
        self.0.starts_with(literal)
    }

    fn expect(&mut self, literal: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// A string after `opening`, which ends with its quote. One with an escape or a control character is none.
    fn field(&mut self, opening: &[u8]) -> Option<Text<'b>> {
        self.expect(opening)?;
        let end = self
            .0
            .iter()
            .position(|byte| matches!(byte, b'"' | b'\\' | ..=0x1f))?;
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text)
            .ok()
            .map(|text| Text(Cow::Borrowed(text)))
    }

    /// A string after `opening`, or an empty one where something else follows.
    fn optional(&mut self, opening: &[u8]) -> Option<Text<'b>> {
        if self.has(opening) {
            self.field(opening)
        } else {
            Some(Text::default())
        }
    }

    /// Group, version and what `last` opens.
    fn three(&mut self, opening: &[u8], last: &[u8]) -> Option<(Text<'b>, Text<'b>, Text<'b>)> {
        let three = (
            self.field(opening)?,
            self.field(br#","version":""#)?,
            self.field(last)?,
        );
        self.expect(b"}")?;
        Some(three)
    }
}
