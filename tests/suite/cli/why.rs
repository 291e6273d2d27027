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

/// The exit code, the outcome and the answer for an object of a file.
fn answer(arguments: &[&str]) -> (Option<i32>, String, String) {
    let common = ["why", "-o", "json", "-f"];
    let done = run(&[&common, arguments].concat());
    let report = serde_json::from_slice(&done.stdout);
    let report: Value = report.unwrap_or_else(|_| panic!("{}", text(&done.stderr)));
    let answer = |field: &str| report["answer"][field].as_str().unwrap().to_owned();
    (done.status.code(), answer("outcome"), answer("message"))
}

#[test]
fn an_answer_distinguishes_ids_that_a_gate_stops_from_the_others() {
    let partly = "tests/fixtures/why/partly.yaml";
    let (all, deny) = (
        "tests/fixtures/why/objects.yaml",
        "tests/fixtures/policies/deny.yaml",
    );
    let unresolved = "tests/fixtures/policies/unresolved.yaml";
    let report = "tests/fixtures/policies/fallback.yaml";
    for (arguments, code, outcome, part) in [
        (
            &[partly, "cm/models"][..],
            1,
            "NotRewritten",
            "at 1 of 2 IDs: the object opts out",
        ),
        (
            &[partly, "pod/chat", "--policy", report],
            1,
            "NotRewritten",
            "at 1 of 2 IDs: policy fallback only reports",
        ),
        (
            &[partly, "pod/mixed"],
            1,
            "NotRewritten",
            "at 1 of 2 IDs: app/env/OLD_MODEL_ID: UnknownModel",
        ),
        // An object is denied as a whole.
        (
            &[partly, "pod/mixed", "--policy", deny],
            0,
            "Denied",
            "would be denied: 1 ID",
        ),
        (
            &[all, "pod/owned", "--policy", deny],
            1,
            "NotRewritten",
            "would not be denied: its controller",
        ),
        (
            &[all, "pod/global", "--policy", unresolved],
            1,
            "NotRewritten",
            "Pod ml/global would be denied: app/env/BEDROCK_MODEL_ID: OnlyGlobalServes, and policy unresolved has unresolved: Deny.",
        ),
    ] {
        let (actual_code, actual, message) = answer(arguments);
        assert_eq!((actual_code, &*actual), (Some(code), outcome), "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_id_that_was_rewritten_is_not_one_of_those_that_were_not() {
    let server = ApiServer::start(|path| {
        let mut pod = pod();
        let profile = format!("eu.{SONNET}");
        let entry = json!({"at": "app/env/M", "from": SONNET, "to": profile, "region": "eu-west-1", "by": "ContainerEnv"});
        let record = json!({"entries": [entry]}).to_string();
        pod["metadata"]["annotations"] = json!({"bedrock-profiles.dev/rewrites": record});
        let variables = &mut pod["spec"]["containers"][0]["env"];
        variables[1]["value"] = json!(profile);
        variables[0] = json!({"name": "OTHER", "value": "anthropic.claude-nonesuch-4-6"});
        (path == POD).then_some(Reply::Json(200, pod))
    });
    let report = explained(&server);
    let message = report["answer"]["message"].as_str().unwrap();
    let part = "Pod ml/chat was not rewritten at 1 of 2 IDs: ";
    assert!(message.starts_with(part), "{message}");
}

#[test]
fn an_object_that_is_too_large_is_not_rewritten() {
    let ids = format!("{SONNET} ").repeat(100_000);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": ids}});
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.json");
    std::fs::write(&file, map.to_string()).unwrap();
    let (code, outcome, message) = answer(&[file.to_str().unwrap()]);
    assert_eq!((code, &*outcome), (Some(1), "NotRewritten"), "{message}");
    assert!(
        message.contains("TooLarge: its evaluation takes more"),
        "{message}"
    );
}
