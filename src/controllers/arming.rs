//! Puts the chart's entries in force, once somebody can answer, and keeps them so. They ship without rules and without a CA
//! bundle, which is valid and inert: the leader applies both at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, RuleWithOperations, ValidatingWebhookConfiguration,
};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch as channel};
use tokio_util::task::AbortOnDropHandle;

use super::certificates::trust::DesiredTrust;
use super::wishes::Wishes;
use crate::api::{EntryKind, EntryWish};
use crate::cluster::client::Clients;
use crate::cluster::leader_election::Leadership;
use crate::cluster::release::Manager;
use crate::cluster::watch::{self, Change, Sort, Trouble};

mod decide;

use decide::{Standing, Step, Wanted};

/// How long to wait until what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Keeps entries in force.
pub struct Arming {
    /// The ways to the API server.
    pub clients: Clients,
    /// What the chart wishes.
    pub wishes: Arc<Wishes>,
    /// Whom the entries are to trust; `None` until somebody can serve.
    pub target: channel::Receiver<Option<DesiredTrust>>,
    /// Whether somebody is known to answer.
    pub answerable: channel::Receiver<bool>,
    /// Whether this replica leads.
    pub leads: Leadership,
    /// Where it is said what stands in the cluster.
    pub entries: channel::Sender<Entries>,
    /// Counts watches.
    pub watches: watch::Metrics,
    /// Counts what is armed.
    pub metrics: Metrics,
}

/// What stands in the cluster of the entries that the chart wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// By name.
    pub by_name: BTreeMap<String, Entry>,
    /// Whether every configuration that is wished has been looked for.
    pub complete: bool,
}

/// One entry as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whether there is such a configuration.
    pub exists: bool,
    /// Whether it is called for what the chart wishes, and trusts the bundle in force.
    pub armed: bool,
    /// Whom it trusts, as PEM; empty where it trusts nobody in particular.
    pub ca_bundle: Vec<u8>,
    /// When we armed it last, by the API server's clock, in seconds since 1970.
    pub armed_at: Option<i64>,
}

/// Counts what is armed.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    armed: Family<Labels, Gauge>,
    applied: Family<Labels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    entry: String,
}

/// How many entries get a label of their own: the chart has three.
const MOST_LABELS: usize = 8;

/// What is seen of one configuration.
#[derive(Default)]
struct Seen {
    listed: bool,
    coming: Option<Configuration>,
    now: Option<Configuration>,
}

#[derive(Clone)]
struct Configuration {
    standing: Standing,
    version: Option<String>,
    armed_at: Option<i64>,
}

type Mail = (String, Change<DynamicObject>);

impl Entries {
    /// Whether every entry that exists is in force, and there is one.
    pub fn are_in_force(&self) -> bool {
        let mut existing = self
            .by_name
            .values()
            .filter(|entry| entry.exists)
            .peekable();
        self.complete && existing.peek().is_some() && existing.all(|entry| entry.armed)
    }
}

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "entry_armed",
            "Whether an entry is called for what it should be and trusts the CA bundle in force",
            self.armed.clone(),
        );
        registry.register(
            "entry_applied",
            "Times that rules and CA bundle of an entry were applied by this replica",
            self.applied.clone(),
        );
    }
}

impl Arming {
    /// Runs for ever.
    pub async fn run(mut self) {
        let (taker, mut mail) = mpsc::channel::<Mail>(8);
        let mut changes = self.wishes.subscribe();
        let mut watches = BTreeMap::new();
        let mut seen = BTreeMap::<String, Seen>::new();
        loop {
            let entries = self.wished();
            let known = entries.is_some();
            let entries = entries.unwrap_or_default();
            self.watch(&entries, &taker, &mut watches, &mut seen);
            let failed = self.step(&entries, &mut seen).await;
            self.tell(
                &entries,
                &seen,
                known && seen.values().all(|seen| seen.listed),
            );
            tokio::select! {
                Some((name, change)) = mail.recv() => seen.entry(name).or_default().take(change),
                () = changes.changed() => {}
                Ok(()) = self.target.changed() => {}
                Ok(()) = self.answerable.changed() => {}
                () = self.leads.changed() => {}
                () = tokio::time::sleep(AGAIN), if failed => {}
            }
        }
    }

    /// The entries that the chart wishes; `None` until it has been asked.
    fn wished(&self) -> Option<Vec<EntryWish>> {
        let wishes = self.wishes.load();
        Some(Option::as_ref(&wishes)?.entries.clone())
    }

    /// Follows the configurations that are wished, each by its name as the rights allow.
    fn watch(
        &self,
        wished: &[EntryWish],
        taker: &mpsc::Sender<Mail>,
        watches: &mut BTreeMap<String, AbortOnDropHandle<()>>,
        seen: &mut BTreeMap<String, Seen>,
    ) {
        let is_wished = |name: &String| wished.iter().any(|wish| wish.name == *name);
        watches.retain(|name, _| is_wished(name));
        seen.retain(|name, _| is_wished(name));
        for wish in wished {
            seen.entry(wish.name.clone()).or_default();
            watches.entry(wish.name.clone()).or_insert_with(|| {
                let name = wish.name.clone();
                let mail = move |change: Result<Change<DynamicObject>, Trouble>| {
                    Some((name.clone(), change.ok()?))
                };
                let following = watch::follow(
                    configurations(&self.clients.reading, wish.kind),
                    watch::config_of_one(&wish.name),
                    Sort::Configurations,
                    self.watches.clone(),
                    taker.clone(),
                    mail,
                );
                AbortOnDropHandle::new(tokio::spawn(following))
            });
        }
    }

    /// Applies what is due where this replica leads, and says whether something failed.
    async fn step(&mut self, wished: &[EntryWish], seen: &mut BTreeMap<String, Seen>) -> bool {
        let leads = self.leads.is_leader();
        let answerable = *self.answerable.borrow_and_update();
        let target = self.target.borrow_and_update().clone();
        let Some(target) = target.filter(|target| leads && target.is_confirmed()) else {
            return false;
        };
        let mut failed = false;
        for wish in wished {
            let Some(seen) = seen.get_mut(&wish.name) else {
                continue;
            };
            let Some(now) = &seen.now else {
                continue;
            };
            let bundle = target.merged_into_pem(&now.standing.ca_bundle, SystemTime::now());
            let wanted = Wanted {
                rules: &wish.rules,
                ca_bundle: &bundle,
            };
            let step = wanted.step(Some(&now.standing), answerable);
            if !matches!(step, Step::Arm | Step::Correct) {
                continue;
            }
            let labels = Metrics::labels(wished, &wish.name);
            let apply = || self.apply(wish, &bundle, now.version.as_deref());
            let Some(applied) = self.leads.run(apply).await else {
                return false;
            };
            self.metrics.applied.get_or_create(&labels).inc();
            match applied {
                // What was written is known before its watch tells it.
                Ok(now) => seen.now = now,
                // What we saw was not the newest, so the bundle may lack what another has added; its watch will say.
                Err(kube::Error::Api(status)) if status.code == 409 => failed = true,
                Err(error) => {
                    tracing::error!(entry = wish.name, %error, "the entry cannot be put in force; tried again");
                    failed = true;
                }
            }
        }
        failed
    }

    /// Applies rules and bundle at once, over the version that the bundle was made for; the rest of the entry is the chart's.
    async fn apply(
        &self,
        wish: &EntryWish,
        bundle: &[u8],
        version: Option<&str>,
    ) -> kube::Result<Option<Configuration>> {
        let api = configurations(&self.clients.writing, wish.kind);
        let resource = resource(wish.kind);
        let object = json!({
            "apiVersion": resource.api_version, "kind": resource.kind,
            "metadata": {"name": wish.name, "resourceVersion": version},
            "webhooks": [{
                "name": wish.name, "rules": wish.rules,
                "clientConfig": {"caBundle": STANDARD.encode(bundle)},
            }],
        });
        let params = PatchParams::apply(Manager::Certificates.as_str()).force();
        match api.patch(&wish.name, &params, &Patch::Apply(&object)).await {
            Ok(stored) => {
                tracing::info!(entry = wish.name, "the entry is in force");
                Ok(Some(Configuration::read(&stored)))
            }
            // A partial apply makes no object: it is gone, and its watch will say when it is back.
            Err(kube::Error::Api(status)) if status.code == 422 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says what stands in the cluster.
    fn tell(&self, wished: &[EntryWish], seen: &BTreeMap<String, Seen>, complete: bool) {
        let target = self.target.borrow().clone();
        let entry = |wish: &EntryWish| {
            let now = seen.get(&wish.name).and_then(|seen| seen.now.as_ref());
            let standing = now.map(|now| &now.standing);
            let is_armed = |target: &DesiredTrust, standing: &Standing| {
                let bundle = target.merged_into_pem(&standing.ca_bundle, SystemTime::now());
                let wanted = Wanted {
                    rules: &wish.rules,
                    ca_bundle: &bundle,
                };
                wanted.step(Some(standing), true) == Step::Armed
            };
            Entry {
                exists: now.is_some(),
                armed: target
                    .as_ref()
                    .zip(standing)
                    .is_some_and(|(target, standing)| is_armed(target, standing)),
                ca_bundle: standing
                    .map(|standing| standing.ca_bundle.clone())
                    .unwrap_or_default(),
                armed_at: now.and_then(|now| now.armed_at),
            }
        };
        let entries = Entries {
            by_name: wished
                .iter()
                .map(|wish| (wish.name.clone(), entry(wish)))
                .collect(),
            complete,
        };
        for (name, entry) in &entries.by_name {
            let labels = Metrics::labels(wished, name);
            self.metrics
                .armed
                .get_or_create(&labels)
                .set(entry.armed.into());
        }
        self.entries.send_if_modified(|before| {
            let other = *before != entries;
            *before = entries;
            other
        });
    }
}

impl Metrics {
    /// The labels of an entry: the chart has three, and whoever adds more than a few shares one.
    fn labels(entries: &[EntryWish], name: &str) -> Labels {
        let has_own = entries
            .iter()
            .take(MOST_LABELS)
            .any(|wish| wish.name == name);
        Labels {
            entry: if has_own { name } else { "other" }.to_owned(),
        }
    }
}

impl Seen {
    fn take(&mut self, change: Change<DynamicObject>) {
        match change {
            Change::Restarted => self.coming = None,
            Change::Listed(object) => self.coming = Some(Configuration::read(&object)),
            Change::Complete => {
                self.now = self.coming.take();
                self.listed = true;
            }
            Change::Applied(object) => self.now = Some(Configuration::read(&object)),
            Change::Deleted(_) => self.now = None,
        }
    }
}

impl Configuration {
    /// Reads the one entry of a configuration of ours; what cannot be read stands as nothing, and is corrected.
    fn read(object: &DynamicObject) -> Self {
        let webhooks = object.data.get("webhooks").and_then(Value::as_array);
        let entry = webhooks.and_then(|webhooks| webhooks.first());
        let rules: Option<Vec<RuleWithOperations>> = entry
            .and_then(|entry| entry.get("rules"))
            .and_then(|rules| serde_json::from_value(rules.clone()).ok());
        let ca_bundle = entry
            .and_then(|entry| entry["clientConfig"]["caBundle"].as_str())
            .and_then(|text| STANDARD.decode(text).ok());
        let ours = Manager::Certificates.as_str();
        let armed_at = object
            .managed_fields()
            .iter()
            .filter(|fields| fields.manager.as_deref() == Some(ours))
            .filter_map(|fields| Some(fields.time.as_ref()?.0.as_second()))
            .max();
        Self {
            standing: Standing {
                rules: rules.unwrap_or_default(),
                ca_bundle: ca_bundle.unwrap_or_default(),
            },
            version: object.resource_version(),
            armed_at,
        }
    }
}

fn resource(kind: EntryKind) -> ApiResource {
    match kind {
        EntryKind::Mutating => ApiResource::erase::<MutatingWebhookConfiguration>(&()),
        EntryKind::Validating => ApiResource::erase::<ValidatingWebhookConfiguration>(&()),
    }
}

fn configurations(client: &kube::Client, kind: EntryKind) -> Api<DynamicObject> {
    Api::all_with(client.clone(), &resource(kind))
}
