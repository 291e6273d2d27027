//! Label selectors as written. The type of k8s-openapi passes over unknown fields, and a selector with a typo would select
//! every namespace; its schema knows neither bounds nor operators.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::rule::{REQUIREMENT_RULES, rules};

/// Which namespaces are selected: those that meet all of it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Selector {
    /// Labels and their values.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>", extend("maxProperties" = 32))]
    match_labels: Option<BTreeMap<String, String>>,
    /// Conditions on labels.
    #[serde(default)]
    #[schemars(with = "Vec<Requirement>", length(max = 32))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    match_expressions: Option<Vec<Requirement>>,
}

/// One condition on a label.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-kubernetes-validations" = rules(&REQUIREMENT_RULES)))]
struct Requirement {
    /// The label.
    #[schemars(length(min = 1, max = 316))]
    key: String,
    /// How its value is compared: `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[schemars(extend("enum" = ["In", "NotIn", "Exists", "DoesNotExist"]))]
    operator: String,
    /// The values, at least one for `In` and `NotIn`, none for the others.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(max = 64), inner(length(max = 63)))]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    values: Option<Vec<String>>,
}

/// Reads a selector and refuses unknown fields.
pub(super) fn strict_selector<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<LabelSelector>, D::Error> {
    let selector = Option::<Selector>::deserialize(deserializer)?;
    Ok(selector.map(|selector| LabelSelector {
        match_labels: selector.match_labels,
        match_expressions: selector.match_expressions.map(|requirements| {
            requirements
                .into_iter()
                .map(|requirement| LabelSelectorRequirement {
                    key: requirement.key,
                    operator: requirement.operator,
                    values: requirement.values,
                })
                .collect()
        }),
    }))
}
