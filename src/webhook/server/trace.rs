//! The caller's trace context. It is checked and passed on; nothing is sent anywhere.

use axum::http::HeaderValue;

/// A W3C `traceparent` of version 00, checked to be one, so that it can be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceParent(HeaderValue);

impl TraceParent {
    /// The header as one, where it is one.
    pub(super) fn new(header: &HeaderValue) -> Option<Self> {
        let fields: Vec<&[u8]> = header.as_bytes().split(|byte| *byte == b'-').collect();
        let hex = |field: &[u8], length| {
            field.len() == length && field.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let valid = matches!(
            fields.as_slice(),
            [b"00", trace, parent, flags] if hex(trace, 32) && hex(parent, 16) && hex(flags, 2)
        );
        valid.then(|| Self(header.clone()))
    }

    /// The whole header, `00-<trace>-<parent>-<flags>`.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id of the trace, 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.as_str().get(3..35).unwrap_or_default()
    }
}
