//! JSON schemas that outputs are validated against.

use std::fs;
use std::path::Path;
use std::process::Command;

use jsonschema::Validator;
use serde_json::Value;

/// The published schema of a report, by the name of its file.
pub(crate) fn published_schema(file: &str) -> Validator {
    let text = fs::read_to_string(Path::new("docs/schemas").join(file)).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// The schema of SARIF 2.1.0, from the source of a Go module, which `go` downloads once and whose hash `go.sum` has.
pub(crate) fn sarif_schema() -> Validator {
    const MODULE: &str = "github.com/owenrumney/go-sarif/v3";
    let done = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .current_dir("tests/data/sarif")
        .envs([("GOFLAGS", ""), ("GOWORK", "off")])
        .output()
        .expect("the test needs Go 1.26 or later from https://go.dev/dl");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{errors}");
    let module: Value = serde_json::from_slice(&done.stdout).unwrap();
    let folder = Path::new(module["Dir"].as_str().unwrap());
    let source = fs::read_to_string(folder.join("pkg/report/v210/sarif/schema.go")).unwrap();
    let (_, rest) = source.split_once("const schema = `").unwrap();
    let (schema, _) = rest.split_once('`').unwrap();
    let mut schema: Value = serde_json::from_str(schema).unwrap();
    // The identifier is a URL, which nothing here fetches: all references are local.
    schema.as_object_mut().unwrap().remove("id");
    jsonschema::validator_for(&schema).unwrap()
}

/// Fails with every difference.
pub(crate) fn assert_valid(schema: &Validator, instance: &Value) {
    let errors = schema.iter_errors(instance);
    let errors: Vec<_> = errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
