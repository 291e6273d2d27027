//! JSON schemas of values that are written as names of the domain, which knows no schemas.

use schemars::{Schema, SchemaGenerator, json_schema};

use crate::domain::reason::Reason;
use crate::domain::region::RegionSource;

use super::severity::Severity;

/// The names of the severities.
pub(super) fn severity(_: &mut SchemaGenerator) -> Schema {
    let names = Severity::ALL.map(Severity::as_str);
    json_schema!({"type": "string", "enum": names})
}

/// The name of a reason, or null.
pub(crate) fn optional_reason(_: &mut SchemaGenerator) -> Schema {
    optional(Reason::ALL.iter().map(|one| one.as_str()))
}

/// The name of a source of regions, or null.
pub(super) fn optional_region_source(_: &mut SchemaGenerator) -> Schema {
    optional(RegionSource::ALL.iter().map(|one| one.as_str()))
}

fn optional(names: impl Iterator<Item = &'static str>) -> Schema {
    let names: Vec<_> = names.map(Some).chain([None]).collect();
    json_schema!({"type": ["string", "null"], "enum": names})
}
