//! Inputs of an evaluation that may not have been observed yet, and which of them a response waits for.

use std::fmt;

use crate::domain::environment::awaits_a_config_map;
use crate::domain::object::Object;
use crate::domain::policy::{Namespace, Policy, References};
use crate::domain::view::View;

use super::HandleError;

/// An input of an evaluation that has not been observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingInput {
    /// The first view of mappings and policies.
    View,
    /// The namespace of the object, whose labels select the policy.
    Namespace,
    /// A ConfigMap that a container requires. It may have been created just before the Pod.
    ConfigMap,
}

/// Whether a response may still wait for ConfigMaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigMapWait {
    /// It may wait: a missing ConfigMap is [`MissingInput::ConfigMap`].
    Allowed,
    /// It has waited long enough: findings that depend on a missing ConfigMap are reported as such.
    Exhausted,
}

impl fmt::Display for MissingInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "the first set of mappings and policies",
            Self::Namespace => "the namespace of the review",
            Self::ConfigMap => "a ConfigMap that the Pod requires",
        })
    }
}

/// Fails where a Pod requires a ConfigMap that has not been observed, and a policy resolves references to ConfigMaps.
pub(super) fn defer_until_observed(
    view: &View,
    object: &Object<'_>,
    namespace: &Namespace,
) -> Result<(), HandleError> {
    let resolves = |policy: &Policy| {
        policy.pods && policy.references != References::Off && policy.namespaces.selects(namespace)
    };
    let config_maps = view.config_maps.in_namespace(&namespace.name);
    if view.snapshot.policies.iter().any(resolves) && awaits_a_config_map(object, config_maps) {
        return Err(HandleError::Missing(MissingInput::ConfigMap));
    }
    Ok(())
}
