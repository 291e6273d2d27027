//! Running Pods with an ID that the webhook would replace if they were created now.

use std::collections::BTreeMap;

use crate::domain::object::Object;

use super::metadata::entries;
use super::owners::ControllerReference;

/// A running Pod with an ID that the policy in effect would replace if the Pod were created now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdatedPod {
    /// Namespace.
    pub namespace: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// Labels.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// The topmost known owner.
    pub owner: Option<ControllerReference>,
    /// Whether an active webhook reviews the creation of Pods in the namespace.
    pub is_reviewed: bool,
}

impl OutdatedPod {
    /// The Pod, unless it is being deleted.
    pub(super) fn of(
        pod: &Object<'_>,
        owner: Option<ControllerReference>,
        is_reviewed: bool,
    ) -> Option<Self> {
        let is_deleted = pod.field(&["metadata", "deletionTimestamp"]).is_some();
        if is_deleted {
            return None;
        }
        let labels = entries(pod, "labels");
        let field = |name| pod.field(&["metadata", name]).unwrap_or_default().into();
        Some(Self {
            namespace: field("namespace"),
            name: field("name"),
            labels: labels
                .map(|(key, text)| (key.into(), text.into()))
                .collect(),
            owner,
            is_reviewed,
        })
    }
}
