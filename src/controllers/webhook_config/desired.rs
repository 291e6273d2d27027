//! When the rules and the CA bundle of a webhook configuration are applied. Pure.

use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;

use crate::api::rules_are_equivalent;

/// The fields of a webhook configuration that this controller applies, as observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ObservedWebhook {
    /// The operations and resources that the API server sends to the webhook.
    pub rules: Vec<RuleWithOperations>,
    /// The CAs that the API server trusts when it calls the webhook, as PEM.
    pub ca_bundle: Vec<u8>,
}

/// The same fields as they should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct DesiredWebhook<'a> {
    /// The configured rules.
    pub rules: &'a [RuleWithOperations],
    /// The CAs to trust, as PEM.
    pub ca_bundle: &'a [u8],
}

/// What is due for a webhook configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WebhookStep {
    /// Nothing: the observed fields are the desired ones.
    UpToDate,
    /// Nothing: the object does not exist, as it was deleted or disabled in the chart. This controller creates none.
    Missing,
    /// The webhook is inactive: apply rules and CA bundle.
    Activate,
    /// The webhook is active with other rules or CAs: apply the desired ones at once.
    Update,
    /// The webhook is inactive, and no replica can respond yet.
    NotReady,
}

impl DesiredWebhook<'_> {
    /// The step that is due. `endpoint_ready`: a replica is an endpoint of the Service, and responds.
    pub(super) fn step(
        &self,
        observed: Option<&ObservedWebhook>,
        endpoint_ready: bool,
    ) -> WebhookStep {
        let Some(observed) = observed else {
            return WebhookStep::Missing;
        };
        let same_rules = rules_are_equivalent(&observed.rules, self.rules);
        if same_rules && observed.ca_bundle == self.ca_bundle {
            WebhookStep::UpToDate
        } else if !observed.rules.is_empty() && !observed.ca_bundle.is_empty() {
            WebhookStep::Update
        } else if endpoint_ready {
            WebhookStep::Activate
        } else {
            WebhookStep::NotReady
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(resource: &str, scope: Option<&str>) -> Vec<RuleWithOperations> {
        vec![RuleWithOperations {
            api_groups: Some(vec![String::new()]),
            api_versions: Some(vec!["v1".to_owned()]),
            operations: Some(vec!["CREATE".to_owned()]),
            resources: Some(vec![resource.to_owned()]),
            scope: scope.map(str::to_owned),
        }]
    }

    #[test]
    fn a_webhook_is_activated_when_a_replica_can_respond_and_kept_up_to_date_then() {
        let desired_rules = rules("pods", None);
        let desired = DesiredWebhook {
            rules: &desired_rules,
            ca_bundle: b"new",
        };
        let observed = |rules: Vec<RuleWithOperations>, ca: &[u8]| ObservedWebhook {
            rules,
            ca_bundle: ca.to_vec(),
        };
        let stored = rules("pods", Some("*"));
        for (observed, ready, expected, why) in [
            (None, true, WebhookStep::Missing, "no object"),
            (
                Some(observed(vec![], b"")),
                false,
                WebhookStep::NotReady,
                "as shipped",
            ),
            (
                Some(observed(vec![], b"")),
                true,
                WebhookStep::Activate,
                "as shipped, and a replica can respond",
            ),
            (
                Some(observed(stored.clone(), b"")),
                true,
                WebhookStep::Activate,
                "the bundle was wiped",
            ),
            (
                Some(observed(vec![], b"new")),
                true,
                WebhookStep::Activate,
                "the rules were wiped",
            ),
            (
                Some(observed(stored.clone(), b"new")),
                false,
                WebhookStep::UpToDate,
                "as desired",
            ),
            (
                Some(observed(stored, b"old")),
                false,
                WebhookStep::Update,
                "a rotation does not wait",
            ),
            (
                Some(observed(rules("jobs", None), b"new")),
                true,
                WebhookStep::Update,
                "other values",
            ),
        ] {
            assert_eq!(desired.step(observed.as_ref(), ready), expected, "{why}");
        }
    }
}
