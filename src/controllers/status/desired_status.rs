//! The status that each object should have, computed from the observed state of all of them. Pure.

use bedrock_profiles_engine::in_group;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::condition::{ConditionType, ConditionUpdate, conditions, find, keep, message};
use super::stored::Stored;
use crate::api::{
    InferenceProfileMapping, InferenceProfileMappingStatus, InferenceProfilePolicy,
    InferenceProfilePolicyStatus, References,
};
use crate::catalog;
use crate::controllers::bootstrap::{BootstrapResults, CatalogResult, DEFAULT, PolicyResult};
use crate::controllers::cluster_state::{CustomResources, Observed};
use crate::controllers::webhook_config::WebhookStates;
use crate::domain::catalog::Catalog;
use crate::domain::snapshot::{ObjectName, Problem};
use crate::validate::Invalid;

mod ready;

/// How many overridden rows a status lists.
const MAX_OVERRIDDEN: usize = 100;

// Reasons of the condition `UpToDate` that stay while the result of the bootstrap is not known.
const UPDATED: &str = "Updated";
const OVERWRITTEN: &str = "Overwritten";
const NOT_OWNED: &str = "NotOwned";
const CONFLICT: &str = "FieldConflict";
const REFUSED: &str = "ShippedPolicyRefused";

/// The observations that statuses are computed from.
#[derive(Clone, Copy)]
pub(super) struct StatusInputs<'a> {
    /// The custom resources, and their problems.
    pub(super) objects: &'a CustomResources,
    /// The merged mappings.
    pub(super) catalog: &'a Catalog,
    /// The webhook configurations.
    pub(super) webhooks: &'a WebhookStates,
    /// The results of the bootstrap.
    pub(super) results: &'a BootstrapResults,
    /// When a mapping changed last, by the API server's clock.
    pub(super) mappings_changed_at: Option<Timestamp>,
    /// The transition time of conditions whose status changes.
    pub(super) now: Timestamp,
}

impl StatusInputs<'_> {
    /// The status of a mapping.
    pub(super) fn mapping(
        &self,
        name: &str,
        observed: &Observed<InferenceProfileMapping>,
        stored: &Stored<InferenceProfileMappingStatus>,
    ) -> InferenceProfileMappingStatus {
        let active = self.objects.mapping_generations.get(name).copied();
        let invalid = self.objects.invalid_mappings.get(name);
        let before = &stored.status.conditions;
        let mut updates = vec![accepted(invalid, active)];
        updates.extend(ready::conditions(match invalid {
            Some(_) => ready::not_accepted(active),
            None => ready::in_use(),
        }));
        updates.extend(self.problems(&ObjectName::Mapping(name.into())));
        if name == catalog::NAME {
            updates.extend(catalog_up_to_date(
                self.results.catalog.as_ref(),
                before,
                observed,
            ));
        }
        let models = observed.object.as_ref().map(|mapping| &mapping.spec.models);
        let models = models.map(Vec::as_slice).unwrap_or_default();
        InferenceProfileMappingStatus {
            conditions: conditions(updates, before, observed.generation, self.now),
            models: i32::try_from(models.len()).ok(),
            profiles: i32::try_from(models.iter().map(|it| it.profiles.len()).sum::<usize>()).ok(),
            overridden: self.overridden(name),
            observed_generation: Some(observed.generation),
        }
    }

    /// The status of a policy, without the fields that the audit writes.
    pub(super) fn policy(
        &self,
        name: &str,
        observed: &Observed<InferenceProfilePolicy>,
        stored: &Stored<InferenceProfilePolicyStatus>,
    ) -> InferenceProfilePolicyStatus {
        let active = self.objects.policy_generations.get(name).copied();
        let invalid = self.objects.invalid_policies.get(name);
        let before = &stored.status.conditions;
        let policy = observed.object.as_ref().ok();
        let mut updates = vec![accepted(invalid, active)];
        updates.extend(self.problems(&ObjectName::Policy(name.into())));
        let (activity, since) = self.activity(policy.filter(|_| active.is_some()), stored);
        updates.extend(ready::conditions(match invalid {
            Some(_) => ready::not_accepted(active),
            None => activity,
        }));
        let resolves = policy.is_some_and(|policy| policy.spec.references != References::Off);
        if self.objects.references_denied && resolves {
            updates.push(references_denied());
        }
        if name == DEFAULT {
            updates.extend(policy_up_to_date(self.results.policy.as_ref(), before));
        }
        InferenceProfilePolicyStatus {
            conditions: conditions(updates, before, observed.generation, self.now),
            last_audit: None,
            in_force_since: since.map(Time),
            observed_generation: Some(observed.generation),
        }
    }

    /// The problems of an object that is valid by itself: one condition for each kind of problem.
    fn problems(&self, object: &ObjectName) -> impl Iterator<Item = ConditionUpdate> {
        let types = [
            (ConditionType::Conflicting, "TwoGeographies"),
            (ConditionType::ReplacementCycle, "ReplacementCycle"),
            (ConditionType::UnknownRegions, "UnknownName"),
            (ConditionType::UnknownGeographies, "UnknownName"),
            (ConditionType::UnknownReplacements, "UnknownName"),
            (ConditionType::Shadowed, "Shadowed"),
        ];
        types.into_iter().filter_map(|(type_, reason)| {
            let problems = self.objects.problems.iter();
            let texts: Vec<_> = problems
                .filter(|problem| type_of(problem) == type_ && problem.object() == *object)
                .map(ToString::to_string)
                .collect();
            (!texts.is_empty()).then(|| ConditionUpdate {
                type_,
                status: Some(true),
                reason,
                message: message(&texts, ""),
            })
        })
    }

    fn overridden(&self, name: &str) -> Vec<String> {
        let all = self.catalog.overridden().iter();
        let mut rows: Vec<_> = all
            .filter(|row| *row.mapping == *name)
            .map(ToString::to_string)
            .collect();
        if rows.len() > MAX_OVERRIDDEN {
            let rest = rows.len() - (MAX_OVERRIDDEN - 1);
            rows.truncate(MAX_OVERRIDDEN - 1);
            rows.push(format!("and {rest} more"));
        }
        rows
    }
}

fn type_of(problem: &Problem) -> ConditionType {
    match problem {
        Problem::Conflicting(_) => ConditionType::Conflicting,
        Problem::ReplacementCycle { .. } => ConditionType::ReplacementCycle,
        Problem::UnknownRegions { .. } => ConditionType::UnknownRegions,
        Problem::UnknownGeographies { .. } => ConditionType::UnknownGeographies,
        Problem::UnknownReplacements { .. } => ConditionType::UnknownReplacements,
        Problem::Shadowed { .. } => ConditionType::Shadowed,
    }
}

/// Whether an object is valid; if not, which generation is active instead.
fn accepted(invalid: Option<&Invalid>, active: Option<i64>) -> ConditionUpdate {
    let Some(invalid) = invalid else {
        return ConditionUpdate {
            type_: ConditionType::Accepted,
            status: Some(true),
            reason: "Valid",
            message: "the object is valid".to_owned(),
        };
    };
    let problems: Vec<_> = invalid
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.field, problem.message))
        .collect();
    ConditionUpdate {
        type_: ConditionType::Accepted,
        status: Some(false),
        reason: "Invalid",
        message: message(&problems, &ready::fallback(active)),
    }
}

fn references_denied() -> ConditionUpdate {
    ConditionUpdate {
        type_: ConditionType::ReferencesDenied,
        status: Some(true),
        reason: "Forbidden",
        message: "the service account may not list ConfigMaps, so values that Pods take from ConfigMaps are reported as \
                  OutOfSight; set `references.enabled` in the chart's values, or `references: \"Off\"` in the policy"
            .to_owned(),
    }
}

/// Whether the mapping `builtin` equals the shipped catalog. The result of an earlier leader stays for its generation.
fn catalog_up_to_date(
    result: Option<&CatalogResult>,
    stored: &[Condition],
    observed: &Observed<InferenceProfileMapping>,
) -> Option<ConditionUpdate> {
    let (status, reason, text) = match result {
        Some(CatalogResult::Frozen) => {
            let text = concat!(
                "not updated: the annotation `",
                in_group!("autoupdate"),
                "` is \"false\""
            );
            (false, "Frozen", text.to_owned())
        }
        Some(CatalogResult::NewerInCluster) => {
            let text = "not updated: the mapping is newer than the catalog of the running version";
            (false, "NewerInCluster", text.to_owned())
        }
        Some(CatalogResult::Updated(models)) => (
            true,
            UPDATED,
            message(models, "the rows of these models changed"),
        ),
        Some(CatalogResult::Overwritten(models)) => {
            let end = concat!(
                "changes to the rows of these models were overwritten: define rows in a mapping of your own, or set the annotation `",
                in_group!("autoupdate"),
                "` to \"false\""
            );
            (true, OVERWRITTEN, message(models, end))
        }
        None => {
            find(stored, ConditionType::UpToDate)
                .filter(|there| there.observed_generation == Some(observed.generation))?;
            return keep(stored, ConditionType::UpToDate, &[UPDATED, OVERWRITTEN]);
        }
    };
    Some(ConditionUpdate {
        type_: ConditionType::UpToDate,
        status: Some(status),
        reason,
        message: text,
    })
}

/// Whether the policy of the chart's values was applied; absent if it was. The result of an earlier leader stays, since a
/// refused policy is not applied again.
fn policy_up_to_date(
    result: Option<&PolicyResult>,
    stored: &[Condition],
) -> Option<ConditionUpdate> {
    let (reason, text) = match result {
        Some(PolicyResult::Settled) => return None,
        Some(PolicyResult::NotOwned) => {
            let text = "the policy of the chart's values was not applied: this policy was created by another client";
            (NOT_OWNED, text.to_owned())
        }
        Some(PolicyResult::Conflict(error)) => {
            let end = "the policy of the chart's values was not applied: another client owns these fields";
            (CONFLICT, message(std::slice::from_ref(error), end))
        }
        Some(PolicyResult::Refused(error)) => {
            let end = "the API server refused the policy of the chart's values, and the previous one stays: correct `policy.spec`";
            (REFUSED, message(std::slice::from_ref(error), end))
        }
        None => {
            let reasons = [NOT_OWNED, CONFLICT, REFUSED];
            return keep(stored, ConditionType::UpToDate, &reasons);
        }
    };
    Some(ConditionUpdate {
        type_: ConditionType::UpToDate,
        status: Some(false),
        reason,
        message: text,
    })
}

#[cfg(test)]
mod tests;
