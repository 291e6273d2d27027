//! What the status of each object has to be, from what is known of all of them. Pure.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::super::arming::Entries;
use super::super::bootstrap::{CatalogNote, DEFAULT, Notes, PolicyNote};
use super::super::view::{Objects, Written};
use super::condition::{Said, Sort, conditions, find, kept, message};
use super::stored::Stored;
use crate::api::{
    InferenceProfileMapping, InferenceProfileMappingStatus, InferenceProfilePolicy,
    InferenceProfilePolicyStatus, References, ResourceKind,
};
use crate::catalog;
use crate::cluster::rbac::MUTATING;
use crate::domain::catalog::Catalog;
use crate::domain::snapshot::{Named, Problem};
use crate::validate::Invalid;

/// How many overridden rows a status lists.
const MOST_OVERRIDDEN: usize = 100;

/// The entry that asks about ConfigMaps; the others ask about Pods and what they are made from.
const CONFIG_MAPS: &str = MUTATING[1];

// Reasons of conditions that are kept while nothing is known.
const ARMED: &str = "Armed";
const NOT_ARMED: &str = "NotArmed";
const NO_ENTRY: &str = "NoEntry";
const UPDATED: &str = "Updated";
const OVERWRITTEN: &str = "Overwritten";

/// What statuses follow from.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    /// The objects, and what is wrong with them.
    pub(super) objects: &'a Objects,
    /// The rows in force.
    pub(super) catalog: &'a Catalog,
    /// What stands of the webhook's entries.
    pub(super) entries: &'a Entries,
    /// What the bootstrap has to say.
    pub(super) notes: &'a Notes,
    /// When the last mapping was changed, by the API server's clock.
    pub(super) mappings_changed_at: Option<Timestamp>,
    /// The time of conditions that turn.
    pub(super) now: Timestamp,
}

impl Facts<'_> {
    /// The status of a mapping.
    pub(super) fn mapping(
        &self,
        name: &str,
        written: &Written<InferenceProfileMapping>,
        stored: &Stored<InferenceProfileMappingStatus>,
    ) -> InferenceProfileMappingStatus {
        let [in_force, _] = &self.objects.generations;
        let invalid = self.objects.invalid_mappings.get(name);
        let before = &stored.status.conditions;
        let mut said = vec![accepted(invalid, in_force.get(name).copied())];
        said.extend(self.problems(&Named::Mapping(name.into())));
        if name == catalog::NAME {
            said.extend(as_shipped(self.notes.catalog.as_ref(), before, written));
        }
        let models = written.object.as_ref().map(|mapping| &mapping.spec.models);
        let models = models.map(Vec::as_slice).unwrap_or_default();
        InferenceProfileMappingStatus {
            conditions: conditions(said, before, written.generation, self.now),
            models: i32::try_from(models.len()).ok(),
            profiles: i32::try_from(models.iter().map(|it| it.profiles.len()).sum::<usize>()).ok(),
            overridden: self.overridden(name),
            observed_generation: Some(written.generation),
        }
    }

    /// The status of a policy, but for what the audit writes.
    pub(super) fn policy(
        &self,
        name: &str,
        written: &Written<InferenceProfilePolicy>,
        stored: &Stored<InferenceProfilePolicyStatus>,
    ) -> InferenceProfilePolicyStatus {
        let [_, in_force] = &self.objects.generations;
        let in_force = in_force.get(name).copied();
        let policy = written.object.as_ref().ok();
        let mut said = vec![accepted(self.objects.invalid_policies.get(name), in_force)];
        said.extend(self.problems(&Named::Policy(name.into())));
        let (asked, since) = self.asked(policy.filter(|_| in_force.is_some()), stored);
        said.push(asked);
        let follows = policy.is_some_and(|policy| policy.spec.references != References::Off);
        if self.objects.references_denied && follows {
            said.push(references_denied());
        }
        if name == DEFAULT {
            said.extend(self.notes.policy.as_ref().map(as_wished));
        }
        InferenceProfilePolicyStatus {
            conditions: conditions(
                said,
                &stored.status.conditions,
                written.generation,
                self.now,
            ),
            last_audit: None,
            in_force_since: since.map(Time),
            observed_generation: Some(written.generation),
        }
    }

    /// What is wrong with an object whose fields are all well-formed, one condition for each sort.
    fn problems(&self, object: &Named) -> impl Iterator<Item = Said> {
        let sorts = [
            (Sort::Conflicting, "TwoGeographies"),
            (Sort::ReplacementCycle, "LeadsBack"),
            (Sort::UnknownRegions, "NotListed"),
            (Sort::UnknownGeographies, "NotListed"),
            (Sort::Shadowed, "NeverDecides"),
        ];
        sorts.into_iter().filter_map(|(sort, reason)| {
            let problems = self.objects.problems.iter();
            let texts: Vec<_> = problems
                .filter(|problem| sort_of(problem) == sort && problem.object() == *object)
                .map(ToString::to_string)
                .collect();
            (!texts.is_empty()).then(|| Said {
                sort,
                holds: Some(true),
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
        if rows.len() > MOST_OVERRIDDEN {
            let rest = rows.len() - (MOST_OVERRIDDEN - 1);
            rows.truncate(MOST_OVERRIDDEN - 1);
            rows.push(format!("and {rest} more"));
        }
        rows
    }

    /// Whether the API server asks by the policy in use, and since when all that an answer rests on is as it is.
    fn asked(
        &self,
        policy: Option<&InferenceProfilePolicy>,
        stored: &Stored<InferenceProfilePolicyStatus>,
    ) -> (Said, Option<Timestamp>) {
        let said = |holds, reason, message: &str| Said {
            sort: Sort::InForce,
            holds,
            reason,
            message: message.to_owned(),
        };
        let Some(policy) = policy else {
            let message = "no form of it is in force; see the condition Accepted";
            return (said(Some(false), "NotAccepted", message), None);
        };
        if !self.entries.complete {
            // Who has just begun to lead says nothing new before it has looked.
            let before = kept(
                &stored.status.conditions,
                Sort::InForce,
                &[ARMED, NOT_ARMED, NO_ENTRY],
            );
            let unseen = || {
                said(
                    None,
                    "NotSeen",
                    "the webhook's entries have not been seen yet",
                )
            };
            let since = stored.status.in_force_since.as_ref().map(|since| since.0);
            return (before.unwrap_or_else(unseen), since);
        }
        let concerned: Vec<_> = self
            .entries
            .by_name
            .iter()
            .filter(|(entry, standing)| standing.exists && concerns(policy, entry))
            .collect();
        let unarmed: Vec<_> = concerned
            .iter()
            .filter(|(_, standing)| !standing.armed)
            .map(|(entry, _)| entry.as_str())
            .collect();
        if concerned.is_empty() {
            let message =
                "the release has no entry for what it selects; the chart's values switch them on";
            return (said(Some(false), NO_ENTRY, message), None);
        }
        if !unarmed.is_empty() {
            let message = format!("not armed yet: {}", unarmed.join(", "));
            return (said(Some(false), NOT_ARMED, &message), None);
        }
        let armed_at = concerned.iter().filter_map(|(_, entry)| entry.armed_at);
        let armed_at = armed_at
            .max()
            .and_then(|at| Timestamp::from_second(at).ok());
        let since = [armed_at, stored.changed_at, self.mappings_changed_at];
        let since = since.into_iter().flatten().max();
        (
            said(
                Some(true),
                ARMED,
                "the API server asks about what it selects",
            ),
            since,
        )
    }
}

/// Whether an entry asks about something that the policy selects.
fn concerns(policy: &InferenceProfilePolicy, entry: &str) -> bool {
    let asks_about = if entry == CONFIG_MAPS {
        ResourceKind::ConfigMap
    } else {
        ResourceKind::Pod
    };
    policy.spec.selects.resources.contains(&asks_about)
}

fn sort_of(problem: &Problem) -> Sort {
    match problem {
        Problem::Conflicting(_) => Sort::Conflicting,
        Problem::ReplacementCycle { .. } => Sort::ReplacementCycle,
        Problem::UnknownRegions { .. } => Sort::UnknownRegions,
        Problem::UnknownGeographies { .. } => Sort::UnknownGeographies,
        Problem::Shadowed { .. } => Sort::Shadowed,
    }
}

/// Whether an object is valid as it stands, and what is in force where it is not.
fn accepted(invalid: Option<&Invalid>, in_force: Option<i64>) -> Said {
    let Some(invalid) = invalid else {
        return Said {
            sort: Sort::Accepted,
            holds: Some(true),
            reason: "Valid",
            message: "valid, and in use".to_owned(),
        };
    };
    let problems: Vec<_> = invalid
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.field, problem.message))
        .collect();
    let end = match in_force {
        Some(generation) => format!(
            "generation {generation} stays in force, until the replicas that have seen it end: correct the object and apply it again"
        ),
        None => "nothing of it is in force: correct the object and apply it again".to_owned(),
    };
    Said {
        sort: Sort::Accepted,
        holds: Some(false),
        reason: "Invalid",
        message: message(&problems, &end),
    }
}

fn references_denied() -> Said {
    Said {
        sort: Sort::ReferencesDenied,
        holds: Some(true),
        reason: "NoRight",
        message: "ConfigMaps may not be listed, so what Pods take from them is OutOfSight; \
                  set `references.enabled` in the chart's values, or write `references: \"Off\"`"
            .to_owned(),
    }
}

/// What the bootstrap has to say of the shipped catalog. What it said of this generation stays when its memory is gone.
fn as_shipped(
    note: Option<&CatalogNote>,
    stored: &[Condition],
    written: &Written<InferenceProfileMapping>,
) -> Option<Said> {
    let (holds, reason, text) = match note {
        Some(CatalogNote::Frozen) => {
            let text = "the annotation `bedrock-profiles.dev/autoupdate: \"false\"` keeps it from being updated";
            (false, "Frozen", text.to_owned())
        }
        Some(CatalogNote::NewerInCluster) => {
            let text = "it is later than the catalog of the running version, and stays";
            (false, "NewerInCluster", text.to_owned())
        }
        Some(CatalogNote::Updated(models)) => (
            true,
            UPDATED,
            message(models, "rows of these models changed"),
        ),
        Some(CatalogNote::Overwritten(models)) => {
            let end = "what was written over rows of these models is lost: correct rows by a mapping of your own, or freeze this one";
            (true, OVERWRITTEN, message(models, end))
        }
        None => {
            find(stored, Sort::AsShipped)
                .filter(|there| there.observed_generation == Some(written.generation))?;
            return kept(stored, Sort::AsShipped, &[UPDATED, OVERWRITTEN]);
        }
    };
    Some(Said {
        sort: Sort::AsShipped,
        holds: Some(holds),
        reason,
        message: text,
    })
}

/// What the bootstrap has to say of the policy that the chart wishes.
fn as_wished(note: &PolicyNote) -> Said {
    let (reason, text) = match note {
        PolicyNote::Foreign => {
            let text = "somebody else has made it: the policy of the chart's values is not applied";
            ("Foreign", text.to_owned())
        }
        PolicyNote::Conflict(words) => {
            let end =
                "somebody else has set these fields: nothing of the chart's values was written";
            ("Conflict", message(std::slice::from_ref(words), end))
        }
        PolicyNote::Refused(words) => {
            let end =
                "so the API server refuses what the chart's values say: correct `policy.spec`";
            ("Refused", message(std::slice::from_ref(words), end))
        }
    };
    Said {
        sort: Sort::AsShipped,
        holds: Some(false),
        reason,
        message: text,
    }
}

#[cfg(test)]
mod tests;
