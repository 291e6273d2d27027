//! The custom resources as observed, for the controllers that write to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::validated_store::Observed;
use crate::api::{InferenceProfileMapping, InferenceProfilePolicy};
use crate::catalog;
use crate::domain::snapshot::Problem;
use crate::validate::Invalid;

/// Objects of one kind, by name.
pub type ByName<W> = BTreeMap<Box<str>, Arc<Observed<W>>>;

/// The custom resources at one moment, and their problems.
#[derive(Debug, Default)]
pub struct CustomResources {
    /// Every mapping.
    pub mappings: ByName<InferenceProfileMapping>,
    /// Every policy.
    pub policies: ByName<InferenceProfilePolicy>,
    /// Why mappings are invalid, by name. The last valid form of each stays in use.
    pub invalid_mappings: BTreeMap<Box<str>, Invalid>,
    /// Why policies are invalid, by name. The last valid form of each stays in use.
    pub invalid_policies: BTreeMap<Box<str>, Invalid>,
    /// Problems of objects that are each valid.
    pub problems: Arc<[Problem]>,
    /// Whether a policy resolves references, and the service account may not list ConfigMaps.
    pub references_denied: bool,
    /// The generations of the mappings in use, by name.
    pub mapping_generations: BTreeMap<Box<str>, i64>,
    /// The generations of the policies in use, by name.
    pub policy_generations: BTreeMap<Box<str>, i64>,
    /// Whether each resource was listed completely once.
    pub complete: bool,
}

impl CustomResources {
    /// The date of the mapping `builtin`, at the start of the day in UTC, in seconds since 1970.
    pub fn catalog_second(&self) -> Option<i64> {
        let builtin = self.mappings.get(catalog::NAME)?.object.as_ref().ok()?;
        let date: Date = builtin.spec.catalog_date.as_ref()?.parse().ok()?;
        let start = date.to_zoned(TimeZone::UTC).ok()?;
        Some(start.timestamp().as_second())
    }

    /// Logs the problems that did not exist in `before`.
    pub fn log_new_problems(&self, before: &Self) {
        for (now, before) in [
            (&self.invalid_mappings, &before.invalid_mappings),
            (&self.invalid_policies, &before.invalid_policies),
        ] {
            for (name, invalid) in now {
                if before.get(name) != Some(invalid) {
                    tracing::warn!("{invalid}; the last valid form stays in use");
                }
            }
        }
        for problem in self.problems.iter() {
            if !before.problems.contains(problem) {
                tracing::warn!("{problem}");
            }
        }
    }
}
