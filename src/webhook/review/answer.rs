//! The answer to a review, as the API server accepts it. What it says is decided elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

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
                push_string(out, warning);
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
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.push_str(text.get(clean..).unwrap_or_default());
    out.push('"');
}
