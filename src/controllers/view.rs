//! Keeps the view current: watches in, one [`View`] out, and nobody else writes it.
//!
//! Changes that come together are published together. As long as the API server is away, the last view stays in force.

use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace as WireNamespace, Node};
use kube::api::{ApiResource, DynamicObject, PartialObjectMeta};
use kube::{Api, ResourceExt as _};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::api::{InferenceProfileMapping, InferenceProfilePolicy};
use crate::cluster::client::Clients;
use crate::cluster::release::GROUP;
use crate::cluster::watch::{self, Change, Sort, Trouble};
use crate::domain::policy::Namespace;
use crate::domain::region::Region;
use crate::domain::view::View;
use crate::runtime::admin::Hold;
use crate::runtime::published::Published;

mod cluster;
mod listed;
mod objects;
mod written;

pub use cluster::{Cluster, NamedChange, REGION_LABEL, Told};
pub use listed::Listed;
pub use objects::{ByName, Objects};
pub use written::{Kept, Written};

/// How many changes may wait to be taken. Watches wait while it is full, so that a list of large objects is never whole in
/// memory.
const WAITING: usize = 32;

/// How many changes make one view at most: without end, a long list would keep a changed policy from being published.
const MOST_TOGETHER: usize = 256;

/// Objects a page of a list: of custom resources and ConfigMaps few, as each may be a megabyte.
const LARGE_PAGE: u32 = 16;

/// Objects a page of a list of labels and annotations.
const SMALL_PAGE: u32 = 500;

/// Follows a cluster.
pub struct Follower {
    /// For lists and watches.
    pub clients: Clients,
    /// Whether the region that all nodes agree on counts.
    pub with_nodes: bool,
    /// Where the view is published.
    pub view: Arc<Published<Option<View>>>,
    /// Where the custom resources are published, as they stand.
    pub objects: Arc<Published<Objects>>,
    /// Counts watches.
    pub watches: watch::Metrics,
    /// Counts views.
    pub metrics: Metrics,
}

/// Counts views.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    published: Counter,
    at: Gauge,
    generations: Family<GenerationLabels, Gauge>,
    catalog_date: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GenerationLabels {
    kind: &'static str,
    name: String,
}

/// How many objects of a kind have their generation shown: a cluster has a handful, and nobody shall break a budget by making
/// more.
const MOST_SHOWN: usize = 24;

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("views", "Views published", self.published.clone());
        registry.register(
            "view_timestamp_seconds",
            "When the view in force was published, in seconds since 1970",
            self.at.clone(),
        );
        registry.register(
            "generation_in_force",
            "The generation of a custom resource that answers rest on",
            self.generations.clone(),
        );
        registry.register(
            "catalog_timestamp_seconds",
            "The date of the mapping `builtin`, in seconds since 1970; 0 where there is none",
            self.catalog_date.clone(),
        );
    }

    fn published(&self) {
        self.published.inc();
        self.at.set(jiff::Timestamp::now().as_second());
    }

    fn objects(&self, objects: &Objects) {
        self.generations.clear();
        let kinds = ["InferenceProfileMapping", "InferenceProfilePolicy"];
        for (kind, generations) in kinds.into_iter().zip(&objects.generations) {
            for (name, generation) in generations.iter().take(MOST_SHOWN) {
                let name = name.to_string();
                self.generations
                    .get_or_create(&GenerationLabels { kind, name })
                    .set(*generation);
            }
        }
        self.catalog_date
            .set(objects.catalog_second().unwrap_or_default());
    }
}

impl Follower {
    /// Follows for ever. `hold` is released when everything has been listed once.
    pub async fn run(self, hold: Hold) {
        let (told, mut mail) = mpsc::channel(WAITING);
        let _watches = self.watch(&told);
        let mut cluster = Cluster::new(self.with_nodes);
        let mut config_maps = ConfigMapWatch::default();
        let mut hold = Some(hold);
        let mut together = Vec::new();
        while mail.recv_many(&mut together, MOST_TOGETHER).await > 0 {
            for told in together.drain(..) {
                cluster.take(told);
            }
            self.publish(&mut cluster);
            config_maps.follow(&self, cluster.config_maps_era(), &told);
            if cluster.is_complete()
                && cluster.has_references()
                && let Some(hold) = hold.take()
            {
                hold.release();
            }
        }
    }

    fn publish(&self, cluster: &mut Cluster) {
        let last = self.view.load();
        let Some(view) = cluster.view(Option::as_ref(&last)) else {
            return;
        };
        self.view.replace(Some(view));
        self.metrics.published();
        if let Some(objects) = cluster.objects() {
            objects.log_what_is_wrong(&self.objects.load());
            self.metrics.objects(&objects);
            self.objects.replace(objects);
        }
    }

    /// Starts what is always followed.
    fn watch(&self, told: &mpsc::Sender<Told>) -> Vec<AbortOnDropHandle<()>> {
        let mut watches = vec![
            self.resources::<InferenceProfileMapping>(Sort::Mappings, told, Told::Mapping),
            self.resources::<InferenceProfilePolicy>(Sort::Policies, told, Told::Policy),
            self.labels::<WireNamespace, _>(Sort::Namespaces, told, |object| {
                Told::Namespace(object.map(|object| namespace(&object)))
            }),
        ];
        if self.with_nodes {
            watches.push(self.labels::<Node, _>(Sort::Nodes, told, |object| {
                Told::Node(object.map(|object| node(&object)))
            }));
        }
        watches
    }

    /// Follows custom resources, each read by itself.
    fn resources<W>(
        &self,
        sort: Sort,
        told: &mpsc::Sender<Told>,
        tell: fn(NamedChange<W>) -> Told,
    ) -> AbortOnDropHandle<()>
    where
        W: kube::Resource<DynamicType = ()> + DeserializeOwned + 'static,
    {
        let api = Api::<DynamicObject>::all_with(
            self.clients.reading.clone(),
            &ApiResource::erase::<W>(&()),
        );
        let mail = move |change: Result<Change<DynamicObject>, Trouble>| {
            Some(tell(change.ok()?.map(Written::read)))
        };
        self.start(api, LARGE_PAGE, sort, told, mail)
    }

    /// Follows labels and annotations.
    fn labels<K, F>(&self, sort: Sort, told: &mpsc::Sender<Told>, tell: F) -> AbortOnDropHandle<()>
    where
        K: kube::Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
        F: Fn(Change<PartialObjectMeta<K>>) -> Told + Send + 'static,
    {
        let api = Api::<PartialObjectMeta<K>>::all(self.clients.reading.clone());
        let mail = move |change: Result<Change<_>, Trouble>| change.ok().map(&tell);
        self.start(api, SMALL_PAGE, sort, told, mail)
    }

    fn start<K>(
        &self,
        api: Api<K>,
        page: u32,
        sort: Sort,
        told: &mpsc::Sender<Told>,
        mail: impl Fn(Result<Change<K>, Trouble>) -> Option<Told> + Send + 'static,
    ) -> AbortOnDropHandle<()>
    where
        K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    {
        let metrics = self.watches.clone();
        let following = watch::follow(api, watch::config(page), sort, metrics, told.clone(), mail);
        AbortOnDropHandle::new(tokio::spawn(following))
    }
}

/// The watch on ConfigMaps, which runs only while a policy looks at them.
#[derive(Default)]
struct ConfigMapWatch(Option<(u64, AbortOnDropHandle<()>)>);

impl ConfigMapWatch {
    /// Makes it the watch of this era, or none.
    fn follow(&mut self, follower: &Follower, era: Option<u64>, told: &mpsc::Sender<Told>) {
        if self.0.as_ref().map(|(running, _)| *running) == era {
            return;
        }
        self.0 = era.map(|era| {
            let api = Api::<ConfigMap>::all(follower.clients.reading.clone());
            let mail = move |change: Result<Change<_>, _>| {
                Some(Told::ConfigMap(
                    era,
                    change.map(|change| change.map(Box::new)),
                ))
            };
            (
                era,
                follower.start(api, LARGE_PAGE, Sort::ConfigMaps, told, mail),
            )
        });
    }
}

/// What is kept of a namespace: of annotations only ours.
fn namespace(object: &PartialObjectMeta<WireNamespace>) -> (Box<str>, Arc<Namespace>) {
    let name: Box<str> = object.name_any().into();
    let boxed = |(key, value): (&String, &String)| (key.as_str().into(), value.as_str().into());
    let ours = |(key, _): &(&String, &String)| {
        key.strip_prefix(GROUP)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let namespace = Namespace {
        name: name.clone(),
        labels: object.labels().iter().map(boxed).collect(),
        annotations: object
            .annotations()
            .iter()
            .filter(ours)
            .map(boxed)
            .collect(),
    };
    (name, Arc::new(namespace))
}

/// The region that a node says.
fn node(object: &PartialObjectMeta<Node>) -> (Box<str>, Option<Region>) {
    let region = object.labels().get(REGION_LABEL);
    (
        object.name_any().into(),
        region.and_then(|region| Region::parse(region).ok()),
    )
}

#[cfg(test)]
mod tests;
