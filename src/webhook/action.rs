//! Selects what a review is about: the action to evaluate, or none.

use crate::domain::judge::Action;
use crate::domain::kinds::WORKLOADS;
use crate::domain::object::{Object, ObjectKind};

use super::review::{Envelope, Operation};

/// An endpoint of the webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// The mutating one: Pods, ephemeral containers, ConfigMaps.
    Mutate,
    /// The one for updates of rewritten Pods, which restores values and evaluates nothing.
    Restore,
    /// The validating one, which cannot patch: workload templates.
    Validate,
}

/// The action of a request, or `None` where nothing is to be evaluated.
///
/// The rules of the webhook configuration select the requests. Rules that an administrator has widened do not widen what
/// is evaluated.
pub(super) fn action_of_request<'a>(
    endpoint: Endpoint,
    envelope: &Envelope<'_>,
    kind: ObjectKind,
    old: Option<&'a Object<'a>>,
) -> Option<Action<'a>> {
    let resource = (envelope.resource, envelope.sub_resource);
    match (endpoint, resource, envelope.operation) {
        (Endpoint::Mutate, ("pods", ""), Operation::Create) => Some(Action::CreatePod),
        (Endpoint::Mutate, ("pods", "ephemeralcontainers"), Operation::Update) => {
            old.map(Action::AddEphemeralContainers)
        }
        (Endpoint::Mutate, ("configmaps", ""), Operation::Create | Operation::Update) => {
            (kind == ObjectKind::ConfigMap).then_some(Action::Apply(old))
        }
        // The API server rejects a patch from the validating endpoint, so only templates are evaluated there. The
        // object's own kind counts as well as the resource of the request.
        (Endpoint::Validate, (resource, ""), Operation::Create | Operation::Update) => {
            let is_template = kind == ObjectKind::Template && template_kind(resource).is_some();
            is_template.then_some(Action::Apply(old))
        }
        _ => None,
    }
}

/// The kind of a review for metrics and logs, from a closed set of values.
pub(super) fn kind_label(envelope: &Envelope<'_>) -> &'static str {
    match (envelope.resource, envelope.sub_resource) {
        ("pods", "") => "Pod",
        ("pods", "ephemeralcontainers") => "EphemeralContainers",
        ("configmaps", "") => "ConfigMap",
        (resource, "") => template_kind(resource).unwrap_or("Other"),
        _ => "Other",
    }
}

/// Whether a request is an update of a Pod, in which values may be restored.
pub(super) fn is_pod_update(envelope: &Envelope<'_>) -> bool {
    let resource = (envelope.resource, envelope.sub_resource);
    resource == ("pods", "") && envelope.operation == Operation::Update
}

fn template_kind(resource: &str) -> Option<&'static str> {
    let mut templates = WORKLOADS.iter().filter(|one| one.has_template());
    templates
        .find(|one| one.plural == resource)
        .map(|one| one.kind)
}
