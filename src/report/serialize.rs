//! Serializers for values of the domain, which does not depend on serde: each is written as its text.

use std::fmt::Display;

use serde::Serializer;

/// Writes a value as its text.
pub(crate) fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes a value as its text, and an absent one as null.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(crate) fn optional_text<S: Serializer>(
    value: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
