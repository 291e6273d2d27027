//! Answers one review: prefilter, parse, select the action, evaluate, respond.
//!
//! The handler makes no call to another process and stores nothing, so the webhook configurations can promise
//! `sideEffects: None`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::civil::Date;

use crate::budget::{Budget, Limits};
use crate::domain::judge::{Action, Context, judge};
use crate::domain::object::Object;
use crate::domain::view::View;
use crate::report::messages::RenderContext;
use crate::runtime::published::{Changes, Published};

use super::action::{self, Endpoint};
use super::metrics::{Evaluation, Metrics, ReviewOutcome};
use super::response::AdmissionResponse;
use super::review::{self, AdmissionReview, Envelope, ReviewError};

mod pending;
mod respond;
mod restore;

pub use pending::{ConfigMapWait, MissingInput};

use respond::respond;

/// Answers reviews. All connections share one handler.
pub struct AdmissionHandler {
    view: Arc<Published<Option<View>>>,
    metrics: Metrics,
    /// Namespaces that are never evaluated, whatever the webhook configurations select.
    excluded: BTreeSet<Box<str>>,
    /// See [`RenderContext::regions_injected`].
    regions_injected: bool,
    today: Box<dyn Fn() -> Date + Send + Sync>,
}

/// The result of the prefilter.
pub(super) enum Prefiltered {
    /// The response: the review needs no evaluation.
    Answered(Bytes),
    /// The review may hold an ID.
    Relevant,
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
            regions_injected: true,
            today: Box::new(today),
        }
    }

    /// The handler for a cluster in which another webhook may set regions in Pods, which is the default, or in which none does.
    #[must_use]
    pub fn with_regions_injected(mut self, regions_injected: bool) -> Self {
        self.regions_injected = regions_injected;
        self
    }

    /// The response `AdmissionReview` to the review in `body`, within no limits of threads and memory.
    ///
    /// # Errors
    /// [`HandleError`]. A [`MissingInput`] may come with a later view, see [`AdmissionHandler::subscribe`].
    pub fn handle(
        &self,
        endpoint: Endpoint,
        body: &[u8],
        wait: ConfigMapWait,
    ) -> Result<Bytes, HandleError> {
        match self.prefilter(endpoint, body)? {
            Prefiltered::Answered(response) => Ok(response),
            // Within the limits of a review there is always a response.
            Prefiltered::Relevant => Ok(self
                .evaluate(endpoint, body, wait, Limits::REVIEW)?
                .unwrap_or_default()),
        }
    }

    /// The views that are published after this call.
    pub fn subscribe(&self) -> Changes {
        self.view.subscribe()
    }

    /// Counts the time that an answer took.
    pub(super) fn observe_duration(&self, duration: Duration) {
        self.metrics.observe_duration(duration);
    }

    /// Answers the reviews that need no evaluation, which are most: of an excluded namespace, of a body that holds no ID and names
    /// no ConfigMap that holds one, or of an object that no policy selects. The objects are searched and not parsed.
    ///
    /// # Errors
    /// [`MissingInput::View`].
    pub(super) fn prefilter(
        &self,
        endpoint: Endpoint,
        body: &[u8],
    ) -> Result<Prefiltered, HandleError> {
        if endpoint == Endpoint::Restore {
            return Ok(self.prefilter_restoration(body));
        }
        let view = self.view.load();
        let view = Option::as_ref(&view).ok_or(HandleError::Missing(MissingInput::View))?;
        let Some(envelope) = Envelope::fast(body) else {
            return Ok(Prefiltered::Relevant);
        };
        let namespace = envelope.namespace;
        let is_relevant = !self.excluded.contains(namespace)
            && (view.snapshot.can_hold_an_id(body) || view.can_take_an_id(body, namespace))
            && view.may_select(namespace, envelope.resource == "configmaps");
        Ok(if is_relevant {
            Prefiltered::Relevant
        } else {
            Prefiltered::Answered(self.allow(&envelope))
        })
    }

    /// Answers a review that the prefilter found relevant. `None` if the evaluation exceeds `limits`, and they are less than those of
    /// a review. So what is answered does not depend on them.
    ///
    /// # Errors
    /// As [`AdmissionHandler::handle`].
    pub(super) fn evaluate(
        &self,
        endpoint: Endpoint,
        body: &[u8],
        wait: ConfigMapWait,
        limits: Limits,
    ) -> Result<Option<Bytes>, HandleError> {
        if endpoint == Endpoint::Restore {
            return self.restore(body).map(Some);
        }
        let view = self.view.load();
        let view = Option::as_ref(&view).ok_or(HandleError::Missing(MissingInput::View))?;

        // Parse. A body without a fast path was not searched.
        let budget = Budget::new(limits);
        let needs_more = || limits != Limits::REVIEW && budget.exhausted().is_some();
        let tree = match review::parse(body, &budget) {
            Ok(tree) => tree,
            Err(_) if needs_more() => return Ok(None),
            Err(error) => return self.answer_unread(body, &budget, error).map(Some),
        };
        let review = AdmissionReview::of(&tree)?;
        let envelope = &review.envelope;
        if !view.snapshot.can_hold_an_id(body) && !view.can_take_an_id(body, envelope.namespace) {
            return Ok(Some(self.allow(envelope)));
        }

        // Select the action.
        let excluded = self.excluded.contains(envelope.namespace);
        let Some(object) = review
            .object
            .filter(|_| !excluded)
            .map(|node| Object::at(&tree, node))
        else {
            return Ok(Some(self.allow(envelope)));
        };
        let old = review.old_object.map(|node| Object::at(&tree, node));
        let Some(action) = action::action_of_request(endpoint, envelope, object.kind, old.as_ref())
        else {
            return Ok(Some(self.allow(envelope)));
        };

        // Evaluate.
        let namespace = view
            .namespace(envelope.namespace)
            .ok_or(HandleError::Missing(MissingInput::Namespace))?;
        let creating_pod = matches!(action, Action::CreatePod);
        if wait == ConfigMapWait::Allowed && creating_pod {
            pending::defer_until_observed(view, &object, &namespace)?;
        }
        let today = (self.today)();
        let judgement = judge(
            &object,
            &Context {
                view,
                namespace: &namespace,
                action,
                today,
                budget: &budget,
            },
        );

        if needs_more() {
            return Ok(None);
        }
        let context = RenderContext {
            snapshot: &view.snapshot,
            today,
            creating_pod,
            regions_injected: self.regions_injected,
        };
        let response = respond(&self.metrics, envelope, &object, &judgement, context);
        Ok(Some(response))
    }

    /// Admits a review with too many values, whose envelope can be read where the API server wrote it.
    ///
    /// # Errors
    /// The error of any other body that cannot be read.
    fn answer_unread(
        &self,
        body: &[u8],
        budget: &Budget,
        error: ReviewError,
    ) -> Result<Bytes, HandleError> {
        match Envelope::fast(body).filter(|_| budget.exhausted().is_some()) {
            Some(envelope) => Ok(respond::too_large(&self.metrics, &envelope)),
            None => Err(error.into()),
        }
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
}
