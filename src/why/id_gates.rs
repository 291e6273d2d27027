//! The gates about the IDs of an object: opt-outs, regions, and reasons of the IDs themselves.

use crate::domain::annotations::{IGNORE, IGNORE_KEYS, REGION};
use crate::domain::judge::{OptOutAnnotation, OptOutOwner};
use crate::domain::object::ObjectKind;
use crate::domain::policy::ConfigMapRewrite;
use crate::domain::reason::{Group, Reason};

use super::decide::GateFacts;
use super::gate::{Gate, GateResult};
use super::ids::{IdExplanation, RegionObstacle, RegionOfId, is_of_object};

impl GateFacts<'_, '_> {
    pub(super) fn opt_out_gate(&self) -> GateResult {
        let of_ids = || self.ids.iter().find_map(|one| one.opt_out.as_ref());
        let by_source = |one: &&IdExplanation| one.finding.reason == Some(Reason::OptedOut);
        let gate = Gate::NotOptedOut;
        let namespace = &self.input.namespace.name;
        let annotation = |annotation: &OptOutAnnotation| {
            let name = annotation.name;
            let owner = match annotation.owner {
                OptOutOwner::Namespace => format!("the namespace {namespace}"),
                OptOutOwner::Object if self.object.kind == ObjectKind::Template => {
                    "the Pod template".to_owned()
                }
                OptOutOwner::Object => "the object".to_owned(),
            };
            gate.failed(
                format!("{owner} opts out by the annotation {name}"),
                format!("Remove the annotation {name} of {owner}."),
            )
        };
        if let Some(found) = self.inspection.opt_out.as_ref().or_else(of_ids) {
            return annotation(found);
        }
        if self.ids.iter().any(|one| by_source(&one)) {
            return gate.failed(
                "the ConfigMap that the ID comes from opts out by an annotation",
                format!("Remove the annotation {IGNORE} or {IGNORE_KEYS} of that ConfigMap."),
            );
        }
        gate.passed("no annotation opts out")
    }

    pub(super) fn region_gate(&self) -> GateResult {
        let gate = Gate::RegionKnown;
        let mut missing = self.ids.iter().filter_map(|one| match one.region() {
            RegionOfId::Missing(obstacle) => Some((one, obstacle)),
            RegionOfId::Known | RegionOfId::Irrelevant => None,
        });
        if let Some((first, obstacle)) = missing.next() {
            let (place, why) = (self.place(first), region_problem(first, obstacle));
            let more = and_more(missing.count());
            let change = self.region_change(first, obstacle);
            return gate.failed(format!("{place}{why}{more}"), change);
        }
        let is_irrelevant = |one: &IdExplanation| matches!(one.region(), RegionOfId::Irrelevant);
        gate.passed(if self.ids.iter().all(is_irrelevant) {
            "the region makes no difference"
        } else {
            "the region of each ID is known"
        })
    }

    /// What makes the region of an ID known.
    fn region_change(&self, id: &IdExplanation, obstacle: RegionObstacle) -> String {
        let at = &id.at;
        let owner = match self.object.kind {
            ObjectKind::ConfigMap => "ConfigMap",
            ObjectKind::Template => "Pod template",
            ObjectKind::Pod | ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => "Pod",
        };
        match obstacle {
            RegionObstacle::None if self.object.kind == ObjectKind::ConfigMap => format!(
                "Add the key AWS_REGION to the ConfigMap, or the annotation {REGION} to it or its namespace."
            ),
            RegionObstacle::None => format!(
                "Set AWS_REGION in the container, or the annotation {REGION} of the {owner} or its namespace."
            ),
            RegionObstacle::NotARegion => format!("Correct the region of {at}."),
            RegionObstacle::Unknown => format!(
                "Correct the region of {at}, or create a mapping for the model in that region."
            ),
            RegionObstacle::OutOfSight | RegionObstacle::Conflict => {
                format!("Set the annotation {REGION} of the {owner}.")
            }
        }
    }

    pub(super) fn profile_gate(&self) -> GateResult {
        let gate = Gate::ProfileServes;
        let never = self.object.kind == ObjectKind::ConfigMap
            && self.policy.rewrite_config_maps == ConfigMapRewrite::Never;
        let problem = |one: &IdExplanation| {
            let reason = one.finding.reason.filter(|_| !one.is_right())?;
            let is_other = is_of_object(reason)
                || reason.group() == Group::Region
                || (never && reason == Reason::Excluded);
            (!is_other).then_some(reason)
        };
        let mut problems = self.ids.iter().filter_map(|one| Some((one, problem(one)?)));
        let Some((first, reason)) = problems.next() else {
            return gate.passed("nothing about the IDs themselves");
        };
        let message = first.finding.message.as_deref();
        let why = clause(message.unwrap_or_else(|| reason.description()));
        let place = self.place(first);
        let (change, more) = (self.id_change(first, reason), and_more(problems.count()));
        gate.failed(format!("{place}{reason}: {why}{more}"), change)
    }

    /// What replaces an ID that is unchanged for a reason of its own.
    fn id_change(&self, id: &IdExplanation, reason: Reason) -> String {
        let (policy, before) = (&self.policy.name, &id.finding.before);
        let by_policy = policy_change(id, reason);
        match (by_policy, &id.finding.suggestion) {
            (Some(field), _) => format!("Set spec.{field} in policy {policy}."),
            (None, Some(nearest)) if reason == Reason::UnknownModel => {
                format!("Correct {before}, if {nearest} is meant; or create a mapping for it.")
            }
            (None, Some(suggestion)) => format!("Write {suggestion} in place of {before}."),
            (None, None) => format!("`bedrock-profiles explain {reason}` describes what to do."),
        }
    }

    /// The place of an ID, if the object has several.
    fn place(&self, id: &IdExplanation) -> String {
        match self.ids {
            [_] => String::new(),
            _ => format!("{}: ", id.at),
        }
    }
}

/// The field of the policy that decides about an ID, with what to set it to.
fn policy_change(id: &IdExplanation, reason: Reason) -> Option<String> {
    let before = &id.finding.before;
    let geography = id.refused.as_ref();
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "no field of the policy decides about other reasons"
    )]
    Some(match reason {
        Reason::OnlyGlobalServes => "geography.global to Fallback".to_owned(),
        Reason::GeographyNotAllowed => {
            format!("geography.allowed to a list with {}", geography?)
        }
        Reason::DestinationNotAllowed => {
            "geography.allowedDestinations to the regions of the profile".to_owned()
        }
        Reason::NotIncluded => format!("models.include to a list with {before}"),
        Reason::Excluded => format!("models.exclude to a list without {before}"),
        Reason::ListLeft => "lists to Rewrite".to_owned(),
        _ => return None,
    })
}

/// Why the region of an ID is not known.
fn region_problem(id: &IdExplanation, obstacle: RegionObstacle) -> String {
    let reason = obstacle.reason();
    let message = id.finding.message.as_deref();
    let message = message.filter(|_| id.finding.reason == Some(reason));
    match obstacle {
        RegionObstacle::None if id.regions.is_empty() => "no source sets the region".to_owned(),
        RegionObstacle::None => {
            "no source sets the region, since those in sight give none".to_owned()
        }
        RegionObstacle::OutOfSight => {
            "the region comes from a source that cannot be read".to_owned()
        }
        RegionObstacle::Conflict | RegionObstacle::NotARegion | RegionObstacle::Unknown => {
            clause(message.unwrap_or_else(|| reason.description()))
        }
    }
}

/// That other IDs do not pass the gate either, for reasons that may be others.
fn and_more(ids: usize) -> String {
    match ids {
        0 => String::new(),
        1 => "; 1 more ID does not pass".to_owned(),
        _ => format!("; {ids} more IDs do not pass"),
    }
}

/// A sentence as a clause: without the dot at its end.
fn clause(text: &str) -> String {
    text.trim_end_matches('.').to_owned()
}
