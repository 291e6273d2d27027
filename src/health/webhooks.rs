//! The webhook configurations of the release.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{BootstrapConfig, rules_are_equivalent};
use crate::cluster::rbac::{MUTATING, VALIDATING};
use crate::tls::trust::Bundle;

use super::check::{Check, CheckResult};
use super::definitions::HelmOwner;
use super::replicas::duration;
use super::unread::{Reading, Unread, array, known, string};

/// The seconds before the expiry of the last CA of a bundle from which on it is a warning. The controller creates a CA thirty days before
/// the last one expires.
const CA_SECONDS: i64 = 14 * 24 * 60 * 60;

/// One webhook of a configuration, of the release or of another program.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookObjectState {
    /// The name of the configuration.
    pub configuration: String,
    /// The name of the webhook.
    pub name: String,
    /// Whether it may change objects.
    pub is_mutating: bool,
    /// The operations and resources that the API server sends to it.
    pub rules: Vec<RuleWithOperations>,
    /// The namespaces that it selects; `None` is all.
    pub namespace_selector: Option<LabelSelector>,
    /// Whether it selects objects by labels or by conditions.
    pub selects_objects: bool,
    /// Whether a request is refused if its call fails.
    pub fails_closed: bool,
    /// Whether it is called again after others have changed the object: `Never`, `IfNeeded`, or empty for one that changes nothing.
    pub reinvocation_policy: String,
    /// The release that owns the configuration.
    pub owner: HelmOwner,
    ca_bundle: Vec<u8>,
}

impl WebhookObjectState {
    /// Reads the webhooks of a configuration. An unreadable field counts as absent.
    pub fn all_of(configuration: &Value, is_mutating: bool) -> Vec<Self> {
        let owner = HelmOwner::of(configuration);
        let name = string(&configuration["metadata"]["name"]);
        let state = |webhook: &Value| {
            let bundle = webhook["clientConfig"]["caBundle"].as_str();
            let selector: Option<LabelSelector> = field(webhook, "objectSelector");
            Self {
                configuration: name.clone(),
                name: string(&webhook["name"]),
                is_mutating,
                rules: field(webhook, "rules").unwrap_or_default(),
                namespace_selector: field(webhook, "namespaceSelector"),
                selects_objects: selector.unwrap_or_default() != LabelSelector::default()
                    || !array(&webhook["matchConditions"]).is_empty(),
                fails_closed: webhook["failurePolicy"] != "Ignore",
                reinvocation_policy: string(&webhook["reinvocationPolicy"]),
                owner: owner.clone(),
                ca_bundle: bundle
                    .and_then(|text| STANDARD.decode(text).ok())
                    .unwrap_or_default(),
            }
        };
        array(&configuration["webhooks"])
            .iter()
            .map(state)
            .collect()
    }

    /// Whether the configuration has a name of the chart.
    pub(super) fn is_own(&self) -> bool {
        let mut names = MUTATING.iter().chain(VALIDATING);
        names.any(|name| *name == self.configuration)
    }
}

fn field<T: DeserializeOwned>(webhook: &Value, name: &str) -> Option<T> {
    serde_json::from_value(webhook.get(name)?.clone()).ok()
}

/// Whether each webhook configuration exists, and has the configured rules and a CA bundle.
pub(super) fn check_active(
    config: &Reading<Option<BootstrapConfig>>,
    webhooks: &Reading<Vec<WebhookObjectState>>,
) -> CheckResult {
    known(Check::WebhooksActive, active(config, webhooks))
}

fn active(
    config: &Reading<Option<BootstrapConfig>>,
    webhooks: &Reading<Vec<WebhookObjectState>>,
) -> Result<CheckResult, Unread> {
    let check = Check::WebhooksActive;
    let webhooks = webhooks.as_ref().map_err(Unread::clone)?;
    let Some(config) = config.as_ref().map_err(Unread::clone)? else {
        return Ok(check.failed(
            "the ConfigMap with the configuration of the leader does not exist",
            "Create it again: `helm upgrade`.",
        ));
    };
    if config.webhooks.is_empty() {
        return Ok(check.failed(
            "the release configures no webhook",
            "Enable one in the values of the chart (webhooks).",
        ));
    }
    let activate = "Make a replica ready: the leader activates the configuration as soon as one is; docs/runbook.md, BedrockProfilesWebhookInactive.";
    for spec in &config.webhooks {
        let name = &spec.name;
        let Some(webhook) = webhooks.iter().find(|one| one.configuration == *name) else {
            return Ok(check.failed(
                format!("the webhook configuration {name} does not exist"),
                "Create it again: `helm upgrade`.",
            ));
        };
        let problem = match (webhook.rules.is_empty(), webhook.ca_bundle.is_empty()) {
            (true, true) => "has neither rules nor a CA bundle",
            (true, false) => "has no rules",
            (false, true) => "has no CA bundle",
            (false, false) if rules_are_equivalent(&webhook.rules, &spec.rules) => continue,
            (false, false) => "has other rules than the release configures",
        };
        return Ok(check.failed(format!("{name} is inactive: it {problem}"), activate));
    }
    let count = config.webhooks.len();
    Ok(check.passed(format!(
        "{count} webhook configurations have their rules and a CA bundle"
    )))
}

/// Whether each CA bundle of the release has a CA that does not expire soon.
pub(super) fn check_ca(webhooks: &Reading<Vec<WebhookObjectState>>, now: Timestamp) -> CheckResult {
    let check = Check::CaCertificates;
    let hint = "With certificates.mode self, the log of the leader has the error; with the other modes, renew the CA of the Secret; docs/cluster.md.";
    let result = || {
        let own = webhooks.as_ref().map_err(Unread::clone)?.iter();
        let own: Vec<_> = own
            .filter(|one| one.is_own() && !one.ca_bundle.is_empty())
            .collect();
        let mut first: Option<i64> = None;
        for webhook in own {
            let name = &webhook.configuration;
            let anchors = match Bundle::from_pem(&webhook.ca_bundle) {
                Ok(bundle) if !bundle.is_empty() => bundle,
                Ok(_) => {
                    return Ok(
                        check.failed(format!("the CA bundle of {name} has no certificate"), hint)
                    );
                }
                Err(error) => {
                    return Ok(check.failed(
                        format!("the CA bundle of {name} cannot be read: {error}"),
                        hint,
                    ));
                }
            };
            let last = anchors
                .anchors()
                .iter()
                .map(|anchor| anchor.not_after)
                .max();
            let last = last.and_then(|time| Timestamp::try_from(time).ok());
            let left = last.map_or(0, |last| last.as_second() - now.as_second());
            if left <= 0 {
                return Ok(check.failed(format!("every CA of {name} has expired"), hint));
            }
            first = Some(first.map_or(left, |first| first.min(left)));
        }
        let Some(left) = first else {
            return Err(Unread::because_of(Check::WebhooksActive));
        };
        let detail = format!("the CAs are valid for {}", duration(left));
        Ok(if left < CA_SECONDS {
            check.warning(detail, hint)
        } else {
            check.passed(detail)
        })
    };
    known(check, result())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use serde_json::json;

    use super::super::check::CheckState;
    use super::*;
    use crate::cluster::release::POD_WEBHOOK;
    use crate::tls::authority::{Authority, CA_LIFETIME};

    fn rules(resource: &str) -> Value {
        json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [resource], "scope": "*"}])
    }

    fn webhook(rules: &Value, bundle: &str) -> Vec<WebhookObjectState> {
        let object = json!({"metadata": {"name": POD_WEBHOOK}, "webhooks": [
            {"name": POD_WEBHOOK, "rules": rules, "clientConfig": {"caBundle": STANDARD.encode(bundle)}}]});
        WebhookObjectState::all_of(&object, true)
    }

    fn config() -> BootstrapConfig {
        let text = json!({"webhooks": [{"kind": "MutatingWebhookConfiguration", "name": POD_WEBHOOK, "rules": rules("pods")}]});
        BootstrapConfig::read(&text.to_string()).unwrap()
    }

    #[test]
    fn a_webhook_configuration_is_active_with_its_rules_and_a_ca_bundle() {
        let state = |webhooks| check_active(&Ok(Some(config())), &webhooks).state;
        let active = webhook(&rules("pods"), "CA");
        assert_eq!(state(Ok(active.clone())), CheckState::Passed);
        for inactive in [
            webhook(&json!([]), "CA"),
            webhook(&rules("pods"), ""),
            webhook(&rules("jobs"), "CA"),
            Vec::new(),
        ] {
            assert_eq!(state(Ok(inactive)), CheckState::Failed);
        }
        for config in [None, Some(BootstrapConfig::default())] {
            let result = check_active(&Ok(config), &Ok(active.clone()));
            assert_eq!(result.state, CheckState::Failed);
        }
        let unread = Err(Unread::forbidden(&"list webhooks"));
        assert_eq!(state(unread), CheckState::Unknown);
    }

    #[test]
    fn a_ca_expires_soon_or_has_expired() {
        let created = SystemTime::now();
        let pem = Authority::new("CA", created).unwrap().anchor().pem();
        let end = created + CA_LIFETIME;
        let state = |bundle: &str, now: SystemTime| {
            let webhooks = Ok(webhook(&json!([]), bundle));
            check_ca(&webhooks, Timestamp::try_from(now).unwrap()).state
        };
        let days = |days: u64| Duration::from_hours(24 * days);
        assert_eq!(state(&pem, created), CheckState::Passed);
        assert_eq!(state(&pem, end - days(13)), CheckState::Warning);
        assert_eq!(state(&pem, end + days(1)), CheckState::Failed);
        assert_eq!(state("no PEM", created), CheckState::Failed);
        assert_eq!(state("", created), CheckState::Unknown);
    }
}
