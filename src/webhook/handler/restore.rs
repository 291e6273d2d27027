//! Answers the update of a rewritten Pod. No view is read: policies and mappings do not count.

use bytes::Bytes;
use memchr::memmem;

use super::respond::log_review;
use super::{AdmissionHandler, HandleError, Prefiltered};
use crate::budget::{Budget, Limits};
use crate::domain::annotations::REWRITES;
use crate::domain::object::Object;
use crate::domain::restore::{Restoration, restoration};
use crate::webhook::action;
use crate::webhook::metrics::{Evaluation, ReviewOutcome};
use crate::webhook::response::AdmissionResponse;
use crate::webhook::review::{self, AdmissionReview, Envelope};

impl AdmissionHandler {
    /// Answers the reviews of excluded namespaces and of Pods without a record.
    pub(super) fn prefilter_restoration(&self, body: &[u8]) -> Prefiltered {
        let is_relevant = |envelope: &Envelope<'_>| {
            !self.excluded.contains(envelope.namespace)
                && memmem::find(body, REWRITES.as_bytes()).is_some()
        };
        match Envelope::fast(body) {
            Some(envelope) if !is_relevant(&envelope) => {
                Prefiltered::Answered(self.allow(&envelope))
            }
            Some(_) | None => Prefiltered::Relevant,
        }
    }

    /// Restores values of the stored Pod.
    ///
    /// # Errors
    /// [`HandleError::Review`].
    pub(super) fn restore(&self, body: &[u8]) -> Result<Bytes, HandleError> {
        let budget = Budget::new(Limits::REVIEW);
        let tree = match review::parse(body, &budget) {
            Ok(tree) => tree,
            Err(error) => return self.answer_unread(body, &budget, error),
        };
        let review = AdmissionReview::of(&tree)?;
        let envelope = &review.envelope;
        let may_restore =
            action::is_pod_update(envelope) && !self.excluded.contains(envelope.namespace);
        let objects = review.object.zip(review.old_object);
        let Some((object, old)) = objects.filter(|_| may_restore) else {
            return Ok(self.allow(envelope));
        };
        let (object, old) = (Object::at(&tree, object), Object::at(&tree, old));
        let Some(restoration) = restoration(&object, &old) else {
            return Ok(self.allow(envelope));
        };
        // Strings always serialize. If they ever do not, the object stays unchanged.
        let Ok(patch) = restoration.json_patch() else {
            return Ok(self.allow(envelope));
        };
        let evaluation = Evaluation {
            envelope,
            outcome: ReviewOutcome::Restored,
            findings: &[],
        };
        self.metrics.observe(&evaluation);
        log(&evaluation, &restoration);
        Ok(AdmissionResponse::patched(envelope.uid, patch).to_bytes())
    }
}

fn log(evaluation: &Evaluation<'_>, restoration: &Restoration<'_, '_>) {
    let Evaluation {
        envelope, outcome, ..
    } = evaluation;
    log_review!(
        envelope,
        outcome,
        restored_values = restoration.values(),
        restored_record = restoration.restores_record(),
    );
}
