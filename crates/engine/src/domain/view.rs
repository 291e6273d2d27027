//! The snapshot together with the observed state of the cluster: namespaces, ConfigMaps and the region of the nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memmem;

use crate::domain::config_maps::{ConfigMapIndex, NamespaceConfigMaps};
use crate::domain::policy::{self, Namespace, Policy};
use crate::domain::region::Region;
use crate::domain::snapshot::Snapshot;

/// The input of an evaluation: a snapshot and the observed state of the cluster.
#[derive(Debug, Clone)]
pub struct View {
    /// Mappings and policies.
    pub snapshot: Arc<Snapshot>,
    /// The observed namespaces.
    pub namespaces: Arc<Namespaces>,
    /// The observed ConfigMaps.
    pub config_maps: Arc<ConfigMapIndex>,
    /// The region of all nodes; `None` if their labels differ or are missing.
    pub cluster_region: Option<Region>,
    /// The region of what names none, as the caller of a command assumes it.
    pub assumed_region: Option<Region>,
    /// Regions with those to evaluate in their place, as if every setting named these: a move of workloads before it is made.
    pub region_moves: BTreeMap<Region, Region>,
}

/// The observed namespaces.
#[derive(Debug, Clone)]
pub enum Namespaces {
    /// Namespaces are not observed; each has only its name.
    NamesOnly,
    /// The observed namespaces, by name.
    Observed(BTreeMap<Box<str>, Arc<Namespace>>),
}

impl View {
    /// A view of a snapshot alone, for files and for a webhook without a cluster.
    pub fn of(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            namespaces: Arc::new(Namespaces::NamesOnly),
            config_maps: Arc::default(),
            cluster_region: None,
            assumed_region: None,
            region_moves: BTreeMap::new(),
        }
    }

    /// The namespace `name`; `None` if it has not been observed yet.
    pub fn namespace(&self, name: &str) -> Option<Arc<Namespace>> {
        match &*self.namespaces {
            Namespaces::NamesOnly => Some(Arc::new(Namespace::named(name))),
            Namespaces::Observed(observed) => observed.get(name).cloned(),
        }
    }
}

impl View {
    /// Whether a policy may select an object of this namespace: a ConfigMap, or a Pod or a workload template. A namespace that has
    /// not been observed yet may have any labels.
    pub fn may_select(&self, namespace: &str, is_config_map: bool) -> bool {
        let Some(namespace) = self.namespace(namespace) else {
            return true;
        };
        self.snapshot.policies.iter().any(|policy| {
            let has_resource = if is_config_map {
                policy.config_maps
            } else {
                policy.pods
            };
            has_resource && policy.namespaces.selects(&namespace)
        })
    }
}

/// The fields that refer to a ConfigMap for variables.
const REFERENCES: [&str; 2] = ["\"configMapKeyRef\"", "\"configMapRef\""];

/// The text between such a field and the name, as the API server writes it.
const BEFORE_NAME: &[u8] = b":{\"name\":\"";

impl View {
    /// Whether an object of this namespace, encoded in `bytes` that contain no ID, can take an ID from a ConfigMap: from one
    /// with IDs, or from one that has not been observed yet.
    ///
    /// Files from ConfigMaps are skipped: they are never changed, and the audit reports them.
    pub fn can_take_an_id(&self, bytes: &[u8], namespace: &str) -> bool {
        let follows = |policy: &Policy| policy.references != policy::References::Off;
        let neighbours = self.config_maps.in_namespace(namespace);
        let may_refer = neighbours.have_words() || self.config_maps.are_complete();
        may_refer
            && self.snapshot.policies.iter().any(follows)
            && REFERENCES.iter().any(|reference| {
                memmem::find_iter(bytes, reference).any(|at| {
                    neighbours.have_words()
                        || !is_observed(&bytes[at + reference.len()..], neighbours)
                })
            })
    }
}

/// Whether the ConfigMap whose name follows has been observed; `false` for a name that the API server would write differently.
fn is_observed(rest: &[u8], neighbours: NamespaceConfigMaps<'_>) -> bool {
    rest.strip_prefix(BEFORE_NAME)
        .and_then(|rest| rest.split(|byte| *byte == b'"').next())
        .and_then(|name| std::str::from_utf8(name).ok())
        .is_some_and(|name| neighbours.have(name))
}
