//! The response to an `AdmissionReview`, as the API server accepts it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::text::end_of_plain_json;

/// The response to one review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdmissionResponse<'u> {
    /// The UID of the request.
    pub uid: &'u str,
    /// Whether the object is admitted, and how.
    pub decision: Decision,
    /// Warnings for the user. Kubernetes promises to deliver the first 120 characters of each.
    pub warnings: Vec<String>,
    /// Entries for the API server's audit log, which puts the name of the webhook before each key.
    pub audit_annotations: BTreeMap<&'static str, String>,
}

/// Whether an object is admitted. A denial with a patch, or a patch without its type, cannot be expressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Admitted unchanged.
    Allowed,
    /// Admitted after this JSON patch (RFC 6902), which has at least one operation.
    Patched(Vec<u8>),
    /// Denied; the failure policy does not apply.
    Denied {
        /// HTTP status for the client: 403 for a rule of a policy. The API server turns a status below 400 into 400.
        code: u16,
        /// What is wrong and what to write instead.
        message: String,
    },
}

// === AdmissionResponse ===

impl<'u> AdmissionResponse<'u> {
    /// Admits the object unchanged, without a warning: the response to nearly every review.
    pub const fn allowed(uid: &'u str) -> Self {
        Self::of(uid, Decision::Allowed)
    }

    /// Admits the object after `patch`, a JSON patch with at least one operation.
    pub const fn patched(uid: &'u str, patch: Vec<u8>) -> Self {
        Self::of(uid, Decision::Patched(patch))
    }

    /// Denies the object.
    pub const fn denied(uid: &'u str, code: u16, message: String) -> Self {
        Self::of(uid, Decision::Denied { code, message })
    }

    const fn of(uid: &'u str, decision: Decision) -> Self {
        Self {
            uid,
            decision,
            warnings: Vec::new(),
            audit_annotations: BTreeMap::new(),
        }
    }

    /// The response `AdmissionReview` as JSON.
    pub fn to_bytes(&self) -> Bytes {
        let patch = match &self.decision {
            Decision::Patched(patch) => patch.as_slice(),
            Decision::Allowed | Decision::Denied { .. } => &[],
        };
        let mut out = String::with_capacity(160 + self.uid.len() + patch.len() * 4 / 3);
        out.push_str(
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"#,
        );
        push_string(&mut out, self.uid);
        match &self.decision {
            Decision::Allowed | Decision::Patched(_) => out.push_str(r#","allowed":true"#),
            Decision::Denied { code, message } => push_denial(&mut out, *code, message),
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

fn push_denial(out: &mut String, code: u16, message: &str) {
    out.push_str(r#","allowed":false,"status":{"status":"Failure","message":"#);
    push_string(out, message);
    // kubectl shows the reason, so it is set where Kubernetes defines one for the code.
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
    let mut rest = text;
    loop {
        // The byte there is ASCII, so neither end cuts a character.
        let (clean, behind) = rest.split_at(end_of_plain_json(rest.as_bytes()));
        out.push_str(clean);
        let Some(byte) = behind.bytes().next() else {
            break;
        };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
        rest = &behind[1..];
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
