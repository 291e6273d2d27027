//! CPU per review, beside a server of the same stack that reads the body and answers a constant.
//!
//! `cargo bench --bench reviews [-- WORD]` prints, for each kind of review, the CPU time that each server's process spent on it and the
//! ratio of the two, pair by pair in one run: the figures of one machine and moment mean little, their ratio does.
//! Each server is a process of its own; its time is read from `/proc`. `-- soak [COUNT]` prints its memory over many rewrites.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot be set up ends")]
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]
#![allow(
    clippy::cast_precision_loss,
    reason = "counts and times are far below 2^52"
)]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::routing::post;
use bedrock_profiles::cli::evaluation_args::EvaluationArgs;
use bedrock_profiles::cli::serve::{
    Addresses, CertificateSource, StandaloneOptions, start_standalone,
};
use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::runtime::{Shutdown, http};
use bedrock_profiles::tls;
use bedrock_profiles::tls::authority::{Authority, Names};
use bedrock_profiles::webhook::body::{BodyReader, ReviewRequest, ServerLimits};
use bytes::Bytes;
use futures::future::join_all;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, header};

mod bodies;
#[path = "../tests/support/tls_client.rs"]
mod tls_client;

/// Connections that are kept alive, as several API servers under load have them.
const CONNECTIONS: usize = 8;

/// Reviews of one measurement, over all connections.
const REVIEWS: usize = 16_000;

/// Of bodies of 100 KiB and more: a tenth, since each takes that much longer.
const LARGE: usize = 100 * 1024;

/// Measurements of each server and kind of review, in turn.
const ROUNDS: usize = 7;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    match words.next().as_deref() {
        Some("serve-floor") => serve(floor()),
        Some("serve-ours") => serve(ours()),
        Some("soak") => soak(words.next().map_or(SOAKED, |count| count.parse().unwrap())),
        filter => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(measure(filter.unwrap_or_default())),
    }
}

/// How often the largest rewrite is asked for by `soak`, unless told otherwise.
const SOAKED: usize = 100_000;

/// Asks for the largest rewrite again and again, and prints what the server's process holds of memory on the way.
fn soak(count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut ours = Server::start("serve-ours").await;
        let all = bodies::reviews();
        let (name, body) = all.last_key_value().unwrap();
        println!(
            "{name}, {} bytes, {count} times over {CONNECTIONS} connections",
            body.len()
        );
        println!("before: {}", ours.memory());
        for tenth in 1..=10 {
            ours.send(body, count / 10).await;
            println!("after {}: {}", tenth * (count / 10), ours.memory());
        }
    });
}

// === the servers ===

/// Prints where the server listens and whom to trust, and serves until it is killed.
fn serve(server: impl Future<Output = (SocketAddr, String, Serving)>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (address, ca, serving) = server.await;
        println!("{address}\n{}", ca.replace('\n', "|"));
        serving.await;
    });
}

type Serving = std::pin::Pin<Box<dyn Future<Output = ()>>>;

async fn ours() -> (SocketAddr, String, Serving) {
    let evaluation = EvaluationArgs {
        today: "2026-11-23".parse().ok(),
        ..EvaluationArgs::default()
    };
    let policy =
        serde_json::from_value(serde_json::json!({ "mode": "Rewrite", "references": "Off" }))
            .unwrap();
    let (view, _) = evaluation.view(policy).unwrap();
    let running = start_standalone(StandaloneOptions {
        addresses: Addresses {
            webhook: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
        },
        view,
        certificate: CertificateSource::SelfSigned {
            dns: vec![],
            ips: vec![],
            ca_file: None,
        },
        excluded: vec![],
        regions_injected: true,
        today: Box::new(evaluation.today()),
        limits: ServerLimits::default(),
        callers: None,
    })
    .await
    .unwrap();
    let (address, ca) = (running.address, running.ca.clone().unwrap());
    (
        address,
        ca,
        Box::pin(async { running.wait().await.unwrap() }),
    )
}

/// The same stack: connections, TLS, limits, the whole body; then always the same answer.
async fn floor() -> (SocketAddr, String, Serving) {
    const ANSWER: &str = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"0e6bb1a8-6e4a-4a55-9a5c-0a4d3b1f2c11","allowed":true}}"#;
    async fn constant(
        request: ReviewRequest,
    ) -> ([(header::HeaderName, &'static str); 1], &'static str) {
        std::hint::black_box(request.body().len());
        ([(header::CONTENT_TYPE, "application/json")], ANSWER)
    }
    let reader = BodyReader::register(ServerLimits::default(), &mut Registry::default());
    let router = Router::new()
        .route("/mutate", post(constant))
        .with_state(reader);
    let now = std::time::SystemTime::now();
    let authority = Authority::new("bench CA", now).unwrap();
    let leaf = authority
        .issue(
            &Names {
                common_name: "bench webhook".into(),
                dns: vec!["localhost".into()],
                ips: vec![],
            },
            now,
        )
        .unwrap();
    let tls = tls::server_config(tls::CertificateResolver::new(leaf.pair), None).unwrap();
    let bound = http::Bound::new(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = bound.address();
    let server = bound.server(
        router,
        Some(Arc::new(Published::new(tls))),
        http::ConnectionLimits::default(),
        http::Metrics::default(),
        Shutdown::new(),
    );
    let ca = authority.pem().to_owned();
    (
        address,
        ca,
        Box::pin(async {
            let _ = server.run().await;
        }),
    )
}

/// A server's process.
struct Server {
    child: Child,
    connections: Vec<SendRequest<Full<Bytes>>>,
}

impl Server {
    async fn start(which: &str) -> Self {
        let this = std::env::current_exe().unwrap();
        let mut child = Command::new(this)
            .arg(which)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address: SocketAddr = lines.next().unwrap().unwrap().parse().unwrap();
        let ca = lines.next().unwrap().unwrap().replace('|', "\n");
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(connect(address, &ca).await);
        }
        Self { child, connections }
    }

    /// CPU time of the process so far, over all its threads.
    fn cpu(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let each = tasks
            .map(|task| std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap());
        each.map(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    }

    /// What the process holds of memory, and held at most so far.
    fn memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.unwrap().split_whitespace().next().unwrap();
            kilobytes.parse::<f64>().unwrap() / 1024.0
        };
        format!("{:.1} MiB, {:.1} MiB at most", of("VmRSS:"), of("VmHWM:"))
    }

    /// CPU time per review, in microseconds.
    async fn per_review(&mut self, body: &Bytes) -> f64 {
        let before = self.cpu();
        let reviews = if body.len() < LARGE {
            REVIEWS
        } else {
            REVIEWS / 10
        };
        self.send(body, reviews).await;
        (self.cpu() - before) as f64 / 1000.0 / reviews as f64
    }

    /// Sends a review so many times, over all connections.
    async fn send(&mut self, body: &Bytes, reviews: usize) {
        let each = self.connections.iter_mut().map(|connection| async {
            for _ in 0..reviews / CONNECTIONS {
                let request = Request::post("/mutate?timeout=10s")
                    .header(header::HOST, "localhost")
                    .header(header::CONTENT_TYPE, "application/json")
                    .body(Full::new(body.clone()))
                    .unwrap();
                let response = connection.send_request(request).await.unwrap();
                assert!(response.status().is_success());
                response.into_body().collect().await.unwrap();
            }
        });
        join_all(each).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn connect(address: SocketAddr, ca: &str) -> SendRequest<Full<Bytes>> {
    let stream = tls_client::connect(address, "localhost", ca.as_bytes(), &[]).await;
    let (sender, _) = tls_client::http1(stream.unwrap()).await.unwrap();
    sender
}

// === the reviews ===

async fn measure(filter: &str) {
    // A peer on another machine is woken by its own kernel. Here an answer to a client that sleeps would cost the server the
    // wake-up, and the faster server would never pay it; so the client never sleeps.
    tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let mut floor = Server::start("serve-floor").await;
    let mut ours = Server::start("serve-ours").await;
    println!(
        "CPU per review in µs, median of {ROUNDS} rounds of {REVIEWS}; ratio ours / floor pair by pair: median (least – most)\n"
    );
    println!(
        "{:<28} {:>9} {:>8} {:>8}   ratio",
        "review", "bytes", "floor", "ours"
    );
    for (name, body) in bodies::reviews()
        .into_iter()
        .filter(|(name, _)| name.contains(filter))
    {
        let (mut floors, mut each, mut ratios) = (vec![], vec![], vec![]);
        for _ in 0..ROUNDS {
            let (one, other) = (floor.per_review(&body).await, ours.per_review(&body).await);
            floors.push(one);
            each.push(other);
            ratios.push(other / one);
        }
        for list in [&mut floors, &mut each, &mut ratios] {
            list.sort_by(f64::total_cmp);
        }
        let middle = ROUNDS / 2;
        println!(
            "{name:<28} {:>9} {:>8.1} {:>8.1}   {:.2} ({:.2} – {:.2})",
            body.len(),
            floors[middle],
            each[middle],
            ratios[middle],
            ratios[0],
            ratios[ROUNDS - 1]
        );
    }
}
