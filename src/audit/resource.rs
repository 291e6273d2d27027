//! The resources that an audit lists, in the required order.

/// A resource of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// API group and version.
    pub api_version: &'static str,
    /// The kind of the items; items of a list do not state it.
    pub kind: &'static str,
    /// The plural name, as in paths.
    pub plural: &'static str,
}

/// Namespaces, whose labels and annotations select policies and regions.
pub const NAMESPACES: Resource = Resource {
    api_version: "v1",
    kind: "Namespace",
    plural: "namespaces",
};

/// ConfigMaps, which workloads reference.
pub const CONFIG_MAPS: Resource = Resource {
    api_version: "v1",
    kind: "ConfigMap",
    plural: "configmaps",
};

/// Kinds with a Pod template, and Pods: owners before the objects that they own.
pub const WORKLOADS: &[Resource] = &[
    workload("apps/v1", "Deployment", "deployments"),
    workload("apps/v1", "StatefulSet", "statefulsets"),
    workload("apps/v1", "DaemonSet", "daemonsets"),
    workload("batch/v1", "CronJob", "cronjobs"),
    workload("v1", "ReplicationController", "replicationcontrollers"),
    workload("v1", "PodTemplate", "podtemplates"),
    workload("apps/v1", "ReplicaSet", "replicasets"),
    workload("batch/v1", "Job", "jobs"),
    workload("v1", "Pod", "pods"),
];

const fn workload(api_version: &'static str, kind: &'static str, plural: &'static str) -> Resource {
    Resource {
        api_version,
        kind,
        plural,
    }
}

impl Resource {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &'static str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The API version without the group.
    pub fn version(&self) -> &'static str {
        let version = self.api_version.split_once('/');
        version.map_or(self.api_version, |(_, version)| version)
    }

    /// The path of the list, in all namespaces or in one.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') {
            "apis"
        } else {
            "api"
        };
        let (version, plural) = (self.api_version, self.plural);
        match namespace {
            Some(namespace) => format!("/{root}/{version}/namespaces/{namespace}/{plural}"),
            None => format!("/{root}/{version}/{plural}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_list_has_group_version_and_namespace() {
        assert_eq!(
            CONFIG_MAPS.path(Some("ml")),
            "/api/v1/namespaces/ml/configmaps"
        );
        assert_eq!(WORKLOADS[0].path(None), "/apis/apps/v1/deployments");
    }

    #[test]
    fn owners_are_listed_before_the_objects_that_they_own() {
        let at = |kind| WORKLOADS.iter().position(|one| one.kind == kind);
        assert!(at("Deployment") < at("ReplicaSet"));
        assert!(at("CronJob") < at("Job"));
        assert!(at("ReplicaSet") < at("Pod") && at("Job") < at("Pod"));
    }
}
