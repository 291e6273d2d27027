//! The answer in one sentence, what to change, and what the object cannot show.

use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::report::ObjectReference;
use crate::report::printable::counted;

use super::decide::GateFacts;
use super::dry_run::DryRunOutcome;
use super::gate::{Gate, GateResult, GateState};
use super::ids::IdExplanation;
use super::report::{AnswerOutcome, FailOpen, WhyAnswer};
use super::webhook::ReviewingWebhook;

/// The start of the audit annotations by which the API server records that a call of a mutating webhook failed and its failure policy
/// ignored that (`MutationAuditAnnotationFailedOpenKeyPrefix` in the API server's dispatcher of mutating webhooks).
const MUTATING_FAILED_OPEN: &str = "failed-open.mutation.webhook.admission.k8s.io/round_";

/// The same of a validating webhook (`ValidatingAuditAnnotationFailedOpenKeyPrefix`).
const VALIDATING_FAILED_OPEN: &str = "failed-open.validating.webhook.admission.k8s.io/round_";

/// The answer for an object with these gates.
pub(super) fn answer(
    facts: &GateFacts<'_, '_>,
    reference: &ObjectReference,
    gates: &[GateResult],
) -> WhyAnswer {
    let object = reference_text(reference);
    let failed = gates.iter().find(|gate| gate.is_failed());
    let is_reviewed = failed.is_none_or(|gate| gate.gate != Gate::KindReviewed);
    let (outcome, message) = if facts.ids.is_empty() && is_reviewed {
        (AnswerOutcome::NoId, format!("{object} has no model ID."))
    } else if !facts.ids.is_empty() && facts.ids.iter().all(IdExplanation::is_right) {
        settled(facts.ids, &object)
    } else if let Some(failed) = failed.filter(|_| !is_denied_for_others(facts, gates)) {
        let message = stopped(facts, &object, failed, gates);
        (AnswerOutcome::NotRewritten, message)
    } else if facts.input.live.is_some() && !facts.is_for_its_pods() {
        (
            AnswerOutcome::Unexplained,
            unexplained(facts, &object, gates),
        )
    } else {
        expected(facts, &object, gates)
    };
    WhyAnswer { outcome, message }
}

/// The answer where no ID is to be replaced.
fn settled(ids: &[IdExplanation], object: &str) -> (AnswerOutcome, String) {
    let rewritten = ids
        .iter()
        .filter(|one| one.rewritten_from.is_some())
        .count();
    if rewritten > 0 {
        let message = format!("{object} was rewritten: {}.", counted(rewritten, "ID"));
        return (AnswerOutcome::Rewritten, message);
    }
    let message = match ids {
        [one] => {
            let reason = one.finding.reason.map_or("", Reason::description);
            format!("The ID of {object} stays as it is. {reason}")
        }
        _ => format!("Each ID of {object} stays as it is: none is to be replaced."),
    };
    (AnswerOutcome::Right, message)
}

/// Whether each failed gate is about single IDs, so that it does not stop the others.
fn stops_single_ids(facts: &GateFacts<'_, '_>, gates: &[GateResult]) -> bool {
    let is_of_ids = |gate: Gate| match gate {
        Gate::NotOptedOut | Gate::RegionKnown | Gate::ProfileServes => true,
        // Of a policy that acts, the gate is about IDs that it only reports.
        Gate::PolicyActs => facts.policy.mode != Mode::DryRun,
        Gate::KindReviewed
        | Gate::WebhookExists
        | Gate::WebhookActive
        | Gate::NamespaceNotExcluded
        | Gate::WebhookSelects
        | Gate::PolicySelects
        | Gate::WrittenAfterPolicy
        | Gate::NoController
        | Gate::Mutable
        | Gate::Untracked => false,
    };
    let mut failed = gates.iter().filter(|gate| gate.is_failed());
    failed.all(|gate| is_of_ids(gate.gate))
}

/// Whether the policy denies the object for other IDs than those that a gate stops: an object is denied as a whole.
fn is_denied_for_others(facts: &GateFacts<'_, '_>, gates: &[GateResult]) -> bool {
    let mut open = facts.ids.iter().filter(|one| !one.is_right());
    facts.policy.mode == Mode::Deny
        && stops_single_ids(facts, gates)
        && open.any(IdExplanation::is_replaceable)
}

/// The ID for which `unresolved: Deny` of the policy denies the object of a file.
fn denied_as_unresolved<'f>(
    facts: &'f GateFacts<'_, '_>,
    gates: &[GateResult],
) -> Option<&'f IdExplanation> {
    let is_applied = facts.input.live.is_none() && facts.object.controller().is_none();
    let is_denied = is_applied && !facts.is_for_its_pods() && stops_single_ids(facts, gates);
    let mut ids = facts.ids.iter().filter(|_| is_denied);
    ids.find(|one| one.is_denied_as_unresolved)
}

/// The answer where a gate is failed.
fn stopped(
    facts: &GateFacts<'_, '_>,
    object: &str,
    failed: &GateResult,
    gates: &[GateResult],
) -> String {
    if let Some(id) = denied_as_unresolved(facts, gates) {
        let reason = id.finding.reason.map_or("", Reason::as_str);
        let policy = &facts.policy.name;
        return format!(
            "{object} would be denied: {}: {reason}, and policy {policy} has unresolved: Deny.",
            id.at
        );
    }
    let is_of_all = !stops_single_ids(facts, gates);
    let open = facts.ids.iter().filter(|one| !one.is_right());
    let stopped = open
        .filter(|one| is_of_all || !one.is_replaceable())
        .count();
    let is_other = |one: &&IdExplanation| {
        one.rewritten_from.is_some() || (!is_of_all && !one.is_right() && one.is_replaceable())
    };
    let is_single = stopped > 0 && facts.ids.iter().any(|one| is_other(&one));
    let (subject, is) = if facts.is_for_its_pods() {
        (format!("The Pods of {object}"), "are not")
    } else {
        let is = if facts.input.live.is_some() {
            "was not"
        } else {
            "would not be"
        };
        (object.to_owned(), is)
    };
    let at = if is_single {
        format!(" at {stopped} of {}", counted(facts.ids.len(), "ID"))
    } else {
        String::new()
    };
    format!("{subject} {is} {}{at}: {}.", verb(facts), failed.reason)
}

/// The answer where nothing stops an object that will be written.
fn expected(
    facts: &GateFacts<'_, '_>,
    object: &str,
    gates: &[GateResult],
) -> (AnswerOutcome, String) {
    let ids = facts.ids.iter().filter(|one| !one.is_right());
    let ids = counted(ids.filter(|one| one.is_replaceable()).count(), "ID");
    let condition = if unknown(gates).is_empty() {
        ""
    } else {
        ", if the webhook is called"
    };
    let outcome = match facts.policy.mode {
        Mode::Deny => AnswerOutcome::Denied,
        Mode::Rewrite | Mode::DryRun => AnswerOutcome::Rewrites,
    };
    let subject = if facts.is_for_its_pods() {
        format!("Each new Pod of {object} is")
    } else {
        format!("{object} would be")
    };
    let verb = verb(facts);
    (outcome, format!("{subject} {verb}: {ids}{condition}."))
}

/// What the policy does with the object.
fn verb(facts: &GateFacts<'_, '_>) -> &'static str {
    match facts.policy.mode {
        Mode::Deny => "denied",
        Mode::Rewrite | Mode::DryRun => "rewritten",
    }
}

/// The answer where no gate is failed and the object was not rewritten nevertheless.
fn unexplained(facts: &GateFacts<'_, '_>, object: &str, gates: &[GateResult]) -> String {
    let verb = verb(facts);
    let unknown = unknown(gates);
    let known = if unknown.is_empty() {
        String::new()
    } else {
        format!(" (not known: {})", unknown.join(", "))
    };
    let now = match facts.input.dry_run.outcome {
        DryRunOutcome::Rewritten | DryRunOutcome::Denied => "; it would be now",
        DryRunOutcome::Unchanged => "; it would not be now either",
        DryRunOutcome::NotSent
        | DryRunOutcome::NotPermitted
        | DryRunOutcome::NotSupported
        | DryRunOutcome::Refused
        | DryRunOutcome::NoResponse => "",
    };
    format!(
        "{object} was not {verb}, and no gate is failed{known}{now}. The call of the webhook may have failed open."
    )
}

/// The gates of which it is not known whether they are passed.
fn unknown(gates: &[GateResult]) -> Vec<&'static str> {
    let unknown = gates.iter().filter(|gate| gate.state == GateState::Unknown);
    unknown.map(|gate| gate.gate.as_str()).collect()
}

/// What alters the answer.
pub(super) fn changes(
    facts: &GateFacts<'_, '_>,
    outcome: AnswerOutcome,
    gates: &[GateResult],
) -> Vec<String> {
    match outcome {
        AnswerOutcome::NotRewritten => gates
            .iter()
            .filter_map(|gate| gate.change.clone())
            .collect(),
        AnswerOutcome::Unexplained => {
            let fails_now = facts.input.dry_run.outcome == DryRunOutcome::Unchanged;
            vec![if fails_now {
                "Look into the logs of the replicas and of the API server: calls of the webhook fail now, or the replicas evaluate by another policy.".to_owned()
            } else {
                facts.write_again()
            }]
        }
        AnswerOutcome::NoId
        | AnswerOutcome::Right
        | AnswerOutcome::Rewritten
        | AnswerOutcome::Rewrites
        | AnswerOutcome::Denied => Vec::new(),
    }
}

/// What a stored object cannot show.
pub(super) fn fail_open(facts: &GateFacts<'_, '_>, outcome: AnswerOutcome) -> Option<FailOpen> {
    let webhook = facts.webhook()?;
    let is_open = facts.input.live.is_some() && outcome.is_unmet() && !facts.is_for_its_pods();
    is_open.then(|| FailOpen {
        message: "Whether a call of the webhook failed open when the object was written is not in the object.".to_owned(),
        audit_annotation: match webhook {
            ReviewingWebhook::Pods | ReviewingWebhook::ConfigMaps => MUTATING_FAILED_OPEN,
            ReviewingWebhook::Templates => VALIDATING_FAILED_OPEN,
        },
        webhook: webhook.name(),
        answered_annotation: format!("{}/policy", webhook.name()),
    })
}

/// `Pod ml/chat`.
pub(super) fn reference_text(reference: &ObjectReference) -> String {
    let ObjectReference {
        kind,
        namespace,
        name,
        ..
    } = reference;
    if namespace.is_empty() {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}
