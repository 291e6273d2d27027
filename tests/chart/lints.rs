//! What others say of the chart: the published `OpenAPI` of the oldest Kubernetes it is for, and kube-score.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::{Map, Value, json};

use crate::goldens;
use crate::helm::{KUBERNETES, Release};
use crate::kubeconform::KUBECONFORM;
use crate::tools::{KUBE_SCORE, repository};
use crate::trial;

/// Kinds of others, whose definitions are not Kubernetes' own.
const FOREIGN: &str = "Certificate,ServiceMonitor,PrometheusRule";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("kubeconform_accepts_every_golden", conforms),
        trial("kube_score_finds_what_is_explained", scored),
    ]
}

fn conforms() {
    let folder = tempfile::tempdir().unwrap();
    write_schemas(folder.path());
    let location = format!(
        "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
        folder.path().display()
    );
    let files = goldens::names()
        .into_iter()
        .map(|name| format!("tests/data/chart/{name}.yaml"));
    let output = KUBECONFORM
        .command()
        .unwrap()
        .args([
            "-strict",
            "-summary",
            "-schema-location",
            &location,
            "-skip",
            FOREIGN,
        ])
        .args(files)
        .arg("manifests/install.yaml")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("Invalid: 0, Errors: 0"),
        "{printed}"
    );
}

/// The schemas of the oldest Kubernetes, as kubeconform finds them: one file a kind, which points into one with all.
fn write_schemas(folder: &Path) {
    let mut api: Value = serde_json::from_str(&fs::read_to_string(open_api()).unwrap()).unwrap();
    let definitions = api["definitions"].take();
    for (name, definition) in definitions.as_object().unwrap() {
        let kinds = definition["x-kubernetes-group-version-kind"].as_array();
        for kind in kinds.into_iter().flatten() {
            let part = |key: &str| kind[key].as_str().unwrap().to_lowercase();
            let group = part("group");
            let group = group.split('.').next().filter(|group| !group.is_empty());
            let group = group.map_or_else(String::new, |group| format!("-{group}"));
            let file = format!("{}{group}-{}.json", part("kind"), part("version"));
            let pointer = json!({"$ref": format!("_definitions.json#/definitions/{name}")});
            fs::write(folder.join(file), pointer.to_string()).unwrap();
        }
    }
    let strict: Map<_, _> = definitions
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, definition)| (name.clone(), strict(definition)))
        .collect();
    fs::write(
        folder.join("_definitions.json"),
        json!({"definitions": strict}).to_string(),
    )
    .unwrap();
}

/// A schema that refuses unknown fields, and lets a number stand where `OpenAPI` 2 can only say text.
fn strict(schema: &Value) -> Value {
    match schema {
        Value::Array(all) => all.iter().map(strict).collect(),
        Value::Object(entries) => {
            let mut schema: Map<_, _> = entries
                .iter()
                .map(|(key, value)| (key.clone(), strict(value)))
                .collect();
            if schema.contains_key("properties") && schema.get("type") == Some(&json!("object")) {
                schema.entry("additionalProperties").or_insert(json!(false));
            }
            if schema.get("format") == Some(&json!("int-or-string")) {
                schema.insert("type".into(), json!(["string", "integer"]));
            }
            Value::Object(schema)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

/// The `OpenAPI` that Kubernetes publishes with its source, from its Go module: pinned by `assets/kubernetes-1.33`.
fn open_api() -> std::path::PathBuf {
    let output = Command::new("go")
        .args(["mod", "download", "-json", "k8s.io/kubernetes"])
        .current_dir(repository("tests/chart/assets/kubernetes-1.33"))
        .envs([("GOFLAGS", ""), ("GOWORK", "off")])
        .output()
        .expect("Go is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let version = report["Version"].as_str().unwrap();
    assert_eq!(
        version.rsplit_once('.').unwrap().0,
        "v1.33",
        "the oldest Kubernetes is {KUBERNETES}"
    );
    Path::new(report["Dir"].as_str().unwrap()).join("api/openapi-spec/swagger.json")
}

fn scored() {
    let exceptions = fs::read_to_string(repository("tests/data/chart/kube-score.yaml")).unwrap();
    let exceptions: BTreeMap<String, String> = serde_yaml::from_str(&exceptions).unwrap();
    let rendered = Release::default().text("{}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rendered.yaml");
    fs::write(&file, rendered).unwrap();
    let version = format!("v{}", KUBERNETES.trim_end_matches(".0"));
    let output = KUBE_SCORE
        .command()
        .unwrap()
        .args([
            "score",
            "--output-format",
            "json",
            "--kubernetes-version",
            &version,
        ])
        .arg(&file)
        .output()
        .unwrap();
    let objects: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let checks = objects
        .iter()
        .flat_map(|object| object["checks"].as_array().unwrap());
    let failed =
        checks.filter(|check| check["skipped"] == false && check["grade"].as_u64() < Some(10));
    let failed: BTreeSet<&str> = failed
        .map(|check| check["check"]["id"].as_str().unwrap())
        .collect();
    let explained: BTreeSet<&str> = exceptions.keys().map(String::as_str).collect();
    assert_eq!(
        failed, explained,
        "tests/data/chart/kube-score.yaml explains what kube-score finds"
    );
}
