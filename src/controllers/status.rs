//! Says of each mapping and policy what became of it: conditions, counts, since when it acts. The leader writes, and only what
//! is other than what is stored; a status makes no new generation, so nothing that answers reviews ever wakes by it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch as channel;

use super::arming::Entries;
use super::bootstrap::Notes;
use super::view::{ByName, Objects, Written};
use crate::api::{
    InferenceProfileMapping, InferenceProfileMappingStatus, InferenceProfilePolicy,
    InferenceProfilePolicyStatus,
};
use crate::cluster::client::Clients;
use crate::cluster::leader_election::Leadership;
use crate::cluster::release::Manager;
use crate::domain::view::View;
use crate::runtime::published::Published;

mod condition;
mod judge;
mod stored;

use judge::Facts;
use stored::{Stored, StoredByName};

/// How long to wait until what failed is tried again: doubled with each failure, up to a minute.
const AGAIN: Duration = Duration::from_secs(1);

/// How often the wait is doubled.
const MOST_DOUBLED: u32 = 6;

/// Objects a page of a list: each may be a megabyte.
const PAGE: u32 = 16;

/// Writes statuses.
pub struct Statuses {
    /// The ways to the API server.
    pub clients: Clients,
    /// The custom resources as they stand.
    pub objects: Arc<Published<Objects>>,
    /// What is in force; never older than the objects.
    pub view: Arc<Published<Option<View>>>,
    /// What the bootstrap has to say.
    pub notes: Arc<Published<Notes>>,
    /// What stands of the webhook's entries.
    pub entries: channel::Receiver<Entries>,
    /// Whether this replica leads.
    pub leads: Leadership,
    /// Counts what is written.
    pub metrics: Metrics,
}

/// Counts what is written.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    applied: Counter,
    failures: Counter,
}

/// What is stored, as far as it was read or written in this term.
#[derive(Default)]
struct Known {
    mappings: StoredByName<InferenceProfileMappingStatus>,
    policies: StoredByName<InferenceProfilePolicyStatus>,
}

/// A kind whose status is written.
trait Kind: kube::Resource<DynamicType = ()> {
    /// Its status.
    type Status: Clone + Default + PartialEq + Serialize + DeserializeOwned;

    /// What this controller writes of a status: the rest is somebody else's.
    fn ours(status: &Self::Status) -> Self::Status;
}

impl Kind for InferenceProfileMapping {
    type Status = InferenceProfileMappingStatus;

    fn ours(status: &Self::Status) -> Self::Status {
        Self::Status {
            conditions: condition::ours(&status.conditions),
            ..status.clone()
        }
    }
}

impl Kind for InferenceProfilePolicy {
    type Status = InferenceProfilePolicyStatus;

    fn ours(status: &Self::Status) -> Self::Status {
        Self::Status {
            conditions: condition::ours(&status.conditions),
            last_audit: None,
            ..status.clone()
        }
    }
}

impl Metrics {
    /// Makes the families known to `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "statuses_applied",
            "Statuses of mappings and policies that this replica has written",
            self.applied.clone(),
        );
        registry.register(
            "status_failures",
            "Failed tries to read or write statuses",
            self.failures.clone(),
        );
    }
}

impl Statuses {
    /// Runs for ever.
    pub async fn run(mut self) {
        let (mut objects, mut notes) = (self.objects.subscribe(), self.notes.subscribe());
        let mut known = Known::default();
        let mut failures = 0;
        loop {
            let entries = self.entries.borrow_and_update().clone();
            let round = self.leads.run(|| self.round(&entries, &mut known));
            let failed = if let Some(done) = round.await {
                done.is_err()
            } else {
                // Whoever leads writes meanwhile.
                known = Known::default();
                false
            };
            failures = if failed { failures + 1 } else { 0 };
            tokio::select! {
                () = objects.changed() => {}
                () = notes.changed() => {}
                Ok(()) = self.entries.changed() => {}
                () = self.leads.changed() => {}
                () = tokio::time::sleep(wait(failures)), if failed => {}
            }
        }
    }

    /// Writes what is due. What fails is said and counted, and keeps nothing else from being written.
    async fn round(&self, entries: &Entries, known: &mut Known) -> Result<(), ()> {
        let (objects, view) = (self.objects.load(), self.view.load());
        let Some(view) = Option::as_ref(&view).filter(|_| objects.complete) else {
            return Ok(());
        };
        let notes = self.notes.load();
        let Known { mappings, policies } = known;
        self.learn::<InferenceProfileMapping>(&objects.mappings, mappings)
            .await?;
        self.learn::<InferenceProfilePolicy>(&objects.policies, policies)
            .await?;
        let facts = Facts {
            objects: &objects,
            catalog: &view.snapshot.catalog,
            entries,
            notes: &notes,
            mappings_changed_at: mappings.values().filter_map(|it| it.changed_at).max(),
            now: Timestamp::now(),
        };
        let of_mappings = self
            .write(&objects.mappings, mappings, |name, written, stored| {
                facts.mapping(name, written, stored)
            })
            .await;
        let of_policies = self
            .write(&objects.policies, policies, |name, written, stored| {
                facts.policy(name, written, stored)
            })
            .await;
        of_mappings.and(of_policies)
    }

    /// Reads what is stored, where an object has changed since that was done.
    async fn learn<K: Kind>(
        &self,
        objects: &ByName<K>,
        known: &mut StoredByName<K::Status>,
    ) -> Result<(), ()> {
        known.retain(|name, _| objects.contains_key(name));
        let is_known = |name: &str, written| {
            let stored = known.get(name);
            stored.is_some_and(|stored| stands(stored, written))
        };
        if objects
            .iter()
            .all(|(name, written)| is_known(name, written))
        {
            return Ok(());
        }
        match self.list::<K>().await {
            Ok(stored) => {
                *known = stored;
                Ok(())
            }
            Err(error) => {
                self.metrics.failures.inc();
                tracing::warn!(kind = %K::kind(&()), %error, "cannot read what is stored of statuses; tried again");
                Err(())
            }
        }
    }

    async fn list<K: Kind>(&self) -> kube::Result<StoredByName<K::Status>> {
        let api = self.api::<K>();
        let mut stored = BTreeMap::new();
        let mut params = ListParams::default().limit(PAGE);
        loop {
            let page = api.list(&params).await?;
            let read = |object: &DynamicObject| (object.name_any().into(), Stored::read(object));
            stored.extend(page.items.iter().map(read));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(stored),
            }
        }
    }

    /// Writes each status that is other than what is stored.
    async fn write<K: Kind>(
        &self,
        objects: &ByName<K>,
        known: &mut StoredByName<K::Status>,
        judge: impl Fn(&str, &Written<K>, &Stored<K::Status>) -> K::Status,
    ) -> Result<(), ()> {
        let mut outcome = Ok(());
        for (name, written) in objects {
            // One that is newer here than there, or there than here, is told by its watch.
            let Some(stored) = known.get_mut(name).filter(|it| stands(it, written)) else {
                continue;
            };
            let status = judge(name, written, stored);
            if K::ours(&stored.status) == status {
                continue;
            }
            match self.apply::<K>(name, &stored.uid, &status).await {
                Ok(now) => *stored = now,
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    self.metrics.failures.inc();
                    tracing::warn!(kind = %K::kind(&()), name = %name, %error, "cannot write a status; tried again");
                    outcome = Err(());
                }
            }
        }
        outcome
    }

    async fn apply<K: Kind>(
        &self,
        name: &str,
        uid: &str,
        status: &K::Status,
    ) -> kube::Result<Stored<K::Status>> {
        let object = json!({
            "apiVersion": K::api_version(&()), "kind": K::kind(&()),
            "metadata": {"name": name, "uid": uid}, "status": status,
        });
        let params = PatchParams::apply(Manager::Status.as_str()).force();
        let stored = self
            .api::<K>()
            .patch_status(name, &params, &Patch::Apply(&object))
            .await?;
        self.metrics.applied.inc();
        Ok(Stored::read(&stored))
    }

    fn api<K: Kind>(&self) -> Api<DynamicObject> {
        Api::all_with(self.clients.writing.clone(), &ApiResource::erase::<K>(&()))
    }
}

/// Whether what is stored is of the very object.
fn stands<K, S>(stored: &Stored<S>, written: &Written<K>) -> bool {
    stored.uid == written.uid && stored.generation == written.generation
}

/// Whether the object is gone, or another one has its name by now. Its watch will tell.
fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}

fn wait(failures: u32) -> Duration {
    AGAIN * 2_u32.pow(failures.saturating_sub(1).min(MOST_DOUBLED))
}
