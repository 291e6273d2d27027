//! The command `why` against a stand-in of an API server: what it may not read, and what it never prints. The trials have the gates.

use serde_json::{Value, json};

use super::api_server::{ApiServer, Reply, failure};
use super::{SONNET, run, text};
use crate::json_schemas::{assert_valid, published_schema};

const POD: &str = "/api/v1/namespaces/ml/pods/chat";
const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/";

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "chat", "namespace": "ml", "creationTimestamp": "2026-11-20T10:00:00Z"},
        "spec": {"containers": [{"name": "app", "env": [{"name": "API_KEY", "value": "s3cr3t-value"},
            {"name": "M", "value": SONNET}, {"name": "AWS_REGION", "value": "eu-west-1"}]}]}})
}

/// A cluster with the Pod, where the other paths are as `respond` has them.
fn cluster(respond: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> ApiServer {
    ApiServer::start(move |path| {
        respond(path).or_else(|| (path == POD).then(|| Reply::Json(200, pod())))
    })
}

fn explained(server: &ApiServer) -> Value {
    let done = server.run(&["why", "pod/chat", "--no-dry-run", "-o", "json"]);
    let report = serde_json::from_slice(&done.stdout);
    let report: Value = report.unwrap_or_else(|_| panic!("{}", text(&done.stderr)));
    assert_valid(&published_schema("why.json"), &report);
    report
}

/// The state and the reason of a gate.
fn gate<'r>(report: &'r Value, name: &str) -> (&'r str, &'r str) {
    let mut gates = report["gates"].as_array().unwrap().iter();
    let gate = gates.find(|one| one["gate"] == name).unwrap();
    (
        gate["state"].as_str().unwrap(),
        gate["reason"].as_str().unwrap(),
    )
}

#[test]
fn what_may_not_be_read_is_unknown_or_one_line() {
    let server = cluster(|path| {
        path.starts_with(CONFIGURATIONS)
            .then(|| failure(403, "forbidden"))
    });
    let report = explained(&server);
    let (state, reason) = gate(&report, "WebhookExists");
    assert_eq!(state, "Unknown");
    assert!(
        reason.contains("grant the verb get on mutatingwebhookconfigurations"),
        "{reason}"
    );
    let namespace = "/api/v1/namespaces/ml";
    for (refused, code, expected) in [
        ("/version", 401, "not logged in to http://127.0.0.1:"),
        (POD, 404, "Pod ml/chat does not exist"),
        (POD, 403, "grant the verb get on pods"),
        (namespace, 403, "cannot read namespace `ml`: forbidden"),
        (namespace, 404, "namespace `ml` does not exist"),
        (
            "/apis/bedrock-profiles.dev/v1alpha1/inferenceprofilepolicies",
            403,
            "ClusterRole `bedrock-profiles-view`",
        ),
    ] {
        let server = cluster(move |path| (path == refused).then(|| failure(code, "refused")));
        let done = server.run(&["why", "pod/chat", "--no-dry-run"]);
        let error = text(&done.stderr);
        assert_eq!(
            (done.status.code(), text(&done.stdout)),
            (Some(2), ""),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_cluster_without_a_policy_rewrites_nothing() {
    let server = cluster(|path| {
        path.starts_with(CONFIGURATIONS)
            .then(|| failure(404, "none"))
    });
    let report = explained(&server);
    assert_eq!(gate(&report, "WebhookExists").0, "Failed");
    assert_eq!(
        gate(&report, "PolicySelects"),
        ("Failed", "the cluster has no policy")
    );
    assert_eq!(report["policy"]["selects"], false);
    assert_eq!(report["ids"][0]["proposed"], format!("eu.{SONNET}"));
}

#[test]
fn no_output_has_the_value_of_another_variable() {
    let server = cluster(|_| None);
    for format in ["text", "json", "yaml"] {
        let done = server.run(&["why", "pod/chat", "--no-dry-run", "-o", format]);
        let printed = text(&done.stdout);
        assert!(printed.contains(SONNET), "{printed}");
        assert!(!printed.contains("s3cr3t"), "{printed}");
        let file = "tests/fixtures/why/objects.yaml";
        let done = run(&["why", "-f", file, "pod/chat", "-o", format]);
        assert!(!text(&done.stdout).contains("s3cr3t"), "{format}");
        assert!(!text(&done.stderr).contains("s3cr3t"), "{format}");
    }
}

#[test]
fn a_line_of_the_text_has_80_columns() {
    let file = "tests/fixtures/why/objects.yaml";
    for object in [
        "pod/chat",
        "pod/legacy",
        "pod/regionless",
        "pod/global",
        "cm/models",
        "cm/frozen",
        "Secret/models",
    ] {
        let done = run(&["why", "-f", file, object]);
        let printed = text(&done.stdout);
        assert!(printed.lines().count() > 3, "{printed}");
        let longest = printed
            .lines()
            .max_by_key(|line| line.chars().count())
            .unwrap();
        assert!(longest.chars().count() <= 80, "{longest}");
    }
}
