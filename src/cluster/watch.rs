//! Following the objects of one sort: a list, then each change, for ever. What fails is said once and tried again.

use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use kube::Api;
use kube::runtime::watcher::{self, Event};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::client::WATCH_SECONDS;

/// The sorts of objects that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// `InferenceProfileMapping`.
    Mappings,
    /// `InferenceProfilePolicy`.
    Policies,
    /// Labels and annotations of namespaces.
    Namespaces,
    /// Labels of nodes.
    Nodes,
    /// ConfigMaps, while a policy resolves references.
    ConfigMaps,
    /// The webhook configurations of the chart.
    Configurations,
    /// The ConfigMap with the chart's wishes.
    Bootstrap,
    /// The Secret that holds the CAs.
    Authorities,
}

/// What happened to the objects of a sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// A new list begins; what stands until it is complete is the old one.
    Restarted,
    /// One object of the new list.
    Listed(T),
    /// The new list is complete: what it does not have is gone.
    Complete,
    /// An object was created or changed.
    Applied(T),
    /// An object was deleted.
    Deleted(T),
}

/// Whether a watch works, and what kept it from working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The API server does not know the sort: its custom resource definition is missing.
    Unknown,
    /// The service account may not read it.
    Denied,
    /// Anything else, mostly that the API server is away.
    Other,
}

/// Counts what watches do. Shared by all of them.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    up: Family<Labels, Gauge>,
    lists: Family<Labels, Counter>,
    errors: Family<Labels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    resource: &'static str,
}

/// How long to wait before the next try: doubled from a tenth of a second to two seconds, with jitter. A replica that waits
/// longer is behind its peers for as long; three replicas that ask every two seconds are no load.
struct Patience {
    next: Duration,
}

const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

impl Sort {
    /// The name in metrics and logs: the plural of the resource.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mappings => "inferenceprofilemappings",
            Self::Policies => "inferenceprofilepolicies",
            Self::Namespaces => "namespaces",
            Self::Nodes => "nodes",
            Self::ConfigMaps => "configmaps",
            Self::Configurations => "webhookconfigurations",
            Self::Bootstrap => "bootstrap",
            Self::Authorities => "authorities",
        }
    }

    /// What to do about a trouble, as the end of a sentence.
    const fn hint(self, trouble: Trouble) -> &'static str {
        match (trouble, self) {
            (Trouble::Unknown, Self::Mappings | Self::Policies) => {
                "install the custom resource definitions: bedrock-profiles export crds | kubectl apply --server-side -f -"
            }
            (Trouble::Denied, _) => "grant list and watch as manifests/rbac.yaml does",
            (Trouble::Unknown | Trouble::Other, _) => "it is tried again",
        }
    }
}

impl<T> Change<T> {
    /// The same of something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Restarted => Change::Restarted,
            Self::Complete => Change::Complete,
            Self::Listed(object) => Change::Listed(f(object)),
            Self::Applied(object) => Change::Applied(f(object)),
            Self::Deleted(object) => Change::Deleted(f(object)),
        }
    }
}

impl<K> From<Event<K>> for Change<K> {
    fn from(event: Event<K>) -> Self {
        match event {
            Event::Init => Self::Restarted,
            Event::InitApply(object) => Self::Listed(object),
            Event::InitDone => Self::Complete,
            Event::Apply(object) => Self::Applied(object),
            Event::Delete(object) => Self::Deleted(object),
        }
    }
}

impl From<&watcher::Error> for Trouble {
    fn from(error: &watcher::Error) -> Self {
        use watcher::Error::{
            InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed,
        };
        let status = match error {
            InitialListFailed(kube::Error::Api(status))
            | WatchStartFailed(kube::Error::Api(status))
            | WatchFailed(kube::Error::Api(status))
            | WatchError(status) => Some(status),
            InitialListFailed(_) | WatchStartFailed(_) | WatchFailed(_) | NoResourceVersion => None,
        };
        match status.map_or(0, |status| status.code) {
            401 | 403 => Self::Denied,
            404 => Self::Unknown,
            _ => Self::Other,
        }
    }
}

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "watch_up",
            "Whether the last word of a watch was no error",
            self.up.clone(),
        );
        registry.register(
            "watch_lists",
            "Full lists begun, by resource: the first, and one whenever a watch cannot go on where it ended",
            self.lists.clone(),
        );
        registry.register(
            "watch_errors",
            "Failed tries to list or watch",
            self.errors.clone(),
        );
    }
}

/// The settings of a watch: one that is cut without a word is noticed within half a minute; `page` objects a page of the list.
pub fn config(page: u32) -> watcher::Config {
    watcher::Config::default()
        .timeout(WATCH_SECONDS)
        .page_size(page)
}

/// The settings of a watch of one object, as rights that are limited to a name ask for.
pub fn config_of_one(name: &str) -> watcher::Config {
    config(1).fields(&format!("metadata.name={name}"))
}

/// Follows objects for as long as somebody takes what is told; of `PartialObjectMeta` nothing but labels and annotations is
/// sent. `mail` says what to tell of a change, if anything. Where the taker is slow, the watch waits.
pub async fn follow<K, T>(
    api: Api<K>,
    config: watcher::Config,
    sort: Sort,
    metrics: Metrics,
    taker: mpsc::Sender<T>,
    mail: impl Fn(Result<Change<K>, Trouble>) -> Option<T> + Send,
) where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    T: Send,
{
    tell_all(watcher::watcher(api, config), sort, metrics, taker, mail).await;
}

async fn tell_all<K, T>(
    events: impl Stream<Item = watcher::Result<Event<K>>>,
    sort: Sort,
    metrics: Metrics,
    taker: mpsc::Sender<T>,
    mail: impl Fn(Result<Change<K>, Trouble>) -> Option<T>,
) {
    let mut watch = Watch::new(sort, metrics);
    let mut events = pin!(events);
    while let Some(event) = events.next().await {
        let (told, pause) = match event {
            Ok(event) => {
                let change = Change::from(event);
                watch.works(&change);
                (mail(Ok(change)), None)
            }
            Err(error) => (mail(Err(Trouble::from(&error))), Some(watch.fails(&error))),
        };
        if let Some(told) = told
            && taker.send(told).await.is_err()
        {
            return;
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
}

/// What is known of one watch, and said of it.
struct Watch {
    sort: Sort,
    metrics: Metrics,
    said: Option<Trouble>,
    patience: Patience,
}

impl Watch {
    fn new(sort: Sort, metrics: Metrics) -> Self {
        Self {
            sort,
            metrics,
            said: None,
            patience: Patience::default(),
        }
    }

    fn labels(&self) -> Labels {
        Labels {
            resource: self.sort.as_str(),
        }
    }

    /// That a list begins is no proof: nothing has been asked yet.
    fn works<K>(&mut self, change: &Change<K>) {
        if matches!(change, Change::Restarted) {
            self.metrics.lists.get_or_create(&self.labels()).inc();
            return;
        }
        self.patience = Patience::default();
        self.metrics.up.get_or_create(&self.labels()).set(1);
        if self.said.take().is_some() {
            tracing::info!(resource = self.sort.as_str(), "the watch works again");
        }
    }

    /// Counts and says a trouble, the same one once, and how long to wait.
    fn fails(&mut self, error: &watcher::Error) -> Duration {
        self.metrics.up.get_or_create(&self.labels()).set(0);
        self.metrics.errors.get_or_create(&self.labels()).inc();
        let trouble = Trouble::from(error);
        if self.said.replace(trouble) != Some(trouble) {
            let hint = self.sort.hint(trouble);
            tracing::warn!(resource = self.sort.as_str(), %error, "cannot follow: {hint}");
        }
        self.patience.next()
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { next: SHORTEST }
    }
}

impl Patience {
    /// The next wait, between half and the whole of what it is at most.
    fn next(&mut self) -> Duration {
        let most = self.next;
        self.next = (most * 2).min(LONGEST);
        most.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_doubled_up_to_a_bound() {
        let mut patience = Patience::default();
        let waits: Vec<_> = (0..50).map(|_| patience.next()).collect();
        assert!(waits[0] <= SHORTEST);
        assert!(
            waits
                .iter()
                .all(|wait| *wait >= SHORTEST / 2 && *wait <= LONGEST)
        );
        assert!(waits[10..].iter().all(|wait| *wait >= LONGEST / 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_only_begins_is_no_sign_of_life() {
        let refused = || {
            let status = kube::core::Status::failure("no", "Forbidden")
                .with_code(403)
                .boxed();
            Err(watcher::Error::InitialListFailed(kube::Error::Api(status)))
        };
        let events: Vec<watcher::Result<Event<()>>> = vec![
            Ok(Event::Init),
            refused(),
            Ok(Event::Init),
            refused(),
            Ok(Event::Init),
            Ok(Event::InitDone),
        ];
        let metrics = Metrics::default();
        let (taker, mut told) = mpsc::channel(10);
        let stream = futures::stream::iter(events);
        tell_all(stream, Sort::Nodes, metrics.clone(), taker, Some).await;
        let mut all = Vec::new();
        told.recv_many(&mut all, 10).await;
        let denied = Err(Trouble::Denied);
        assert_eq!(
            all,
            [
                Ok(Change::Restarted),
                denied.clone(),
                Ok(Change::Restarted),
                denied,
                Ok(Change::Restarted),
                Ok(Change::Complete)
            ]
        );
        let labels = Labels { resource: "nodes" };
        assert_eq!(metrics.up.get_or_create(&labels).get(), 1);
        assert_eq!(metrics.lists.get_or_create(&labels).get(), 3);
        assert_eq!(metrics.errors.get_or_create(&labels).get(), 2);
    }
}
