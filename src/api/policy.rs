//! `InferenceProfilePolicy`: what to do with the model IDs that are found, where, and in which mode, as written in a cluster or a file.
//!
//! Wire types and their defaults only: nothing here compiles a glob or a selector, or checks an ARN; `validate` does.

#![allow(
    clippy::duplicated_attributes,
    reason = "clippy takes equal types of two printer columns for one attribute written twice"
)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::InferenceProfilePolicyStatus;
use super::rule::{AllowedRule, ModelRule, OVERRIDE_RULES, REPLACEMENT_RULES, RegionRule, rules};
use super::selector::{Selector, strict_selector};

mod config_maps;

pub use config_maps::{ConfigMapRewrite, ConfigMapRules, TrackedBy};

/// What to do with the direct model IDs that are found, where, and in which mode. An empty spec is a valid policy:
/// mode DryRun for every namespace.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedrock-profiles.dev",
    version = "v1alpha1",
    kind = "InferenceProfilePolicy",
    plural = "inferenceprofilepolicies",
    shortname = "ipp",
    category = "bedrock",
    status = "InferenceProfilePolicyStatus",
    doc = "What to do with the Amazon Bedrock model IDs that are found, where, and in which mode.",
    derive = "PartialEq",
    printcolumn(name = "Priority", type_ = "integer", json_path = ".spec.priority"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode"),
    printcolumn(name = "Scope", type_ = "string", json_path = ".spec.models.scope"),
    printcolumn(
        name = "Accepted",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Accepted")].status"#
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Up To Date",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="UpToDate")].reason"#
    ),
    printcolumn(
        name = "Findings",
        type_ = "integer",
        json_path = ".status.lastAudit.findings"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InferenceProfilePolicySpec {
    /// Which policy decides where several in mode Rewrite or Deny select an object: the highest priority,
    /// then the name in ascending order.
    pub priority: i32,
    /// What happens where an answer was found.
    pub mode: Mode,
    /// What the policy selects.
    #[serde(rename = "match")]
    pub selects: Selection,
    /// Which models are touched.
    pub models: ModelRules,
    /// How the source region is found.
    pub region: RegionRules,
    /// Which borders a request may cross.
    pub geography: GeographyRules,
    /// Targets that replace the mapping's, such as application inference profiles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub overrides: Vec<Override>,
    /// Models that are replaced by other models, for instance those that AWS retires.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["from"]))]
    pub replacements: Vec<Replacement>,
    /// What happens to a Pod that takes a direct ID from a ConfigMap.
    pub references: References,
    /// What happens to ConfigMaps.
    pub config_maps: ConfigMapRules,
    /// Whether IDs in workload templates are warned about. Templates are never changed.
    pub templates: Templates,
    /// What happens to IDs in comma-separated and JSON lists, which are mostly allow-lists that other data must equal.
    pub lists: Lists,
    /// What happens to an object with an ID that cannot work and that nothing permitted serves.
    pub unresolved: Unresolved,
    /// Who may opt out by annotation.
    pub opt_out: OptOut,
}

/// What a policy does where an answer was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Mode {
    /// Change the object.
    Rewrite,
    /// Refuse what a person applies, and say what to write instead.
    Deny,
    /// Change nothing, and say what would change.
    #[default]
    DryRun,
}

/// What a policy selects: by namespace and resource alone, since a label on the object would let its author choose a laxer policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Selection {
    /// Labels of the namespaces that are selected. Absent or empty: every namespace.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "strict_selector"
    )]
    #[schemars(with = "Option<Selector>")]
    pub namespace_selector: Option<LabelSelector>,
    /// The resources that are selected. Workload templates count as Pods.
    #[schemars(length(max = 2))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub resources: Vec<ResourceKind>,
}

/// A resource in which model IDs are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ResourceKind {
    /// Pods, and the templates that they are made from.
    Pod,
    /// ConfigMaps.
    ConfigMap,
}

/// Which models a policy touches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ModelRules {
    /// Whether an ID that works is changed too.
    pub scope: Scope,
    /// Globs over direct IDs. What they leave out is reported where it cannot work.
    #[schemars(length(max = 256), inner(length(min = 1, max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub include: Vec<String>,
    /// Globs over direct IDs that stay unchanged although they are included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub exclude: Vec<String>,
    /// Names that an application uses instead of a direct ID.
    pub aliases: AliasRules,
}

/// Whether an ID that works is changed too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Scope {
    /// Only where the direct ID does not work.
    #[default]
    Required,
    /// Every model that has a living profile.
    All,
}

/// Whether the mapping's aliases are matched, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AliasRules {
    /// Whether an environment value that equals an alias is a finding.
    pub enabled: bool,
    /// Globs over the names of the environment variables where aliases are matched.
    #[schemars(length(max = 64), inner(length(min = 1, max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub env_names: Vec<String>,
}

/// How the source region is found where the object does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RegionRules {
    /// The source region where nothing nearer names one. Absent: the cluster's own region, where all node labels agree.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<RegionRule>")]
    pub default: Option<String>,
    /// Names of environment variables that hold the region, asked before the built-in names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32), inner(length(min = 1, max = 128)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub extra_env_names: Vec<String>,
}

/// Which borders a request may cross.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GeographyRules {
    /// Whether a global profile may be used.
    pub global: Global,
    /// Geographies that may be used although a destination lies in another jurisdiction than the source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<AllowedRule>", length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub allowed: Vec<String>,
    /// Globs over regions. A profile that may route elsewhere is not used, whatever `allowed` says. Only `*` admits a global profile.
    /// Empty: no such rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 20)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub allowed_destinations: Vec<String>,
}

/// Whether a global profile, which may route anywhere, may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Global {
    /// Not at all.
    #[default]
    Never,
    /// Where no geographic profile may be used.
    Fallback,
    /// Before a geographic profile.
    Prefer,
}

/// A target that replaces the mapping's for one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules(&OVERRIDE_RULES)))]
pub struct Override {
    /// The direct ID of the model.
    #[schemars(with = "ModelRule")]
    pub model_id: String,
    /// The source regions where the override holds. Empty: every region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<RegionRule>", length(max = 64))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub source_regions: Vec<String>,
    /// Labels of the namespaces where the override holds. Absent or empty: every namespace that the policy selects.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "strict_selector"
    )]
    #[schemars(with = "Option<Selector>")]
    pub namespace_selector: Option<LabelSelector>,
    /// Which forms of the ID are overridden.
    #[serde(default, rename = "match")]
    pub forms: IdForms,
    /// What is written instead: an inference profile ID or ARN, a provisioned model's ARN, or a direct ID.
    #[schemars(length(min = 1, max = 2048))]
    pub target: String,
    /// The regions where the target may send a request. They cannot be looked up, so they are stated. Empty: unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<RegionRule>", length(max = 64))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub destinations: Vec<String>,
}

/// Which forms of a model's ID a rule matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IdForms {
    /// The direct ID alone.
    #[default]
    Direct,
    /// The direct ID, and the IDs of its system-defined profiles.
    DirectAndProfiles,
}

/// A model that is replaced by another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules(&REPLACEMENT_RULES)))]
pub struct Replacement {
    /// The direct ID of the model to leave.
    #[schemars(with = "ModelRule")]
    pub from: String,
    /// The direct ID of the model to move to.
    #[schemars(with = "ModelRule")]
    pub to: String,
    /// Which forms of the ID are replaced.
    #[serde(default, rename = "match")]
    pub forms: IdForms,
}

/// What happens to a Pod that takes a direct ID from a ConfigMap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum References {
    /// It gets an explicit environment entry with the answer.
    #[default]
    Resolve,
    /// It is reported.
    Report,
    /// It is not looked at, and no right to read ConfigMaps is needed. Write "Off" in quotes: bare, it is a boolean to kubectl.
    Off,
}

/// Whether IDs in workload templates are warned about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Templates {
    /// Nothing. Write "Off" in quotes: bare, it is a boolean to kubectl.
    Off,
    /// What will become of the Pods.
    #[default]
    Warn,
}

/// What happens to IDs in lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Lists {
    /// They stay unchanged and are reported.
    #[default]
    Leave,
    /// They are rewritten like any other ID.
    Rewrite,
}

/// What happens to an object with an ID that cannot work and that nothing permitted serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unresolved {
    /// It is admitted.
    Allow,
    /// It is admitted with a warning.
    #[default]
    Warn,
    /// It is refused where a person applies it; never for a missing region or an unknown model.
    Deny,
}

/// Who may opt out by annotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OptOut {
    /// Namespaces and objects.
    #[default]
    Any,
    /// Namespaces alone.
    Namespace,
    /// Neither.
    None,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            namespace_selector: None,
            resources: vec![ResourceKind::Pod, ResourceKind::ConfigMap],
        }
    }
}

impl Default for ModelRules {
    fn default() -> Self {
        Self {
            scope: Scope::default(),
            include: vec!["anthropic.*".to_owned()],
            exclude: Vec::new(),
            aliases: AliasRules::default(),
        }
    }
}

impl Default for AliasRules {
    fn default() -> Self {
        Self {
            enabled: false,
            env_names: vec!["*BEDROCK*".to_owned()],
        }
    }
}
