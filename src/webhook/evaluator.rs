//! Where a review is evaluated, and the memory that its evaluation reserves.
//!
//! Small reviews are evaluated on the thread that read them, since that takes less time than handing them over. Large ones go to a
//! pool of threads, so that they delay neither probes, TLS handshakes nor small reviews.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::time::timeout_at;

use super::action::Endpoint;
use super::body::{RequestRejected, ReviewRequest};
use super::handler::{AdmissionHandler, ConfigMapWait, HandleError, Prefiltered};
use super::pool::EvaluationPool;
use super::review::Envelope;

/// Maximum size of a body that is searched for an ID on the thread that read it, in bytes. The search takes a millisecond at most.
const SEARCHED_INLINE: usize = 1024 * 1024;

/// Maximum size of a body that is evaluated on the thread that read it, in bytes: three times the largest usual Pod.
const EVALUATED_INLINE: usize = 64 * 1024;

/// Evaluates reviews within limits of memory, threads and time.
pub(super) struct Evaluator {
    pub(super) handler: Arc<AdmissionHandler>,
    pub(super) pool: EvaluationPool,
}

/// The result of one evaluation, with the request for another one.
pub(super) type EvaluatedRequest = (ReviewRequest, Result<Bytes, HandleError>);

impl Evaluator {
    /// Handles a review once, until the deadline of the request.
    ///
    /// # Errors
    /// [`RequestRejected`] where there is no memory, thread or time for the evaluation.
    pub(super) async fn handle(
        &self,
        endpoint: Endpoint,
        request: ReviewRequest,
        wait: ConfigMapWait,
    ) -> Result<EvaluatedRequest, RequestRejected> {
        let started = Instant::now();
        let evaluated = self.evaluate(endpoint, request, wait).await?;
        self.handler.observe_duration(started.elapsed());
        Ok(evaluated)
    }

    async fn evaluate(
        &self,
        endpoint: Endpoint,
        request: ReviewRequest,
        wait: ConfigMapWait,
    ) -> Result<EvaluatedRequest, RequestRejected> {
        let size = request.body().len();
        if size > SEARCHED_INLINE {
            let work = move |handler: &AdmissionHandler, request: ReviewRequest| match search(
                handler, endpoint, &request,
            ) {
                Some(response) => Ok((request, response)),
                None => evaluate(handler, endpoint, request, wait),
            };
            return self.in_pool(request, work).await;
        }
        if let Some(response) = search(&self.handler, endpoint, &request) {
            return Ok((request, response));
        }
        let work =
            move |handler: &AdmissionHandler, request| evaluate(handler, endpoint, request, wait);
        if size > EVALUATED_INLINE {
            self.in_pool(request, work).await
        } else {
            work(&self.handler, request)
        }
    }

    /// Does the work in the pool. After the deadline it ends for the caller; its memory and its slot are free when it has ended,
    /// which is soon, since each evaluation is bounded.
    async fn in_pool(
        &self,
        request: ReviewRequest,
        work: impl FnOnce(&AdmissionHandler, ReviewRequest) -> Result<EvaluatedRequest, RequestRejected>
        + Send
        + 'static,
    ) -> Result<EvaluatedRequest, RequestRejected> {
        let deadline = request.deadline;
        let evaluation = async {
            let namespace =
                Envelope::fast(request.body()).map_or("", |envelope| envelope.namespace);
            let slot = self.pool.slot(namespace, request.body().len()).await?;
            let handler = Arc::clone(&self.handler);
            let task = tokio::task::spawn_blocking(move || {
                let evaluated = work(&handler, request);
                drop(slot);
                evaluated
            });
            match task.await {
                Ok(evaluated) => evaluated,
                Err(error) => match error.try_into_panic() {
                    // The server answers a panic with 500 and counts it.
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => Err(RequestRejected::Busy),
                },
            }
        };
        timeout_at(deadline, evaluation)
            .await
            .unwrap_or(Err(RequestRejected::Deadline))
    }
}

/// The response to a review that needs no evaluation; `None` for one that may hold an ID.
fn search(
    handler: &AdmissionHandler,
    endpoint: Endpoint,
    request: &ReviewRequest,
) -> Option<Result<Bytes, HandleError>> {
    match handler.prefilter(endpoint, request.body()) {
        Ok(Prefiltered::Answered(response)) => Some(Ok(response)),
        Ok(Prefiltered::Relevant) => None,
        Err(error) => Some(Err(error)),
    }
}

/// Evaluates the review on this thread, in a span of the caller's trace, with the memory that it needs.
fn evaluate(
    handler: &AdmissionHandler,
    endpoint: Endpoint,
    mut request: ReviewRequest,
    wait: ConfigMapWait,
) -> Result<EvaluatedRequest, RequestRejected> {
    request.reserve_for_evaluation()?;
    let evaluate = || handler.evaluate(endpoint, request.body(), wait);
    let response = match &request.traceparent {
        Some(parent) => {
            tracing::info_span!("review", traceparent = parent.as_str()).in_scope(evaluate)
        }
        None => evaluate(),
    };
    request.release_evaluation();
    Ok((request, response))
}
