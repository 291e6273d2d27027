//! `version`, with and without a cluster.

use serde_json::{Value, json};

use super::api_server::{ApiServer, Reply, failure, list};
use super::text;

const GROUP: &str = "/apis/bedrock-profiles.dev/v1alpha1";

/// What a cluster with this release responds.
fn installed(path: &str, version: &str) -> Option<Reply> {
    if path == GROUP {
        let kinds = ["InferenceProfileMapping", "InferenceProfilePolicy"];
        let resources = kinds.map(|kind| json!({"name": kind, "kind": kind}));
        return Some(Reply::Json(
            200,
            json!({"kind": "APIResourceList", "resources": resources}),
        ));
    }
    if path == format!("{GROUP}/inferenceprofilemappings/builtin") {
        return Some(Reply::Json(
            200,
            json!({"spec": {"catalogDate": "2026-11-30"}}),
        ));
    }
    if path == "/apis/apps/v1/deployments" {
        let labels = json!({"app.kubernetes.io/version": version});
        let metadata = json!({"namespace": "ai", "name": "profiles", "labels": labels});
        return Some(list(&[json!({"metadata": metadata})]));
    }
    let name = path.strip_prefix("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/")?;
    let file = format!("manifests/crds/{}.yaml", name.split('.').next()?);
    let text = std::fs::read_to_string(file).unwrap();
    Some(Reply::Json(200, serde_yaml::from_str(&text).unwrap()))
}

#[test]
fn the_version_and_the_date_of_the_catalog_are_printed() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let done = command
        .arg("version")
        .env("KUBECONFIG", "/nowhere")
        .output()
        .unwrap();
    let printed = text(&done.stdout);
    let expected = format!(
        "bedrock-profiles {}\ncatalog of 2026-11-30, ",
        env!("CARGO_PKG_VERSION")
    );
    assert!(printed.starts_with(&expected), "{printed}");
}

#[test]
fn a_cluster_with_this_version_fits() {
    let server = ApiServer::start(|path| installed(path, env!("CARGO_PKG_VERSION")));
    let done = server
        .command(&["version", "--cluster", "-o", "json"])
        .output()
        .unwrap();
    let versions: Value =
        serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)));
    let cluster = &versions["cluster"];
    assert_eq!(cluster["problems"], json!([]));
    assert_eq!(cluster["kubernetes"], "v1.36.0");
    assert_eq!(cluster["definitions"], "Equal");
    assert_eq!(cluster["releases"][0]["name"], "profiles");
    assert_eq!(done.status.code(), Some(0));
    let done = server.command(&["version", "--cluster"]).output().unwrap();
    assert!(text(&done.stdout).ends_with("  fits this command\n"));
}

#[test]
fn another_version_is_listed_and_what_is_forbidden_is_unknown() {
    let server = ApiServer::start(|path| installed(path, "9.9.9"));
    let done = server.command(&["version", "--cluster"]).output().unwrap();
    let printed = text(&done.stdout);
    assert_eq!(done.status.code(), Some(1), "{printed}");
    assert!(
        printed.contains("differs: release ai/profiles has version 9.9.9"),
        "{printed}"
    );
    let server = ApiServer::start(|path| (path != "/version").then(|| failure(403, "forbidden")));
    let done = server.command(&["version", "--cluster"]).output().unwrap();
    let printed = text(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{printed}");
    assert_eq!(
        printed.matches("unknown: no right to read it").count(),
        3,
        "{printed}"
    );
    let server = ApiServer::start(|path| (path == GROUP).then(|| failure(404, "not found")));
    let done = server.command(&["version", "--cluster"]).output().unwrap();
    assert!(
        text(&done.stdout).contains("export crds"),
        "{}",
        text(&done.stdout)
    );
}
