//! The product's keeper of certificates in the test's own process, with an account that may touch its Secret and nothing
//! else, and a stand-in for what arms entries.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use bedrock_profiles::{
    controllers::{
        arming::{Entries, Entry as Standing},
        certificates::{
            metrics::Metrics,
            own,
            published::Target,
            ties::{Gate, Ties},
        },
        client::Clients,
        installation::Installation,
        leader::{self, Term},
        watch,
    },
    runtime::{Shutdown, admin::Readiness},
    tls::{self, Resolver, trust::Bundle},
};
use k8s_openapi::{
    ByteString,
    api::{
        admissionregistration::v1::{MutatingWebhook, MutatingWebhookConfiguration},
        core::v1::ConfigMap,
    },
};
use kube::{Api, api::PostParams};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::json;
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch as channel,
    task::AbortHandle,
};

use super::super::leader::appoint;
use crate::{
    accounts::config,
    hosted::LIVES,
    process::wait_for,
    registration::{Entry, Registration},
    stand_in::{Answer, StandIn},
    world::World,
};

/// The full name of the release, and the account's.
pub(super) const NAME: &str = "bedrock-profiles";

/// The Secret of the CAs.
pub(super) const SECRET: &str = "bedrock-profiles-ca";

/// What the keepers share.
pub(super) struct Cluster<'w> {
    world: &'w World,
    runtime: Runtime,
    admin: kube::Client,
    installation: Installation,
    entries: Arc<channel::Sender<Entries>>,
}

/// One replica, as far as it has to do with certificates. It ends with the value.
pub(super) struct Keeper {
    name: &'static str,
    service: String,
    address: SocketAddr,
    term: Term,
    target: channel::Receiver<Option<Target>>,
    resolver: Arc<Resolver>,
    readiness: Readiness,
    registry: Registry,
    task: AbortHandle,
    _server: StandIn,
}

/// Creates that go on in the background.
pub(super) struct Calls {
    called: Arc<Mutex<Called>>,
    task: AbortHandle,
}

/// What became of them.
#[derive(Clone, Default)]
pub(super) struct Called {
    /// How many there were.
    pub(super) made: usize,
    /// What those that failed were told.
    pub(super) failed: Vec<String>,
}

/// What the chart ships.
pub(super) fn shipped(world: &World) -> String {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": world.namespace()}, "type": "Opaque"})
        .to_string()
}

impl<'w> Cluster<'w> {
    /// Ships an empty Secret, and an account that may touch it.
    pub(super) fn install(world: &'w World) -> Result<Self> {
        let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [SECRET], "verbs": ["get", "list", "watch", "update"]}]);
        world.account(NAME, &rules)?;
        world.apply(&shipped(world))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let mut config = runtime.block_on(config(&world.plane().kubeconfig()))?;
        config.default_retry = false;
        let admin = runtime.block_on(async { kube::Client::try_from(config) })?;
        let entries = Entries {
            complete: true,
            ..Entries::default()
        };
        Ok(Self {
            world,
            runtime,
            admin,
            installation: Installation {
                namespace: world.namespace().to_owned(),
                name: NAME.to_owned(),
            },
            entries: Arc::new(channel::Sender::new(entries)),
        })
    }

    /// Starts a replica that does not lead.
    pub(super) fn start(&self, name: &'static str) -> Result<Keeper> {
        let account = self.world.account_config(NAME, None)?;
        let config = self.runtime.block_on(config(&account))?;
        let clients = self.runtime.block_on(async { Clients::of(&config) })?;
        let ((term, leads), (aims, target)) = (leader::term(), channel::channel(None));
        let (resolver, readiness) = (Resolver::waiting(), Readiness::new(Shutdown::new()));
        let mut registry = Registry::default();
        let ties = Ties {
            leads,
            entries: self.entries.subscribe(),
            target: aims,
            resolver: Arc::clone(&resolver),
            readiness: Gate::new(readiness.clone()),
            metrics: Metrics::register(&mut registry),
        };
        let watches = watch::Metrics::default();
        let keeper = own::Keeper::new(&clients, &self.installation, LIVES, ties, watches);
        let address = self.world.next_address();
        let log = self.world.folder().join(format!("{name}.log"));
        let tls = tls::server_config(Arc::clone(&resolver))?;
        Ok(Keeper {
            name,
            service: self.installation.service_name(),
            address,
            term,
            target,
            resolver,
            readiness,
            registry,
            task: self.runtime.spawn(keeper.run()).abort_handle(),
            _server: StandIn::start(address, tls, &log, |_| Answer::default())?,
        })
    }

    /// Has the API server call these for each new ConfigMap, and keeps what it trusts as their leader says.
    pub(super) fn register(&self, keepers: &[&Keeper]) -> Result<()> {
        let first = keepers.first().context("there is no keeper")?;
        first.wait_until_ready()?;
        let target = first.target.borrow().clone().context("nothing to trust")?;
        let authority = String::from_utf8(target.over_pem(b"", SystemTime::now()))?;
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
        for keeper in &keepers[1..] {
            keeper.wait_until_ready()?;
            let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": keeper.name, "labels": {"kubernetes.io/service-name": NAME}},
                "endpoints": [{"addresses": [keeper.address.ip()], "conditions": {"ready": true}}],
                "ports": [{"name": "webhook", "port": keeper.address.port()}]});
            self.world.apply(&slice.to_string())?;
        }
        let arming = Arming {
            api: Api::all(self.admin.clone()),
            name: self.world.cluster_wide(NAME),
            targets: keepers.iter().map(|keeper| keeper.target.clone()).collect(),
            entries: Arc::clone(&self.entries),
        };
        self.runtime.spawn(arming.run());
        Ok(())
    }

    /// Creates ConfigMaps, one after the other, none of which is stored.
    pub(super) fn call_throughout(&self) -> Calls {
        let api = Api::<ConfigMap>::namespaced(self.admin.clone(), self.world.namespace());
        let called = Arc::new(Mutex::new(Called::default()));
        let told = Arc::clone(&called);
        let task = self.runtime.spawn(async move {
            let params = PostParams {
                dry_run: true,
                ..PostParams::default()
            };
            let mut map = ConfigMap::default();
            map.metadata.generate_name = Some("call-".to_owned());
            loop {
                let outcome = api.create(&params, &map).await;
                note(&told, outcome.err().map(|error| error.to_string()));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        Calls {
            called,
            task: task.abort_handle(),
        }
    }
}

/// Counts a call, and what it was told if it failed.
fn note(called: &Mutex<Called>, failure: Option<String>) {
    let mut called = called.lock().unwrap_or_else(PoisonError::into_inner);
    called.made += 1;
    called.failed.extend(failure);
}

impl Keeper {
    /// What it is called.
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Makes it the leader, or no longer.
    pub(super) fn lead(&self, leads: bool) {
        appoint(&self.term, leads);
    }

    /// Whether it is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.readiness.waits_for().is_empty()
    }

    /// Waits until it is.
    pub(super) fn wait_until_ready(&self) -> Result<()> {
        wait_for(&format!("a ready {}", self.name), || {
            Ok(self.is_ready().then_some(()))
        })
    }

    /// Whether its leaf was issued by this CA.
    pub(super) fn serves_by(&self, authority: &str) -> Result<bool> {
        let pair = self.resolver.current().context("it serves nothing")?;
        let bundle = Bundle::read(authority.as_bytes())?;
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

impl Drop for Keeper {
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

    /// Ends them, and says what became of them.
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

/// Keeps what one configuration trusts as the leader says, and says what it does trust.
struct Arming {
    api: Api<MutatingWebhookConfiguration>,
    name: String,
    targets: Vec<channel::Receiver<Option<Target>>>,
    entries: Arc<channel::Sender<Entries>>,
}

impl Arming {
    /// Runs until the trial ends. What fails is tried again at the next look, ten times a second.
    async fn run(self) {
        loop {
            if let Ok(configuration) = self.api.get(&self.name).await {
                self.tell(&configuration);
                self.write(configuration).await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn tell(&self, configuration: &MutatingWebhookConfiguration) {
        let entry = |webhook: &MutatingWebhook| {
            let bundle = webhook.client_config.ca_bundle.clone();
            let standing = Standing {
                exists: true,
                armed: true,
                ca_bundle: bundle.unwrap_or_default().0,
                armed_at: None,
            };
            (webhook.name.clone(), standing)
        };
        self.entries.send_replace(Entries {
            by_name: configuration.webhooks.iter().flatten().map(entry).collect(),
            complete: true,
        });
    }

    async fn write(&self, mut configuration: MutatingWebhookConfiguration) {
        let mut targets = self
            .targets
            .iter()
            .filter_map(|target| target.borrow().clone());
        let Some(target) = targets.find(Target::is_sure) else {
            return;
        };
        let mut changed = false;
        for webhook in configuration.webhooks.iter_mut().flatten() {
            let standing = webhook.client_config.ca_bundle.take().unwrap_or_default().0;
            let wanted = target.over_pem(&standing, SystemTime::now());
            changed |= wanted != standing;
            webhook.client_config.ca_bundle = Some(ByteString(wanted));
        }
        if changed {
            // It has the version that was read: where somebody else was first, this fails and is tried again.
            let _ = self
                .api
                .replace(&self.name, &PostParams::default(), &configuration)
                .await;
        }
    }
}
