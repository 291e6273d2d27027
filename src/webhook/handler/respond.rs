//! Turns a judgement into a response, a metric and a line of the log.

use bytes::Bytes;

use crate::domain::judge::{JudgedFinding, Judgement, Verdict};
use crate::domain::object::Object;
use crate::domain::reason::Reason;
use crate::report::messages::{self, RenderContext};
use crate::report::printable::{printable, shortened};
use crate::webhook::metrics::{Evaluation, Metrics, ReviewOutcome};
use crate::webhook::response::AdmissionResponse;
use crate::webhook::review::Envelope;

/// How many findings a field of a log line lists; the field `findings` has the number of all.
const MAX_LISTED: usize = 20;

/// Maximum length of a name in a log line, in characters: that of the longest names of Kubernetes.
const MAX_NAME: usize = 253;

/// HTTP status of a denial: the object is forbidden by a policy.
const FORBIDDEN: u16 = 403;

/// Logs a review by its envelope and its outcome, with further fields between them.
macro_rules! log_review {
    ($envelope:expr, $outcome:expr, $($field:tt)*) => {{
        let envelope = $envelope;
        tracing::info!(
            uid = $crate::webhook::handler::respond::name(envelope.uid),
            kind = $crate::webhook::action::kind_label(envelope),
            operation = envelope.operation.as_str(),
            namespace = $crate::webhook::handler::respond::name(envelope.namespace),
            name = $crate::webhook::handler::respond::name(envelope.name),
            dry_run = envelope.dry_run,
            $($field)*
            outcome = $outcome.as_str(),
        );
    }};
}
pub(super) use log_review;

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
        Verdict::Rewrite(plan) => match plan.json_patch() {
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

/// Admits an object that has too many values to be read, counts it and logs it.
pub(super) fn too_large(metrics: &Metrics, envelope: &Envelope<'_>) -> Bytes {
    let outcome = ReviewOutcome::Reported;
    metrics.observe(&Evaluation {
        envelope,
        outcome,
        findings: &[],
    });
    metrics.count_finding(Reason::TooLarge);
    log_review!(envelope, outcome, unchanged = Reason::TooLarge.as_str(),);
    let mut response = AdmissionResponse::allowed(envelope.uid);
    response.warnings = vec![messages::too_large()];
    response.to_bytes()
}

/// Logs an object with findings: IDs and places, never another part of the object.
fn log(evaluation: &Evaluation<'_>, judgement: &Judgement<'_>) {
    let has_findings = judgement.findings().next().is_some();
    let is_miss = match judgement.verdict {
        Verdict::Untouched | Verdict::Report => !has_findings,
        Verdict::Rewrite(_) | Verdict::Deny => false,
    };
    if is_miss || !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let Evaluation {
        envelope, outcome, ..
    } = evaluation;
    let rewrites = matches!(judgement.verdict, Verdict::Rewrite(_));
    let effective = judgement.effective.iter().flat_map(|one| &one.findings);
    let (changed, unchanged): (Vec<_>, Vec<_>) =
        effective.partition(|one| rewrites && !one.report_only);
    let previews = judgement.previews.iter().flat_map(|one| &one.findings);
    let mut policies = judgement.effective.iter().chain(&judgement.previews);
    log_review!(
        envelope,
        outcome,
        policy = policies.next().map(|one| &*one.policy.name),
        findings = judgement.findings().count(),
        changes = list(changed.iter().copied(), messages::change),
        would_change = list(unchanged.into_iter().chain(previews), messages::change),
        unchanged = list(judgement.findings(), messages::skip),
    );
}

/// A field that admission sees before the API server has validated it, in the length of a valid name.
pub(super) fn name(text: &str) -> String {
    shortened(MAX_NAME, &printable(text))
}

/// The first findings that `text` describes; `None` if there are none.
fn list<'f, 't: 'f>(
    findings: impl Iterator<Item = &'f JudgedFinding<'t>>,
    text: impl Fn(&JudgedFinding<'t>) -> Option<String>,
) -> Option<String> {
    let listed: Vec<_> = findings.filter_map(text).take(MAX_LISTED).collect();
    (!listed.is_empty()).then(|| listed.join("; "))
}
