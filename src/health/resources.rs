//! Policies, mappings and the catalog, by the statuses that the leader writes.

use jiff::civil::Date;
use serde_json::Value;

use crate::catalog;

use super::check::{Check, CheckResult};
use super::unread::{Reading, Unread, array, known, string};

/// The age of a catalog in days from which on it is a warning.
const CATALOG_DAYS: i64 = 90;

/// Types of conditions whose status `True` is good. That of every other type is a problem.
const GOOD: [&str; 3] = ["Accepted", "Ready", "UpToDate"];

/// A type of condition that repeats another one.
const STALLED: &str = "Stalled";

/// The reasons of a condition `Ready` that a failed check of the webhook configurations explains.
const OF_WEBHOOKS: [&str; 2] = ["WebhookInactive", "NoWebhook"];

/// A policy or mapping with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceState {
    /// Its name.
    pub name: String,
    /// Its generation.
    pub generation: i64,
    observed: i64,
    catalog_date: Option<String>,
    conditions: Vec<ConditionState>,
}

/// A condition as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ConditionState {
    type_: String,
    status: String,
    reason: String,
    message: String,
}

/// What is wrong with an object.
enum ResourceProblem {
    Invalid(String),
    Questionable(String),
}

impl ResourceState {
    /// Reads a policy or mapping.
    pub fn of(object: &Value) -> Self {
        let status = &object["status"];
        let condition = |one: &Value| ConditionState {
            type_: string(&one["type"]),
            status: string(&one["status"]),
            reason: string(&one["reason"]),
            message: string(&one["message"]),
        };
        Self {
            name: string(&object["metadata"]["name"]),
            generation: object["metadata"]["generation"]
                .as_i64()
                .unwrap_or_default(),
            observed: status["observedGeneration"].as_i64().unwrap_or_default(),
            catalog_date: object["spec"]["catalogDate"].as_str().map(str::to_owned),
            conditions: array(&status["conditions"]).iter().map(condition).collect(),
        }
    }

    /// Whether the leader has found the object valid.
    pub(super) fn is_accepted(&self) -> bool {
        self.condition("Accepted")
            .is_some_and(|one| one.status == "True")
    }

    fn condition(&self, type_: &str) -> Option<&ConditionState> {
        self.conditions.iter().find(|one| one.type_ == type_)
    }

    fn problem(&self, webhooks_failed: bool) -> Option<ResourceProblem> {
        let name = &self.name;
        if let Some(invalid) = self
            .condition("Accepted")
            .filter(|one| one.status == "False")
        {
            return Some(ResourceProblem::Invalid(format!(
                "{name} is invalid: {}",
                invalid.message
            )));
        }
        let ready = self.condition("Ready").filter(|one| one.status == "False");
        if let Some(ready) =
            ready.filter(|one| !webhooks_failed || !OF_WEBHOOKS.contains(&one.reason.as_str()))
        {
            return Some(ResourceProblem::Invalid(format!(
                "{name} is not ready: {}",
                ready.message
            )));
        }
        let is_bad = |one: &&ConditionState| {
            let is_good = GOOD.contains(&one.type_.as_str());
            match one.status.as_str() {
                "True" => !is_good && one.type_ != STALLED,
                "False" => one.type_ == "UpToDate",
                _ => false,
            }
        };
        if let Some(bad) = self.conditions.iter().find(is_bad) {
            return Some(ResourceProblem::Questionable(format!(
                "{name} has the condition {}: {}",
                bad.type_, bad.message
            )));
        }
        (self.observed < self.generation).then(|| {
            ResourceProblem::Questionable(format!(
                "the status of {name} is not of its generation {}: no leader has evaluated it yet",
                self.generation
            ))
        })
    }
}

/// Whether each policy is valid and without conflicts. `webhooks_failed`: a check of the webhook configurations is failed, which explains
/// that a policy is not ready.
pub(super) fn check_policies(
    policies: &Reading<Vec<ResourceState>>,
    webhooks_failed: bool,
) -> CheckResult {
    let none = "there is no policy: the webhook changes and reports nothing";
    check_accepted(Check::PoliciesAccepted, policies, none, webhooks_failed)
}

/// Whether each mapping is valid and without conflicts.
pub(super) fn check_mappings(mappings: &Reading<Vec<ResourceState>>) -> CheckResult {
    let none = "there is no mapping: the webhook knows no profile";
    check_accepted(Check::MappingsAccepted, mappings, none, false)
}

fn check_accepted(
    check: Check,
    objects: &Reading<Vec<ResourceState>>,
    none: &str,
    webhooks_failed: bool,
) -> CheckResult {
    let hint =
        "Correct the object and apply it again; docs/custom-resources.md explains the conditions.";
    known(check, objects.as_ref().map_err(Unread::clone).map(|objects| {
        if objects.is_empty() {
            return check.warning(none, "docs/custom-resources.md has examples; catalog.apply and policy.create of the chart create the first ones.");
        }
        let problems: Vec<_> = objects.iter().filter_map(|one| one.problem(webhooks_failed)).collect();
        let is_invalid = problems.iter().any(|one| matches!(one, ResourceProblem::Invalid(_)));
        let texts: Vec<_> = problems
            .into_iter()
            .map(|one| match one {
                ResourceProblem::Invalid(text) | ResourceProblem::Questionable(text) => text,
            })
            .collect();
        match texts.as_slice() {
            [] => {
                let names: Vec<_> = objects.iter().map(|one| one.name.as_str()).collect();
                check.passed(names.join(", "))
            }
            texts if is_invalid => check.failed(texts.join("; "), hint),
            texts => check.warning(texts.join("; "), hint),
        }
    }))
}

/// The date of the catalog in the cluster.
pub(super) fn catalog_date(mappings: &Reading<Vec<ResourceState>>) -> Option<&str> {
    let mut mappings = mappings.iter().flatten();
    mappings
        .find(|one| one.name == catalog::NAME)?
        .catalog_date
        .as_deref()
}

/// Whether the catalog is old.
pub(super) fn check_catalog(mappings: &Reading<Vec<ResourceState>>, today: Date) -> CheckResult {
    let check = Check::CatalogAge;
    let hint = "Upgrade to a release with a newer catalog, or correct single rows with a mapping; docs/catalog-check.md compares the catalog with Bedrock.";
    known(
        check,
        mappings.as_ref().map_err(Unread::clone).map(|_| {
            let Some(date) = catalog_date(mappings) else {
                return check.warning(
                format!("there is no mapping {} with a date", catalog::NAME),
                "Set catalog.apply in the chart's values, or keep your own mappings up to date.",
            );
            };
            let Ok(parsed) = date.parse::<Date>() else {
                return check.warning(format!("`{date}` is no date"), hint);
            };
            let days = i64::from((today - parsed).get_days());
            let unit = if days == 1 { "day" } else { "days" };
            let detail = format!("the catalog is of {date}, {days} {unit} old");
            if days < CATALOG_DAYS {
                check.passed(detail)
            } else {
                check.warning(detail, hint)
            }
        }),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check::CheckState;
    use super::*;

    fn object(conditions: &Value) -> ResourceState {
        ResourceState::of(
            &json!({"metadata": {"name": "builtin", "generation": 2}, "spec": {"catalogDate": "2026-09-01"},
            "status": {"observedGeneration": 2, "conditions": conditions}}),
        )
    }

    fn state(conditions: &Value, webhooks_failed: bool) -> CheckState {
        check_policies(&Ok(vec![object(conditions)]), webhooks_failed).state
    }

    #[test]
    fn an_object_is_valid_and_without_conflicts() {
        use CheckState::{Failed, Passed, Warning};
        let condition = |type_: &str, status: &str, reason: &str| json!({"type": type_, "status": status, "reason": reason, "message": "m"});
        let accepted = condition("Accepted", "True", "Valid");
        for (type_, status, reason, expected) in [
            ("Ready", "True", "Active", Passed),
            ("UpToDate", "True", "Updated", Passed),
            ("Ready", "False", "WebhookInactive", Failed),
            ("Ready", "False", "NoWebhook", Failed),
            ("Shadowed", "True", "Shadowed", Warning),
            ("UpToDate", "False", "FieldConflict", Warning),
        ] {
            let conditions = json!([accepted, condition(type_, status, reason)]);
            assert_eq!(state(&conditions, false), expected, "{type_} {reason}");
            let explained = if expected == Failed { Passed } else { expected };
            assert_eq!(state(&conditions, true), explained, "{type_} {reason}");
        }
        let invalid = json!([condition("Accepted", "False", "Invalid")]);
        assert_eq!(state(&invalid, true), Failed);
        assert_eq!(check_policies(&Ok(Vec::new()), false).state, Warning);
    }

    #[test]
    fn a_status_of_an_older_generation_is_a_warning() {
        let old = ResourceState {
            observed: 1,
            ..object(&json!([{"type": "Accepted", "status": "True"}]))
        };
        let result = check_mappings(&Ok(vec![old]));
        assert_eq!(result.state, CheckState::Warning);
    }

    #[test]
    fn a_catalog_is_old_after_ninety_days() {
        let mappings = Ok(vec![object(&json!([]))]);
        let state = |today: &str| check_catalog(&mappings, today.parse().unwrap()).state;
        assert_eq!(state("2026-11-29"), CheckState::Passed);
        assert_eq!(state("2026-11-30"), CheckState::Warning);
        let none = check_catalog(&Ok(Vec::new()), "2026-11-30".parse().unwrap());
        assert_eq!(none.state, CheckState::Warning);
    }
}
