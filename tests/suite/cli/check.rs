//! `check`, against the program that it checks.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use bedrock_profiles::tls::authority::Authority;
use serde_json::Value;

use super::text;

/// A running webhook, which ends with the value.
struct Webhook {
    process: Child,
    port: String,
}

impl Webhook {
    /// Starts one that writes its CA's certificate into a file. Nobody reads its log to the end, which must not matter to it.
    fn start(ca_file: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(["serve", "--standalone", "--log-format", "json"])
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .arg("--ca-file")
            .arg(ca_file)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let address = log.lines().map(Result::unwrap).find_map(|line| {
            let event: Value = serde_json::from_str(&line).ok()?;
            Some(event["webhook"].as_str()?.to_owned())
        });
        let port = address.unwrap().rsplit(':').next().unwrap().to_owned();
        Self { process, port }
    }

    fn check(&self, ca_file: &Path) -> Output {
        let url = format!("https://localhost:{}", self.port);
        Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(["check", "--timeout", "1s", "--url", &url, "--ca-file"])
            .arg(ca_file)
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
fn check_says_whether_a_webhook_answers_and_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (
        folder.path().join("ca.crt"),
        folder.path().join("other.crt"),
    );
    let stranger = Authority::new(std::time::SystemTime::now()).unwrap();
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

    for (ca_file, says) in [
        (
            other,
            "the TLS handshake failed: invalid peer certificate: UnknownIssuer",
        ),
        (folder.path().join("none"), "cannot read "),
    ] {
        let done = webhook.check(&ca_file);
        assert_eq!(done.status.code(), Some(2));
        let said = text(&done.stderr);
        assert!(
            said.starts_with(&format!("error: {url} gives no answer: ")),
            "{said}"
        );
        assert!(said.contains(says), "{said}");
    }
}
