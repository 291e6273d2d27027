//! The namespace of the release.

use serde_json::Value;

use super::check::{Check, CheckResult};
use super::unread::{Reading, Unread, known, string};

/// The label by which a namespace limits its Pods to a Pod Security Standard.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// A namespace as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceState {
    /// Whether it is being deleted.
    pub is_terminating: bool,
    /// The Pod Security Standard that it enforces; empty is the cluster's default.
    pub enforced: String,
}

/// What was read of the namespace of a release to be.
#[derive(Debug, Clone)]
pub struct NamespaceInput {
    /// Its name.
    pub name: String,
    /// The namespace; `None` if it does not exist.
    pub stored: Reading<Option<NamespaceState>>,
    /// Whether the caller may create namespaces.
    pub may_create: Reading<bool>,
    /// Whether it admits a Pod as the chart's are, or the message of the refusal.
    pub pod: Reading<Result<(), String>>,
}

impl NamespaceState {
    /// Reads the metadata of a namespace.
    pub fn of(namespace: &Value) -> Self {
        let metadata = &namespace["metadata"];
        Self {
            is_terminating: metadata["deletionTimestamp"].is_string(),
            enforced: string(&metadata["labels"][ENFORCE]),
        }
    }
}

impl NamespaceInput {
    /// Whether the namespace exists, or can be created.
    pub(super) fn check_usable(&self) -> CheckResult {
        known(Check::NamespaceUsable, self.usable())
    }

    fn usable(&self) -> Result<CheckResult, Unread> {
        let (check, name) = (Check::NamespaceUsable, &self.name);
        let stored = self.stored.as_ref().map_err(Unread::clone)?;
        Ok(match stored {
            Some(namespace) if namespace.is_terminating => check.failed(
                format!("{name} is being deleted"),
                format!("Wait until it is gone: `kubectl get namespace {name} -o yaml` shows what it waits for."),
            ),
            Some(NamespaceState { enforced, .. }) if enforced.is_empty() => {
                check.passed(format!("{name} exists"))
            }
            Some(NamespaceState { enforced, .. }) => check.passed(format!(
                "{name} exists, and enforces the Pod Security Standard {enforced}; hostNetwork needs privileged"
            )),
            None if self.may_create.clone()? => check.passed(format!(
                "{name} does not exist; `helm install --create-namespace` creates it"
            )),
            None => check.failed(
                format!("{name} does not exist, and you may not create namespaces"),
                "Let a user create the namespace who may.",
            ),
        })
    }

    /// Whether the namespace admits the Pods of the release.
    pub(super) fn check_pods(&self) -> CheckResult {
        let (check, name) = (Check::PodsAdmitted, &self.name);
        known(check, self.pod.as_ref().map_err(Unread::clone).map(|pod| match pod {
            Ok(()) => check.passed(format!("{name} admits a Pod like those of the chart")),
            Err(message) => check.failed(
                format!("{name} refuses a Pod like those of the chart: {message}"),
                "Exempt the namespace from the rule that the message names, or change podSecurityContext, securityContext or podLabels of the chart.",
            ),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check::CheckState;
    use super::*;

    fn input(stored: Option<&Value>, may_create: bool) -> NamespaceInput {
        NamespaceInput {
            name: "ai".to_owned(),
            stored: Ok(stored.map(NamespaceState::of)),
            may_create: Ok(may_create),
            pod: Ok(Ok(())),
        }
    }

    #[test]
    fn a_namespace_exists_or_can_be_created_and_is_not_being_deleted() {
        let plain = json!({"metadata": {"name": "ai"}});
        let ending = json!({"metadata": {"deletionTimestamp": "2026-11-30T10:00:00Z"}});
        for (stored, may_create, state) in [
            (Some(&plain), false, CheckState::Passed),
            (Some(&ending), true, CheckState::Failed),
            (None, true, CheckState::Passed),
            (None, false, CheckState::Failed),
        ] {
            assert_eq!(input(stored, may_create).check_usable().state, state);
        }
        let restricted = json!({"metadata": {"labels": {ENFORCE: "restricted"}}});
        let result = input(Some(&restricted), false).check_usable();
        assert!(result.detail.contains("Standard restricted"), "{result:?}");
        let unread = NamespaceInput {
            may_create: Err(Unread::forbidden(&"ask")),
            ..input(None, false)
        };
        assert_eq!(unread.check_usable().state, CheckState::Unknown);
        let existing = NamespaceInput {
            may_create: Err(Unread::forbidden(&"ask")),
            ..input(Some(&plain), false)
        };
        assert_eq!(existing.check_usable().state, CheckState::Passed);
    }

    #[test]
    fn a_refused_pod_has_the_message_of_the_refusal() {
        let refused = NamespaceInput {
            pod: Ok(Err("violates PodSecurity".to_owned())),
            ..input(None, true)
        };
        let result = refused.check_pods();
        assert_eq!(result.state, CheckState::Failed);
        assert!(result.detail.contains("violates PodSecurity"), "{result:?}");
        assert_eq!(input(None, true).check_pods().state, CheckState::Passed);
    }
}
