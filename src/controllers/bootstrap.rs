//! Brings the shipped catalog and the chart's default policy into the cluster: the leader writes, every replica waits until
//! there is something to answer by.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::memory::{Memory, Thing};
use super::view::{ByName, Objects, Written};
use super::wishes::Wishes;
use crate::api::{Bootstrap, InferenceProfileMapping, InferenceProfilePolicy};
use crate::catalog;
use crate::cluster::client::Clients;
use crate::cluster::leader_election::Leadership;
use crate::cluster::release::{GROUP, MANAGED_BY, Manager};
use crate::report::content_hash;
use crate::runtime::admin::Hold;
use crate::runtime::published::Published;

mod decide;

use decide::{Builtin, Catalog, CatalogStep, Owner, PolicyStep, Wish};

/// The name of the policy that the chart wishes.
pub const DEFAULT: &str = "default";

/// Marks the policy as ours, with the hash of what was applied.
const OURS: &str = "bedrock-profiles.dev/bootstrap";

/// Freezes the mapping `builtin` where it says `false`.
const AUTOUPDATE: &str = "bedrock-profiles.dev/autoupdate";

/// How long to wait until what failed, or what another replica is to write, is looked at again.
const AGAIN: Duration = Duration::from_secs(1);

/// Brings the wishes of a release into the cluster.
pub struct Bootstrapper {
    /// For writes.
    pub clients: Clients,
    /// What was written before.
    pub memory: Memory,
    /// The custom resources as they stand.
    pub objects: Arc<Published<Objects>>,
    /// What the chart wishes.
    pub wishes: Arc<Wishes>,
    /// Whether this replica leads.
    pub leads: Leadership,
    /// The catalog of this binary.
    pub shipped: InferenceProfileMapping,
    /// What has to be said about it.
    pub notes: Arc<Published<Notes>>,
}

/// What has to be said of `builtin` and `default` beside what their content says; the leader's alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Of the mapping `builtin`.
    pub catalog: Option<CatalogNote>,
    /// Of the policy `default`.
    pub policy: Option<PolicyNote>,
}

/// What has to be said of the mapping `builtin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogNote {
    /// Its annotation keeps it from being updated.
    Frozen,
    /// It is later than the catalog of this binary, and stays.
    NewerInCluster,
    /// It was updated; these models' rows are others than before.
    Updated(Vec<String>),
    /// What somebody had written over it was lost, in the rows of these models.
    Overwritten(Vec<String>),
}

/// What has to be said of the policy `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyNote {
    /// Somebody else has made a policy of that name; the chart's is not applied.
    Foreign,
    /// Somebody else has set fields that the chart wants otherwise; nothing was written. The API server's words.
    Conflict(String),
    /// The API server refuses it. Its words.
    Refused(String),
}

/// Why something was not written.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error(transparent)]
    Kube(#[from] kube::Error),
    #[error("the catalog cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Bootstrapper {
    /// Runs for ever. `hold` is released when there is something to answer by.
    pub async fn run(mut self, hold: Hold) {
        let mut hold = Some(hold);
        let (mut objects, mut wishes) = (self.objects.subscribe(), self.wishes.subscribe());
        let mut written_this_term = false;
        loop {
            let leads = self.leads.is_leader();
            written_this_term &= leads;
            let step = self.step(leads, &mut written_this_term);
            let done = if leads {
                self.leads.run(|| step).await.unwrap_or(Ok(false))
            } else {
                step.await
            };
            let settled = match done {
                Ok(settled) => settled,
                Err(error) => {
                    tracing::warn!(%error, "cannot bring the catalog or the default policy into the cluster; tried again");
                    false
                }
            };
            if settled && let Some(hold) = hold.take() {
                hold.release();
            }
            tokio::select! {
                () = objects.changed() => {}
                () = wishes.changed() => {}
                () = self.leads.changed() => {}
                () = tokio::time::sleep(AGAIN), if !settled => {}
            }
        }
    }

    /// Does what is due, and says whether everything is there.
    async fn step(&self, leads: bool, written_this_term: &mut bool) -> Result<bool, WriteError> {
        let (objects, wishes) = (self.objects.load(), self.wishes.load());
        let Some(wishes) = Option::as_ref(&wishes).filter(|_| objects.complete) else {
            return Ok(false);
        };
        let [policy, catalog] = self.memory.recall([Thing::Policy, Thing::Catalog]).await?;
        let catalog = self.catalog(wishes, &objects, catalog.as_deref(), *written_this_term);
        let policy = Self::policy(wishes, &objects, policy.as_deref());
        if !leads {
            return Ok(catalog.is_settled() && policy.1 != PolicyStep::Apply);
        }
        let mut notes = (**self.notes.load()).clone();
        match catalog.step() {
            CatalogStep::Settled => {}
            CatalogStep::Frozen => notes.catalog = Some(CatalogNote::Frozen),
            CatalogStep::NewerInCluster => notes.catalog = Some(CatalogNote::NewerInCluster),
            CatalogStep::Apply { overwrites } => {
                notes.catalog = self.apply_catalog(&objects.mappings, overwrites).await?;
                *written_this_term = true;
            }
        }
        notes.policy = match policy {
            (_, PolicyStep::Settled) => notes.policy,
            (_, PolicyStep::Foreign) => Some(PolicyNote::Foreign),
            (Some(spec), PolicyStep::Apply) => self.apply_policy(spec).await?,
            (None, PolicyStep::Apply) => None,
        };
        if notes != **self.notes.load() {
            self.notes.replace(notes);
        }
        Ok(true)
    }

    fn catalog<'a>(
        &self,
        wishes: &Bootstrap,
        objects: &Objects,
        remembered: Option<&'a str>,
        written_this_term: bool,
    ) -> Catalog<'a> {
        let builtin = |written: &Arc<Written<InferenceProfileMapping>>| {
            let spec = written.object.as_ref().ok().map(|mapping| &mapping.spec);
            Builtin {
                date: spec.and_then(|spec| spec.catalog_date.as_ref()?.parse().ok()),
                frozen: written
                    .annotations
                    .get(AUTOUPDATE)
                    .is_some_and(|text| text == "false"),
                same: spec == Some(&self.shipped.spec),
            }
        };
        let shipped = &self.shipped.spec.catalog_date;
        Catalog {
            wished: wishes.catalog.apply,
            shipped: shipped.as_ref().and_then(|date| date.parse().ok()),
            existing: objects.mappings.get(catalog::NAME).map(builtin),
            remembered,
            written_this_term,
        }
    }

    /// What the chart wishes as the default policy, with the step that is due.
    fn policy<'w>(
        wishes: &'w Bootstrap,
        objects: &Objects,
        remembered: Option<&str>,
    ) -> (Option<&'w Value>, PolicyStep) {
        let hash = wishes.policy.as_ref().map(content_hash);
        let owner = |written: &Arc<Written<InferenceProfilePolicy>>| {
            if written.annotations.contains_key(OURS) {
                Owner::Us
            } else {
                Owner::Other
            }
        };
        let wish = Wish {
            wished: hash.as_deref(),
            remembered,
            existing: objects.policies.get(DEFAULT).map(owner),
        };
        (wishes.policy.as_ref(), wish.step())
    }

    /// Applies the catalog, over whatever stands in its place.
    async fn apply_catalog(
        &self,
        mappings: &ByName<InferenceProfileMapping>,
        overwrites: bool,
    ) -> Result<Option<CatalogNote>, WriteError> {
        let before = mappings.get(catalog::NAME);
        let changed = before.map(|before| others(before, &self.shipped));
        let spec = serde_json::to_value(&self.shipped.spec)?;
        let hash = content_hash(&spec);
        let params = PatchParams::apply(Manager::Bootstrap.as_str()).force();
        self.apply::<InferenceProfileMapping>(catalog::NAME, &spec, &hash, &params)
            .await?;
        self.memory.remember(Thing::Catalog, &hash).await?;
        let date = self
            .shipped
            .spec
            .catalog_date
            .as_deref()
            .unwrap_or("unknown");
        tracing::info!(catalog_date = date, "applied the shipped catalog");
        Ok(changed.filter(|models| !models.is_empty()).map(|models| {
            if overwrites {
                CatalogNote::Overwritten(models)
            } else {
                CatalogNote::Updated(models)
            }
        }))
    }

    /// Applies the default policy, and nothing where that would take a field from somebody.
    async fn apply_policy(&self, spec: &Value) -> Result<Option<PolicyNote>, WriteError> {
        let hash = content_hash(spec);
        let params = PatchParams::apply(Manager::Bootstrap.as_str()).validation_strict();
        let applied = self
            .apply::<InferenceProfilePolicy>(DEFAULT, spec, &hash, &params)
            .await;
        let note = match applied {
            Ok(()) => {
                tracing::info!(policy = DEFAULT, "applied the chart's default policy");
                None
            }
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                Some(PolicyNote::Conflict(status.message.clone()))
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => {
                Some(PolicyNote::Refused(status.message.clone()))
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(PolicyNote::Conflict(message) | PolicyNote::Refused(message)) = &note {
            tracing::error!(
                policy = DEFAULT,
                message,
                "the chart's default policy was not applied"
            );
        }
        // What was refused is not tried again until the chart wishes something else.
        self.memory.remember(Thing::Policy, &hash).await?;
        Ok(note)
    }

    async fn apply<K: kube::Resource<DynamicType = ()>>(
        &self,
        name: &str,
        spec: &Value,
        hash: &str,
        params: &PatchParams,
    ) -> kube::Result<()> {
        let resource = kube::api::ApiResource::erase::<K>(&());
        let api = Api::<DynamicObject>::all_with(self.clients.writing.clone(), &resource);
        let object = json!({
            "apiVersion": resource.api_version, "kind": resource.kind,
            "metadata": {
                "name": name, "annotations": {OURS: hash},
                "labels": {"app.kubernetes.io/managed-by": MANAGED_BY},
            },
            "spec": spec,
        });
        let applied = api.patch(name, params, &Patch::Apply(&object)).await?;
        tracing::debug!(group = GROUP, name = applied.name_any(), "applied");
        Ok(())
    }
}

/// The models whose rows are others in `shipped` than in what stands there, or that only one of them has.
fn others(
    before: &Written<InferenceProfileMapping>,
    shipped: &InferenceProfileMapping,
) -> Vec<String> {
    let before = before
        .object
        .as_ref()
        .map_or(&[][..], |mapping| &mapping.spec.models);
    let after = &shipped.spec.models;
    let lacks = |models: &[crate::api::Model], model: &crate::api::Model| !models.contains(model);
    let one = before.iter().filter(|model| lacks(after, model));
    let other = after.iter().filter(|model| lacks(before, model));
    let ids: BTreeSet<&String> = one.chain(other).map(|model| &model.model_id).collect();
    ids.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_that_differ_are_named() {
        let model = |id: &str, alias: &str| json!({"modelId": id, "aliases": [alias]});
        let mapping = |models: &[Value]| -> InferenceProfileMapping {
            serde_json::from_value(json!({
                "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping",
                "metadata": {"name": "builtin"}, "spec": {"models": models},
            }))
            .unwrap()
        };
        let before = Written {
            uid: String::new(),
            generation: 1,
            annotations: std::collections::BTreeMap::new(),
            object: Ok(mapping(&[
                model("a.1", "x"),
                model("b.1", "x"),
                model("c.1", "x"),
            ])),
        };
        let shipped = mapping(&[model("a.1", "x"), model("b.1", "y"), model("d.1", "x")]);
        assert_eq!(others(&before, &shipped), ["b.1", "c.1", "d.1"]);
    }
}
