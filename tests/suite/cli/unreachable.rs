//! The errors of the commands that need a cluster, without one.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

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

#[test]
fn an_unreachable_api_server_is_one_line_and_a_short_wait() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{{name: c, cluster: {{server: 'http://{closed}'}}}}]\nusers: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n"
    );
    fs::write(&path, config).unwrap();
    let started = Instant::now();
    let done = run_with(path.to_str().unwrap(), &["audit", "-A"]);
    let error = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("cannot reach the API server"), "{error}");
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}
