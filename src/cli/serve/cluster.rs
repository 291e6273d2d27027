//! `serve` in a cluster: every replica watches the custom resources, and the leader writes.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use kube::Api;
use tokio::sync::watch as channel;

use crate::api::{BootstrapConfig, InferenceProfileMapping};
use crate::cluster::client::Clients;
use crate::cluster::leader_election::{self, LeaderElector, Leadership};
use crate::cluster::release::{GROUP, Manager, ReleaseNames, SYSTEM_NAMESPACE};
use crate::cluster::watch::{self, WatchedResource};
use crate::controllers::applied_hashes::AppliedHashes;
use crate::controllers::audit_runner::{self, AuditOptions, AuditRunner};
use crate::controllers::bootstrap::{BootstrapResults, Bootstrapper};
use crate::controllers::bootstrap_config;
use crate::controllers::certificates;
use crate::controllers::certificates::context::{CertificateContext, ReadinessGate};
use crate::controllers::certificates::from_files::FileCertificates;
use crate::controllers::certificates::keyring::Lifetimes;
use crate::controllers::certificates::self_managed::{CaController, Settings};
use crate::controllers::certificates::trust::{DesiredTrust, ObservedTrust};
use crate::controllers::cluster_state::{self, ClusterWatcher, CustomResources};
use crate::controllers::status::{self, StatusController};
use crate::controllers::webhook_config::{self, WebhookConfigController, WebhookStates};
use crate::domain::view::View;
use crate::runtime::BoxError;
use crate::runtime::published::Published;
use crate::tls::CertificateResolver;
use crate::tls::authority::Names;
use crate::tls::files::Paths;
use crate::webhook::body;

use super::StartError;
use super::server::{
    Addresses, BoundServer, CA_NAME, CallerOptions, RunningServer, SERVER_NAME, WebhookOptions,
};

/// Options of a replica in a cluster.
pub struct ClusterOptions {
    /// Addresses to listen on.
    pub addresses: Addresses,
    /// Clients of the API server.
    pub clients: Clients,
    /// The Helm release.
    pub release: ReleaseNames,
    /// The identity of this replica in the leader election.
    pub identity: String,
    /// The built-in catalog.
    pub shipped: InferenceProfileMapping,
    /// Use the region of the node labels, if all nodes agree.
    pub region_from_nodes: bool,
    /// Files of the serving certificate; `None` for a self-managed CA in the Secret of the release.
    pub certificate: Option<Paths>,
    /// Lifetimes of certificates.
    pub lifetimes: Lifetimes,
    /// Namespaces to ignore, besides `kube-system` and the namespace of the release.
    pub excluded: Vec<String>,
    /// Whether another webhook may set a region in Pods.
    pub regions_injected: bool,
    /// The date to compare end-of-life dates with.
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
    /// Options of audits; `None` if they are disabled.
    pub audit: Option<AuditOptions>,
    /// The limits of the server.
    pub limits: body::ServerLimits,
    /// Which callers may send reviews; `None`: any.
    pub callers: Option<CallerOptions>,
}

/// The time from the first successful readiness probe until the webhook configurations are activated: the kubelet reports
/// the Pod as ready, the Service gets an endpoint, and every API server has to observe it.
const ENDPOINT_PROPAGATION: Duration = Duration::from_secs(2);

/// What the controllers of a replica share.
struct ReplicaContext {
    clients: Clients,
    release: ReleaseNames,
    view: Arc<Published<Option<View>>>,
    objects: Arc<Published<CustomResources>>,
    config: Arc<Published<Option<BootstrapConfig>>>,
    results: Arc<Published<BootstrapResults>>,
    watches: watch::Metrics,
}

/// Starts a replica in a cluster. A process can start several.
pub async fn start_in_cluster(options: ClusterOptions) -> Result<RunningServer, StartError> {
    let mut server = BoundServer::bind(options.addresses).await?;
    let shared = ReplicaContext {
        clients: options.clients,
        release: options.release,
        view: Arc::new(Published::new(None)),
        objects: Arc::new(Published::new(CustomResources::default())),
        config: Arc::new(Published::new(None)),
        results: Arc::new(Published::new(BootstrapResults::default())),
        watches: watch::Metrics::register(&mut server.registry),
    };
    let resolver = CertificateResolver::empty();

    start_watches(&mut server, &shared, options.region_from_nodes);
    let leadership = start_election(&mut server, &shared, options.identity);
    start_bootstrap(&mut server, &shared, options.shipped, leadership.clone());
    let (trust, webhooks) = start_webhook_config(&mut server, &shared, leadership.clone());
    start_status(&mut server, &shared, leadership.clone(), webhooks.clone());
    let context = CertificateContext {
        leadership: leadership.clone(),
        observed: observe_trust(&mut server, webhooks),
        desired: trust,
        resolver: Arc::clone(&resolver),
        readiness: ReadinessGate::new(server.readiness.clone()),
        metrics: certificates::metrics::Metrics::register(&mut server.registry),
    };
    start_certificates(
        &mut server,
        &shared,
        options.certificate,
        options.lifetimes,
        context,
    )?;

    let own = shared.release.namespace.clone();
    let excluded: Vec<String> = options.excluded.into_iter().chain([own]).collect();
    let today = Arc::clone(&options.today);
    if let Some(mut wanted) = options.audit {
        let always = SYSTEM_NAMESPACE.to_owned();
        wanted
            .excluded
            .extend(excluded.iter().cloned().chain([always]));
        start_audit(&mut server, &shared, leadership, options.today, wanted);
    }
    let webhook = WebhookOptions {
        view: shared.view,
        excluded,
        regions_injected: options.regions_injected,
        today: Box::new(move || today()),
        limits: options.limits,
        callers: options.callers,
    };
    server.serve(webhook, resolver, None)
}

/// Watches the objects that the view is built from.
fn start_watches(server: &mut BoundServer, shared: &ReplicaContext, with_nodes: bool) {
    let watcher = ClusterWatcher {
        clients: shared.clients.clone(),
        with_nodes,
        view: Arc::clone(&shared.view),
        objects: Arc::clone(&shared.objects),
        watches: shared.watches.clone(),
        metrics: cluster_state::Metrics::register(&mut server.registry),
    };
    let hold = server
        .readiness
        .hold("mappings, policies, namespaces and nodes to be listed");
    spawn(server, "custom resource watches", watcher.run(hold));
    let config = bootstrap_config::run(
        shared.clients.clone(),
        shared.release.clone(),
        shared.watches.clone(),
        Arc::clone(&shared.config),
    );
    spawn(server, "bootstrap configuration watch", config);
}

/// Takes part in the leader election.
fn start_election(
    server: &mut BoundServer,
    shared: &ReplicaContext,
    identity: String,
) -> Leadership {
    let metrics = leader_election::Metrics::register(&mut server.registry);
    let (client, release) = (shared.clients.writing.clone(), &shared.release);
    let (namespace, lease) = (&release.namespace, release.lease());
    let (elector, leadership) = LeaderElector::new(client, namespace, lease, identity, metrics);
    let shutdown = server.shutdown.clone();
    server.tasks.work("leader election", async move {
        elector.run(shutdown).await;
        Ok::<(), BoxError>(())
    });
    leadership
}

/// Installs the built-in catalog and the default policy as custom resources.
fn start_bootstrap(
    server: &mut BoundServer,
    shared: &ReplicaContext,
    shipped: InferenceProfileMapping,
    leadership: Leadership,
) {
    let bootstrapper = Bootstrapper {
        clients: shared.clients.clone(),
        hashes: AppliedHashes::of(&shared.clients, &shared.release),
        objects: Arc::clone(&shared.objects),
        config: Arc::clone(&shared.config),
        leadership,
        shipped,
        results: Arc::clone(&shared.results),
    };
    let hold = server
        .readiness
        .hold("the catalog and the default policy to be in the cluster");
    spawn(server, "bootstrap", bootstrapper.run(hold));
}

/// Starts the certificate controller: of the given files, or else of the CAs in the release's Secret.
fn start_certificates(
    server: &mut BoundServer,
    shared: &ReplicaContext,
    files: Option<Paths>,
    lifetimes: Lifetimes,
    context: CertificateContext,
) -> Result<(), StartError> {
    let release = &shared.release;
    if let Some(paths) = files {
        let name = release.service_name();
        let certificates = FileCertificates::open(paths, name, lifetimes, context)?;
        spawn(server, "certificate", certificates.run());
    } else {
        let (clients, watches) = (&shared.clients, shared.watches.clone());
        let controller = ca_controller(clients, release, lifetimes, context, watches);
        spawn(server, "certificate", controller.run());
    }
    Ok(())
}

/// The controller of the CAs in the Secret of a release.
pub fn ca_controller(
    clients: &Clients,
    release: &ReleaseNames,
    lifetimes: Lifetimes,
    context: CertificateContext,
    watches: watch::Metrics,
) -> CaController {
    let secrets = watch::one(
        Api::namespaced(clients.reading.clone(), &release.namespace),
        &release.ca_secret(),
        WatchedResource::Authorities,
        watches,
    );
    let settings = ca_settings(release, lifetimes);
    CaController::new(clients.writing.clone(), secrets, settings, context)
}

/// The names that the CA controller of a release uses.
fn ca_settings(release: &ReleaseNames, lifetimes: Lifetimes) -> Settings {
    Settings {
        namespace: release.namespace.clone(),
        secret: release.ca_secret(),
        rotate_annotation: format!("{GROUP}/rotate"),
        field_manager: Manager::Certificates.as_str().to_owned(),
        ca_name: CA_NAME.to_owned(),
        server: Names {
            common_name: SERVER_NAME.to_owned(),
            dns: release.service_names(),
            ips: Vec::new(),
        },
        lifetimes,
    }
}

/// Reports to the certificate controller which CAs the webhook configurations trust.
fn observe_trust(
    server: &mut BoundServer,
    mut webhooks: channel::Receiver<WebhookStates>,
) -> channel::Receiver<Option<ObservedTrust>> {
    let (observed, receiver) = channel::channel(None);
    spawn(server, "observed trust", async move {
        loop {
            let trust = trust_of(&webhooks.borrow_and_update());
            observed.send_if_modified(|current| {
                let changed = *current != trust;
                *current = trust;
                changed
            });
            if webhooks.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    });
    receiver
}

/// The bundles of all webhooks, once all have been read.
fn trust_of(webhooks: &WebhookStates) -> Option<ObservedTrust> {
    let existing = webhooks.by_name.values().filter(|webhook| webhook.exists);
    let bundles = existing.map(|webhook| webhook.ca_bundle.as_slice());
    webhooks.complete.then(|| ObservedTrust::from_pem(bundles))
}

/// Keeps the webhook configurations. Returns the sender of the CA bundle and the receiver of their state.
fn start_webhook_config(
    server: &mut BoundServer,
    shared: &ReplicaContext,
    leadership: Leadership,
) -> (
    channel::Sender<Option<DesiredTrust>>,
    channel::Receiver<WebhookStates>,
) {
    let (sender, endpoint_ready) = channel::channel(false);
    let mut observed = server.readiness.observed();
    spawn(server, "readiness observer", async move {
        if observed.wait_for(|observed| *observed).await.is_ok() {
            tokio::time::sleep(ENDPOINT_PROPAGATION).await;
            sender.send_replace(true);
        }
        std::future::pending::<()>().await;
    });
    let (desired_trust, trust) = channel::channel(None);
    let (states, webhooks) = channel::channel(WebhookStates::default());
    let controller = WebhookConfigController {
        clients: shared.clients.clone(),
        config: Arc::clone(&shared.config),
        trust,
        endpoint_ready,
        leadership,
        states,
        watches: shared.watches.clone(),
        metrics: webhook_config::Metrics::register(&mut server.registry),
    };
    spawn(server, "webhook configurations", controller.run());
    (desired_trust, webhooks)
}

/// Writes the status of each custom resource.
fn start_status(
    server: &mut BoundServer,
    shared: &ReplicaContext,
    leadership: Leadership,
    webhooks: channel::Receiver<WebhookStates>,
) {
    let controller = StatusController {
        clients: shared.clients.clone(),
        objects: Arc::clone(&shared.objects),
        view: Arc::clone(&shared.view),
        results: Arc::clone(&shared.results),
        webhooks,
        leadership,
        metrics: status::Metrics::register(&mut server.registry),
    };
    spawn(server, "status", controller.run());
}

/// Audits the cluster at intervals.
fn start_audit(
    server: &mut BoundServer,
    shared: &ReplicaContext,
    leadership: Leadership,
    today: Arc<dyn Fn() -> Date + Send + Sync>,
    options: AuditOptions,
) {
    let runner = AuditRunner {
        clients: shared.clients.clone(),
        release: shared.release.clone(),
        view: Arc::clone(&shared.view),
        leadership,
        today,
        options,
        metrics: audit_runner::Metrics::register(&mut server.registry),
    };
    spawn(server, "audit", runner.run());
}

/// Starts a task that runs until shutdown.
fn spawn(
    server: &mut BoundServer,
    name: &'static str,
    task: impl Future<Output = ()> + Send + 'static,
) {
    server.tasks.support(name, async move {
        task.await;
        Ok::<(), BoxError>(())
    });
}
