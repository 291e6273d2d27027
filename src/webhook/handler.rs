//! Answers one review: prefilter, parse, select the action, evaluate, respond.
//!
//! The handler makes no call to another process and stores nothing, so the webhook configurations can promise
//! `sideEffects: None`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use jiff::civil::Date;

use crate::domain::judge::{Action, Context, Judgement, Verdict, judge};
use crate::domain::object::Object;
use crate::domain::view::View;
use crate::report::messages::{self, RenderContext};
use crate::runtime::published::{Changes, Published};

use super::action::{self, Endpoint};
use super::metrics::{Evaluation, Metrics, ReviewOutcome};
use super::response::AdmissionResponse;
use super::review::{self, AdmissionReview, Envelope, ReviewError};

mod pending;

pub use pending::{ConfigMapWait, MissingInput};

/// How many changes a log line lists; its field `findings` has the number of all.
const MAX_LOGGED_CHANGES: usize = 20;

/// HTTP status of a denial: the object is forbidden by a policy.
const FORBIDDEN: u16 = 403;

/// Answers reviews. All connections share one handler.
pub struct AdmissionHandler {
    view: Arc<Published<Option<View>>>,
    metrics: Metrics,
    /// Namespaces that are never evaluated, whatever the webhook configurations select.
    excluded: BTreeSet<Box<str>>,
    today: Box<dyn Fn() -> Date + Send + Sync>,
}

/// Why a review cannot be answered. The API server applies the failure policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// The body is not a review.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// An input of the evaluation has not been observed yet.
    #[error("{0} has not been observed yet; retry")]
    Missing(MissingInput),
}

impl AdmissionHandler {
    /// A handler that evaluates each review with the `view` that is published at that moment.
    pub fn new(
        view: Arc<Published<Option<View>>>,
        metrics: Metrics,
        excluded: BTreeSet<Box<str>>,
        today: impl Fn() -> Date + Send + Sync + 'static,
    ) -> Self {
        Self {
            view,
            metrics,
            excluded,
            today: Box::new(today),
        }
    }

    /// The response `AdmissionReview` to the review in `body`.
    ///
    /// # Errors
    /// [`HandleError`]. A [`MissingInput`] may come with a later view, see [`AdmissionHandler::subscribe`].
    pub fn handle(
        &self,
        endpoint: Endpoint,
        body: &[u8],
        wait: ConfigMapWait,
    ) -> Result<Bytes, HandleError> {
        let started = Instant::now();
        let response = self.answer(endpoint, body, wait);
        self.metrics.observe_duration(started.elapsed());
        response
    }

    /// The views that are published after this call.
    pub fn subscribe(&self) -> Changes {
        self.view.subscribe()
    }

    fn answer(
        &self,
        endpoint: Endpoint,
        body: &[u8],
        wait: ConfigMapWait,
    ) -> Result<Bytes, HandleError> {
        let view = self.view.load();
        let view = Option::as_ref(&view).ok_or(HandleError::Missing(MissingInput::View))?;

        // Prefilter: most bodies hold no ID and name no ConfigMap that holds one.
        let holds_an_id = view.snapshot.can_hold_an_id(body);
        let is_relevant = |namespace| holds_an_id || view.can_take_an_id(body, namespace);
        let fast = Envelope::fast(body);
        if let Some(envelope) = &fast
            && !is_relevant(envelope.namespace)
        {
            return Ok(self.allow(envelope));
        }

        // Parse.
        let tree = review::parse(body)?;
        let review = AdmissionReview::of(&tree)?;
        let envelope = &review.envelope;
        if fast.is_none() && !is_relevant(envelope.namespace) {
            return Ok(self.allow(envelope));
        }

        // Select the action.
        let excluded = self.excluded.contains(envelope.namespace);
        let Some(object) = review
            .object
            .filter(|_| !excluded)
            .map(|node| Object::at(&tree, node))
        else {
            return Ok(self.allow(envelope));
        };
        let old = review.old_object.map(|node| Object::at(&tree, node));
        let Some(action) = action::select(endpoint, envelope, object.sort, old.as_ref()) else {
            return Ok(self.allow(envelope));
        };

        // Evaluate.
        let namespace = view
            .namespace(envelope.namespace)
            .ok_or(HandleError::Missing(MissingInput::Namespace))?;
        let creating_pod = matches!(action, Action::CreatePod);
        if wait == ConfigMapWait::Allowed && creating_pod {
            pending::defer_until_seen(view, &object, &namespace)?;
        }
        let today = (self.today)();
        let judgement = judge(
            &object,
            &Context {
                view,
                namespace: &namespace,
                action,
                today,
            },
        );

        let context = RenderContext {
            snapshot: &view.snapshot,
            today,
            creating_pod,
        };
        Ok(self.respond(envelope, &object, &judgement, context))
    }

    /// Admits an object that is not evaluated.
    fn allow(&self, envelope: &Envelope<'_>) -> Bytes {
        self.metrics.observe(&Evaluation {
            envelope,
            outcome: ReviewOutcome::Allowed,
            findings: &[],
        });
        AdmissionResponse::allowed(envelope.uid).to_bytes()
    }

    /// Turns a judgement into the response, counts and logs it.
    fn respond(
        &self,
        envelope: &Envelope<'_>,
        object: &Object<'_>,
        judgement: &Judgement<'_>,
        context: RenderContext<'_>,
    ) -> Bytes {
        let uid = envelope.uid;
        let (mut response, outcome) = match &judgement.verdict {
            Verdict::Untouched => (AdmissionResponse::allowed(uid), ReviewOutcome::Allowed),
            Verdict::Tell => (AdmissionResponse::allowed(uid), ReviewOutcome::Reported),
            Verdict::Refuse(refused) => {
                let message = messages::denial(judgement, refused, context);
                let response = AdmissionResponse::denied(uid, FORBIDDEN, message);
                (response, ReviewOutcome::Denied)
            }
            Verdict::Rewrite(plan) => match serde_json::to_vec(&plan.json_patch()) {
                Ok(patch) if judgement.again => (
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
        self.metrics.observe(&evaluation);
        log(&evaluation, judgement);
        response.to_bytes()
    }
}

/// Logs a change or a denial: IDs and places, never another part of the object.
fn log(evaluation: &Evaluation<'_>, judgement: &Judgement<'_>) {
    let is_logged = matches!(judgement.verdict, Verdict::Rewrite(_) | Verdict::Refuse(_));
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
        .filter(|finding| !finding.reported)
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
