//! Certificate controllers in the process of the test, with an account that may use their Secret only, and a stand-in for the
//! controller of webhook configurations.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use bedrock_profiles::{
    cli::serve::ca_controller,
    cluster::{
        client::Clients,
        leader_election::{self, Term},
        release::ReleaseNames,
        watch,
    },
    controllers::certificates::{
        context::{CertificateContext, ReadinessGate},
        metrics::Metrics,
        trust::{DesiredTrust, ObservedTrust},
    },
    runtime::{Shutdown, admin::Readiness},
    tls::{self, CertificateResolver, trust::Bundle},
};
use k8s_openapi::{
    ByteString,
    api::{admissionregistration::v1::MutatingWebhookConfiguration, core::v1::ConfigMap},
};
use kube::{Api, api::PostParams};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::json;
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch as channel,
    task::AbortHandle,
};

use crate::{
    accounts::config,
    hosted::LIFETIMES,
    process::wait_for,
    registration::{Entry, Registration},
    stand_in::{Answer, StandIn},
    trials::leader::appoint,
    world::World,
};

/// The full name of the release, and the account's.
pub(super) const NAME: &str = "bedrock-profiles";

/// The Secret of the CAs.
pub(super) const SECRET: &str = "bedrock-profiles-ca";

/// What all replicas share.
pub(super) struct Cluster<'w> {
    world: &'w World,
    runtime: Runtime,
    admin: kube::Client,
    release: ReleaseNames,
    observed: Arc<channel::Sender<Option<ObservedTrust>>>,
}

/// The certificate controller and the server of one replica. Dropping it stops both.
pub(super) struct Replica {
    name: &'static str,
    service: String,
    address: SocketAddr,
    term: Term,
    desired: channel::Receiver<Option<DesiredTrust>>,
    resolver: Arc<CertificateResolver>,
    readiness: Readiness,
    registry: Registry,
    task: AbortHandle,
    _server: StandIn,
}

/// Objects that are created in the background without pause.
pub(super) struct Calls {
    called: Arc<Mutex<Called>>,
    task: AbortHandle,
}

/// Their results.
#[derive(Clone, Default)]
pub(super) struct Called {
    /// How many there were.
    pub(super) made: usize,
    /// The errors of those that failed.
    pub(super) failed: Vec<String>,
}

/// The Secret as the chart installs it.
pub(super) fn installed_secret(world: &World) -> String {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": world.namespace()}, "type": "Opaque"})
        .to_string()
}

impl<'w> Cluster<'w> {
    /// Installs an empty Secret, and an account that may use it.
    pub(super) fn install(world: &'w World) -> Result<Self> {
        let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET], "verbs": ["get", "list", "watch", "update"]}]);
        world.account(NAME, &rules)?;
        world.apply(&installed_secret(world))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let mut config = runtime.block_on(config(&world.plane().kubeconfig()))?;
        config.default_retry = false;
        let admin = runtime.block_on(async { kube::Client::try_from(config) })?;

        Ok(Self {
            world,
            runtime,
            admin,
            release: ReleaseNames {
                namespace: world.namespace().to_owned(),
                name: NAME.to_owned(),
            },
            observed: Arc::new(channel::Sender::new(Some(ObservedTrust::default()))),
        })
    }

    /// Starts a replica that does not lead.
    pub(super) fn start(&self, name: &'static str) -> Result<Replica> {
        let account = self.world.account_config(NAME, None)?;
        let config = self.runtime.block_on(config(&account))?;
        let clients = self.runtime.block_on(async { Clients::of(&config) })?;
        let ((term, leadership), (sender, desired)) =
            (leader_election::term(), channel::channel(None));
        let (resolver, readiness) = (
            CertificateResolver::empty(),
            Readiness::new(Shutdown::new()),
        );
        let mut registry = Registry::default();
        let context = CertificateContext {
            leadership,
            observed: self.observed.subscribe(),
            desired: sender,
            resolver: Arc::clone(&resolver),
            readiness: ReadinessGate::new(readiness.clone()),
            metrics: Metrics::register(&mut registry),
        };
        let watches = watch::Metrics::default();
        let controller = ca_controller(&clients, &self.release, LIFETIMES, context, watches);
        let address = self.world.next_address();
        let log = self.world.folder().join(format!("{name}.log"));
        let tls = Arc::new(tls::server_config(Arc::clone(&resolver), None)?);
        Ok(Replica {
            name,
            service: self.release.service_name(),
            address,
            term,
            desired,
            resolver,
            readiness,
            registry,
            task: self.runtime.spawn(controller.run()).abort_handle(),
            _server: StandIn::start(address, tls, &log, |_| Answer::default())?,
        })
    }

    /// Registers these replicas as a webhook for new ConfigMaps, and applies the CA bundle that their leader publishes.
    pub(super) fn register(&self, replicas: &[&Replica]) -> Result<()> {
        let first = replicas.first().context("no replica")?;
        first.wait_until_ready()?;
        let desired = first.desired.borrow().clone().context("nothing to trust")?;
        let authority = String::from_utf8(desired.merged_into_pem(b"", SystemTime::now()))?;
        let rules = json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]);
        let entry = Entry {
            name: "certificates.trials.test",
            path: "/",
            rules,
            fields: json!({}),
        };
        Registration {
            name: NAME,
            address: first.address,
            authority: &authority,
            mutating: vec![entry],
            validating: Vec::new(),
        }
        .submit(self.world)?;
        for replica in &replicas[1..] {
            replica.wait_until_ready()?;
            let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": replica.name, "labels": {"kubernetes.io/service-name": NAME}},
                "endpoints": [{"addresses": [replica.address.ip()], "conditions": {"ready": true}}],
                "ports": [{"name": "webhook", "port": replica.address.port()}]});
            self.world.apply(&slice.to_string())?;
        }
        let configurator = Configurator {
            api: Api::all(self.admin.clone()),
            name: self.world.cluster_wide(NAME),
            desired: replicas
                .iter()
                .map(|replica| replica.desired.clone())
                .collect(),
            observed: Arc::clone(&self.observed),
        };
        self.runtime.spawn(configurator.run());
        Ok(())
    }

    /// Creates ConfigMaps, one after the other, none of which is stored.
    pub(super) fn call_throughout(&self) -> Calls {
        let api = Api::<ConfigMap>::namespaced(self.admin.clone(), self.world.namespace());
        let called = Arc::new(Mutex::new(Called::default()));
        let results = Arc::clone(&called);
        let task = self.runtime.spawn(async move {
            let params = PostParams {
                dry_run: true,
                ..PostParams::default()
            };
            let mut map = ConfigMap::default();
            map.metadata.generate_name = Some("call-".to_owned());
            loop {
                let outcome = api.create(&params, &map).await;
                record(&results, outcome.err().map(|error| error.to_string()));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        Calls {
            called,
            task: task.abort_handle(),
        }
    }
}

/// Counts a call, and records its error.
fn record(called: &Mutex<Called>, failure: Option<String>) {
    let mut called = called.lock().unwrap_or_else(PoisonError::into_inner);
    called.made += 1;
    called.failed.extend(failure);
}

impl Replica {
    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Appoints or dismisses it as leader.
    pub(super) fn lead(&self, leads: bool) {
        appoint(&self.term, leads);
    }

    /// Whether it is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.readiness.waits_for().is_empty()
    }

    /// Waits until it is ready.
    pub(super) fn wait_until_ready(&self) -> Result<()> {
        wait_for(&format!("a ready {}", self.name), || {
            Ok(self.is_ready().then_some(()))
        })
    }

    /// Whether its leaf was issued by this CA.
    pub(super) fn serves_by(&self, authority: &str) -> Result<bool> {
        let pair = self.resolver.current().context("it serves nothing")?;
        let bundle = Bundle::from_pem(authority.as_bytes())?;
        Ok(bundle
            .verify(&pair, &self.service, SystemTime::now())
            .is_ok())
    }

    /// How often it wrote the Secret for this reason.
    pub(super) fn writes(&self, reason: &str) -> Result<u32> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        let series = format!("authority_writes_total{{reason=\"{reason}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&series));
        line.map_or(Ok(0), |count| Ok(count.parse()?))
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Calls {
    /// Waits for some more calls than there are now.
    pub(super) fn wait_for_more(&self) -> Result<()> {
        let before = self.so_far().made;
        wait_for("more calls", || {
            Ok((self.so_far().made >= before + 20).then_some(()))
        })
    }

    /// Stops, and returns the results.
    pub(super) fn end(self) -> Called {
        self.task.abort();
        self.so_far()
    }

    fn so_far(&self) -> Called {
        self.called
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Applies the CA bundle that the leader publishes to one configuration, and reports the bundle that it has.
struct Configurator {
    api: Api<MutatingWebhookConfiguration>,
    name: String,
    desired: Vec<channel::Receiver<Option<DesiredTrust>>>,
    observed: Arc<channel::Sender<Option<ObservedTrust>>>,
}

impl Configurator {
    /// Runs until the trial ends, ten times a second. Failures are retried.
    async fn run(self) {
        loop {
            if let Ok(configuration) = self.api.get(&self.name).await {
                self.observe(&configuration);
                self.write(configuration).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn observe(&self, configuration: &MutatingWebhookConfiguration) {
        let webhooks = configuration.webhooks.iter().flatten();
        let bundles = webhooks.map(|webhook| {
            let bundle = webhook.client_config.ca_bundle.as_ref();
            bundle.map_or(&[][..], |bundle| bundle.0.as_slice())
        });
        let observed = ObservedTrust::from_pem(bundles);
        self.observed.send_replace(Some(observed));
    }

    async fn write(&self, mut configuration: MutatingWebhookConfiguration) {
        let mut desired = self
            .desired
            .iter()
            .filter_map(|desired| desired.borrow().clone());
        let Some(desired) = desired.find(DesiredTrust::may_be_written) else {
            return;
        };
        let mut changed = false;
        for webhook in configuration.webhooks.iter_mut().flatten() {
            let current = webhook.client_config.ca_bundle.take().unwrap_or_default().0;
            let wanted = desired.merged_into_pem(&current, SystemTime::now());
            changed |= wanted != current;
            webhook.client_config.ca_bundle = Some(ByteString(wanted));
        }
        if changed {
            // It carries the resource version that was read, so it fails on a conflict, and is retried.
            let _ = self
                .api
                .replace(&self.name, &PostParams::default(), &configuration)
                .await;
        }
    }
}
