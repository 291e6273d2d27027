//! `serve` in a cluster: the custom resources are the truth, every replica follows them, and one of them writes.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use tokio::sync::watch as channel;

use crate::api::InferenceProfileMapping;
use crate::cluster::client::Clients;
use crate::cluster::leader_election::{self, LeaderElector, Leadership};
use crate::cluster::release::{GROUP, Manager, ReleaseNames};
use crate::cluster::watch;
use crate::controllers::arming::{self, Arming, Entries};
use crate::controllers::audit_runner::{self, AuditOptions, AuditRunner};
use crate::controllers::bootstrap::{Bootstrapper, Notes};
use crate::controllers::certificates;
use crate::controllers::certificates::context::{CertificateContext, ReadinessGate};
use crate::controllers::certificates::from_files::FileCertificates;
use crate::controllers::certificates::keyring::Lifetimes;
use crate::controllers::certificates::self_managed::{CaController, Settings};
use crate::controllers::certificates::trust::{DesiredTrust, ObservedTrust};
use crate::controllers::memory::Memory;
use crate::controllers::status::{self, Statuses};
use crate::controllers::view::{self, Follower, Objects};
use crate::controllers::wishes::{self, Wishes};
use crate::domain::view::View;
use crate::runtime::BoxError;
use crate::runtime::published::Published;
use crate::tls::Resolver;
use crate::tls::authority::Names;
use crate::tls::files::Paths;
use crate::webhook::body;

use super::StartError;
use super::stack::{Addresses, CA_NAME, Judges, NEVER, Running, SERVER_NAME, Stack};

/// What a server in a cluster is started with.
pub struct ClusterOptions {
    /// Where to listen.
    pub addresses: Addresses,
    /// The ways to the API server.
    pub clients: Clients,
    /// What the chart has installed.
    pub release: ReleaseNames,
    /// Tells this replica from the others.
    pub identity: String,
    /// The catalog of this binary.
    pub shipped: InferenceProfileMapping,
    /// Whether the region that all nodes agree on counts.
    pub region_from_nodes: bool,
    /// Where the certificate comes from: files of the user's, or else a CA of ours in the release's Secret.
    pub certificate: Option<Paths>,
    /// Lifetimes of certificates.
    pub lifetimes: Lifetimes,
    /// Namespaces that are never judged, besides `kube-system` and the own one.
    pub excluded: Vec<String>,
    /// The day that decides over dates of end of life.
    pub today: Arc<dyn Fn() -> Date + Send + Sync>,
    /// What is wanted of audits; `None` is none.
    pub audit: Option<AuditOptions>,
    /// What the server may be made to do.
    pub limits: body::Limits,
}

/// How long after a probe was told that we are ready the entries are put in force: the kubelet tells the API server, the
/// Service gets an endpoint, and every API server has to hear of it before it calls.
const UNTIL_SENT_WORK: Duration = Duration::from_secs(2);

/// What the parts of a replica tell each other.
struct Shared {
    clients: Clients,
    release: ReleaseNames,
    view: Arc<Published<Option<View>>>,
    objects: Arc<Published<Objects>>,
    wishes: Arc<Wishes>,
    notes: Arc<Published<Notes>>,
    watches: watch::Metrics,
}

/// Starts a server in a cluster. It can be called several times in one process.
pub async fn start_in_cluster(options: ClusterOptions) -> Result<Running, StartError> {
    let mut stack = Stack::bind(options.addresses).await?;
    let shared = Shared {
        clients: options.clients,
        release: options.release,
        view: Arc::new(Published::new(None)),
        objects: Arc::new(Published::new(Objects::default())),
        wishes: Arc::new(Published::new(None)),
        notes: Arc::new(Published::new(Notes::default())),
        watches: watch::Metrics::default(),
    };
    shared.watches.register(&mut stack.registry);
    let resolver = Resolver::empty();

    follow(&mut stack, &shared, options.region_from_nodes);
    let leads = lead(&mut stack, &shared, options.identity);
    bootstrap(&mut stack, &shared, options.shipped, leads.clone());
    let (target, entries) = arm(&mut stack, &shared, leads.clone());
    tell(&mut stack, &shared, leads.clone(), entries.clone());
    let context = CertificateContext {
        leadership: leads.clone(),
        observed: observe_trust(&mut stack, entries),
        desired: target,
        resolver: Arc::clone(&resolver),
        readiness: ReadinessGate::new(stack.readiness.clone()),
        metrics: certificates::metrics::Metrics::register(&mut stack.registry),
    };
    certify(
        &mut stack,
        &shared,
        options.certificate,
        options.lifetimes,
        context,
    )?;

    let own = shared.release.namespace.clone();
    let excluded: Vec<String> = options.excluded.into_iter().chain([own]).collect();
    let today = Arc::clone(&options.today);
    if let Some(mut wanted) = options.audit {
        let never = NEVER.iter().map(|name| (*name).to_owned());
        wanted
            .excluded
            .extend(excluded.iter().cloned().chain(never));
        audit(&mut stack, &shared, leads, options.today, wanted);
    }
    let judges = Judges {
        view: shared.view,
        excluded,
        today: Box::new(move || today()),
        limits: options.limits,
    };
    stack.serve(judges, resolver, None)
}

/// Keeps the view current.
fn follow(stack: &mut Stack, shared: &Shared, with_nodes: bool) {
    let metrics = view::Metrics::default();
    metrics.register(&mut stack.registry);
    let follower = Follower {
        clients: shared.clients.clone(),
        with_nodes,
        view: Arc::clone(&shared.view),
        objects: Arc::clone(&shared.objects),
        watches: shared.watches.clone(),
        metrics,
    };
    let hold = stack
        .readiness
        .hold("mappings, policies, namespaces and nodes to be listed");
    support(stack, "the view", follower.run(hold));
    let wishes = wishes::follow(
        shared.clients.clone(),
        shared.release.clone(),
        shared.watches.clone(),
        Arc::clone(&shared.wishes),
    );
    support(stack, "the chart's wishes", wishes);
}

/// Takes part in the election.
fn lead(stack: &mut Stack, shared: &Shared, identity: String) -> Leadership {
    let metrics = leader_election::Metrics::register(&mut stack.registry);
    let (client, release) = (shared.clients.writing.clone(), &shared.release);
    let (namespace, lease) = (&release.namespace, release.lease());
    let (elector, leads) = LeaderElector::new(client, namespace, lease, identity, metrics);
    let shutdown = stack.shutdown.clone();
    stack.tasks.work("the election", async move {
        elector.run(shutdown).await;
        Ok::<(), BoxError>(())
    });
    leads
}

/// Brings catalog and default policy into the cluster.
fn bootstrap(
    stack: &mut Stack,
    shared: &Shared,
    shipped: InferenceProfileMapping,
    leads: Leadership,
) {
    let bootstrapper = Bootstrapper {
        clients: shared.clients.clone(),
        memory: Memory::of(&shared.clients, &shared.release),
        objects: Arc::clone(&shared.objects),
        wishes: Arc::clone(&shared.wishes),
        leads,
        shipped,
        notes: Arc::clone(&shared.notes),
    };
    let hold = stack
        .readiness
        .hold("the catalog and the default policy to be in the cluster");
    support(stack, "the bootstrap", bootstrapper.run(hold));
}

/// Starts the certificate controller: of the given files, or else of the CAs in the release's Secret.
fn certify(
    stack: &mut Stack,
    shared: &Shared,
    files: Option<Paths>,
    lifetimes: Lifetimes,
    context: CertificateContext,
) -> Result<(), StartError> {
    let release = &shared.release;
    if let Some(paths) = files {
        let name = release.service_name();
        let certificates = FileCertificates::open(paths, name, lifetimes, context)?;
        support(stack, "the certificate", certificates.run());
    } else {
        let (clients, watches) = (&shared.clients, shared.watches.clone());
        let settings = ca_settings(release, lifetimes);
        let controller = CaController::new(clients, settings, context, watches);
        support(stack, "the certificate", controller.run());
    }
    Ok(())
}

/// The names that the CA controller of a release uses.
pub fn ca_settings(release: &ReleaseNames, lifetimes: Lifetimes) -> Settings {
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
    stack: &mut Stack,
    mut entries: channel::Receiver<Entries>,
) -> channel::Receiver<Option<ObservedTrust>> {
    let (observed, receiver) = channel::channel(None);
    support(stack, "the observed trust", async move {
        loop {
            let trust = trust_of(&entries.borrow_and_update());
            observed.send_if_modified(|current| {
                let changed = *current != trust;
                *current = trust;
                changed
            });
            if entries.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    });
    receiver
}

/// The bundles of all webhooks, once all have been read.
fn trust_of(entries: &Entries) -> Option<ObservedTrust> {
    let existing = entries.by_name.values().filter(|entry| entry.exists);
    let bundles = existing.map(|entry| entry.ca_bundle.as_slice());
    entries.complete.then(|| ObservedTrust::from_pem(bundles))
}

/// Keeps the entries in force. Where it is told whom they are to trust, and where it tells what they do.
fn arm(
    stack: &mut Stack,
    shared: &Shared,
    leads: Leadership,
) -> (
    channel::Sender<Option<DesiredTrust>>,
    channel::Receiver<Entries>,
) {
    let metrics = arming::Metrics::default();
    metrics.register(&mut stack.registry);
    let (answers, answerable) = channel::channel(false);
    let mut observed = stack.readiness.observed();
    support(stack, "the first probe", async move {
        if observed.wait_for(|observed| *observed).await.is_ok() {
            tokio::time::sleep(UNTIL_SENT_WORK).await;
            answers.send_replace(true);
        }
        std::future::pending::<()>().await;
    });
    let (aims, target) = channel::channel(None);
    let (entries, told_entries) = channel::channel(Entries::default());
    let arming = Arming {
        clients: shared.clients.clone(),
        wishes: Arc::clone(&shared.wishes),
        target,
        answerable,
        leads,
        entries,
        watches: shared.watches.clone(),
        metrics,
    };
    support(stack, "the entries", arming.run());
    (aims, told_entries)
}

/// Says of each custom resource what became of it.
fn tell(
    stack: &mut Stack,
    shared: &Shared,
    leads: Leadership,
    entries: channel::Receiver<Entries>,
) {
    let metrics = status::Metrics::default();
    metrics.register(&mut stack.registry);
    let statuses = Statuses {
        clients: shared.clients.clone(),
        objects: Arc::clone(&shared.objects),
        view: Arc::clone(&shared.view),
        notes: Arc::clone(&shared.notes),
        entries,
        leads,
        metrics,
    };
    support(stack, "the statuses", statuses.run());
}

/// Audits the cluster from time to time.
fn audit(
    stack: &mut Stack,
    shared: &Shared,
    leads: Leadership,
    today: Arc<dyn Fn() -> Date + Send + Sync>,
    options: AuditOptions,
) {
    let runner = AuditRunner {
        clients: shared.clients.clone(),
        release: shared.release.clone(),
        view: Arc::clone(&shared.view),
        leads,
        today,
        options,
        metrics: audit_runner::Metrics::register(&mut stack.registry),
    };
    support(stack, "the audit", runner.run());
}

/// Starts a task that never ends.
fn support(stack: &mut Stack, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    stack.tasks.support(name, async move {
        task.await;
        Ok::<(), BoxError>(())
    });
}
