//! The snapshot together with the observed state of the cluster: namespaces, ConfigMaps and the region of the nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use memchr::memmem;

use crate::domain::config_maps::{ConfigMapIndex, NamespaceConfigMaps};
use crate::domain::policy::{self, Namespace, Policy};
use crate::domain::region::Region;
use crate::domain::snapshot::Snapshot;

/// What the domain may look at: a snapshot and what is known of the cluster.
#[derive(Debug, Clone)]
pub struct View {
    /// Mappings and policies.
    pub snapshot: Arc<Snapshot>,
    /// What is known of namespaces.
    pub namespaces: Arc<Namespaces>,
    /// What is known of ConfigMaps.
    pub config_maps: Arc<ConfigMapIndex>,
    /// The region that all node labels agree on.
    pub cluster_region: Option<Region>,
}

/// What is known of namespaces.
#[derive(Debug, Clone)]
pub enum Namespaces {
    /// Their names alone.
    NamesOnly,
    /// Labels and annotations of those that were seen, by name.
    Seen(BTreeMap<Box<str>, Arc<Namespace>>),
}

impl View {
    /// A view of a snapshot alone, as files and a webhook without a cluster have it.
    pub fn of(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            namespaces: Arc::new(Namespaces::NamesOnly),
            config_maps: Arc::default(),
            cluster_region: None,
        }
    }

    /// What is known of the namespace `name`; `None` while it has not been seen.
    pub fn namespace(&self, name: &str) -> Option<Arc<Namespace>> {
        match &*self.namespaces {
            Namespaces::NamesOnly => Some(Arc::new(Namespace::named(name))),
            Namespaces::Seen(seen) => seen.get(name).cloned(),
        }
    }
}

/// How an object names a ConfigMap from which a variable is taken.
const REFERENCES: [&str; 2] = ["\"configMapKeyRef\"", "\"configMapRef\""];

/// What is between that and the name, as the API server writes it.
const BEFORE_NAME: &[u8] = b":{\"name\":\"";

impl View {
    /// Whether an object of this namespace, encoded in `bytes` without an ID of its own, can take one from a ConfigMap: one
    /// that has some, or one that has not been seen yet.
    ///
    /// Files from ConfigMaps are passed over: they are only ever reported, by an audit.
    pub fn can_take_an_id(&self, bytes: &[u8], namespace: &str) -> bool {
        let follows = |policy: &Policy| policy.references != policy::References::Off;
        let neighbours = self.config_maps.in_namespace(namespace);
        let worth_a_look = neighbours.have_words() || self.config_maps.are_complete();
        worth_a_look
            && self.snapshot.policies.iter().any(follows)
            && REFERENCES.iter().any(|reference| {
                memmem::find_iter(bytes, reference).any(|at| {
                    neighbours.have_words() || !is_seen(&bytes[at + reference.len()..], neighbours)
                })
            })
    }
}

/// Whether the ConfigMap whose name follows has been seen. A name that is written in another way than the API server's is not.
fn is_seen(rest: &[u8], neighbours: NamespaceConfigMaps<'_>) -> bool {
    rest.strip_prefix(BEFORE_NAME)
        .and_then(|rest| rest.split(|byte| *byte == b'"').next())
        .and_then(|name| std::str::from_utf8(name).ok())
        .is_some_and(|name| neighbours.have(name))
}
