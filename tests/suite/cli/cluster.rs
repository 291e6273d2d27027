//! The commands against a cluster: its errors, its flags, and files that are evaluated by it.

use std::fs;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::api_server::{ApiServer, Reply, failure, list};
use super::{SONNET, text};
use crate::json_schemas::{assert_valid, sarif_schema};

/// What the paths of custom resources begin with.
const CUSTOM: &str = "/apis/bedrock-profiles.dev/";

fn pod(name: &str, label: &str, region: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "ml", "labels": {"app": label}},
        "spec": {"containers": [{"name": "c", "env": [{"name": "M", "value": SONNET}, {"name": "AWS_REGION", "value": region}]}]}})
}

fn policy(spec: &Value) -> Value {
    json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy", "metadata": {"name": "own"}, "spec": spec})
}

/// A report in JSON.
fn report(done: &Output) -> Value {
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

#[test]
fn the_formats_of_other_programs_have_the_objects_and_what_was_not_listed() {
    let respond = |path: &str| match path {
        "/api/v1/namespaces/ml/pods" => Some(list(&[pod("p", "a", "eu-west-1")])),
        "/apis/batch/v1/namespaces/ml/jobs" => Some(failure(403, "forbidden")),
        _ => None,
    };
    let server = ApiServer::start(respond);
    let done = server.run(&["audit", "-o", "sarif"]);
    let log = report(&done);
    assert_valid(&sarif_schema(), &log);
    let run = &log["runs"][0];
    let location = &run["results"][0]["locations"][0];
    assert_eq!(
        location["logicalLocations"][0]["fullyQualifiedName"],
        "ml/Pod/p"
    );
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    for format in ["github", "gitlab", "junit", "markdown"] {
        let done = server.run(&["audit", "-o", format]);
        let printed = text(&done.stdout);
        assert!(printed.contains("ml/Pod/p"), "{printed}");
        assert!(printed.contains("cannot list jobs"), "{printed}");
    }
}

/// The names of the objects of a JSON report.
fn objects(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|one| one["object"]["name"].as_str().unwrap())
        .collect()
}

#[test]
fn an_unknown_caller_is_one_line_and_one_request() {
    let server = ApiServer::start(|_| Some(failure(401, "Unauthorized")));
    let done = server.run(&["audit", "-A"]);
    let error = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(
        error.contains("not logged in to http://127.0.0.1:"),
        "{error}"
    );
    assert_eq!(server.requests(), ["/version"]);
}

#[test]
fn credentials_that_expire_end_the_audit() {
    let server = ApiServer::start(|path| {
        path.ends_with("/deployments")
            .then(|| failure(401, "Unauthorized"))
    });
    let done = server.run(&["audit", "-A"]);
    let error = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{error}");
    assert!(
        error.contains("cannot list deployments: not logged in"),
        "{error}"
    );
    let last = server.requests();
    assert_eq!(
        last.last().unwrap(),
        "/apis/apps/v1/deployments",
        "{last:?}"
    );
}

#[test]
fn without_the_cluster_s_policies_there_is_no_judgement() {
    let server = ApiServer::start(|path| match path {
        _ if path.starts_with(CUSTOM) => Some(failure(403, "forbidden")),
        "/api/v1/namespaces/ml/pods" => Some(list(&[pod("p", "a", "eu-west-1")])),
        _ => None,
    });
    let done = server.run(&["audit"]);
    let error = text(&done.stderr);
    assert_eq!(
        (done.status.code(), text(&done.stdout)),
        (Some(2), ""),
        "{error}"
    );
    assert!(
        error.contains("ClusterRole `bedrock-profiles-view`"),
        "{error}"
    );
    assert!(
        !server
            .requests()
            .contains(&"/api/v1/namespaces/ml/pods".to_owned())
    );
    let own = "tests/fixtures/policies/fallback.yaml";
    let done = server.run(&["audit", "--policy", own]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains(&format!("eu.{SONNET}")));
}

#[test]
fn a_namespace_that_does_not_exist_is_an_error() {
    let server = ApiServer::start(|path| {
        (path == "/api/v1/namespaces/typo").then(|| failure(404, "not found"))
    });
    let done = server.run(&["audit", "-n", "typo"]);
    let error = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("namespace `typo` does not exist"), "{error}");
    assert_eq!(server.run(&["audit", "-n", "ml"]).status.code(), Some(0));
}

#[test]
fn an_interrupted_audit_prints_what_it_found() {
    for (output, mark) in [
        ("text", "incomplete: deployments: interrupted"),
        ("json", "\"deployments: interrupted\""),
    ] {
        let server = ApiServer::start(|path| match path {
            "/api/v1/namespaces/ml/configmaps" => {
                let data = json!({"model": SONNET, "region": "eu-west-1"});
                Some(list(&[
                    json!({"metadata": {"name": "found", "namespace": "ml"}, "data": data}),
                ]))
            }
            "/apis/apps/v1/namespaces/ml/deployments" => Some(Reply::Silence),
            _ => None,
        });
        let mut command = server.command(&["audit", "-o", output]);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = piped.spawn().unwrap();
        while !server
            .requests()
            .iter()
            .any(|path| path.ends_with("/deployments"))
        {
            std::thread::yield_now();
        }
        let id = child.id().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
        assert!(killed.unwrap().success());
        let done = child.wait_with_output().unwrap();
        let (printed, error) = (text(&done.stdout), text(&done.stderr));
        assert_eq!(done.status.code(), Some(130), "{error}");
        assert!(
            printed.contains("found") && printed.contains(mark),
            "{printed}\n{error}"
        );
        assert!(error.contains("incomplete: 1 object"), "{error}");
    }
}

#[test]
fn objects_are_selected_by_labels_and_the_cluster_by_flags() {
    let server = ApiServer::start(|path| {
        let pods = [pod("a", "a", "eu-west-1"), pod("b", "b", "eu-west-1")];
        (path == "/api/v1/pods").then(|| list(&pods))
    });
    let config = server.kubeconfig().display().to_string();
    for (selector, expected) in [
        ("app=a", &["a"][..]),
        ("app in (a,b)", &["a", "b"]),
        ("app notin (a)", &["b"]),
        ("!app", &[]),
    ] {
        let args = [
            "audit",
            "-A",
            "-o",
            "json",
            "-l",
            selector,
            "--kubeconfig",
            &config,
        ];
        let mut command = server.command(&args);
        let done = command.env("KUBECONFIG", "/nowhere").output().unwrap();
        let report = report(&done);
        assert_eq!(objects(&report), expected, "{selector}");
        assert_eq!(report["summary"]["objects"], expected.len());
    }
    let done = server.run(&["audit", "--context", "typo"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("typo"),
        "{}",
        text(&done.stderr)
    );
}

#[test]
fn a_request_that_takes_too_long_has_failed() {
    let server = ApiServer::start(|path| path.starts_with(CUSTOM).then_some(Reply::Silence));
    let done = server.run(&["audit", "--request-timeout", "50ms"]);
    let error = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{error}");
    assert!(
        error.contains("no complete response within 50ms"),
        "{error}"
    );
}

/// A cluster with a policy for the namespace `ml`, which has a region, and another namespace.
fn cluster_with_a_policy() -> ApiServer {
    ApiServer::start(|path| match path.trim_start_matches(CUSTOM) {
        "v1alpha1/inferenceprofilepolicies" => Some(list(&[policy(&json!({
            "mode": "Rewrite", "match": {"namespaceSelector": {"matchLabels": {"team": "a"}}}}))])),
        "/api/v1/namespaces" => Some(list(&[
            json!({"metadata": {"name": "ml", "labels": {"team": "a"}, "annotations": {"bedrock-profiles.dev/region": "us-west-2"}}}),
            json!({"metadata": {"name": "web", "labels": {"team": "b"}}}),
        ])),
        _ => None,
    })
}

#[test]
fn an_id_is_resolved_by_the_policy_of_its_namespace() {
    let server = cluster_with_a_policy();
    let args = [
        "resolve",
        SONNET,
        "--region",
        "eu-west-1",
        "--cluster",
        "-o",
        "json",
        "-n",
    ];
    let done = server.run(&[&args[..], &["ml"]].concat());
    assert_eq!(report(&done)["policy"], "own");
    let done = server.run(&[&args[..], &["web"]].concat());
    let error = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{error}");
    assert!(
        error.contains("no policy selects namespace `web`, as the cluster has it"),
        "{error}"
    );
}

#[test]
fn files_are_evaluated_by_the_cluster() {
    let server = cluster_with_a_policy();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pods.yaml");
    let document = |namespace: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {namespace}, namespace: {namespace}}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: '{SONNET}'}}]}}]}}\n"
        )
    };
    let before = [document("ml"), document("web")].join("---\n");
    fs::write(&path, &before).unwrap();
    let path = path.to_str().unwrap();
    for flags in [&["--cluster"][..], &["--context", "stand-in"]] {
        let args = [&["audit", path, "-o", "json"], flags].concat();
        let done = server.run(&args);
        let report = report(&done);
        assert_eq!(objects(&report), ["ml"], "{args:?}");
        let found = &report["findings"][0];
        assert_eq!(
            (&found["policy"], &found["after"]),
            (&json!("own"), &json!(format!("us.{SONNET}")))
        );
    }
    let done = server.run(&["fix", path, "--cluster"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let expected = before.replacen(SONNET, &format!("us.{SONNET}"), 1);
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
}
