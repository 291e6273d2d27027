//! The rules of a policy for ConfigMaps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to ConfigMaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ConfigMapRules {
    /// Which ConfigMaps are changed.
    pub rewrite: ConfigMapRewrite,
    /// Marks of ConfigMaps that a tracker applies, besides the built-in ones: with `rewrite: Untracked` they stay unchanged.
    #[serde(skip_serializing_if = "TrackedBy::is_empty")]
    pub tracked_by: TrackedBy,
}

/// Marks of ConfigMaps that a tracker applies, for trackers with a key or a field manager of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TrackedBy {
    /// Globs over the keys of labels, such as the `application.instanceLabelKey` of Argo CD.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 317)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub labels: Vec<String>,
    /// Globs over the keys of annotations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 317)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub annotations: Vec<String>,
    /// Globs over the field managers that own the data, as in `metadata.managedFields`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub field_managers: Vec<String>,
}

/// Which ConfigMaps are changed. An immutable one never is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConfigMapRewrite {
    /// None.
    Never,
    /// Those that no controller owns and no tracker applies, such as Argo CD or Flux.
    #[default]
    Untracked,
    /// All.
    All,
}

impl TrackedBy {
    /// Whether no mark is listed.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
