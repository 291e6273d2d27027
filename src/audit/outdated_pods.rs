//! Running Pods with an ID that the webhook would replace if they were created now.

use std::collections::BTreeMap;

use crate::domain::object::Object;
use crate::report::FindingRecord;

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
    /// The Pod, if `records` has a finding that the webhook would act on and the Pod is not being deleted.
    pub(super) fn of<'r>(
        pod: &Object<'_>,
        mut records: impl Iterator<Item = &'r FindingRecord>,
        owner: Option<ControllerReference>,
        is_reviewed: bool,
    ) -> Option<Self> {
        let is_deleted = pod.field(&["metadata", "deletionTimestamp"]).is_some();
        // What a webhook would act on is missed, for whatever reason.
        let would_change = |one: &FindingRecord| one.missed.is_some() && one.after.is_some();
        if is_deleted || !records.any(would_change) {
            return None;
        }
        let tree = pod.tree;
        let labels = tree.at(pod.root, &["metadata", "labels"]).into_iter();
        let labels = labels
            .flat_map(|node| tree.children(node))
            .filter_map(|entry| Some((tree.key(entry)?.into(), tree.text(entry)?.into())));
        let field = |name| pod.field(&["metadata", name]).unwrap_or_default().into();
        Some(Self {
            namespace: field("namespace"),
            name: field("name"),
            labels: labels.collect(),
            owner,
            is_reviewed,
        })
    }
}
