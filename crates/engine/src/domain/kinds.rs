//! The built-in kinds whose objects may have model IDs: one table for the parser of objects, the webhook, the audit, and the
//! tests of the chart's webhook rules and RBAC.

/// A built-in kind of Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltInKind {
    /// API group and version, as in `apiVersion`.
    pub api_version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// The plural name of the resource, as in paths and RBAC rules.
    pub plural: &'static str,
    /// The path of the Pod template, which is empty in a Pod; `None` in kinds without Pods.
    pub template_path: Option<&'static [&'static str]>,
    /// The webhook of the chart that reviews the kind.
    pub reviewed_by: Option<AdmissionWebhook>,
}

/// A webhook of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdmissionWebhook {
    /// The mutating webhook, which rewrites, warns or denies.
    Mutating,
    /// The validating webhook, which warns or denies.
    Validating,
}

use AdmissionWebhook::{Mutating, Validating};

const TEMPLATE: &[&str] = &["spec", "template"];

/// Namespaces. They have no model IDs; their labels and annotations apply to the objects in them.
pub const NAMESPACE: BuiltInKind = BuiltInKind {
    api_version: "v1",
    kind: "Namespace",
    plural: "namespaces",
    template_path: None,
    reviewed_by: None,
};

/// ConfigMaps.
pub const CONFIG_MAP: BuiltInKind = BuiltInKind {
    api_version: "v1",
    kind: "ConfigMap",
    plural: "configmaps",
    template_path: None,
    reviewed_by: Some(Mutating),
};

/// Kinds with a Pod template, and Pods. Owners come before the objects that they own. No rule of the chart covers `PodTemplate`,
/// because no built-in controller creates Pods from it.
#[rustfmt::skip]
pub const WORKLOADS: &[BuiltInKind] = &[
    workload("apps/v1", "Deployment", "deployments", TEMPLATE, Some(Validating)),
    workload("apps/v1", "StatefulSet", "statefulsets", TEMPLATE, Some(Validating)),
    workload("apps/v1", "DaemonSet", "daemonsets", TEMPLATE, Some(Validating)),
    workload("batch/v1", "CronJob", "cronjobs", &["spec", "jobTemplate", "spec", "template"], Some(Validating)),
    workload("v1", "ReplicationController", "replicationcontrollers", TEMPLATE, Some(Validating)),
    workload("v1", "PodTemplate", "podtemplates", &["template"], None),
    workload("apps/v1", "ReplicaSet", "replicasets", TEMPLATE, Some(Validating)),
    workload("batch/v1", "Job", "jobs", TEMPLATE, Some(Validating)),
    workload("v1", "Pod", "pods", &[], Some(Mutating)),
];

const fn workload(
    api_version: &'static str,
    kind: &'static str,
    plural: &'static str,
    template_path: &'static [&'static str],
    reviewed_by: Option<AdmissionWebhook>,
) -> BuiltInKind {
    BuiltInKind {
        api_version,
        kind,
        plural,
        template_path: Some(template_path),
        reviewed_by,
    }
}

impl BuiltInKind {
    /// Every kind whose objects may have model IDs.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        std::iter::once(&CONFIG_MAP).chain(WORKLOADS)
    }

    /// The kind of this API group and name, in any version.
    pub fn find(group: &str, kind: &str) -> Option<&'static Self> {
        Self::all().find(|one| one.kind == kind && one.group() == group)
    }

    /// The kind of this name in any API group, for an `apiVersion` that a template fills in.
    pub fn named(kind: &str) -> Option<&'static Self> {
        Self::all().find(|one| one.kind == kind)
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &'static str {
        let group = self.api_version.split_once('/');
        group.map_or("", |(group, _)| group)
    }

    /// The API version without the group.
    pub fn version(&self) -> &'static str {
        let version = self.api_version.split_once('/');
        version.map_or(self.api_version, |(_, version)| version)
    }

    /// Whether objects of the kind have a Pod template.
    pub fn has_template(&self) -> bool {
        self.template_path.is_some_and(|path| !path.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_before_the_objects_that_they_own() {
        let at = |kind| WORKLOADS.iter().position(|one| one.kind == kind);
        assert!(at("Deployment") < at("ReplicaSet"));
        assert!(at("CronJob") < at("Job"));
        assert!(at("ReplicaSet") < at("Pod") && at("Job") < at("Pod"));
    }

    #[test]
    fn a_kind_is_found_by_group_and_name() {
        let job = BuiltInKind::find("batch", "Job").unwrap();
        assert_eq!(
            (job.group(), job.version(), job.plural),
            ("batch", "v1", "jobs")
        );
        assert!(job.has_template());
        assert_eq!(BuiltInKind::find("", "Job"), None);
        let pod = BuiltInKind::find("", "Pod").unwrap();
        assert_eq!((pod.group(), pod.version()), ("", "v1"));
        assert!(!pod.has_template() && !CONFIG_MAP.has_template());
    }
}
