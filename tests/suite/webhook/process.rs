//! The webhook's routes with the real handler behind them, and the process around them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::Duration;

use axum::http::StatusCode;
use bedrock_profiles::webhook::MUTATE;
use serde_json::{Value, json};

use crate::evaluate::shipped_catalog::{SONNET, TODAY, policy, view};
use crate::reviews::post;
use crate::tls_client;

use super::server::rig::{Client, request};

/// Reviews while the log is not read.
const REVIEWS: usize = 500;

async fn ask(uri: &str, body: String) -> (StatusCode, String) {
    post(
        view(&policy(json!({"references": "Off"}))),
        TODAY,
        uri,
        body,
    )
    .await
}

fn sample() -> Value {
    serde_json::from_str(&fs::read_to_string("docs/samples/review.json").unwrap()).unwrap()
}

#[tokio::test]
async fn the_sample_is_answered_as_the_readme_shows() {
    let (status, answer) = ask("/mutate", sample().to_string()).await;
    assert_eq!(status, StatusCode::OK);
    let readme = fs::read_to_string("README.md").unwrap();
    let shown = readme
        .lines()
        .find(|line| line.starts_with("{\"kind\":\"AdmissionReview\""))
        .unwrap();
    for part in shown.split("…") {
        let part = part.trim_end_matches(['}', '{']);
        assert!(answer.contains(part), "{part}\n{answer}");
    }
}

#[tokio::test]
async fn invalid_reviews_trigger_the_failure_policy() {
    let with = |change: fn(&mut Value)| {
        let mut review = sample();
        change(&mut review);
        review.to_string()
    };
    let whole = sample().to_string();
    for (body, status) in [
        (String::new(), StatusCode::BAD_REQUEST),
        (format!("not JSON {SONNET}"), StatusCode::BAD_REQUEST),
        (
            whole[..whole.len() - 20].to_owned(),
            StatusCode::BAD_REQUEST,
        ),
        (whole[..60].to_owned(), StatusCode::BAD_REQUEST),
        ("{}".to_owned(), StatusCode::UNPROCESSABLE_ENTITY),
        (
            json!({"model": SONNET}).to_string(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            with(|review| review["kind"] = json!("Pod")),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            with(|review| review["apiVersion"] = json!("admission.k8s.io/v1beta1")),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            with(|review| review["request"]["uid"] = json!("")),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            with(|review| drop(review["request"].as_object_mut().unwrap().remove("uid"))),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            with(|review| review["request"] = Value::Null),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let (found, response) = ask("/mutate", body.clone()).await;
        assert_eq!(found, status, "{body}: {response}");
        assert!(
            !response.contains(SONNET),
            "an error quotes no body: {response}"
        );
    }
}

#[tokio::test]
async fn a_review_with_too_little_time_left_is_answered_503() {
    let (status, _) = ask(&format!("{MUTATE}?timeout=1ms"), sample().to_string()).await;
    assert!(
        status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::REQUEST_TIMEOUT,
        "{status}"
    );
}

#[tokio::test]
async fn other_resources_are_admitted_under_any_webhook_rules() {
    let with = |change: fn(&mut Value)| {
        let mut review = sample();
        change(&mut review["request"]);
        review.to_string()
    };
    for (path, body) in [
        (
            "/mutate",
            with(|request| request["operation"] = json!("UPDATE")),
        ),
        (
            "/mutate",
            with(|request| request["operation"] = json!("DELETE")),
        ),
        (
            "/mutate",
            with(|request| request["subResource"] = json!("status")),
        ),
        (
            "/mutate",
            with(|request| request["namespace"] = json!("kube-system")),
        ),
        ("/mutate", with(|request| request["object"] = Value::Null)),
        (
            "/mutate",
            with(|request| request["resource"]["resource"] = json!("deployments")),
        ),
        ("/validate", with(|_| ())),
    ] {
        let (status, answer) = ask(path, body).await;
        assert_eq!(status, StatusCode::OK);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(
            answer["response"],
            json!({"uid": sample()["request"]["uid"], "allowed": true})
        );
    }
}

pub(super) fn serve(args: &[&str]) -> Command {
    serve_with_log("json", args)
}

fn serve_with_log(format: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command
        .args(["serve", "--standalone", "--log-format", format])
        .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
        .args(args);
    command
}

#[test]
fn a_log_that_is_no_terminal_has_no_colours() {
    let mut command = serve_with_log("text", &[]);
    command.env_remove("NO_COLOR");
    let (_server, _log, line) = Server::start(command);
    assert!(!line.contains('\u{1b}'), "{line:?}");
}

#[test]
fn a_policy_that_needs_a_cluster_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    for (spec, words) in [
        (
            "{}",
            "resolves references, and ConfigMaps cannot be read without a cluster: set `spec.references` to \"Off\" or Report",
        ),
        (
            "{references: 'Off', match: {namespaceSelector: {matchLabels: {team: a}}}}",
            "selects namespaces by label `team`",
        ),
    ] {
        let path = folder.path().join("policy.yaml");
        fs::write(&path, format!("{{apiVersion: bedrock-profiles.dev/v1alpha1, kind: InferenceProfilePolicy, metadata: {{name: p}}, spec: {spec}}}")).unwrap();
        let done = serve(&["--policy", path.to_str().unwrap()])
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2));
        let errors = String::from_utf8(done.stderr).unwrap();
        assert!(errors.contains(words), "{errors}");
    }
}

/// A running server, which ends with the value, also if its test fails.
pub(super) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Starts the server, and waits for the first line of its log.
    pub(super) fn start(mut command: Command) -> (Self, BufReader<ChildStderr>, String) {
        let mut server = Self(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut log = BufReader::new(server.0.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        assert!(line.contains("serving"), "{line}");
        (server, log, line)
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

/// Starts the binary and waits until it logs that it serves.
fn started() -> (Server, BufReader<ChildStderr>) {
    let (server, log, _) = started_with(&[]);
    (server, log)
}

/// The same with further arguments, and the address of the webhook.
fn started_with(args: &[&str]) -> (Server, BufReader<ChildStderr>, String) {
    let (server, log, line) = Server::start(serve(args));
    (server, log, address(&line))
}

/// The address of the webhook in the first line of the log.
pub(super) fn address(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    line["webhook"].as_str().unwrap().to_owned()
}

/// The log filter of `docs/security.md`.
#[test]
fn the_log_has_the_peer_of_each_connection_if_asked() {
    let filter = "info,bedrock_profiles::runtime::http=debug";
    let page = fs::read_to_string("docs/security.md").unwrap();
    assert!(page.contains(&format!("`log.filter: {filter}`")));
    let (_server, mut log, address) = started_with(&["--log", filter]);
    let stream = TcpStream::connect(&address).unwrap();
    let peer = stream.local_addr().unwrap().to_string();
    drop(stream); // logged too
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    let logged = ["message", "peer", "port"].map(|field| &line[field]);
    assert_eq!(json!(logged), json!(["connection accepted", peer, port]));
}

fn signal(server: &Server) {
    send(server, "-TERM");
}

fn send(server: &Server, signal: &str) {
    assert!(
        Command::new("kill")
            .args([signal, &server.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn the_first_signal_drains_and_the_second_exits_at_once() {
    let (mut server, mut log) = started();
    signal(&server);
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("draining"), "{line}");
    signal(&server);
    let status = server.wait();
    let mut rest = String::new();
    log.read_to_string(&mut rest).unwrap();
    assert_eq!(
        status.code(),
        Some(2),
        "what was in flight was dropped: {rest}"
    );
    for line in rest.lines().filter(|line| line.starts_with('{')) {
        serde_json::from_str::<Value>(line).expect("each log line is JSON");
    }
}

#[test]
fn a_signal_alone_ends_well() {
    let (mut server, _log) = started();
    signal(&server);
    assert!(server.wait().success());
}

#[test]
fn sighup_drains_as_sigterm_does() {
    let (mut server, mut log) = started();
    send(&server, "-HUP");
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("draining"), "{line}");
    assert!(server.wait().success());
}

#[tokio::test]
async fn a_log_that_is_not_read_stops_no_review() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let args = ["--ca-file", ca.to_str().unwrap(), "--today", "2026-11-23"];
    let (mut server, log, address) = started_with(&args);
    let address = address.parse().unwrap();
    let trust = fs::read_to_string(ca).unwrap();

    // Each makes a line of some 400 bytes, and a pipe takes 64 KiB.
    let stream = tls_client::connect(address, "localhost", trust.as_bytes(), &[b"http/1.1"]);
    let mut client = Client::over(stream.await.unwrap()).await.unwrap();
    let mut named = sample();
    for field in ["uid", "name"] {
        named["request"][field] = json!("x".repeat(100_000));
    }
    for number in 0..REVIEWS {
        let review = if number == 0 { &named } else { &sample() };
        let reply = client.send(request(review.to_string()));
        let reply = tokio::time::timeout(Duration::from_secs(30), reply).await;
        let reply = reply.unwrap_or_else(|_| panic!("review {number} is not answered"));
        assert_eq!(reply.unwrap().status, StatusCode::OK);
    }
    signal(&server);
    let reading = std::thread::spawn(move || log.lines().map_while(Result::ok).collect::<Vec<_>>());
    assert!(server.wait().success());
    let lines = reading.join().unwrap();
    assert!(lines.len() >= REVIEWS, "{}", lines.len());
    for line in &lines {
        assert!(line.len() < 2000, "{}", line.len());
        let line: Value = serde_json::from_str(line).expect("each log line is JSON");
        assert!(line["timestamp"].is_string());
    }
}
