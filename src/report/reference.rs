//! The reference of a text that comes from another object, in a record.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::environment::{Origin, Reference};

/// A reference to a text of another object, or to a field of the Pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReferenceRecord {
    /// `ConfigMap` or `Secret`, or `Pod` for a field of the Pod itself.
    pub kind: &'static str,
    /// The name of the object; empty for a field of the Pod.
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

/// For example `ConfigMap models/sonnet`.
impl fmt::Display for ReferenceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.key)
        } else {
            write!(f, "{} {}/{}", self.kind, self.name, self.key)
        }
    }
}
