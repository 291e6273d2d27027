//! What an answer may rest on that has not been seen yet, and whether it may be put off until it is.

use std::fmt;

use super::NoAnswer;
use crate::domain::environment::awaits_a_config_map;
use crate::domain::object::Object;
use crate::domain::policy;
use crate::domain::view::View;

/// What an answer may have to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The first view of the cluster.
    View,
    /// The namespace of the object, without which no policy can be chosen.
    Namespace,
    /// A ConfigMap that a container requires: it may be made in the same moment.
    ConfigMap,
}

/// Whether an answer may be put off until ConfigMaps that were made in the same moment are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It may: [`Awaited::ConfigMap`] is an answer.
    Some,
    /// It may not: what is unseen is told.
    None,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "any mapping or policy",
            Self::Namespace => "the namespace of the review",
            Self::ConfigMap => "a ConfigMap that the Pod requires",
        })
    }
}

/// Puts off the answer about a Pod that requires a ConfigMap that has not been seen, where a policy would resolve what is taken
/// from there.
pub(super) fn put_off(
    view: &View,
    object: &Object<'_>,
    namespace: &policy::Namespace,
) -> Result<(), NoAnswer> {
    let resolves = |policy: &policy::Policy| {
        policy.pods
            && policy.references != policy::References::Off
            && policy.namespaces.selects(namespace)
    };
    let neighbours = view.references.in_namespace(&namespace.name);
    if view.snapshot.policies.iter().any(resolves) && awaits_a_config_map(object, neighbours) {
        return Err(NoAnswer::Awaits(Awaited::ConfigMap));
    }
    Ok(())
}
