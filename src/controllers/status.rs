//! Writes the statuses of mappings and policies: conditions, counts, and since when a policy acts. The leader writes, and only
//! what differs from the stored status. A status changes no generation, so the webhook is not affected.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::watch as channel;

use super::bootstrap::BootstrapResults;
use super::cluster_state::{ByName, CustomResources, Observed};
use super::reconcile::{self, Next, Reconciler};
use super::webhook_config::WebhookStates;
use crate::api::{
    InferenceProfileMapping, InferenceProfileMappingStatus, InferenceProfilePolicy,
    InferenceProfilePolicyStatus,
};
use crate::cluster::client::Clients;
use crate::cluster::leader_election::Leadership;
use crate::cluster::release::Manager;
use crate::domain::view::View;
use crate::runtime::published::{Changes, Published};

mod condition;
mod desired_status;
mod metrics;
mod stored;

use desired_status::StatusInputs;
pub use metrics::Metrics;
use stored::{Stored, StoredByName};

/// Objects a page of a list: each may be a megabyte.
const PAGE: u32 = 16;

/// Writes statuses.
pub struct StatusController {
    /// The clients of the cluster.
    pub clients: Clients,
    /// The custom resources as observed.
    pub objects: Arc<Published<CustomResources>>,
    /// The view, at least as new as the objects.
    pub view: Arc<Published<Option<View>>>,
    /// The results of the bootstrap.
    pub results: Arc<Published<BootstrapResults>>,
    /// The observed state of the webhook configurations.
    pub webhooks: channel::Receiver<WebhookStates>,
    /// Whether this replica is the leader.
    pub leadership: Leadership,
    /// Metrics of this controller.
    pub metrics: Metrics,
}

/// The stored statuses, as read or written in this term.
#[derive(Default)]
struct StoredStatuses {
    mappings: StoredByName<InferenceProfileMappingStatus>,
    policies: StoredByName<InferenceProfilePolicyStatus>,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The stored statuses cannot be read.
    #[error("cannot read the statuses of {kind}: {error}")]
    Read {
        /// The kind of the objects.
        kind: String,
        /// The failure.
        error: kube::Error,
    },
    /// A status cannot be written.
    #[error("cannot write the status of {kind}/{name}: {error}")]
    Write {
        /// The kind of the object.
        kind: String,
        /// The object.
        name: Box<str>,
        /// The failure.
        error: kube::Error,
    },
}

/// A kind whose status is written.
trait StatusOwner: kube::Resource<DynamicType = ()> {
    /// Its status.
    type Status: Clone + Default + PartialEq + Serialize + DeserializeOwned;

    /// The fields and conditions of a status that this controller writes.
    fn written(status: &Self::Status) -> Self::Status;
}

impl StatusOwner for InferenceProfileMapping {
    type Status = InferenceProfileMappingStatus;

    fn written(status: &Self::Status) -> Self::Status {
        Self::Status {
            conditions: condition::written(&status.conditions),
            ..status.clone()
        }
    }
}

impl StatusOwner for InferenceProfilePolicy {
    type Status = InferenceProfilePolicyStatus;

    fn written(status: &Self::Status) -> Self::Status {
        Self::Status {
            conditions: condition::written(&status.conditions),
            last_audit: None,
            ..status.clone()
        }
    }
}

impl StatusController {
    /// Runs forever.
    pub async fn run(self) {
        reconcile::run(StatusWriter {
            object_changes: self.objects.subscribe(),
            result_changes: self.results.subscribe(),
            stored: StoredStatuses::default(),
            inputs: self,
        })
        .await;
    }
}

/// The running controller.
struct StatusWriter {
    inputs: StatusController,
    object_changes: Changes,
    result_changes: Changes,
    stored: StoredStatuses,
}

impl Reconciler for StatusWriter {
    type Error = StatusError;
    const NAME: &'static str = "status";

    async fn changed(&mut self) {
        tokio::select! {
            () = self.object_changes.changed() => {}
            () = self.result_changes.changed() => {}
            Ok(()) = self.inputs.webhooks.changed() => {}
            () = self.inputs.leadership.changed() => {}
        }
    }

    async fn step(&mut self) -> Result<Next, StatusError> {
        let webhooks = self.inputs.webhooks.borrow_and_update().clone();
        let Self { inputs, stored, .. } = self;
        let result = inputs
            .leadership
            .run(|| inputs.update(&webhooks, stored))
            .await;
        let Some(result) = result else {
            // The next leader writes meanwhile.
            self.stored = StoredStatuses::default();
            return Ok(Next::Change);
        };
        if result.is_err() {
            self.inputs.metrics.count_failure();
        }
        result.map(|()| Next::Change)
    }
}

impl StatusController {
    /// Writes each status that is due. A failure does not keep the others from being written.
    async fn update(
        &self,
        webhooks: &WebhookStates,
        stored: &mut StoredStatuses,
    ) -> Result<(), StatusError> {
        let (objects, view) = (self.objects.load(), self.view.load());
        let Some(view) = Option::as_ref(&view).filter(|_| objects.complete) else {
            return Ok(());
        };
        let results = self.results.load();
        let StoredStatuses { mappings, policies } = stored;
        self.read(&objects.mappings, mappings).await?;
        self.read(&objects.policies, policies).await?;
        let inputs = StatusInputs {
            objects: &objects,
            catalog: &view.snapshot.catalog,
            webhooks,
            results: &results,
            mappings_changed_at: mappings.values().filter_map(|it| it.changed_at).max(),
            now: Timestamp::now(),
        };
        let of_mappings = self
            .write(&objects.mappings, mappings, |name, observed, stored| {
                inputs.mapping(name, observed, stored)
            })
            .await;
        let of_policies = self
            .write(&objects.policies, policies, |name, observed, stored| {
                inputs.policy(name, observed, stored)
            })
            .await;
        of_mappings.and(of_policies)
    }

    /// Reads the stored statuses, if an object has changed since the last time.
    async fn read<K: StatusOwner>(
        &self,
        objects: &ByName<K>,
        known: &mut StoredByName<K::Status>,
    ) -> Result<(), StatusError> {
        known.retain(|name, _| objects.contains_key(name));
        let mut all = objects.iter();
        if all.all(|(name, observed)| known.get(name).is_some_and(|it| is_of(it, observed))) {
            return Ok(());
        }
        *known = self.list::<K>().await.map_err(|error| {
            let kind = K::kind(&()).into_owned();
            StatusError::Read { kind, error }
        })?;
        Ok(())
    }

    async fn list<K: StatusOwner>(&self) -> kube::Result<StoredByName<K::Status>> {
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

    /// Writes each status that differs from the stored one.
    async fn write<K: StatusOwner>(
        &self,
        objects: &ByName<K>,
        known: &mut StoredByName<K::Status>,
        desired: impl Fn(&str, &Observed<K>, &Stored<K::Status>) -> K::Status,
    ) -> Result<(), StatusError> {
        let mut result = Ok(());
        for (name, observed) in objects {
            // If cache and API server disagree about the generation, skip it: the watch will deliver the newer one.
            let Some(stored) = known.get_mut(name).filter(|it| is_of(it, observed)) else {
                continue;
            };
            let status = desired(name, observed, stored);
            if K::written(&stored.status) == status {
                continue;
            }
            match self.apply::<K>(name, &stored.uid, &status).await {
                Ok(now) => *stored = now,
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    let (kind, name) = (K::kind(&()).into_owned(), name.clone());
                    result = Err(StatusError::Write { kind, name, error });
                }
            }
        }
        result
    }

    async fn apply<K: StatusOwner>(
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
        self.metrics.count_applied();
        Ok(Stored::read(&stored))
    }

    fn api<K: StatusOwner>(&self) -> Api<DynamicObject> {
        Api::all_with(self.clients.writing.clone(), &ApiResource::erase::<K>(&()))
    }
}

/// Whether a stored status belongs to the observed generation of the object.
fn is_of<K, S>(stored: &Stored<S>, observed: &Observed<K>) -> bool {
    stored.uid == observed.uid && stored.generation == observed.generation
}

/// Whether the object was deleted or replaced: its watch reports that.
fn is_gone(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409))
}
