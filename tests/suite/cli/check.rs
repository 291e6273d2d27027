//! `check --url`, against the program that it checks, and the checks of a cluster without a release. Those of a release are trials on a
//! real API server.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use bedrock_profiles::tls::authority::Authority;
use serde_json::Value;

use super::api_server::{ApiServer, failure};
use super::text;

/// A running webhook, which ends with the value.
pub(super) struct Webhook {
    process: Child,
    pub(super) port: String,
    admin: String,
}

impl Webhook {
    /// Starts one that writes its CA certificate into a file. Its log is not read to the end, which must not affect it.
    pub(super) fn start(ca_file: &Path) -> Self {
        Self::start_with(ca_file, &[])
    }

    fn start_with(ca_file: &Path, args: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(["serve", "--standalone", "--log-format", "json"])
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .arg("--ca-file")
            .arg(ca_file)
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let serving = log.lines().map(Result::unwrap).find_map(|line| {
            let event: Value = serde_json::from_str(&line).ok()?;
            event["webhook"].is_string().then_some(event)
        });
        let serving = serving.unwrap();
        let (webhook, admin) = (&serving["webhook"], &serving["admin"]);
        let port = webhook.as_str().unwrap().rsplit(':').next().unwrap();
        Self {
            process,
            port: port.to_owned(),
            admin: admin.as_str().unwrap().to_owned(),
        }
    }

    /// The value of a metric.
    fn metric(&self, series: &str) -> u64 {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        let request = "GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let text = std::io::read_to_string(stream).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.unwrap_or_else(|| panic!("no {series} in {text}"))
            .trim()
            .parse()
            .unwrap()
    }

    fn check(&self, ca_file: &Path) -> Output {
        self.check_with(ca_file, &[])
    }

    fn check_with(&self, ca_file: &Path, args: &[&str]) -> Output {
        let url = format!("https://localhost:{}", self.port);
        Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(["check", "--timeout", "1s", "--url", &url, "--ca-file"])
            .arg(ca_file)
            .args(args)
            .output()
            .unwrap()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn check_reports_whether_a_webhook_answers_and_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (
        folder.path().join("ca.crt"),
        folder.path().join("other.crt"),
    );
    let stranger = Authority::new("test CA", std::time::SystemTime::now()).unwrap();
    fs::write(&other, stranger.anchor().pem()).unwrap();
    let webhook = Webhook::start(&own);

    let done = webhook.check(&own);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let url = format!("https://localhost:{}/mutate", webhook.port);
    assert_eq!(
        text(&done.stdout).lines().next(),
        Some(format!("{url}: the certificate is trusted, and the sample Pod is allowed").as_str())
    );
    assert!(text(&done.stdout).contains("Warning: bedrock-profiles: "));

    // Its log is closed, and what it said of the review was lost; nothing else was.
    assert!(webhook.metric("bedrock_profiles_log_records_dropped_total") > 0);
    assert_eq!(webhook.metric("bedrock_profiles_panics_total"), 0);
    let build = format!(
        "bedrock_profiles_build_info{{version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(webhook.metric(&build), 1);

    for (ca_file, response) in [
        (
            other,
            "the TLS handshake failed: invalid peer certificate: UnknownIssuer",
        ),
        (folder.path().join("none"), "cannot read "),
    ] {
        let done = webhook.check(&ca_file);
        assert_eq!(done.status.code(), Some(2));
        let printed = text(&done.stderr);
        assert!(
            printed.starts_with(&format!("error: the check of {url} failed: ")),
            "{printed}"
        );
        assert!(printed.contains(response), "{printed}");
    }
}

#[test]
fn check_expects_a_webhook_with_client_authentication_to_refuse_it() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, clients) = (
        folder.path().join("ca.crt"),
        folder.path().join("clients.crt"),
    );
    let authority = Authority::new("clients", std::time::SystemTime::now()).unwrap();
    fs::write(&clients, authority.pem()).unwrap();
    let clients = clients.to_str().unwrap();
    let limits = [
        "--client-ca-file",
        clients,
        "--client-common-name",
        "kube-apiserver",
    ];
    let expecting = ["--client-auth"];
    let webhook = Webhook::start_with(&ca, &limits);
    let refused = webhook.check_with(&ca, &expecting);
    assert!(refused.status.success(), "{refused:?}");
    assert!(text(&refused.stdout).contains("a caller without a client certificate is refused"));
    let unexpected = webhook.check(&ca);
    assert_eq!(unexpected.status.code(), Some(2));
    assert!(
        text(&unexpected.stderr).contains("401 Unauthorized: a client certificate is required")
    );
    drop(webhook);

    let webhook = Webhook::start(&ca);
    let answered = webhook.check_with(&ca, &expecting);
    assert_eq!(answered.status.code(), Some(2));
    assert!(
        text(&answered.stderr)
            .contains("responded with 200 OK to a caller without a client certificate")
    );
}

#[test]
fn a_cluster_without_a_release_fails_one_check() {
    let server = ApiServer::start(|_| None);
    let done = server.run(&["check"]);
    let printed = text(&done.stdout);
    assert_eq!(
        done.status.code(),
        Some(1),
        "{printed}{}",
        text(&done.stderr)
    );
    let (first, rest) = printed.split_once('\n').unwrap();
    let expected = format!(
        "
Kubernetes
  passed   ServerVersion        v1.36.0 at {first}

Release
  FAILED   ReleaseInstalled     no Deployment has the label
                                app.kubernetes.io/name=bedrock-profiles
                                Next: Install a release (docs/install.md), after
                                `bedrock-profiles check --pre`; or name its
                                namespace with -n.
                                docs/check.md#releaseinstalled

1 passed, 1 failed
"
    );
    assert_eq!(rest, expected);
    let done = server.run(&["check", "-o", "json"]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let schema = fs::read_to_string("docs/schemas/check.json").unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    jsonschema::validate(&schema, &report).unwrap();
    assert_eq!(report["release"], Value::Null);
    assert_eq!(report["summary"]["failed"], 1);
}

#[test]
fn a_release_that_cannot_be_read_is_neither_passed_nor_failed() {
    let server = ApiServer::start(|path| (path != "/version").then(|| failure(403, "forbidden")));
    let done = server.run(&["check"]);
    let printed = text(&done.stdout);
    assert_eq!(done.status.code(), Some(2), "{printed}");
    assert!(printed.contains("unknown  ReleaseInstalled"), "{printed}");
    assert!(printed.contains("list deployments.apps"), "{printed}");
    assert_eq!(
        text(&done.stderr),
        "error: the release cannot be read, so that it was not checked\n"
    );
}
