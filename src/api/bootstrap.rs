//! The bootstrap configuration of a release, in the ConfigMap `<fullname>-bootstrap` of the chart: the default policy, the
//! catalog, and the rules of each webhook configuration.
//!
//! Replicas read it through the API and not from a mounted file: during a rollout, old and new Pods would alternate. Unknown
//! fields of a newer chart are ignored, so that an older replica keeps serving.

use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::yaml::{self, FromYamlError};

/// The key of the ConfigMap that holds the configuration, as YAML.
pub const BOOTSTRAP_KEY: &str = "bootstrap.yaml";

/// The desired state that the chart configures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BootstrapConfig {
    /// The spec of the policy `default` from the chart's values, unparsed, since the API server validates it. If absent, no
    /// policy is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// The shipped catalog.
    pub catalog: CatalogSpec,
    /// The webhook configurations that the chart has rendered.
    pub webhooks: Vec<WebhookSpec>,
}

/// How the shipped catalog is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CatalogSpec {
    /// Whether it is applied as the mapping `builtin`.
    pub apply: bool,
}

/// A webhook configuration with one webhook of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookSpec {
    /// The kind of the object.
    pub kind: WebhookKind,
    /// The name of both the object and its webhook.
    pub name: String,
    /// The operations and resources that the API server sends to the webhook.
    pub rules: Vec<RuleWithOperations>,
}

/// The kind of a webhook configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum WebhookKind {
    /// `MutatingWebhookConfiguration`.
    #[serde(rename = "MutatingWebhookConfiguration")]
    Mutating,
    /// `ValidatingWebhookConfiguration`.
    #[serde(rename = "ValidatingWebhookConfiguration")]
    Validating,
}

impl Default for CatalogSpec {
    fn default() -> Self {
        Self { apply: true }
    }
}

impl BootstrapConfig {
    /// Parses the value of [`BOOTSTRAP_KEY`].
    ///
    /// # Errors
    /// The line that is not YAML, or the path of the field that cannot be decoded.
    pub fn read(text: &str) -> Result<Self, FromYamlError> {
        yaml::from_str(text)
    }
}

/// Whether rules are equal once the API server's default for the scope is filled in.
pub fn rules_are_equivalent(one: &[RuleWithOperations], other: &[RuleWithOperations]) -> bool {
    let with_default = |rule: &RuleWithOperations| RuleWithOperations {
        scope: Some(rule.scope.clone().unwrap_or_else(|| "*".to_owned())),
        ..rule.clone()
    };
    one.iter()
        .map(with_default)
        .eq(other.iter().map(with_default))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rendered_configuration_is_parsed_and_unknown_fields_are_ignored() {
        let text = r#"
policy: { mode: DryRun }
catalog: { apply: false, frequency: daily }
later: true
webhooks:
- kind: MutatingWebhookConfiguration
  name: webhook-pods.bedrock-profiles.dev
  rules:
  - { apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }
"#;
        let read = BootstrapConfig::read(text).unwrap();
        assert_eq!(read.policy.unwrap()["mode"], "DryRun");
        assert!(!read.catalog.apply);
        assert_eq!(read.webhooks[0].kind, WebhookKind::Mutating);
        assert_eq!(
            read.webhooks[0].rules[0].resources.as_deref().unwrap(),
            ["pods"]
        );
        assert_eq!(
            BootstrapConfig::read("{}").unwrap(),
            BootstrapConfig::default()
        );
        assert!(BootstrapConfig::default().catalog.apply);
        assert!(BootstrapConfig::read("webhooks: 3").is_err());
    }
}
