//! What an audit lists, in the order in which it has to.

/// A resource of the API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// API group and version.
    pub api_version: &'static str,
    /// The kind of the items, which do not state it.
    pub kind: &'static str,
    /// The name in paths.
    pub plural: &'static str,
}

/// Namespaces, whose labels and annotations everything else is judged by.
pub const NAMESPACES: Resource = Resource {
    api_version: "v1",
    kind: "Namespace",
    plural: "namespaces",
};

/// ConfigMaps, from which workloads take IDs.
pub const CONFIG_MAPS: Resource = Resource {
    api_version: "v1",
    kind: "ConfigMap",
    plural: "configmaps",
};

/// Whatever has a Pod template, and Pods: owners before what they own.
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
    /// The path of the list of all of them, or of those in one namespace.
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
    fn a_path_is_as_the_api_server_spells_it() {
        assert_eq!(
            CONFIG_MAPS.path(Some("ml")),
            "/api/v1/namespaces/ml/configmaps"
        );
        assert_eq!(WORKLOADS[0].path(None), "/apis/apps/v1/deployments");
    }

    #[test]
    fn owners_stand_before_what_they_own() {
        let at = |kind| WORKLOADS.iter().position(|one| one.kind == kind);
        assert!(at("Deployment") < at("ReplicaSet"));
        assert!(at("CronJob") < at("Job"));
        assert!(at("ReplicaSet") < at("Pod") && at("Job") < at("Pod"));
    }
}
