//! Watches: a list of the objects of one resource, then each change, as an endless stream. A failed watch is retried with
//! backoff, and the same error is logged once.

use std::fmt::Debug;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _, future};
use kube::Api;
use kube::runtime::watcher;
pub use kube::runtime::watcher::Event;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::backoff::Backoff;
use super::client::WATCH_SECONDS;
use crate::runtime;

/// The first delay after a failed watch.
const INITIAL_DELAY: Duration = Duration::from_millis(100);

/// The longest delay between two attempts. A replica that waits longer lags behind its peers; three replicas that retry every
/// two seconds are no load.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// The resources that a replica watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WatchedResource {
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
    /// The ConfigMap with the bootstrap configuration.
    Bootstrap,
    /// The Secret that holds the CAs.
    Authorities,
}

/// Why an attempt to list or watch failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// The API server does not serve the resource: its custom resource definition is missing.
    #[error("the API server does not serve the resource")]
    NotFound,
    /// The service account may not read the resource.
    #[error("forbidden")]
    Forbidden,
    /// Any other error, usually that the API server cannot be reached.
    #[error("the API server cannot be reached")]
    Other,
}

/// Metrics of all watches of a replica.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    up: Family<WatchLabels, Gauge>,
    lists: Family<WatchLabels, Counter>,
    errors: Family<WatchLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WatchLabels {
    resource: &'static str,
}

impl WatchedResource {
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

    /// The remedy for an error, as the end of a log message.
    const fn remedy(self, error: WatchError) -> &'static str {
        match (error, self) {
            (WatchError::NotFound, Self::Mappings | Self::Policies) => {
                "; install the custom resource definitions: bedrock-profiles export crds | kubectl apply --server-side -f -"
            }
            (WatchError::Forbidden, _) => "; grant list and watch as in manifests/rbac.yaml",
            (WatchError::NotFound | WatchError::Other, _) => "",
        }
    }
}

impl From<&watcher::Error> for WatchError {
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
            401 | 403 => Self::Forbidden,
            404 => Self::NotFound,
            _ => Self::Other,
        }
    }
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "watch_up",
            "1 if the watch is healthy, 0 if its last attempt failed",
            metrics.up.clone(),
        );
        registry.register(
            "watch_lists",
            "Full lists requested: one at the start, and one after each watch that could not be resumed",
            metrics.lists.clone(),
        );
        registry.register(
            "watch_errors",
            "Failed attempts to list or watch",
            metrics.errors.clone(),
        );
        metrics
    }
}

/// The settings of a watch: an interrupted connection is noticed within half a minute; lists have `page` objects a page.
pub fn config(page: u32) -> watcher::Config {
    watcher::Config::default()
        .timeout(WATCH_SECONDS)
        .page_size(page)
}

/// The events of a resource, and its errors, without end.
pub fn events<K>(
    api: Api<K>,
    config: watcher::Config,
    resource: WatchedResource,
    metrics: Metrics,
) -> BoxStream<'static, Result<Event<K>, WatchError>>
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    retry(watcher::watcher(api, config), resource, metrics).boxed()
}

/// One object by name, whenever it changes: `None` if it does not exist. The request is limited to the name, as RBAC rules
/// with `resourceNames` require.
pub fn one<K>(
    api: Api<K>,
    name: &str,
    resource: WatchedResource,
    metrics: Metrics,
) -> BoxStream<'static, Option<K>>
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config = config(1).fields(&format!("metadata.name={name}"));
    single(events(api, config, resource, metrics)).boxed()
}

/// Forwards the events of `stream` that `map_event` selects, until the receiver is closed. A slow receiver delays the watch, so
/// that a long list is never whole in memory.
pub async fn forward<S, T>(
    mut stream: S,
    sender: mpsc::Sender<T>,
    map_event: impl Fn(S::Item) -> Option<T> + Send,
) where
    S: Stream + Send + Unpin,
    S::Item: Send,
    T: Send,
{
    while let Some(item) = stream.next().await {
        if let Some(event) = map_event(item)
            && sender.send(event).await.is_err()
        {
            return;
        }
    }
}

/// Maps the object of an event.
pub fn map<T, U>(event: Event<T>, f: impl FnOnce(T) -> U) -> Event<U> {
    match event {
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::InitApply(object) => Event::InitApply(f(object)),
        Event::Apply(object) => Event::Apply(f(object)),
        Event::Delete(object) => Event::Delete(f(object)),
    }
}

/// Folds the events of at most one object to its state.
fn single<K: Send + 'static>(
    events: impl Stream<Item = Result<Event<K>, WatchError>> + Send,
) -> impl Stream<Item = Option<K>> + Send {
    events
        .scan(None, |listed, event| {
            let state = match event {
                Ok(Event::Init) => {
                    *listed = None;
                    None
                }
                Ok(Event::InitApply(object)) => {
                    *listed = Some(object);
                    None
                }
                Ok(Event::InitDone) => Some(listed.take()),
                Ok(Event::Apply(object)) => Some(Some(object)),
                Ok(Event::Delete(_)) => Some(None),
                Err(_) => None,
            };
            future::ready(Some(state))
        })
        .filter_map(future::ready)
}

/// Counts and logs the errors of a watch, and delays the attempt after each.
fn retry<K: Send + 'static>(
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
    resource: WatchedResource,
    metrics: Metrics,
) -> impl Stream<Item = Result<Event<K>, WatchError>> + Send {
    let watch = Watch {
        resource,
        metrics,
        logged: None,
        backoff: Backoff::new(INITIAL_DELAY, MAX_DELAY),
    };
    let state = (events.boxed(), watch, None);
    stream::unfold(state, |(mut events, mut watch, delay)| async move {
        if let Some(delay) = delay {
            tokio::time::sleep(delay).await;
        }
        let (item, delay) = match events.next().await? {
            Ok(event) => {
                watch.on_event(&event);
                (Ok(event), None)
            }
            Err(error) => (Err(WatchError::from(&error)), Some(watch.on_error(&error))),
        };
        Some((item, (events, watch, delay)))
    })
}

/// The state of one watch, as far as metrics and log need it.
struct Watch {
    resource: WatchedResource,
    metrics: Metrics,
    /// The error that was logged last; `None` while the watch is healthy.
    logged: Option<WatchError>,
    backoff: Backoff,
}

impl Watch {
    fn labels(&self) -> WatchLabels {
        WatchLabels {
            resource: self.resource.as_str(),
        }
    }

    /// The start of a list proves nothing: no request has been sent yet.
    fn on_event<K>(&mut self, event: &Event<K>) {
        if matches!(event, Event::Init) {
            self.metrics.lists.get_or_create(&self.labels()).inc();
            return;
        }
        self.backoff.reset();
        self.metrics.up.get_or_create(&self.labels()).set(1);
        if self.logged.take().is_some() {
            tracing::info!(resource = self.resource.as_str(), "watch recovered");
        }
    }

    /// Counts an error, logs it once, and returns the delay before the next attempt.
    fn on_error(&mut self, error: &watcher::Error) -> Duration {
        self.metrics.up.get_or_create(&self.labels()).set(0);
        self.metrics.errors.get_or_create(&self.labels()).inc();
        let kind = WatchError::from(error);
        if self.logged.replace(kind) != Some(kind) {
            let remedy = self.resource.remedy(kind);
            let resource = self.resource.as_str();
            if runtime::is_draining() {
                tracing::debug!(resource, %error, "watch failed during the shutdown");
            } else {
                tracing::warn!(resource, %error, "watch failed; retrying{remedy}");
            }
        }
        self.backoff.next_delay()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_list_that_only_begins_does_not_mark_the_watch_as_healthy() {
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
        let stream = stream::iter(events);
        let items: Vec<_> = retry(stream, WatchedResource::Nodes, metrics.clone())
            .collect()
            .await;
        let errors: Vec<_> = items
            .iter()
            .map(|item| item.as_ref().err().copied())
            .collect();
        let forbidden = Some(WatchError::Forbidden);
        assert_eq!(errors, [None, forbidden, None, forbidden, None, None]);
        assert!(matches!(items[5], Ok(Event::InitDone)));
        let labels = WatchLabels { resource: "nodes" };
        assert_eq!(metrics.up.get_or_create(&labels).get(), 1);
        assert_eq!(metrics.lists.get_or_create(&labels).get(), 3);
        assert_eq!(metrics.errors.get_or_create(&labels).get(), 2);
    }

    #[tokio::test]
    async fn one_object_is_reported_when_its_list_is_complete_and_at_each_change() {
        let events = vec![
            Ok(Event::Init),
            Ok(Event::InitApply(1)),
            Err(WatchError::Other),
            Ok(Event::Init),
            Ok(Event::InitDone),
            Ok(Event::Apply(2)),
            Ok(Event::Init),
            Ok(Event::InitApply(3)),
            Ok(Event::InitDone),
            Ok(Event::Delete(3)),
        ];
        let states: Vec<_> = single(stream::iter(events)).collect().await;
        assert_eq!(states, [None, Some(2), Some(3), None]);
    }
}
