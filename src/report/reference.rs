//! Where a text stands that an object takes from elsewhere, for the record of a finding.

use std::fmt;

use serde::Serialize;

use crate::domain::environment::{Origin, Reference};

/// A text that an object takes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReferenceRecord {
    /// `ConfigMap`, `Secret` or, for a field of its own, `Pod`.
    pub kind: &'static str,
    /// The object's name; empty for a field of its own.
    pub name: String,
    /// The key, or the path of the field.
    pub key: String,
}

impl ReferenceRecord {
    pub(super) fn of(reference: &Reference<'_>) -> Self {
        let (name, key) = match reference.origin {
            Origin::ConfigMap { name, key, .. } | Origin::Secret { name, key } => (name, key),
            Origin::Field { path } => ("", path),
        };
        Self {
            kind: reference.origin.kind(),
            name: name.to_owned(),
            key: key.to_owned(),
        }
    }
}

/// As a person names it: `ConfigMap models/sonnet`.
impl fmt::Display for ReferenceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.key)
        } else {
            write!(f, "{} {}/{}", self.kind, self.name, self.key)
        }
    }
}
