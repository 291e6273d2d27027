//! All that is seen of a cluster, as a pure value: changes in, a view out.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;

use super::listed::Listed;
use super::objects::Objects;
use super::written::{Kept, Written};
use crate::api::{InferenceProfileMapping, InferenceProfilePolicy};
use crate::cluster::watch::{Change, Trouble};
use crate::domain::catalog::Mapping;
use crate::domain::config_maps::{self, References};
use crate::domain::policy::{Namespace, Policy, References as Following};
use crate::domain::region::Region;
use crate::domain::snapshot::{Problem, Snapshot};
use crate::domain::view::{Namespaces, View};
use crate::validate;

/// The label that a cloud's controller gives each node.
pub const REGION_LABEL: &str = "topology.kubernetes.io/region";

/// A change of a custom resource, with its name.
pub type NamedChange<W> = Change<(Box<str>, Arc<Written<W>>)>;

/// One thing that a watch told.
#[derive(Debug)]
pub enum Told {
    /// Of mappings.
    Mapping(NamedChange<InferenceProfileMapping>),
    /// Of policies.
    Policy(NamedChange<InferenceProfilePolicy>),
    /// Of namespaces.
    Namespace(Change<(Box<str>, Arc<Namespace>)>),
    /// Of nodes: the region that each says.
    Node(Change<(Box<str>, Option<Region>)>),
    /// Of ConfigMaps, by the watch of this era.
    ConfigMap(u64, Result<Change<Box<ConfigMap>>, Trouble>),
}

/// What is seen of a cluster.
#[derive(Debug)]
pub struct Cluster {
    mappings: Kept<InferenceProfileMapping, Mapping>,
    policies: Kept<InferenceProfilePolicy, Policy>,
    namespaces: Listed<Arc<Namespace>>,
    nodes: Listed<Option<Region>>,
    with_nodes: bool,
    config_maps: ConfigMaps,
    snapshot: Arc<Snapshot>,
    problems: Arc<[Problem]>,
    stale: Stale,
    /// Whether custom resources, or what keeps us from following them, are others than were handed out last.
    other_objects: bool,
}

/// What has to be made anew.
#[derive(Debug, Default, Clone, Copy)]
struct Stale {
    snapshot: bool,
    namespaces: bool,
    any: bool,
}

/// What is known of ConfigMaps.
#[derive(Debug, Default)]
struct ConfigMaps {
    /// Counts the watches that were needed: which words are kept is a matter of the snapshot's vendors.
    era: u64,
    known: References,
    coming: Option<References>,
    complete: bool,
    denied: bool,
}

impl Cluster {
    /// Nothing has been seen. `with_nodes`: the region that all nodes agree on is waited for and counts.
    pub fn new(with_nodes: bool) -> Self {
        let (snapshot, _) = Snapshot::build(Vec::new(), Vec::new());
        Self {
            mappings: Kept::default(),
            policies: Kept::default(),
            namespaces: Listed::default(),
            nodes: Listed::default(),
            with_nodes,
            config_maps: ConfigMaps::default(),
            snapshot: Arc::new(snapshot),
            problems: Arc::from([]),
            stale: Stale::default(),
            other_objects: false,
        }
    }

    /// Takes what a watch told.
    pub fn take(&mut self, told: Told) {
        let stale = &mut self.stale;
        match told {
            Told::Mapping(change) => {
                let kind = "InferenceProfileMapping";
                stale.snapshot |= self.mappings.take(change, kind, validate::mapping);
            }
            Told::Policy(change) => {
                let kind = "InferenceProfilePolicy";
                stale.snapshot |= self.policies.take(change, kind, validate::policy);
            }
            Told::Namespace(change) => stale.namespaces |= self.namespaces.take(change),
            Told::Node(change) => stale.any |= self.nodes.take(change),
            // What a watch of an earlier era still tells was read for another snapshot, or by nobody any more.
            Told::ConfigMap(era, told) if era == self.config_maps.era => {
                let denied = self.config_maps.denied;
                stale.any |= self.config_maps.take(told, &self.snapshot);
                self.other_objects |= self.config_maps.denied != denied;
            }
            Told::ConfigMap(..) => {}
        }
        self.other_objects |= stale.snapshot;
        stale.any |= self.other_objects || stale.namespaces;
    }

    /// What is in force now, where anything is other than in `last`, and everything has been listed once.
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
            _ => Arc::new(Namespaces::Seen(self.namespaces.objects().clone())),
        };
        Some(View {
            snapshot: Arc::clone(&self.snapshot),
            namespaces,
            references: Arc::new(self.config_maps.known.clone()),
            cluster_region: self.region(),
        })
    }

    /// The custom resources that belong to the view that was taken last, where they are others than those before. Most views
    /// differ by a ConfigMap or a namespace, and nobody who writes about custom resources is to be woken by that.
    pub fn objects(&mut self) -> Option<Objects> {
        std::mem::take(&mut self.other_objects).then(|| Objects::of(self))
    }

    /// Merges and orders anew. ConfigMaps are read for the words of a snapshot, and forgotten where these are others.
    fn rebuild(&mut self) {
        let (mappings, policies) = (self.mappings.valid(), self.policies.valid());
        let (snapshot, problems) =
            Snapshot::build(mappings.cloned().collect(), policies.cloned().collect());
        if !snapshot.keeps_the_words_of(&self.snapshot) {
            self.config_maps.begin_anew();
        }
        self.snapshot = Arc::new(snapshot);
        self.problems = problems.into();
        if !self.follows_config_maps() {
            self.config_maps.begin_anew();
            self.config_maps.known = References::default();
        }
    }

    /// Whether everything that an answer may rest on has been listed once.
    pub fn is_complete(&self) -> bool {
        self.mappings.is_complete()
            && self.policies.is_complete()
            && self.namespaces.is_complete()
            && (!self.with_nodes || self.nodes.is_complete())
    }

    /// Whether what policies ask of ConfigMaps is there, or is known not to be had.
    pub fn has_references(&self) -> bool {
        !self.follows_config_maps() || self.config_maps.complete || self.config_maps.denied
    }

    /// Whether a policy looks at what Pods take from ConfigMaps.
    pub fn follows_config_maps(&self) -> bool {
        let follows = |policy: &Policy| policy.references != Following::Off;
        self.policies.valid().any(follows)
    }

    /// The era of the watch on ConfigMaps that is needed; `None` while no policy looks at them.
    pub fn config_maps_era(&self) -> Option<u64> {
        self.follows_config_maps().then_some(self.config_maps.era)
    }

    /// Whether a policy looks at ConfigMaps and we may not read them.
    pub fn is_denied_config_maps(&self) -> bool {
        self.follows_config_maps() && self.config_maps.denied
    }

    /// The mappings as they stand.
    pub fn mappings(&self) -> &Kept<InferenceProfileMapping, Mapping> {
        &self.mappings
    }

    /// The policies as they stand.
    pub fn policies(&self) -> &Kept<InferenceProfilePolicy, Policy> {
        &self.policies
    }

    /// What is wrong with objects that are each valid.
    pub fn problems(&self) -> &Arc<[Problem]> {
        &self.problems
    }

    /// The region that all nodes agree on. Those that say none have no voice: a node joins before it is labelled.
    fn region(&self) -> Option<Region> {
        let regions = self.nodes.objects().values().flatten().copied();
        Region::common(regions).filter(|_| self.with_nodes)
    }
}

impl ConfigMaps {
    /// Takes what the watch told, and says whether anything else is known now.
    fn take(&mut self, told: Result<Change<Box<ConfigMap>>, Trouble>, snapshot: &Snapshot) -> bool {
        // That a list begins is no proof that it may be read; everything else is.
        self.denied &= matches!(told, Err(_) | Ok(Change::Restarted));
        match told {
            Err(trouble) => {
                self.denied |= trouble == Trouble::Denied;
                return false;
            }
            Ok(Change::Restarted) => self.coming = Some(References::of_all()),
            Ok(Change::Listed(map)) => {
                let coming = self.coming.get_or_insert_with(References::of_all);
                insert(coming, &map, snapshot);
            }
            Ok(Change::Complete) => {
                self.known = self.coming.take().unwrap_or_else(References::of_all);
                self.complete = true;
                return true;
            }
            Ok(Change::Applied(map)) => {
                insert(&mut self.known, &map, snapshot);
                return true;
            }
            Ok(Change::Deleted(map)) => {
                let (namespace, name) = names(&map);
                self.known.remove(namespace, name);
                return true;
            }
        }
        false
    }

    /// Another watch is needed; what is known stays until that one has told all.
    fn begin_anew(&mut self) {
        self.era += 1;
        self.coming = None;
        self.complete = false;
        self.denied = false;
    }
}

fn names(map: &ConfigMap) -> (&str, &str) {
    let metadata = &map.metadata;
    (
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default(),
    )
}

/// Keeps of a ConfigMap what may matter.
fn insert(known: &mut References, map: &ConfigMap, snapshot: &Snapshot) {
    let (namespace, name) = names(map);
    let nothing = BTreeMap::new();
    let data = map.data.as_ref().unwrap_or(&nothing);
    let annotations = map.metadata.annotations.as_ref().unwrap_or(&nothing);
    let kept = config_maps::ConfigMap::read(
        data.iter().map(|(key, text)| (key.as_str(), text.as_str())),
        |key| annotations.get(key).map(String::as_str),
        snapshot,
    );
    known.insert(namespace, name, kept);
}
