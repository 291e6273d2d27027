//! The custom resources as they stand, for those who write about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cluster::Cluster;
use super::written::Written;
use crate::api::{InferenceProfileMapping, InferenceProfilePolicy};
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
    /// Whether everything has been listed once.
    pub complete: bool,
}

impl Objects {
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
            complete: cluster.is_complete(),
        }
    }
}
