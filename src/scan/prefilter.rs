//! Which files can have findings, by their text alone, so that the others are read once.

use crate::domain::snapshot::Snapshot;

/// The fields that refer to texts of other objects. An object with none of them has the findings of its own texts only.
const REFERENCES: &[&str] = &["configMap", "envFrom", "valueFrom"];

/// Escapes of YAML and TOML that JSON does not have, and lines that continue on the next one: what they spell is unknown before the file
/// is parsed.
const ESCAPES: &[&str] = &["\\x", "\\U", "\\\n", "\\\r"];

/// Whether the file may have findings. False only if no text of it can hold an ID and no object of it refers to another one.
pub fn may_have_findings(snapshot: &Snapshot, text: &str) -> bool {
    let contains = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    snapshot.can_hold_an_id(text.as_bytes()) || contains(ESCAPES) || contains(REFERENCES)
}

/// Whether the file may define namespaces, which others are evaluated with.
pub(super) fn may_define_namespaces(text: &str) -> bool {
    text.contains("Namespace")
}

/// Whether an object of the file may refer to a ConfigMap.
pub(super) fn may_refer(text: &str) -> bool {
    let contains = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    text.contains("configMap") || contains(ESCAPES) || text.contains("\\u")
}
