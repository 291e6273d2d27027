//! Turns a judgement into a response, a metric and a line of the log.

use bytes::Bytes;

use crate::domain::judge::{Judgement, Verdict};
use crate::domain::object::Object;
use crate::report::messages::{self, RenderContext};
use crate::webhook::action;
use crate::webhook::metrics::{Evaluation, Metrics, ReviewOutcome};
use crate::webhook::response::AdmissionResponse;
use crate::webhook::review::Envelope;

/// How many changes a log line lists; its field `findings` has the number of all.
const MAX_LOGGED_CHANGES: usize = 20;

/// HTTP status of a denial: the object is forbidden by a policy.
const FORBIDDEN: u16 = 403;

/// Turns a judgement into the response `AdmissionReview`, counts it and logs it.
pub(super) fn respond(
    metrics: &Metrics,
    envelope: &Envelope<'_>,
    object: &Object<'_>,
    judgement: &Judgement<'_>,
    context: RenderContext<'_>,
) -> Bytes {
    let uid = envelope.uid;
    let (mut response, outcome) = match &judgement.verdict {
        Verdict::Untouched => (AdmissionResponse::allowed(uid), ReviewOutcome::Allowed),
        Verdict::Report => (AdmissionResponse::allowed(uid), ReviewOutcome::Reported),
        Verdict::Deny => {
            let message = messages::denial(judgement, context);
            let response = AdmissionResponse::denied(uid, FORBIDDEN, message);
            (response, ReviewOutcome::Denied)
        }
        Verdict::Rewrite(plan) => match serde_json::to_vec(&plan.json_patch()) {
            Ok(patch) if judgement.reinvocation => (
                AdmissionResponse::patched(uid, patch),
                ReviewOutcome::Revised,
            ),
            Ok(patch) => (
                AdmissionResponse::patched(uid, patch),
                ReviewOutcome::Rewritten,
            ),
            // Strings always serialize. If they ever do not, the object stays unchanged.
            Err(_) => (AdmissionResponse::allowed(uid), ReviewOutcome::Reported),
        },
    };
    let messages = messages::render(object, judgement, context);
    response.warnings = messages.warnings;
    response.audit_annotations = messages.audit_annotations;
    let evaluation = Evaluation {
        envelope,
        outcome,
        findings: judgement
            .effective
            .as_ref()
            .map_or(&[], |effective| &effective.findings),
    };
    metrics.observe(&evaluation);
    log(&evaluation, judgement);
    response.to_bytes()
}

/// Logs a change or a denial: IDs and places, never another part of the object.
fn log(evaluation: &Evaluation<'_>, judgement: &Judgement<'_>) {
    let is_logged = matches!(judgement.verdict, Verdict::Rewrite(_) | Verdict::Deny);
    let Some(effective) = judgement.effective.as_ref().filter(|_| is_logged) else {
        return;
    };
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let Evaluation {
        envelope,
        outcome,
        findings,
    } = evaluation;
    let changes: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.report_only)
        .filter_map(messages::change)
        .take(MAX_LOGGED_CHANGES)
        .collect();
    tracing::info!(
        uid = envelope.uid,
        kind = action::kind_label(envelope),
        operation = envelope.operation.as_str(),
        namespace = envelope.namespace,
        name = envelope.name,
        dry_run = envelope.dry_run,
        policy = &*effective.policy.name,
        findings = findings.len(),
        changes = changes.join("; "),
        outcome = outcome.as_str(),
    );
}
