//! The response to a review through the API server: what a dry run of the sample shows about the way from the API server to a replica.

use crate::cluster::release::GROUP;
use crate::why::{DryRunAnswer, DryRunOutcome};

use super::check::{Check, CheckResult, CheckState};
use super::sample::Expectation;
use super::unread::{Reading, Unread, known};

/// How the API server begins the error of a call that has failed.
const FAILED_CALL: &str = "failed calling webhook";

/// How the warnings of the webhook begin.
const WARNING: &str = "bedrock-profiles: ";

/// A dry run of the sample, and what came back.
#[derive(Debug, Clone)]
pub struct ReviewRead {
    /// The namespace of the sample.
    pub namespace: String,
    /// What the API server responded.
    pub answer: DryRunAnswer,
    /// The warnings of the response.
    pub warnings: Vec<String>,
    /// The message of a refusal.
    pub refusal: Option<String>,
    /// Whether the response of the webhook can be observed.
    pub expectation: Reading<Expectation>,
}

/// Whether the API server gets the response of the webhook. `causes` are the checks of the webhook configurations: if one of them is
/// failed, it explains that there is no response.
pub(super) fn check_review(review: &ReviewRead, causes: &[&CheckResult]) -> CheckResult {
    let check = Check::ReviewAnswered;
    let namespace = &review.namespace;
    let cause = causes.iter().find(|one| one.state == CheckState::Failed);
    let hint = "`kubectl get endpointslices -n NAMESPACE` shows whether a replica is an endpoint of the Service; docs/runbook.md, BedrockProfilesFailOpen, has the causes in the network.";
    let failed = |detail: String| match cause {
        Some(cause) => {
            let unread = Unread::because_of(cause.check);
            check.unknown(format!("{detail}: {}", unread.reason), unread.hint)
        }
        None => check.failed(detail, hint.replace("NAMESPACE", "of the release")),
    };
    let unknown = |detail: &str| {
        let hint = "--sample-namespace names another namespace for the dry run; `kubectl run --dry-run=server` repeats it.";
        check.unknown(detail, hint)
    };
    let has_warning = review.warnings.iter().any(|one| one.starts_with(WARNING));
    match review.answer.outcome {
        DryRunOutcome::Rewritten | DryRunOutcome::Denied => check.passed(format!(
            "the webhook has responded to a dry run in namespace {namespace}: {}",
            review.answer.message
        )),
        _ if has_warning => check.passed(format!(
            "the webhook has responded to a dry run in namespace {namespace} with a warning"
        )),
        DryRunOutcome::NotPermitted => {
            let right = format!("create pods in namespace {namespace}");
            known(check, Err(Unread::forbidden(&right)))
        }
        DryRunOutcome::Refused => {
            let message = review.refusal.as_deref().unwrap_or(&review.answer.message);
            if message.contains(FAILED_CALL) && message.contains(GROUP) {
                failed(message.to_owned())
            } else {
                unknown(message)
            }
        }
        DryRunOutcome::Unchanged => match &review.expectation {
            Ok(Ok(())) => failed(format!(
                "the API server admits a Pod in namespace {namespace} without the response of the webhook"
            )),
            Ok(Err(reason)) => unknown(reason),
            Err(unread) => known(check, Err(unread.clone())),
        },
        DryRunOutcome::NotSent | DryRunOutcome::NotSupported | DryRunOutcome::NoResponse => {
            unknown(&review.answer.message)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unchanged(expectation: Reading<Expectation>) -> ReviewRead {
        ReviewRead {
            namespace: "default".to_owned(),
            answer: DryRunAnswer::admitted(&json!({}), &json!({})),
            warnings: Vec::new(),
            refusal: None,
            expectation,
        }
    }

    fn refused(message: &str) -> ReviewRead {
        ReviewRead {
            answer: DryRunAnswer::refused(500, "InternalError", message, "w"),
            refusal: Some(message.to_owned()),
            ..unchanged(Ok(Ok(())))
        }
    }

    #[test]
    fn a_change_or_a_warning_shows_the_response() {
        let state = |review: &ReviewRead| check_review(review, &[]).state;
        let warned = |text: &str| ReviewRead {
            warnings: vec![text.to_owned()],
            ..unchanged(Ok(Ok(())))
        };
        assert_eq!(
            state(&warned("bedrock-profiles: policy p would")),
            CheckState::Passed
        );
        assert_eq!(state(&warned("of another webhook")), CheckState::Failed);
        let denied = DryRunAnswer::refused(
            403,
            "Forbidden",
            "admission webhook \"w\" denied the request: x",
            "w",
        );
        let denied = ReviewRead {
            answer: denied,
            ..unchanged(Ok(Ok(())))
        };
        assert_eq!(state(&denied), CheckState::Passed);
    }

    #[test]
    fn no_response_is_a_failure_only_where_one_would_be_observed() {
        let state = |review: &ReviewRead| check_review(review, &[]).state;
        assert_eq!(state(&unchanged(Ok(Ok(())))), CheckState::Failed);
        assert_eq!(
            state(&unchanged(Ok(Err("no policy".to_owned())))),
            CheckState::Unknown
        );
        assert_eq!(
            state(&unchanged(Err(Unread::forbidden(&"list")))),
            CheckState::Unknown
        );
        let own = "failed calling webhook \"webhook-pods.bedrock-profiles.dev\": x509";
        assert_eq!(state(&refused(own)), CheckState::Failed);
        assert_eq!(
            state(&refused("failed calling webhook \"other.test\"")),
            CheckState::Unknown
        );
        assert_eq!(
            state(&refused("pods is forbidden: cannot create resource")),
            CheckState::Unknown
        );
    }

    #[test]
    fn a_failed_check_of_the_configuration_explains_a_missing_response() {
        let cause = Check::WebhooksActive.failed("inactive", "wait");
        let result = check_review(&unchanged(Ok(Ok(()))), &[&cause]);
        assert_eq!(result.state, CheckState::Unknown);
        assert_eq!(result.hint.as_deref(), Some("See WebhooksActive."));
    }
}
