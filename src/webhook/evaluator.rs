//! Where a review is evaluated, and the memory that its evaluation reserves.
//!
//! Small reviews are evaluated on the thread that read them, since that takes less time than handing them over. Large ones go to a
//! pool of threads, so that they delay neither probes, TLS handshakes nor small reviews. A review that costs more than its size lets
//! expect is evaluated again, in the pool, with all that a review may use; the response does not depend on that.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::time::timeout_at;

use crate::budget::Limits;

use super::action::Endpoint;
use super::body::{RequestRejected, ReviewRequest};
use super::handler::{AdmissionHandler, ConfigMapWait, HandleError, Prefiltered};
use super::memory::{EVALUATION_MAX, evaluation_bytes};
use super::pool::EvaluationPool;
use super::review::Envelope;

/// Maximum size of a body that is searched for an ID on the thread that read it, in bytes. The search takes a millisecond at most.
const SEARCHED_INLINE: usize = 1024 * 1024;

/// Maximum size of a body that is evaluated on the thread that read it, in bytes: three times the largest usual Pod.
const EVALUATED_INLINE: usize = 64 * 1024;

/// Steps of an evaluation on the thread that read the body: some 16 ms.
const INLINE_STEPS: usize = Limits::REVIEW.steps / 16;

/// The memory that an evaluation reserves, in bytes, and the limits that hold it to that.
#[derive(Clone, Copy)]
struct Stage {
    memory: usize,
    limits: Limits,
}

/// Evaluates reviews within limits of memory, threads and time.
pub(super) struct Evaluator {
    pub(super) handler: Arc<AdmissionHandler>,
    pub(super) pool: EvaluationPool,
}

/// The result of one evaluation, with the request for another one.
pub(super) type EvaluatedRequest = (ReviewRequest, Result<Bytes, HandleError>);

impl Stage {
    /// All that a review may use.
    const LAST: Self = Self {
        memory: EVALUATION_MAX,
        limits: Limits::REVIEW,
    };

    /// The memory of a body of `size` bytes, with as many bytes of the limits as it is a part of the last stage's memory.
    fn of(size: usize, steps: usize) -> Self {
        let memory = evaluation_bytes(size);
        if memory >= EVALUATION_MAX {
            return Self::LAST;
        }
        let bytes = Limits::REVIEW.bytes / (EVALUATION_MAX / 1024) * (memory / 1024);
        Self {
            memory,
            limits: Limits {
                bytes,
                steps,
                findings: Limits::REVIEW.findings,
            },
        }
    }
}

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
        mut request: ReviewRequest,
        wait: ConfigMapWait,
    ) -> Result<EvaluatedRequest, RequestRejected> {
        let size = request.body().len();
        let mut first = Stage::of(size, Limits::REVIEW.steps);
        if size > SEARCHED_INLINE {
            let work = move |handler: &AdmissionHandler, request: ReviewRequest| match search(
                handler, endpoint, &request,
            ) {
                Some(response) => Ok((request, response)),
                None => evaluate_fully(handler, endpoint, request, wait, first),
            };
            return self.in_pool(request, work).await;
        }
        if let Some(response) = search(&self.handler, endpoint, &request) {
            return Ok((request, response));
        }
        if size <= EVALUATED_INLINE {
            let stage = Stage::of(size, INLINE_STEPS);
            let (back, response) = evaluate(&self.handler, endpoint, request, wait, stage)?;
            if let Some(response) = response.transpose() {
                return Ok((back, response));
            }
            (request, first) = (back, Stage::LAST);
        }
        let work = move |handler: &AdmissionHandler, request| {
            evaluate_fully(handler, endpoint, request, wait, first)
        };
        self.in_pool(request, work).await
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

/// Evaluates the review on this thread: within `first`, and if it exceeds that, with all that a review may use.
fn evaluate_fully(
    handler: &AdmissionHandler,
    endpoint: Endpoint,
    request: ReviewRequest,
    wait: ConfigMapWait,
    first: Stage,
) -> Result<EvaluatedRequest, RequestRejected> {
    let (request, response) = evaluate(handler, endpoint, request, wait, first)?;
    if let Some(response) = response.transpose() {
        return Ok((request, response));
    }
    let (request, response) = evaluate(handler, endpoint, request, wait, Stage::LAST)?;
    // The last stage has always a response.
    Ok((request, response.map(Option::unwrap_or_default)))
}

/// Evaluates the review on this thread, in a span of the caller's trace, within the memory of `stage`. No response if it exceeds
/// the stage.
fn evaluate(
    handler: &AdmissionHandler,
    endpoint: Endpoint,
    mut request: ReviewRequest,
    wait: ConfigMapWait,
    stage: Stage,
) -> Result<(ReviewRequest, Result<Option<Bytes>, HandleError>), RequestRejected> {
    request.reserve_for_evaluation(stage.memory)?;
    let evaluate = || handler.evaluate(endpoint, request.body(), wait, stage.limits);
    let response = match &request.traceparent {
        Some(parent) => {
            tracing::info_span!("review", traceparent = parent.as_str()).in_scope(evaluate)
        }
        None => evaluate(),
    };
    request.release_evaluation();
    Ok((request, response))
}
