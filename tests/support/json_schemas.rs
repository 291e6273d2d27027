//! JSON schemas that outputs are validated against.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;

/// The published schema of a report, by the name of its file.
pub(crate) fn published_schema(file: &str) -> Validator {
    let text = fs::read_to_string(Path::new("docs/schemas").join(file)).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// Fails with every difference.
pub(crate) fn assert_valid(schema: &Validator, instance: &Value) {
    let errors = schema.iter_errors(instance);
    let errors: Vec<_> = errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
