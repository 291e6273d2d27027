//! More large reviews at once than fit into memory: some are refused, and the process stays within the limit of the chart.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;

use super::process::{Server, address, serve};
use super::server::rig::{Client, request};
use crate::evaluate::shipped_catalog::{SONNET, config_map};
use crate::reviews::creation;
use crate::tls_client;

/// Clients at once: two and a half times as many as the memory of reviews has room for bodies.
const CLIENTS: usize = 12;

/// Reviews of each client. After the first, memory is in use that was freed before.
const ROUNDS: usize = 4;

/// Pages of the executable that a container of the chart has, beside the memory that is measured.
const EXECUTABLE: usize = 15 << 20;

/// What the chart sets of the environment and of the memory limit, in bytes.
fn of_the_chart() -> (String, usize) {
    let rendered = fs::read_to_string("tests/data/chart/default.yaml").unwrap();
    let after = |text: &str| {
        let (_, rest) = rendered.split_once(text).unwrap();
        rest.lines().next().unwrap().trim().to_owned()
    };
    let limit = after("limits:\n            memory: ");
    let limit: usize = limit.strip_suffix("Mi").unwrap().parse().unwrap();
    (
        after("- name: GLIBC_TUNABLES\n          value: "),
        limit << 20,
    )
}

/// The memory of the process that no file backs, in bytes.
fn anonymous_memory(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kibibytes: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes << 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_reviews_at_once_stay_within_the_memory_limit_of_the_chart() {
    let (tunables, limit) = of_the_chart();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let mut command = serve(&["--ca-file", ca.to_str().unwrap(), "--today", "2026-11-23"]);
    command.env("GLIBC_TUNABLES", tunables);
    let (server, _log, line) = Server::start(command);
    let address = address(&line).parse().unwrap();
    let trust: Arc<str> = fs::read_to_string(ca).unwrap().into();

    let (process, over) = (server.id(), Arc::new(AtomicBool::new(false)));
    let measuring = thread::spawn({
        let over = Arc::clone(&over);
        move || {
            let mut peak = 0;
            while !over.load(Ordering::Relaxed) {
                peak = peak.max(anonymous_memory(process).unwrap_or_default());
                thread::sleep(Duration::from_millis(2));
            }
            peak
        }
    });

    let connect = move || {
        let trust = Arc::clone(&trust);
        async move {
            let stream =
                tls_client::connect(address, "localhost", trust.as_bytes(), &[b"http/1.1"]).await;
            Client::over(stream.unwrap()).await.unwrap()
        }
    };
    let data = json!({"MODEL": SONNET, "AWS_REGION": "eu-west-1", "text": "<".repeat(2 << 20)});
    // As the API server writes the character.
    let review = creation(&config_map(&data)).replace('<', "\\u003c");
    assert!(
        (12 << 20..14 << 20).contains(&review.len()),
        "{}",
        review.len()
    );
    let review = bytes::Bytes::from(review);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (connect, review) = (connect.clone(), review.clone());
            tokio::spawn(async move {
                let mut refused = 0;
                for _ in 0..ROUNDS {
                    match connect()
                        .await
                        .send(request(review.clone()))
                        .await
                        .unwrap()
                        .status
                    {
                        StatusCode::OK => {}
                        StatusCode::SERVICE_UNAVAILABLE => refused += 1,
                        other => panic!("{other}"),
                    }
                }
                refused
            })
        })
        .collect();
    let mut refused = 0;
    for client in clients {
        refused += client.await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let peak = measuring.join().unwrap();
    assert!(refused > 0, "the reviews were not too many");
    assert!(
        peak + EXECUTABLE < limit,
        "{} MiB of {} MiB",
        peak >> 20,
        limit >> 20
    );
    let reply = connect().await.send(request(review)).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
}
