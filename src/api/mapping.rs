//! `InferenceProfileMapping`: which inference profile serves which model from which region, as written in a cluster or a file.
//!
//! Wire types only: nothing here checks a date, a region or that a profile ID ends with its model's; `validate` does.

#![allow(
    clippy::duplicated_attributes,
    reason = "clippy takes equal types of two printer columns for one attribute written twice"
)]

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::InferenceProfileMappingStatus;
use super::rule::{
    AliasText, Day, GeographyText, MODEL_RULES, ModelText, RegionOrAnyText, RegionText, rules,
};

/// Says, for each model, which inference profile serves which source region, and where the direct model ID itself works.
/// Mappings merge row by row; for each row the highest priority wins.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "bedrock-profiles.dev",
    version = "v1alpha1",
    kind = "InferenceProfileMapping",
    plural = "inferenceprofilemappings",
    shortname = "ipm",
    category = "bedrock",
    status = "InferenceProfileMappingStatus",
    doc = "Which inference profile serves which Amazon Bedrock model from which region.",
    derive = "PartialEq",
    printcolumn(name = "Priority", type_ = "integer", json_path = ".spec.priority"),
    printcolumn(name = "Catalog", type_ = "string", json_path = ".spec.catalogDate"),
    printcolumn(name = "Models", type_ = "integer", json_path = ".status.models"),
    printcolumn(name = "Profiles", type_ = "integer", json_path = ".status.profiles"),
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
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InferenceProfileMappingSpec {
    /// Which mapping wins where two have the same row: the highest priority, then the name in ascending order.
    /// The shipped catalog has -1000.
    #[serde(default)]
    pub priority: i32,
    /// The day on which these rows were true, as YYYY-MM-DD. Answers show it, and a metric exposes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Day>")]
    pub catalog_date: Option<String>,
    /// Regions for which this mapping is complete: where no row names a model and such a region, nothing is offered there.
    /// In every other region the absence of a row means that nothing is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<RegionText>", length(max = 100))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub scanned_regions: Vec<String>,
    /// The models, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["modelId"]))]
    pub models: Vec<Model>,
}

/// A foundation model: where its direct ID works, its lifecycle, and the inference profiles that serve it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules(&MODEL_RULES)))]
pub struct Model {
    /// The direct ID of the model as AWS prints it, such as `anthropic.claude-sonnet-4-6`.
    #[schemars(with = "ModelText")]
    pub model_id: String,
    /// Names that an application may use instead of the direct ID, each one word of letters, digits and signs without quotes, `\`
    /// and `$`. They are matched only where a policy turns aliases on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<AliasText>", length(max = 16))]
    #[schemars(extend("x-kubernetes-list-type" = "set"))]
    pub aliases: Vec<String>,
    /// True for a model whose profiles are named by others but were never seen by a scan. None is listed,
    /// and a finding of this model is unchanged, with the reason `Unverified`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unverified: bool,
    /// True for an ID that bedrock-mantle alone serves, and bedrock-runtime does not know. It has neither a profile nor a region in
    /// `direct`, and a finding of it is unchanged, with the reason `Mantle`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mantle_only: bool,
    /// The regions where the direct ID works, or worked until the model's end of life. In a region that is not named it never did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["region"]))]
    pub direct: Vec<DirectRegion>,
    /// Whether AWS still offers the model, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// The inference profiles that serve the model, or served it. A model without any has no profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["id"]))]
    pub profiles: Vec<Profile>,
}

/// What a request with the direct ID meets in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DirectRegion {
    /// The region that is called, such as `eu-west-2`.
    #[schemars(with = "RegionText")]
    pub region: String,
    /// Whether the direct ID works there, or did.
    pub state: DirectState,
}

/// Whether a direct ID works on demand in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DirectState {
    /// The direct ID works.
    Works,
    /// The direct ID worked, and no longer does: as a rule since the end of life of the model there.
    Former,
    /// The direct ID does not work. It withdraws a row of lower priority.
    Never,
}

/// The lifecycle of a model. Each field merges on its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// The state that AWS gives the model. A date in `endOfLife`, where known, decides over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<LifecycleState>,
    /// The days from which requests fail, for each group of regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub end_of_life: Option<Vec<EndOfLife>>,
    /// The direct ID of the model to move to: of the same tier and alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ModelText>")]
    pub successor: Option<String>,
}

/// The state that AWS gives the model. A date in `endOfLife`, where known, decides over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LifecycleState {
    /// Offered.
    Active,
    /// Offered to accounts that have used it recently; its end of life is announced, or near.
    Legacy,
    /// No longer offered in any region.
    EndOfLife,
}

/// The day of a model's end of life, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndOfLife {
    /// The first day on which requests fail, as YYYY-MM-DD.
    #[schemars(with = "Day")]
    pub date: String,
    /// The regions where the date holds. Without any it holds wherever no other entry names the region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<RegionText>", length(max = 100))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub regions: Vec<String>,
    /// How well the date is known; without it `High`. Nothing is denied on a date below that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confidence: Confidence,
}

/// A system-defined inference profile of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// The profile's ID: the geography, a dot and the model's direct ID.
    #[schemars(length(min = 1, max = 73))]
    pub id: String,
    /// The prefix of the ID: us, eu, apac, jp, au, in, ca, us-gov, or `global`.
    #[schemars(with = "GeographyText")]
    pub geography: String,
    /// Whether the profile still answers.
    #[serde(default)]
    pub state: ProfileState,
    /// The source regions that the profile serves, grouped by equal destinations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub routes: Vec<Route>,
}

/// Whether a profile still answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProfileState {
    /// Served.
    #[default]
    Current,
    /// Served, of a model in the state Legacy.
    Legacy,
    /// No longer served, since its model has reached its end of life.
    Retired,
}

/// The destinations of a profile when it is called from certain regions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    /// The regions that a workload may call with this profile.
    #[schemars(with = "Vec<RegionText>", length(min = 1, max = 100))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub source_regions: Vec<String>,
    /// Where the profile may send a request that comes from these regions. Empty: unknown. `["*"]`: anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<RegionOrAnyText>", length(max = 100))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    #[schemars(extend("anyOf" = [{"maxItems": 1}, {"items": {"not": {"enum": ["*"]}}}]))]
    pub destination_regions: Vec<String>,
    /// The state of the profile for these source regions, if it differs from the profile's `state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ProfileState")]
    pub state: Option<ProfileState>,
    /// How well this is known; without it `High`. Nothing is ever denied on a row below that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub confidence: Confidence,
    /// True withdraws the rows of lower priority for this profile's geography and these source regions.
    #[serde(default, skip_serializing_if = "is_false")]
    pub absent: bool,
}

/// How well a row is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Confidence {
    /// Seen in the Bedrock API, or stated by AWS with ID and regions.
    #[default]
    High,
    /// One source only, or sources that disagree.
    Medium,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls skip_serializing_if with a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
