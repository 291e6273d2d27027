//! The shipped catalog, and catalogs beside each other and beside what the Bedrock API lists.
//!
//! This file has the files of `catalog/`, embedded and merged into one mapping. It parses them only: `validate` checks the rows, and tests
//! compare them with the scans in `tests/data/`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::{
    DirectRegion, FromYamlError, InferenceProfileMapping, InferenceProfileMappingSpec, Model,
    Route, yaml,
};

pub mod answers;
pub mod check;
pub mod correction;
pub mod merged;
mod model_rows;
pub mod rows;

/// The name of the mapping that holds the shipped catalog, here and in a cluster.
pub const NAME: &str = "builtin";

/// An embedded file that cannot be decoded.
#[derive(Debug, thiserror::Error)]
#[error("catalog/{file}: {error}")]
pub struct CatalogError {
    /// The file.
    pub file: &'static str,
    /// What is wrong with it.
    pub error: FromYamlError,
}

/// A file of `catalog/` with the models of one vendor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorFile {
    /// YAML anchors of repeated values; parsed so that a mistake is found even if no value refers to the anchor.
    #[serde(default, rename = "shared")]
    _shared: Shared,
    models: Vec<Model>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shared {
    #[serde(default, rename = "routes")]
    _routes: BTreeMap<String, Vec<Route>>,
    #[serde(default, rename = "direct")]
    _direct: BTreeMap<String, Vec<DirectRegion>>,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../catalog/", $name)))),*]
    };
}

/// Fields that apply to all models.
const COMMON: [(&str, &str); 1] = files!["catalog.yaml"];
/// The files with the models, by vendor.
const VENDORS: [(&str, &str); 19] = files![
    "ai21.yaml",
    "amazon.yaml",
    "anthropic.yaml",
    "cohere.yaml",
    "deepseek.yaml",
    "google.yaml",
    "luma.yaml",
    "meta.yaml",
    "minimax.yaml",
    "mistral.yaml",
    "moonshotai.yaml",
    "nvidia.yaml",
    "openai.yaml",
    "qwen.yaml",
    "stability.yaml",
    "twelvelabs.yaml",
    "writer.yaml",
    "xai.yaml",
    "zai.yaml",
];

/// The shipped catalog as the mapping `builtin`, its models in the order of the files. Fails if an embedded file cannot be
/// parsed, which a test excludes.
pub fn builtin() -> Result<InferenceProfileMapping, CatalogError> {
    let [common] = COMMON;
    let mut spec: InferenceProfileMappingSpec = parse(common)?;
    for file in VENDORS {
        let VendorFile { models, .. } = parse(file)?;
        spec.models.extend(models);
    }
    Ok(InferenceProfileMapping::new(NAME, spec))
}

/// The date of the shipped catalog's data.
///
/// # Errors
/// As for [`builtin`].
pub fn date() -> Result<Option<String>, CatalogError> {
    let [common] = COMMON;
    let spec: InferenceProfileMappingSpec = parse(common)?;
    Ok(spec.catalog_date)
}

fn parse<T: DeserializeOwned>((name, text): (&'static str, &str)) -> Result<T, CatalogError> {
    yaml::from_str(text).map_err(|error| CatalogError { file: name, error })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_catalog_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        files.sort();
        let mut embedded: Vec<_> = COMMON
            .iter()
            .chain(&VENDORS)
            .map(|(name, _)| *name)
            .collect();
        embedded.sort_unstable();
        assert_eq!(files, embedded);
    }

    #[test]
    fn a_model_is_in_the_file_of_its_vendor() {
        for file in VENDORS {
            let VendorFile { models, .. } = parse(file).unwrap();
            let vendor = file.0.trim_end_matches(".yaml");
            for model in models {
                let prefix = model.model_id.split('.').next().unwrap();
                // Moonshot AI has had two prefixes.
                assert_eq!(
                    prefix
                        .replace("moonshot", "moonshotai")
                        .replace("aiai", "ai"),
                    vendor
                );
            }
        }
    }

    #[test]
    fn a_mistake_in_a_file_is_named_with_file_and_path() {
        let text = "models:\n- modelId: a.b\n  alias: [c]\n";
        let error = parse::<VendorFile>(("anthropic.yaml", text)).err().unwrap();
        let error = error.to_string();
        assert!(
            error.starts_with("catalog/anthropic.yaml: models[0].alias: unknown field `alias`"),
            "{error}"
        );
    }
}
