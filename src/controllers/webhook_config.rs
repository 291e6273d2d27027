//! Activates the webhook configurations of the release, and keeps them active. The chart ships each without rules and without a
//! CA bundle, which is valid and inert. The leader applies both at once, as soon as a replica can respond.
//!
//! Only this controller writes `rules` and `caBundle`; the chart must render neither.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhookConfiguration,
};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch as channel};
use tokio_util::task::AbortOnDropHandle;

use super::certificates::trust::DesiredTrust;
use super::reconcile::{self, Next, Reconciler};
use crate::api::{BootstrapConfig, WebhookKind, WebhookSpec};
use crate::cluster::client::Clients;
use crate::cluster::leader_election::Leadership;
use crate::cluster::release::Manager;
use crate::cluster::watch::{self, WatchedResource};
use crate::runtime::{
    self,
    published::{Changes, Published},
};

mod desired;
mod metrics;

use desired::{DesiredWebhook, ObservedWebhook, WebhookStep};
pub use metrics::Metrics;

/// Activates webhook configurations.
pub struct WebhookConfigController {
    /// The clients of the cluster.
    pub clients: Clients,
    /// The bootstrap configuration; `None` until it has been read.
    pub config: Arc<Published<Option<BootstrapConfig>>>,
    /// The CAs that the webhook configurations are to trust; `None` until a replica has a certificate.
    pub trust: channel::Receiver<Option<DesiredTrust>>,
    /// Whether a replica is an endpoint of the Service, and responds.
    pub endpoint_ready: channel::Receiver<bool>,
    /// Whether this replica is the leader.
    pub leadership: Leadership,
    /// Receives the observed state of all webhook configurations.
    pub states: channel::Sender<WebhookStates>,
    /// Metrics of watches.
    pub watches: watch::Metrics,
    /// Metrics of this controller.
    pub metrics: Metrics,
}

/// The observed state of the webhook configurations of the release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookStates {
    /// By name.
    pub by_name: BTreeMap<String, WebhookState>,
    /// Whether every configured webhook configuration has been looked up.
    pub complete: bool,
}

/// The observed state of one webhook configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookState {
    /// Whether the object exists.
    pub exists: bool,
    /// Whether its rules are the configured ones and it trusts the current CAs.
    pub active: bool,
    /// The CAs that it trusts, as PEM; empty if it names none.
    pub ca_bundle: Vec<u8>,
    /// When rules or CA bundle were applied last, by the API server's clock, in seconds since 1970.
    pub applied_at: Option<i64>,
}

/// A webhook configuration as last observed.
#[derive(Clone)]
struct WebhookObject {
    webhook: ObservedWebhook,
    version: Option<String>,
    applied_at: Option<i64>,
}

/// The lookup of one webhook configuration: pending until the first list; then the object, if it exists.
type WebhookLookup = Option<Option<WebhookObject>>;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum WebhookConfigError {
    #[error("cannot apply webhook configuration {name}: {error}")]
    Apply { name: String, error: kube::Error },
}

impl WebhookConfigController {
    /// Runs forever.
    pub async fn run(self) {
        let (sender, events) = mpsc::channel(8);
        reconcile::run(Activation {
            config_changes: self.config.subscribe(),
            sender,
            events,
            watches: BTreeMap::new(),
            lookups: BTreeMap::new(),
            inputs: self,
        })
        .await;
    }
}

/// The running controller.
struct Activation {
    inputs: WebhookConfigController,
    config_changes: Changes,
    /// Events of all watches: the name, and the object if it exists.
    sender: mpsc::Sender<(String, Option<DynamicObject>)>,
    events: mpsc::Receiver<(String, Option<DynamicObject>)>,
    watches: BTreeMap<String, AbortOnDropHandle<()>>,
    lookups: BTreeMap<String, WebhookLookup>,
}

impl Reconciler for Activation {
    type Error = WebhookConfigError;
    const NAME: &'static str = "webhook configurations";

    async fn changed(&mut self) {
        tokio::select! {
            Some((name, object)) = self.events.recv() => {
                if let Some(lookup) = self.lookups.get_mut(&name) {
                    *lookup = Some(object.as_ref().map(WebhookObject::read));
                }
            }
            () = self.config_changes.changed() => {}
            Ok(()) = self.inputs.trust.changed() => {}
            Ok(()) = self.inputs.endpoint_ready.changed() => {}
            () = self.inputs.leadership.changed() => {}
        }
    }

    async fn step(&mut self) -> Result<Next, WebhookConfigError> {
        let webhooks = {
            let config = self.inputs.config.load();
            Option::as_ref(&config).map(|config| config.webhooks.clone())
        };
        let is_configured = webhooks.is_some();
        let webhooks = webhooks.unwrap_or_default();
        self.watch(&webhooks);
        let applied = self.apply_all(&webhooks).await;
        let complete = is_configured && self.lookups.values().all(Option::is_some);
        self.publish(&webhooks, complete);
        applied.map(|()| Next::Change)
    }
}

impl Activation {
    /// Watches the configured objects, each by its name, as the RBAC rules allow.
    fn watch(&mut self, webhooks: &[WebhookSpec]) {
        let is_configured = |name: &String| webhooks.iter().any(|webhook| webhook.name == *name);
        self.watches.retain(|name, _| is_configured(name));
        self.lookups.retain(|name, _| is_configured(name));
        for webhook in webhooks {
            let name = &webhook.name;
            self.lookups.entry(name.clone()).or_default();
            if self.watches.contains_key(name) {
                continue;
            }
            let stream = watch::one(
                api(&self.inputs.clients.reading, webhook.kind),
                name,
                WatchedResource::Configurations,
                self.inputs.watches.clone(),
            );
            let named = name.clone();
            let map_event = move |object| Some((named.clone(), object));
            let forwarding = watch::forward(stream, self.sender.clone(), map_event);
            let task = AbortOnDropHandle::new(runtime::spawn(forwarding));
            self.watches.insert(name.clone(), task);
        }
    }

    /// Applies rules and CA bundle where due, if this replica is the leader. A failure does not keep the others from being
    /// applied.
    async fn apply_all(&mut self, webhooks: &[WebhookSpec]) -> Result<(), WebhookConfigError> {
        let inputs = &mut self.inputs;
        let endpoint_ready = *inputs.endpoint_ready.borrow_and_update();
        let trust = inputs.trust.borrow_and_update().clone();
        let is_leader = inputs.leadership.is_leader();
        let Some(trust) = trust.filter(|trust| is_leader && trust.may_be_written()) else {
            return Ok(());
        };
        let mut result = Ok(());
        for spec in webhooks {
            let Some(Some(Some(object))) = self.lookups.get(&spec.name) else {
                continue;
            };
            let bundle = trust.merged_into_pem(&object.webhook.ca_bundle, SystemTime::now());
            let desired = DesiredWebhook {
                rules: &spec.rules,
                ca_bundle: &bundle,
            };
            let step = desired.step(Some(&object.webhook), endpoint_ready);
            if !matches!(step, WebhookStep::Activate | WebhookStep::Update) {
                continue;
            }
            let apply = || self.apply(spec, &bundle, object.version.as_deref());
            let Some(applied) = self.inputs.leadership.run(apply).await else {
                return Ok(());
            };
            self.inputs.metrics.count_applied(webhooks, &spec.name);
            match applied {
                // The response is the newest state: no need to wait for the watch.
                Ok(object) => {
                    self.lookups.insert(spec.name.clone(), Some(object));
                }
                // After a conflict, too: the bundle may lack a CA that another program has added, which the watch will deliver.
                Err(error) => {
                    let name = spec.name.clone();
                    result = Err(WebhookConfigError::Apply { name, error });
                }
            }
        }
        result
    }

    /// Applies rules and CA bundle at once, to the version that the bundle was made for. The other fields are the chart's.
    async fn apply(
        &self,
        spec: &WebhookSpec,
        bundle: &[u8],
        version: Option<&str>,
    ) -> kube::Result<Option<WebhookObject>> {
        let api = api(&self.inputs.clients.writing, spec.kind);
        let resource = resource(spec.kind);
        let object = json!({
            "apiVersion": resource.api_version, "kind": resource.kind,
            "metadata": {"name": spec.name, "resourceVersion": version},
            "webhooks": [{
                "name": spec.name, "rules": spec.rules,
                "clientConfig": {"caBundle": STANDARD.encode(bundle)},
            }],
        });
        let params = PatchParams::apply(Manager::WebhookConfigurations.as_str()).force();
        match api.patch(&spec.name, &params, &Patch::Apply(&object)).await {
            Ok(stored) => {
                tracing::info!(webhook = spec.name, "webhook configuration is active");
                Ok(Some(WebhookObject::read(&stored)))
            }
            // The fields above are too few to create an object: it was deleted, and its watch reports when it is back.
            Err(kube::Error::Api(status)) if status.code == 422 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Publishes the observed state.
    fn publish(&self, webhooks: &[WebhookSpec], complete: bool) {
        let trust = self.inputs.trust.borrow().clone();
        let state = |spec: &WebhookSpec| {
            let object = self.lookups.get(&spec.name).and_then(Option::as_ref);
            let object = object.and_then(Option::as_ref);
            WebhookState {
                exists: object.is_some(),
                active: trust
                    .as_ref()
                    .zip(object)
                    .is_some_and(|(trust, object)| is_active(spec, trust, &object.webhook)),
                ca_bundle: object
                    .map(|object| object.webhook.ca_bundle.clone())
                    .unwrap_or_default(),
                applied_at: object.and_then(|object| object.applied_at),
            }
        };
        let states = WebhookStates {
            by_name: webhooks
                .iter()
                .map(|spec| (spec.name.clone(), state(spec)))
                .collect(),
            complete,
        };
        for (name, state) in &states.by_name {
            self.inputs.metrics.set_active(webhooks, name, state.active);
        }
        self.inputs.states.send_if_modified(|before| {
            let differs = *before != states;
            *before = states;
            differs
        });
    }
}

fn is_active(spec: &WebhookSpec, trust: &DesiredTrust, observed: &ObservedWebhook) -> bool {
    let bundle = trust.merged_into_pem(&observed.ca_bundle, SystemTime::now());
    let desired = DesiredWebhook {
        rules: &spec.rules,
        ca_bundle: &bundle,
    };
    desired.step(Some(observed), true) == WebhookStep::UpToDate
}

impl WebhookObject {
    /// Reads the first webhook of a configuration. An unreadable field counts as absent, and is applied anew.
    fn read(object: &DynamicObject) -> Self {
        let webhooks = object.data.get("webhooks").and_then(Value::as_array);
        let webhook = webhooks.and_then(|webhooks| webhooks.first());
        let rules: Option<Vec<RuleWithOperations>> = webhook
            .and_then(|webhook| webhook.get("rules"))
            .and_then(|rules| serde_json::from_value(rules.clone()).ok());
        let ca_bundle = webhook
            .and_then(|webhook| webhook["clientConfig"]["caBundle"].as_str())
            .and_then(|text| STANDARD.decode(text).ok());
        let manager = Manager::WebhookConfigurations.as_str();
        let applied_at = object
            .managed_fields()
            .iter()
            .filter(|fields| fields.manager.as_deref() == Some(manager))
            .filter_map(|fields| Some(fields.time.as_ref()?.0.as_second()))
            .max();
        Self {
            webhook: ObservedWebhook {
                rules: rules.unwrap_or_default(),
                ca_bundle: ca_bundle.unwrap_or_default(),
            },
            version: object.resource_version(),
            applied_at,
        }
    }
}

fn resource(kind: WebhookKind) -> ApiResource {
    match kind {
        WebhookKind::Mutating => ApiResource::erase::<MutatingWebhookConfiguration>(&()),
        WebhookKind::Validating => ApiResource::erase::<ValidatingWebhookConfiguration>(&()),
    }
}

fn api(client: &kube::Client, kind: WebhookKind) -> Api<DynamicObject> {
    Api::all_with(client.clone(), &resource(kind))
}
