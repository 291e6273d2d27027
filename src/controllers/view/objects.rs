//! The custom resources as they stand, for those who write about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::cluster::Cluster;
use super::written::Written;
use crate::api::{InferenceProfileMapping, InferenceProfilePolicy};
use crate::catalog;
use crate::domain::snapshot::Problem;
use crate::validate::Invalid;

/// Objects of one kind, by name.
pub type ByName<W> = BTreeMap<Box<str>, Arc<Written<W>>>;

/// The custom resources at one moment, and what is wrong with them.
#[derive(Debug, Default)]
pub struct Objects {
    /// Every mapping.
    pub mappings: ByName<InferenceProfileMapping>,
    /// Every policy.
    pub policies: ByName<InferenceProfilePolicy>,
    /// What is wrong with mappings as they stand, by name; their last valid form stays in force.
    pub invalid_mappings: BTreeMap<Box<str>, Invalid>,
    /// The same of policies.
    pub invalid_policies: BTreeMap<Box<str>, Invalid>,
    /// What is wrong with objects that are each valid.
    pub problems: Arc<[Problem]>,
    /// A policy looks at ConfigMaps, and we may not read them.
    pub references_denied: bool,
    /// The generations in force, of mappings and of policies, by name.
    pub generations: [BTreeMap<Box<str>, i64>; 2],
    /// Whether everything has been listed once.
    pub complete: bool,
}

impl Objects {
    /// The date of the mapping `builtin`, at the start of the day in UTC, in seconds since 1970.
    pub fn catalog_second(&self) -> Option<i64> {
        let builtin = self.mappings.get(catalog::NAME)?.object.as_ref().ok()?;
        let date: Date = builtin.spec.catalog_date.as_ref()?.parse().ok()?;
        let start = date.to_zoned(TimeZone::UTC).ok()?;
        Some(start.timestamp().as_second())
    }

    /// Logs what is wrong with objects and was not wrong `before`: once, and not again with every other change.
    pub fn log_what_is_wrong(&self, before: &Self) {
        for (now, before) in [
            (&self.invalid_mappings, &before.invalid_mappings),
            (&self.invalid_policies, &before.invalid_policies),
        ] {
            for (name, invalid) in now {
                if before.get(name) != Some(invalid) {
                    tracing::warn!("{invalid}; what was valid before stays in force");
                }
            }
        }
        for problem in self.problems.iter() {
            if !before.problems.contains(problem) {
                tracing::warn!("{problem}");
            }
        }
    }

    /// What `cluster` has.
    pub fn of(cluster: &Cluster) -> Self {
        let (mappings, policies) = (cluster.mappings(), cluster.policies());
        Self {
            mappings: mappings.written().clone(),
            policies: policies.written().clone(),
            invalid_mappings: mappings.invalid().clone(),
            invalid_policies: policies.invalid().clone(),
            problems: Arc::clone(cluster.problems()),
            references_denied: cluster.is_denied_config_maps(),
            generations: [
                mappings.generations().map(owned).collect(),
                policies.generations().map(owned).collect(),
            ],
            complete: cluster.is_complete(),
        }
    }
}

fn owned((name, generation): (&str, i64)) -> (Box<str>, i64) {
    (name.into(), generation)
}
