//! The JSON schema of the configuration file: that `docs/schemas/config.json` has what the types have, and that it refuses what the
//! reader refuses.

use std::fs;

use bedrock_profiles::api::yaml;
use bedrock_profiles::cli::config::ConfigFile;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::Value;

/// Configuration files, in two lists.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Samples {
    valid: Vec<Value>,
    invalid: Vec<Value>,
}

const FILE: &str = "docs/schemas/config.json";

fn schema() -> Value {
    let settings = SchemaSettings::draft07();
    let generator = settings.into_generator();
    serde_json::to_value(generator.into_root_schema_for::<ConfigFile>()).unwrap()
}

#[test]
fn the_schema_of_the_configuration_is_generated_from_its_types() {
    let expected = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all("docs/schemas").unwrap();
        fs::write(FILE, &expected).unwrap();
    }
    let committed = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == expected,
        "{FILE} differs from the types in the code; UPDATE=1 writes it"
    );
}

#[test]
fn the_schema_and_the_reader_of_the_configuration_agree() {
    let samples = fs::read_to_string("tests/data/config/samples.yaml").unwrap();
    let samples: Samples = serde_yaml::from_str(&samples).unwrap();
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let valid = samples.valid.iter().map(|sample| (sample, true));
    let invalid = samples.invalid.iter().map(|sample| (sample, false));
    for (sample, is_valid) in valid.chain(invalid) {
        let read = yaml::from_str_by_line::<ConfigFile>(&sample.to_string());
        assert_eq!(read.is_ok(), is_valid, "{sample}: {read:?}");
        assert_eq!(validator.is_valid(sample), is_valid, "{sample}");
    }
}
