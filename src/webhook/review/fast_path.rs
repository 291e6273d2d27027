//! Reads the fields before the object of a review that is written as the API server writes it.
//!
//! Go's encoder has one order of fields and one way to write each, so the fields are compared with a template instead of
//! being parsed. A body that differs from the template anywhere has no fast path; nothing is rejected here.

use memchr::memmem;

use super::{Envelope, Operation};
use crate::text::end_of_plain_json;

/// `dryRun` follows the objects and precedes the options, which are this many bytes long at most, or the review counts as
/// no dry run. Only a metric label depends on it.
const OPTIONS: usize = 1024;

/// The key of the object.
const OBJECT: &[u8] = br#""object":"#;

/// The unread rest of a body.
struct Rest<'b>(&'b [u8]);

/// The envelope, and the offset of the object in the body. `None` where the body differs from the template before the
/// object, or ends there.
pub(super) fn scan(body: &[u8]) -> Option<(Envelope<'_>, usize)> {
    let mut rest = Rest(body);
    rest.expect(br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":"#)?;
    let uid = rest.field(br#"{"uid":""#)?;
    rest.group_version(br#","kind":{"group":""#, br#","kind":""#)?;
    let resource = rest.group_version(br#","resource":{"group":""#, br#","resource":""#)?;
    let sub_resource = rest.optional(br#","subResource":""#)?;
    // What the client requested before the API server converted it to the version of the webhook's rule.
    if rest.has(br#","requestKind""#) {
        rest.group_version(br#","requestKind":{"group":""#, br#","kind":""#)?;
    }
    if rest.has(br#","requestResource""#) {
        rest.group_version(br#","requestResource":{"group":""#, br#","resource":""#)?;
    }
    rest.optional(br#","requestSubResource":""#)?;
    let name = rest.optional(br#","name":""#)?;
    let namespace = rest.optional(br#","namespace":""#)?;
    let operation = Operation::parse(rest.field(br#","operation":""#)?)?;
    // Only the user comes between the operation and the object.
    rest.expect(br#","userInfo":{"#)?;
    let object = find(rest.0, OBJECT, b'j')? + OBJECT.len();
    let envelope = Envelope {
        uid,
        resource,
        sub_resource,
        name,
        namespace,
        operation,
        dry_run: is_dry_run(body),
    };
    (!uid.is_empty()).then_some((envelope, body.len() - rest.0.len() + object))
}

/// The field of the review that holds the byte at `offset`, where the body shows it: for messages about invalid JSON.
pub(super) fn field_at(body: &[u8], offset: usize) -> Option<&'static str> {
    let (_, object) = scan(body)?;
    let before = body.get(object..offset)?;
    memmem::find(before, br#""oldObject":"#)
        .is_none()
        .then_some("request.object")
}

fn is_dry_run(body: &[u8]) -> bool {
    let tail = &body[body.len().saturating_sub(OPTIONS)..];
    find(tail, br#","dryRun":true,"options":"#, b'y').is_some()
}

/// The first position of `literal`, by the first of its bytes that is `rare`. Few bytes are searched, so that it would take longer to
/// prepare a search for the literal as a whole.
fn find(text: &[u8], literal: &[u8], rare: u8) -> Option<usize> {
    let offset = literal.iter().position(|byte| *byte == rare)?;
    memchr::memchr_iter(rare, text)
        .filter_map(|at| at.checked_sub(offset))
        .find(|start| text[*start..].starts_with(literal))
}

impl<'b> Rest<'b> {
    fn has(&self, literal: &[u8]) -> bool {
        self.0.starts_with(literal)
    }

    fn expect(&mut self, literal: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    /// The string after `opening`, to its closing quote. `None` for a string with an escape or a control character.
    fn field(&mut self, opening: &[u8]) -> Option<&'b str> {
        self.expect(opening)?;
        let end = end_of_plain_json(self.0);
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.strip_prefix(b"\"")?;
        std::str::from_utf8(text).ok()
    }

    /// The string after `opening`, or an empty one where `opening` does not follow.
    fn optional(&mut self, opening: &[u8]) -> Option<&'b str> {
        if self.has(opening) {
            self.field(opening)
        } else {
            Some("")
        }
    }

    /// Group, version, and the string after `last`, which is returned.
    fn group_version(&mut self, opening: &[u8], last: &[u8]) -> Option<&'b str> {
        self.field(opening)?;
        self.field(br#","version":""#)?;
        let text = self.field(last)?;
        self.expect(b"}")?;
        Some(text)
    }
}
