//! The exposition of a standalone server, before and after a review.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::{exposition, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(
        "a_standalone_server_exposes_valid_metrics",
        a_standalone_server_exposes_valid_metrics,
    )]
}

struct Server {
    child: Child,
    webhook: String,
    admin: String,
}

impl Server {
    fn start(ca_file: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(["serve", "--standalone", "--log-format", "json"])
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(["--ca-file", ca_file])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let serving: Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| serving[name].as_str().unwrap().to_owned();
        Self {
            webhook: address("webhook"),
            admin: address("admin"),
            child,
        }
    }

    /// The series of a scrape.
    fn scrape(&self) -> Vec<String> {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("application/openmetrics-text"), "{head}");
        exposition::check(body).unwrap();
        let series = body.lines().filter(|line| !line.starts_with('#'));
        let series = series.map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
        series.collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn a_standalone_server_exposes_valid_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let ca_file = ca_file.to_str().unwrap();
    let server = Server::start(ca_file);
    // A histogram of twelve buckets and six series without labels.
    let before = server.scrape();
    assert_eq!(before.len(), 21, "{before:#?}");
    let checked = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["check", "--ca-file", ca_file])
        .args(["--url", &format!("https://{}", server.webhook)])
        .output()
        .unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let after = server.scrape();
    let new: Vec<_> = after.iter().filter(|one| !before.contains(one)).collect();
    assert_eq!(
        new,
        [
            "bedrock_profiles_admission_reviews_total{kind=\"Pod\",operation=\"CREATE\",outcome=\"rewritten\",dry_run=\"true\"}"
        ]
    );
}
