//! Keeps the view current: receives the events of all watches, and publishes one [`View`]. Nothing else publishes it.
//!
//! Changes that arrive together are published together. While the API server is unreachable, the last view stays in use.

use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace as NamespaceObject, Node};
use kube::api::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::{Api, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::api::{InferenceProfileMapping, InferenceProfilePolicy};
use crate::cluster::client::Clients;
use crate::cluster::release::GROUP;
use crate::cluster::watch::{self, Event, WatchError, WatchedResource};
use crate::domain::policy::Namespace;
use crate::domain::region::Region;
use crate::domain::view::View;
use crate::runtime::published::Published;
use crate::runtime::{self, admin::Hold};

mod custom_resources;
mod metrics;
mod state;
mod validated_store;

pub use custom_resources::{ByName, CustomResources};
pub use metrics::Metrics;
pub use state::{ClusterEvent, ClusterState, NamedEvent, REGION_LABEL};
pub use validated_store::{Observed, ValidatedStore};

/// How many events may wait. Watches pause while the queue is full, so that a list of large objects is never whole in memory.
const QUEUE_LENGTH: usize = 32;

/// How many events are published together at most, so that a long list does not delay a changed policy.
const BATCH_SIZE: usize = 256;

/// Objects a page of a list of custom resources or ConfigMaps, which may have a megabyte each.
const LARGE_OBJECT_PAGE: u32 = 16;

/// Objects a page of a list of labels and annotations.
const METADATA_PAGE: u32 = 500;

/// Watches a cluster.
pub struct ClusterWatcher {
    /// The clients of the cluster.
    pub clients: Clients,
    /// Whether the cluster's region is taken from its nodes.
    pub with_nodes: bool,
    /// Receives the view.
    pub view: Arc<Published<Option<View>>>,
    /// Receives the custom resources as observed.
    pub objects: Arc<Published<CustomResources>>,
    /// Metrics of watches.
    pub watches: watch::Metrics,
    /// Metrics of the view.
    pub metrics: Metrics,
}

impl ClusterWatcher {
    /// Runs forever. Releases `hold` after the first complete list of each resource.
    pub async fn run(self, hold: Hold) {
        let (sender, mut events) = mpsc::channel(QUEUE_LENGTH);
        let _watches = self.watch(&sender);
        let mut state = ClusterState::new(self.with_nodes);
        let mut config_maps = ConfigMapWatch::default();
        let mut hold = Some(hold);
        let mut batch = Vec::new();
        while events.recv_many(&mut batch, BATCH_SIZE).await > 0 {
            for event in batch.drain(..) {
                state.apply(event);
            }
            self.publish(&mut state);
            config_maps.switch_to(&self, state.config_map_generation(), &sender);
            if state.is_complete()
                && state.has_references()
                && let Some(hold) = hold.take()
            {
                hold.release();
            }
        }
    }

    fn publish(&self, state: &mut ClusterState) {
        let last = self.view.load();
        let Some(view) = state.view(Option::as_ref(&last)) else {
            return;
        };
        self.view.replace(Some(view));
        self.metrics.count_view();
        if let Some(objects) = state.custom_resources() {
            objects.log_new_problems(&self.objects.load());
            self.metrics.observe(&objects);
            self.objects.replace(objects);
        }
    }

    /// Starts the watches that always run.
    fn watch(&self, sender: &mpsc::Sender<ClusterEvent>) -> Vec<AbortOnDropHandle<()>> {
        let mut watches = vec![
            self.watch_custom_resource::<InferenceProfileMapping>(
                WatchedResource::Mappings,
                sender,
                ClusterEvent::Mapping,
            ),
            self.watch_custom_resource::<InferenceProfilePolicy>(
                WatchedResource::Policies,
                sender,
                ClusterEvent::Policy,
            ),
            self.watch_metadata::<NamespaceObject, _>(
                WatchedResource::Namespaces,
                sender,
                |event| ClusterEvent::Namespace(watch::map(event, |object| namespace(&object))),
            ),
        ];
        if self.with_nodes {
            let map_event = |event| ClusterEvent::Node(watch::map(event, |object| node(&object)));
            watches.push(self.watch_metadata::<Node, _>(WatchedResource::Nodes, sender, map_event));
        }
        watches
    }

    /// Watches custom resources. Each is parsed by itself.
    fn watch_custom_resource<W>(
        &self,
        resource: WatchedResource,
        sender: &mpsc::Sender<ClusterEvent>,
        map_event: fn(NamedEvent<W>) -> ClusterEvent,
    ) -> AbortOnDropHandle<()>
    where
        W: kube::Resource<DynamicType = ()> + DeserializeOwned + 'static,
    {
        let api = Api::<DynamicObject>::all_with(
            self.clients.reading.clone(),
            &ApiResource::erase::<W>(&()),
        );
        let map_event = move |event: Result<Event<DynamicObject>, WatchError>| {
            Some(map_event(watch::map(event.ok()?, Observed::read)))
        };
        self.start(api, LARGE_OBJECT_PAGE, resource, sender, map_event)
    }

    /// Watches labels and annotations: the API server sends nothing else.
    fn watch_metadata<K, F>(
        &self,
        resource: WatchedResource,
        sender: &mpsc::Sender<ClusterEvent>,
        map_event: F,
    ) -> AbortOnDropHandle<()>
    where
        K: kube::Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
        F: Fn(Event<PartialObjectMeta<K>>) -> ClusterEvent + Send + 'static,
    {
        let api = Api::<PartialObjectMeta<K>>::all(self.clients.reading.clone());
        let map_event = move |event: Result<Event<_>, WatchError>| event.ok().map(&map_event);
        self.start(api, METADATA_PAGE, resource, sender, map_event)
    }

    fn start<K>(
        &self,
        api: Api<K>,
        page: u32,
        resource: WatchedResource,
        sender: &mpsc::Sender<ClusterEvent>,
        map_event: impl Fn(Result<Event<K>, WatchError>) -> Option<ClusterEvent> + Send + 'static,
    ) -> AbortOnDropHandle<()>
    where
        K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let metrics = self.watches.clone();
        let events = watch::events(api, watch::config(page), resource, metrics);
        let forwarding = watch::forward(events, sender.clone(), map_event);
        AbortOnDropHandle::new(runtime::spawn(forwarding))
    }
}

/// The watch of ConfigMaps, which runs only while a policy resolves references, with its generation.
#[derive(Default)]
struct ConfigMapWatch(Option<(u64, AbortOnDropHandle<()>)>);

impl ConfigMapWatch {
    /// Runs the watch of this generation, or none.
    fn switch_to(
        &mut self,
        watcher: &ClusterWatcher,
        generation: Option<u64>,
        sender: &mpsc::Sender<ClusterEvent>,
    ) {
        if self.0.as_ref().map(|(running, _)| *running) == generation {
            return;
        }
        self.0 = generation.map(|generation| {
            let api = Api::<ConfigMap>::all(watcher.clients.reading.clone());
            let map_event = move |event: Result<Event<_>, _>| {
                let event = event.map(|event| watch::map(event, Box::new));
                Some(ClusterEvent::ConfigMap { generation, event })
            };
            let resource = WatchedResource::ConfigMaps;
            (
                generation,
                watcher.start(api, LARGE_OBJECT_PAGE, resource, sender, map_event),
            )
        });
    }
}

/// The name of a namespace, its labels, and those of its annotations that belong to the product.
fn namespace(object: &PartialObjectMeta<NamespaceObject>) -> (Box<str>, Arc<Namespace>) {
    let name: Box<str> = object.name_any().into();
    let boxed = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
    let belongs = |(key, _): &(&String, &String)| {
        key.strip_prefix(GROUP)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let namespace = Namespace {
        name: name.clone(),
        labels: object.labels().iter().map(boxed).collect(),
        annotations: object
            .annotations()
            .iter()
            .filter(belongs)
            .map(boxed)
            .collect(),
    };
    (name, Arc::new(namespace))
}

/// The name of a node, and the region of its label.
fn node(object: &PartialObjectMeta<Node>) -> (Box<str>, Option<Region>) {
    let region = object.labels().get(REGION_LABEL);
    (
        object.name_any().into(),
        region.and_then(|region| Region::parse(region).ok()),
    )
}

#[cfg(test)]
mod tests;
