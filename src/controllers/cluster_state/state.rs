//! The observed state of a cluster, as a pure value: watch events in, a view out.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;

use super::custom_resources::CustomResources;
use super::validated_store::{Observed, ValidatedStore};
use crate::api::{InferenceProfileMapping, InferenceProfilePolicy};
use crate::cluster::store::{Collection, ObjectStore, Store};
use crate::cluster::watch::{self, Event, WatchError};
use crate::domain::catalog::Mapping;
use crate::domain::config_maps::{self, ConfigMapIndex};
use crate::domain::policy::{Namespace, Policy, References as Following};
use crate::domain::region::Region;
use crate::domain::snapshot::{Problem, Snapshot};
use crate::domain::view::{Namespaces, View};
use crate::validate;

/// The label that a cloud's controller gives each node.
pub const REGION_LABEL: &str = "topology.kubernetes.io/region";

/// An event of a custom resource, with its name.
pub type NamedEvent<W> = Event<(Box<str>, Arc<Observed<W>>)>;

/// An event of one of the watches.
#[derive(Debug)]
pub enum ClusterEvent {
    /// A mapping.
    Mapping(NamedEvent<InferenceProfileMapping>),
    /// A policy.
    Policy(NamedEvent<InferenceProfilePolicy>),
    /// A namespace.
    Namespace(Event<(Box<str>, Arc<Namespace>)>),
    /// A node, with the region of its label.
    Node(Event<(Box<str>, Option<Region>)>),
    /// A ConfigMap.
    ConfigMap {
        /// The generation of the watch.
        generation: u64,
        /// The event, or why the watch failed.
        event: Result<Event<Box<ConfigMap>>, WatchError>,
    },
}

/// The observed state of a cluster.
#[derive(Debug)]
pub struct ClusterState {
    mappings: ValidatedStore<InferenceProfileMapping, Mapping>,
    policies: ValidatedStore<InferenceProfilePolicy, Policy>,
    namespaces: ObjectStore<Arc<Namespace>>,
    nodes: ObjectStore<Option<Region>>,
    with_nodes: bool,
    config_maps: ConfigMaps,
    snapshot: Arc<Snapshot>,
    problems: Arc<[Problem]>,
    stale: Stale,
    /// Whether [`CustomResources`] differ from those that were returned last.
    stale_objects: bool,
}

/// The parts of the view that are out of date.
#[derive(Debug, Default, Clone, Copy)]
struct Stale {
    snapshot: bool,
    namespaces: bool,
    any: bool,
}

/// The observed ConfigMaps.
#[derive(Debug)]
struct ConfigMaps {
    /// The generation of the watch. A new watch is needed whenever the snapshot selects other parts of ConfigMaps.
    generation: u64,
    store: Store<Index>,
    denied: bool,
}

/// The ConfigMaps that a complete list has, indexed. Its default knows that ConfigMaps which are not in it do not exist.
#[derive(Debug)]
struct Index(ConfigMapIndex);

impl Default for Index {
    fn default() -> Self {
        Self(ConfigMapIndex::of_all())
    }
}

impl Collection for Index {
    type Object = IndexedConfigMap;

    fn insert(&mut self, object: Self::Object) -> bool {
        self.0
            .insert(&object.namespace, &object.name, object.content);
        true
    }

    fn remove(&mut self, object: &Self::Object) -> bool {
        self.0.remove(&object.namespace, &object.name);
        true
    }

    fn differs_from(&self, _: &Self) -> bool {
        true
    }
}

impl ClusterState {
    /// A state without observations. With `with_nodes`, the cluster's region is the one that all nodes agree on.
    pub fn new(with_nodes: bool) -> Self {
        let (snapshot, _) = Snapshot::build(Vec::new(), Vec::new());
        Self {
            mappings: ValidatedStore::default(),
            policies: ValidatedStore::default(),
            namespaces: ObjectStore::default(),
            nodes: ObjectStore::default(),
            with_nodes,
            config_maps: ConfigMaps {
                generation: 0,
                store: Store::of(Index(ConfigMapIndex::default())),
                denied: false,
            },
            snapshot: Arc::new(snapshot),
            problems: Arc::from([]),
            stale: Stale::default(),
            stale_objects: false,
        }
    }

    /// Applies an event.
    pub fn apply(&mut self, event: ClusterEvent) {
        let stale = &mut self.stale;
        match event {
            ClusterEvent::Mapping(event) => {
                let kind = "InferenceProfileMapping";
                stale.snapshot |= self.mappings.apply(event, kind, validate::mapping);
            }
            ClusterEvent::Policy(event) => {
                let kind = "InferenceProfilePolicy";
                stale.snapshot |= self.policies.apply(event, kind, validate::policy);
            }
            ClusterEvent::Namespace(event) => stale.namespaces |= self.namespaces.apply(event),
            ClusterEvent::Node(event) => stale.any |= self.nodes.apply(event),
            // An event of an earlier watch was meant for another snapshot.
            ClusterEvent::ConfigMap { generation, event } => {
                if generation == self.config_maps.generation {
                    let denied = self.config_maps.denied;
                    stale.any |= self.config_maps.apply(event, &self.snapshot);
                    self.stale_objects |= self.config_maps.denied != denied;
                }
            }
        }
        self.stale_objects |= stale.snapshot;
        stale.any |= self.stale_objects || stale.namespaces;
    }

    /// The current view, if it differs from `last` and each resource was listed completely.
    pub fn view(&mut self, last: Option<&View>) -> Option<View> {
        if !self.stale.any || !self.is_complete() {
            return None;
        }
        let stale = std::mem::take(&mut self.stale);
        if stale.snapshot {
            self.rebuild();
        }
        let namespaces = match last {
            Some(last) if !stale.namespaces => Arc::clone(&last.namespaces),
            _ => Arc::new(Namespaces::Observed(self.namespaces.objects().clone())),
        };
        Some(View {
            snapshot: Arc::clone(&self.snapshot),
            namespaces,
            config_maps: Arc::new(self.config_maps.store.objects().0.clone()),
            cluster_region: self.region(),
            assumed_region: None,
            region_moves: BTreeMap::new(),
        })
    }

    /// The custom resources of the last view, if they differ from those that were returned last. Most views differ by a
    /// ConfigMap or a namespace: do not wake the controllers that write to custom resources for those.
    pub fn custom_resources(&mut self) -> Option<CustomResources> {
        std::mem::take(&mut self.stale_objects).then(|| self.current_custom_resources())
    }

    /// The custom resources as observed.
    pub(in crate::controllers) fn current_custom_resources(&self) -> CustomResources {
        CustomResources {
            mappings: self.mappings.observed().clone(),
            policies: self.policies.observed().clone(),
            invalid_mappings: self.mappings.invalid().clone(),
            invalid_policies: self.policies.invalid().clone(),
            problems: Arc::clone(&self.problems),
            references_denied: self.resolves_references() && self.config_maps.denied,
            mapping_generations: self.mappings.generations(),
            policy_generations: self.policies.generations(),
            complete: self.is_complete(),
        }
    }

    /// Merges mappings and orders policies again. A snapshot decides which parts of ConfigMaps are stored: if it selects
    /// others, ConfigMaps are read again.
    fn rebuild(&mut self) {
        let (mappings, policies) = (self.mappings.valid(), self.policies.valid());
        let (snapshot, problems) =
            Snapshot::build(mappings.cloned().collect(), policies.cloned().collect());
        if !snapshot.has_same_search_terms(&self.snapshot) {
            self.config_maps.restart();
        }
        self.snapshot = Arc::new(snapshot);
        self.problems = problems.into();
        if !self.resolves_references() {
            self.config_maps.restart();
            self.config_maps.store = Store::of(Index(ConfigMapIndex::default()));
        }
    }

    /// Whether each resource that a view needs was listed completely.
    pub fn is_complete(&self) -> bool {
        self.mappings.is_complete()
            && self.policies.is_complete()
            && self.namespaces.is_complete()
            && (!self.with_nodes || self.nodes.is_complete())
    }

    /// Whether the ConfigMaps that policies resolve were listed, or cannot be.
    pub fn has_references(&self) -> bool {
        !self.resolves_references()
            || self.config_maps.store.is_complete()
            || self.config_maps.denied
    }

    /// Whether a policy resolves references to ConfigMaps.
    pub fn resolves_references(&self) -> bool {
        let resolves = |policy: &Policy| policy.references != Following::Off;
        self.policies.valid().any(resolves)
    }

    /// The generation of the ConfigMap watch that is needed; `None` while no policy resolves references.
    pub fn config_map_generation(&self) -> Option<u64> {
        self.resolves_references()
            .then_some(self.config_maps.generation)
    }

    /// The region that all nodes agree on. Nodes without the label are ignored: a node joins before it is labelled.
    fn region(&self) -> Option<Region> {
        let regions = self.nodes.objects().values().flatten().copied();
        Region::common(regions).filter(|_| self.with_nodes)
    }
}

impl ConfigMaps {
    /// Applies an event or an error of the watch. Returns whether the ConfigMaps changed.
    fn apply(
        &mut self,
        event: Result<Event<Box<ConfigMap>>, WatchError>,
        snapshot: &Snapshot,
    ) -> bool {
        // The start of a list does not prove that it is permitted; any other event does.
        self.denied &= matches!(event, Err(_) | Ok(Event::Init));
        match event {
            Err(error) => {
                self.denied |= error == WatchError::Forbidden;
                false
            }
            Ok(event) => {
                let index = |map: Box<ConfigMap>| IndexedConfigMap::read(*map, snapshot);
                self.store.apply(watch::map(event, index))
            }
        }
    }

    /// Expects a new watch. The ConfigMaps stay until its list is complete.
    fn restart(&mut self) {
        self.generation += 1;
        self.denied = false;
        self.store.restart();
    }
}

/// The parts of a ConfigMap that evaluations may need.
struct IndexedConfigMap {
    namespace: String,
    name: String,
    content: config_maps::ConfigMap,
}

impl IndexedConfigMap {
    fn read(map: ConfigMap, snapshot: &Snapshot) -> Self {
        let (data, metadata) = (map.data.unwrap_or_default(), map.metadata);
        let annotations = metadata.annotations.unwrap_or_default();
        let content = config_maps::ConfigMap::read(
            data.iter().map(|(key, text)| (key.as_str(), text.as_str())),
            |key| annotations.get(key).map(String::as_str),
            snapshot,
        );
        Self {
            namespace: metadata.namespace.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
            content,
        }
    }
}
