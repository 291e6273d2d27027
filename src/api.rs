//! The custom resources as written on the wire, and the reading of files that hold them.
//!
//! Knows their form and their defaults, and no rule beyond that: what a region, a date or an ARN must look like is checked by `validate`.

mod bootstrap;
mod mapping;
mod policy;
mod read;
mod rule;
mod selector;
mod status;
pub mod yaml;

pub use bootstrap::*;
pub use mapping::*;
pub use policy::*;
pub use read::{DocumentProblem, ReadError, Resource, read};
pub use status::*;
pub use yaml::{FieldError, FromYamlError, YamlSyntaxError};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

/// The definitions of both kinds, as a cluster takes them.
pub fn definitions() -> [CustomResourceDefinition; 2] {
    [
        InferenceProfileMapping::crd(),
        InferenceProfilePolicy::crd(),
    ]
}

#[cfg(test)]
mod tests {
    use kube::CustomResourceExt;

    use super::*;

    /// Every structural schema has a type or keeps unknown fields; the API server refuses any other.
    fn assert_typed(schema: &serde_json::Value, path: &str) {
        assert!(
            schema.get("type").is_some() || schema.get("x-kubernetes-int-or-string").is_some(),
            "{path} has no type: {schema}"
        );
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert_typed(property, &format!("{path}.{name}"));
        }
        if let Some(items) = schema.get("items") {
            assert_typed(items, &format!("{path}[]"));
        }
    }

    #[test]
    fn both_kinds_have_a_structural_schema_and_the_documented_names() {
        for (crd, plural, short) in [
            (
                InferenceProfileMapping::crd(),
                "inferenceprofilemappings",
                "ipm",
            ),
            (
                InferenceProfilePolicy::crd(),
                "inferenceprofilepolicies",
                "ipp",
            ),
        ] {
            let crd = serde_json::to_value(crd).unwrap();
            assert_eq!(
                crd["metadata"]["name"],
                format!("{plural}.bedrock-profiles.dev")
            );
            assert_eq!(crd["spec"]["scope"], "Cluster");
            assert_eq!(crd["spec"]["names"]["shortNames"][0], short);
            let version = &crd["spec"]["versions"][0];
            assert_eq!(version["name"], "v1alpha1");
            assert_typed(&version["schema"]["openAPIV3Schema"], plural);
        }
    }

    #[test]
    fn the_schema_has_the_defaults_of_an_empty_policy() {
        let crd = serde_json::to_value(InferenceProfilePolicy::crd()).unwrap();
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let spec = &schema["properties"]["spec"];
        assert_eq!(spec.get("required"), None);
        assert_eq!(spec["properties"]["mode"]["default"], "DryRun");
        assert_eq!(
            spec["properties"]["match"]["default"],
            serde_json::json!({"resources": ["Pod", "ConfigMap"]})
        );
        let include = &spec["properties"]["models"]["properties"]["include"];
        assert_eq!(include["default"], serde_json::json!(["anthropic.*"]));
    }
}
