//! Limits the rate of the audit's writes, and decides which failed writes are errors.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The interval between two writes: at most ten a second.
const INTERVAL: Duration = Duration::from_millis(100);

/// Limits the rate of writes.
#[derive(Debug, Default)]
pub(super) struct WriteLimiter {
    next: Option<Instant>,
    /// Writes that failed unexpectedly.
    pub(super) failed: usize,
}

impl WriteLimiter {
    /// Waits until the next write is allowed.
    pub(super) async fn wait(&mut self) {
        if let Some(next) = self.next {
            sleep_until(next).await;
        }
        self.next = Some(Instant::now() + INTERVAL);
    }

    /// Logs and counts a failed write of an object of this kind, and returns whether the write succeeded. A terminating namespace
    /// or an exceeded quota is expected and is not counted as a failure.
    pub(super) fn is_written<T>(
        &mut self,
        outcome: kube::Result<T>,
        namespace: &str,
        kind: &str,
    ) -> bool {
        match outcome {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if is_expected(&status) => {
                tracing::debug!(namespace, kind, %status, "object not written");
                false
            }
            Err(error) => {
                self.failed += 1;
                tracing::warn!(namespace, kind, %error, "cannot write an object; the next audit retries");
                false
            }
        }
    }
}

fn is_expected(status: &kube::core::Status) -> bool {
    let is_forbidden_by = |cause: &str| status.code == 403 && status.message.contains(cause);
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let is_terminating = causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating");
    status.code == 404
        || is_terminating
        || is_forbidden_by("being terminated")
        || is_forbidden_by("exceeded quota")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(code: u16, message: &str) -> (bool, usize) {
        let mut limiter = WriteLimiter::default();
        let status = kube::core::Status::failure(message, "Forbidden").with_code(code);
        let outcome = Err(kube::Error::Api(status.boxed()));
        let is_written = limiter.is_written::<()>(outcome, "ml", "Report");
        (is_written, limiter.failed)
    }

    #[test]
    fn a_terminating_namespace_or_an_exceeded_quota_is_no_failure() {
        assert_eq!(failed(404, "not found"), (false, 0));
        assert_eq!(
            failed(
                403,
                "unable to create new content in namespace ml because it is being terminated"
            ),
            (false, 0)
        );
        assert_eq!(
            failed(
                403,
                "reports is forbidden: exceeded quota: q, requested: count/reports=1"
            ),
            (false, 0)
        );
        assert_eq!(failed(403, "User \"x\" cannot patch resource"), (false, 1));
        assert_eq!(failed(500, "oh"), (false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn ten_writes_take_nine_tenths_of_a_second() {
        let (mut limiter, started) = (WriteLimiter::default(), Instant::now());
        for _ in 0..10 {
            limiter.wait().await;
        }
        assert_eq!(started.elapsed(), 9 * INTERVAL);
    }
}
