//! The errors of the commands that need a cluster, without one.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::api_server::kubeconfig;
use super::check::Webhook;
use super::text;

/// Longer than a command may wait for an API server: its timeout is five seconds.
const LIMIT: Duration = Duration::from_secs(15);

fn run_with(kubeconfig: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(args)
        .env("KUBECONFIG", kubeconfig)
        .env_remove("KUBERNETES_SERVICE_HOST")
        .output()
        .unwrap()
}

#[test]
fn the_cause_of_a_missing_kubeconfig_is_printed_once() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none").display().to_string();
    for args in [&["serve"][..], &["audit", "-A"]] {
        let done = run_with(&missing, args);
        let error = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{error}");
        assert_eq!(
            error.matches("No such file or directory").count(),
            1,
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

/// Runs `audit -A` with this server in the kubeconfig, and returns its only line.
fn error_of(server: &str, user: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs::write(&path, kubeconfig(server, user)).unwrap();
    let started = Instant::now();
    let done = run_with(path.to_str().unwrap(), &["audit", "-A"]);
    let error = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(server), "{error}");
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    error.to_owned()
}

#[test]
fn an_unreachable_api_server_is_one_line_with_host_and_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    let error = error_of(&format!("https://{silent}"), "{}");
    assert!(
        error.ends_with(": no response within 5 seconds\n") || error.contains("timeout"),
        "{error}"
    );
    drop(listener);
    let error = error_of(&format!("https://{silent}"), "{}");
    assert!(error.ends_with(": connection refused\n"), "{error}");
    let error = error_of("https://api.cluster.invalid:6443", "{}");
    assert!(
        error.ends_with(": the name of the host is not found\n"),
        "{error}"
    );
}

#[test]
fn a_certificate_that_is_not_trusted_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Webhook::start(&folder.path().join("ca.crt"));
    let error = error_of(&format!("https://localhost:{}", server.port), "{}");
    assert!(
        error.contains("its certificate is not trusted (UnknownIssuer)"),
        "{error}"
    );
}

#[test]
fn a_credential_plugin_that_fails_is_not_logged_in() {
    let user = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo secret; echo the SSO session has expired >&2; exit 3'], interactiveMode: Never}}";
    let error = error_of("https://127.0.0.1:1", user);
    assert!(error.contains("not logged in"), "{error}");
    assert!(
        error.contains("the SSO session has expired") && !error.contains("secret"),
        "{error}"
    );
}
