//! What the chart wishes of the leader, in the ConfigMap `<fullname>-bootstrap`: the default policy, the catalog, and what
//! each webhook entry is called for.
//!
//! It is read through the API and never from a mounted file: in a rollout old and new pods would alternate. Fields that a
//! newer chart adds are passed over, so that an older replica still serves.

use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The key of the ConfigMap that holds the wishes, as YAML.
pub const BOOTSTRAP_KEY: &str = "bootstrap.yaml";

/// What the chart wishes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Bootstrap {
    /// The spec of the policy `default`, as the chart's values have it; absent: none is wished. Kept as written, since the
    /// API server judges it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// What becomes of the shipped catalog.
    pub catalog: CatalogWish,
    /// The entries that the chart has rendered.
    pub entries: Vec<EntryWish>,
}

/// What becomes of the shipped catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CatalogWish {
    /// Whether it is applied as the mapping `builtin`.
    pub apply: bool,
}

/// One webhook entry: a configuration object with one webhook of the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryWish {
    /// The kind of the configuration.
    pub kind: EntryKind,
    /// The name of configuration and webhook.
    pub name: String,
    /// What the entry is called for.
    pub rules: Vec<RuleWithOperations>,
}

/// The kind of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EntryKind {
    /// `MutatingWebhookConfiguration`.
    #[serde(rename = "MutatingWebhookConfiguration")]
    Mutating,
    /// `ValidatingWebhookConfiguration`.
    #[serde(rename = "ValidatingWebhookConfiguration")]
    Validating,
}

impl Default for CatalogWish {
    fn default() -> Self {
        Self { apply: true }
    }
}

impl Bootstrap {
    /// Reads what stands under [`BOOTSTRAP_KEY`].
    ///
    /// # Errors
    /// The YAML parser's, with the line.
    pub fn read(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_chart_renders_and_passes_over_what_a_newer_one_adds() {
        let text = r#"
policy: { mode: DryRun }
catalog: { apply: false, frequency: daily }
later: true
entries:
- kind: MutatingWebhookConfiguration
  name: webhook-pods.bedrock-profiles.dev
  rules:
  - { apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }
"#;
        let read = Bootstrap::read(text).unwrap();
        assert_eq!(read.policy.unwrap()["mode"], "DryRun");
        assert!(!read.catalog.apply);
        assert_eq!(read.entries[0].kind, EntryKind::Mutating);
        assert_eq!(
            read.entries[0].rules[0].resources.as_deref().unwrap(),
            ["pods"]
        );
        assert_eq!(Bootstrap::read("{}").unwrap(), Bootstrap::default());
        assert!(Bootstrap::default().catalog.apply);
        assert!(Bootstrap::read("entries: 3").is_err());
    }
}
