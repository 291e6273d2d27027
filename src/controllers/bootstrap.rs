//! Applies the shipped catalog and the chart's default policy. The leader writes; every replica is held unready until there are
//! mappings and a policy to evaluate with.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bedrock_profiles_engine::in_group;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use super::applied_hashes::{Applied, AppliedHashes};
use super::cluster_state::{ByName, CustomResources, Observed};
use super::reconcile::{self, Next, Reconciler};
use crate::api::{BootstrapConfig, InferenceProfileMapping, InferenceProfilePolicy};
use crate::catalog;
use crate::cluster::client::Clients;
use crate::cluster::leader_election::Leadership;
use crate::cluster::release::{MANAGED_BY, Manager};
use crate::report::content_hash;
use crate::runtime::admin::Hold;
use crate::runtime::published::{Changes, Published};

mod decide;

use decide::{CatalogState, CatalogStep, ObjectOwner, ObservedCatalog, PolicyState, PolicyStep};

/// The name of the chart's default policy.
pub const DEFAULT: &str = "default";

/// Annotation of the objects that the bootstrap owns: the hash of the spec that was applied.
const OWNED: &str = in_group!("bootstrap");

/// Annotation of the mapping `builtin` that stops updates if its value is `false`.
const AUTOUPDATE: &str = in_group!("autoupdate");

/// The delay before another look at objects that another replica is to write.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Applies what a release ships.
pub struct Bootstrapper {
    /// For writes.
    pub clients: Clients,
    /// Hashes of the objects that were applied before.
    pub hashes: AppliedHashes,
    /// The custom resources as observed.
    pub objects: Arc<Published<CustomResources>>,
    /// The bootstrap configuration.
    pub config: Arc<Published<Option<BootstrapConfig>>>,
    /// Whether this replica is the leader.
    pub leadership: Leadership,
    /// The catalog of this binary.
    pub shipped: InferenceProfileMapping,
    /// Receives the results, for the conditions of the objects.
    pub results: Arc<Published<BootstrapResults>>,
}

/// The results of the leader's bootstrap, as far as they show in the conditions of `builtin` and `default`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootstrapResults {
    /// For the mapping `builtin`; `None` if this leader has not written it.
    pub catalog: Option<CatalogResult>,
    /// For the policy `default`; `None` if this leader has not tried to write it.
    pub policy: Option<PolicyResult>,
}

/// The result for the mapping `builtin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogResult {
    /// Not updated, because of its annotation.
    Frozen,
    /// Not updated, since it is newer than the catalog of this binary.
    NewerInCluster,
    /// Updated; the rows of these models changed.
    Updated(Vec<String>),
    /// Updated, and changes of another client to the rows of these models were overwritten.
    Overwritten(Vec<String>),
}

/// The result for the policy `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyResult {
    /// Applied, or not configured: nothing to report.
    Settled,
    /// Not applied, since another client created a policy of this name.
    NotOwned,
    /// Not applied, since another client owns fields that differ; with the API server's message.
    Conflict(String),
    /// Rejected by the API server, with its message.
    Refused(String),
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// A request failed.
    #[error("cannot apply the catalog or the default policy: {0}")]
    Kube(#[from] kube::Error),
    /// The shipped catalog has no JSON form.
    #[error("cannot encode the catalog: {0}")]
    Json(#[from] serde_json::Error),
}

impl Bootstrapper {
    /// Runs forever. Releases `hold` when there are mappings and a policy to evaluate with.
    pub async fn run(self, hold: Hold) {
        reconcile::run(Bootstrap {
            object_changes: self.objects.subscribe(),
            config_changes: self.config.subscribe(),
            hold: Some(hold),
            written_this_term: false,
            inputs: self,
        })
        .await;
    }
}

/// The running controller.
struct Bootstrap {
    inputs: Bootstrapper,
    object_changes: Changes,
    config_changes: Changes,
    hold: Option<Hold>,
    /// Whether this replica has written the catalog since it became the leader.
    written_this_term: bool,
}

impl Reconciler for Bootstrap {
    type Error = BootstrapError;
    const NAME: &'static str = "bootstrap";

    async fn changed(&mut self) {
        tokio::select! {
            () = self.object_changes.changed() => {}
            () = self.config_changes.changed() => {}
            () = self.inputs.leadership.changed() => {}
        }
    }

    async fn step(&mut self) -> Result<Next, BootstrapError> {
        let is_leader = self.inputs.leadership.is_leader();
        self.written_this_term &= is_leader;
        let step = self.inputs.step(is_leader, &mut self.written_this_term);
        let is_settled = if is_leader {
            let leadership = self.inputs.leadership.clone();
            leadership.run(|| step).await.unwrap_or(Ok(false))?
        } else {
            step.await?
        };
        if !is_settled {
            return Ok(Next::Within(POLL_INTERVAL));
        }
        if let Some(hold) = self.hold.take() {
            hold.release();
        }
        Ok(Next::Change)
    }
}

impl Bootstrapper {
    /// Writes what is due. Returns whether nothing is left to wait for.
    async fn step(
        &self,
        is_leader: bool,
        written_this_term: &mut bool,
    ) -> Result<bool, BootstrapError> {
        let (objects, config) = (self.objects.load(), self.config.load());
        let Some(config) = Option::as_ref(&config).filter(|_| objects.complete) else {
            return Ok(false);
        };
        let [policy, catalog] = self
            .hashes
            .load([Applied::Policy, Applied::Catalog])
            .await?;
        let catalog = self.catalog(config, &objects, catalog.as_deref(), *written_this_term);
        let policy_step = policy_step(config, &objects, policy.as_deref());
        if !is_leader {
            return Ok(catalog.is_settled() && policy_step != PolicyStep::Apply);
        }
        let mut results = (**self.results.load()).clone();
        match catalog.step() {
            CatalogStep::UpToDate => {}
            CatalogStep::Frozen => results.catalog = Some(CatalogResult::Frozen),
            CatalogStep::NewerInCluster => results.catalog = Some(CatalogResult::NewerInCluster),
            CatalogStep::Apply { overwrites } => {
                results.catalog = self.apply_catalog(&objects.mappings, overwrites).await?;
                *written_this_term = true;
            }
        }
        results.policy = match (&config.policy, policy_step) {
            (None, _) => Some(PolicyResult::Settled),
            (Some(_), PolicyStep::UpToDate) => results.policy,
            (Some(_), PolicyStep::NotOwned) => Some(PolicyResult::NotOwned),
            (Some(spec), PolicyStep::Apply) => Some(self.apply_policy(spec).await?),
        };
        if results != **self.results.load() {
            self.results.replace(results);
        }
        Ok(true)
    }

    fn catalog<'a>(
        &self,
        config: &BootstrapConfig,
        objects: &CustomResources,
        applied: Option<&'a str>,
        written_this_term: bool,
    ) -> CatalogState<'a> {
        let observed = |observed: &Arc<Observed<InferenceProfileMapping>>| {
            let spec = observed.object.as_ref().ok().map(|mapping| &mapping.spec);
            ObservedCatalog {
                date: spec.and_then(|spec| spec.catalog_date.as_ref()?.parse().ok()),
                frozen: observed
                    .annotations
                    .get(AUTOUPDATE)
                    .is_some_and(|text| text == "false"),
                up_to_date: spec == Some(&self.shipped.spec),
            }
        };
        let shipped = &self.shipped.spec.catalog_date;
        CatalogState {
            enabled: config.catalog.apply,
            shipped: shipped.as_ref().and_then(|date| date.parse().ok()),
            observed: objects.mappings.get(catalog::NAME).map(observed),
            applied,
            written_this_term,
        }
    }

    /// Applies the catalog, and takes over fields of other managers.
    async fn apply_catalog(
        &self,
        mappings: &ByName<InferenceProfileMapping>,
        overwrites: bool,
    ) -> Result<Option<CatalogResult>, BootstrapError> {
        let before = mappings.get(catalog::NAME);
        let changed = before.map(|before| changed_models(before, &self.shipped));
        let spec = serde_json::to_value(&self.shipped.spec)?;
        let hash = content_hash(&spec);
        let params = PatchParams::apply(Manager::Bootstrap.as_str()).force();
        self.apply::<InferenceProfileMapping>(catalog::NAME, &spec, &hash, &params)
            .await?;
        self.hashes.store(Applied::Catalog, &hash).await?;
        let date = self
            .shipped
            .spec
            .catalog_date
            .as_deref()
            .unwrap_or("unknown");
        tracing::info!(catalog_date = date, "applied the shipped catalog");
        Ok(changed.filter(|models| !models.is_empty()).map(|models| {
            if overwrites {
                CatalogResult::Overwritten(models)
            } else {
                CatalogResult::Updated(models)
            }
        }))
    }

    /// Applies the default policy, unless that takes fields of other managers. A rejected policy is not applied again until
    /// the chart configures another one.
    async fn apply_policy(&self, spec: &Value) -> Result<PolicyResult, BootstrapError> {
        let hash = content_hash(spec);
        let params = PatchParams::apply(Manager::Bootstrap.as_str()).validation_strict();
        let applied = self
            .apply::<InferenceProfilePolicy>(DEFAULT, spec, &hash, &params)
            .await;
        let result = match applied {
            Ok(()) => {
                tracing::info!(policy = DEFAULT, "applied the chart's default policy");
                PolicyResult::Settled
            }
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                PolicyResult::Conflict(status.message.clone())
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 400 | 422) => {
                PolicyResult::Refused(status.message.clone())
            }
            Err(error) => return Err(error.into()),
        };
        if let PolicyResult::Conflict(message) | PolicyResult::Refused(message) = &result {
            tracing::error!(
                policy = DEFAULT,
                message,
                "the chart's default policy was not applied"
            );
        }
        self.hashes.store(Applied::Policy, &hash).await?;
        Ok(result)
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
                "name": name, "annotations": {OWNED: hash},
                "labels": {"app.kubernetes.io/managed-by": MANAGED_BY},
            },
            "spec": spec,
        });
        let applied = api.patch(name, params, &Patch::Apply(&object)).await?;
        tracing::debug!(kind = resource.kind, name = applied.name_any(), "applied");
        Ok(())
    }
}

/// The step that is due for the default policy.
fn policy_step(
    config: &BootstrapConfig,
    objects: &CustomResources,
    applied: Option<&str>,
) -> PolicyStep {
    let hash = config.policy.as_ref().map(content_hash);
    let owner = |observed: &Arc<Observed<InferenceProfilePolicy>>| {
        if observed.annotations.contains_key(OWNED) {
            ObjectOwner::Bootstrap
        } else {
            ObjectOwner::Other
        }
    };
    let state = PolicyState {
        configured: hash.as_deref(),
        applied,
        owner: objects.policies.get(DEFAULT).map(owner),
    };
    state.step()
}

/// The models whose rows differ between the observed and the shipped mapping, or that only one of them has.
fn changed_models(
    before: &Observed<InferenceProfileMapping>,
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
    fn models_with_different_rows_are_listed() {
        let model = |id: &str, alias: &str| json!({"modelId": id, "aliases": [alias]});
        let mapping = |models: &[Value]| -> InferenceProfileMapping {
            serde_json::from_value(json!({
                "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping",
                "metadata": {"name": "builtin"}, "spec": {"models": models},
            }))
            .unwrap()
        };
        let before = Observed {
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
        assert_eq!(changed_models(&before, &shipped), ["b.1", "c.1", "d.1"]);
    }
}
