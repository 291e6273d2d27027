//! What the audit writes beside the status, at a pace, and what became of it.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// From one write to the next: at most ten a second.
const BETWEEN: Duration = Duration::from_millis(100);

/// Writes at a pace.
#[derive(Debug, Default)]
pub(super) struct Pace {
    next: Option<Instant>,
    /// Writes that failed for a reason that somebody should know.
    pub(super) failed: usize,
}

impl Pace {
    /// Waits until something may be written.
    pub(super) async fn wait(&mut self) {
        if let Some(next) = self.next {
            sleep_until(next).await;
        }
        self.next = Some(Instant::now() + BETWEEN);
    }

    /// Takes what became of a write in this namespace, and says whether it was done. A namespace that ends or is full is
    /// nobody's mistake.
    pub(super) fn told<T>(&mut self, done: kube::Result<T>, namespace: &str, what: &str) -> bool {
        match done {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if is_no_error(&status) => {
                tracing::debug!(namespace, what, %status, "not written");
                false
            }
            Err(error) => {
                self.failed += 1;
                tracing::warn!(namespace, what, %error, "cannot be written; the next audit tries again");
                false
            }
        }
    }
}

fn is_no_error(status: &kube::core::Status) -> bool {
    let is_forbidden_by = |cause: &str| status.code == 403 && status.message.contains(cause);
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let is_ending = causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating");
    status.code == 404
        || is_ending
        || is_forbidden_by("being terminated")
        || is_forbidden_by("exceeded quota")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: u16, message: &str) -> (bool, usize) {
        let mut pace = Pace::default();
        let status = kube::core::Status::failure(message, "Forbidden").with_code(code);
        let done = pace.told::<()>(Err(kube::Error::Api(status.boxed())), "ml", "report");
        (done, pace.failed)
    }

    #[test]
    fn a_namespace_that_ends_or_is_full_is_no_error() {
        assert_eq!(told(404, "not found"), (false, 0));
        assert_eq!(
            told(
                403,
                "unable to create new content in namespace ml because it is being terminated"
            ),
            (false, 0)
        );
        assert_eq!(
            told(
                403,
                "reports is forbidden: exceeded quota: q, requested: count/reports=1"
            ),
            (false, 0)
        );
        assert_eq!(told(403, "User \"x\" cannot patch resource"), (false, 1));
        assert_eq!(told(500, "oh"), (false, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn ten_writes_take_nine_tenths_of_a_second() {
        let (mut pace, started) = (Pace::default(), Instant::now());
        for _ in 0..10 {
            pace.wait().await;
        }
        assert_eq!(started.elapsed(), 9 * BETWEEN);
    }
}
