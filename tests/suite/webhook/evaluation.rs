//! Where reviews are evaluated: an evaluation that takes long delays nothing else, ends at its deadline, and reserves its memory.
//! Probes do not wait for anything.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bedrock_profiles::cli::serve::{
    Addresses, CertificateSource, RunningServer, StandaloneOptions, start_standalone,
};
use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::http::ConnectionLimits;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::webhook::body::{BodyReader, ServerLimits};
use bedrock_profiles::webhook::handler::AdmissionHandler;
use bedrock_profiles::webhook::memory::{MemoryLimits, evaluation_bytes};
use bedrock_profiles::webhook::metrics::Metrics;
use bedrock_profiles::webhook::{MUTATE, router};
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc as channel;
use tower::ServiceExt as _;

use super::server::rig::{Client, NAME, Trust, request};
use crate::evaluate::shipped_catalog::{SONNET, TODAY, asking, config_map, policy, view};
use crate::reviews::creation;

/// Blocks the first evaluation, which asks for the date, until it is opened.
struct Gate {
    reached: channel::UnboundedReceiver<()>,
    open: mpsc::Sender<()>,
}

fn gate() -> (Box<dyn Fn() -> Date + Send + Sync>, Gate) {
    let (reach, reached) = channel::unbounded_channel();
    let (open, opened) = mpsc::channel();
    let opened = Mutex::new(Some(opened));
    let today = move || {
        let opened = opened.lock().unwrap().take();
        if let Some(opened) = opened {
            reach.send(()).unwrap();
            // A test that fails must end: nothing opens the gate then.
            let _ = opened.recv_timeout(Duration::from_secs(30));
        }
        TODAY
    };
    (Box::new(today), Gate { reached, open })
}

impl Gate {
    async fn reached(&mut self) {
        self.reached.recv().await.unwrap();
    }

    fn open(&self) {
        self.open.send(()).unwrap();
    }
}

/// A review of a ConfigMap with an ID and about `padding` bytes besides.
fn large(padding: usize) -> String {
    creation(&config_map(&json!({
        "MODEL": SONNET, "AWS_REGION": "eu-west-1", "text": "x".repeat(padding),
    })))
}

fn rewriting() -> bedrock_profiles::domain::view::View {
    view(&policy(json!({"references": "Off"})))
}

fn has_patch(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap();
    answer["response"]["patch"].is_string()
}

async fn standalone(today: Box<dyn Fn() -> Date + Send + Sync>) -> RunningServer {
    start_standalone(StandaloneOptions {
        addresses: Addresses {
            webhook: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
        },
        view: rewriting(),
        certificate: CertificateSource::SelfSigned {
            dns: vec![NAME.to_owned()],
            ips: vec![],
            ca_file: None,
        },
        excluded: vec![],
        regions_injected: true,
        today,
        limits: ServerLimits::default(),
        callers: None,
    })
    .await
    .unwrap()
}

// One thread, so that an evaluation on it would block all that follows.
#[tokio::test]
async fn a_large_evaluation_delays_neither_probes_nor_handshakes_nor_small_reviews() {
    let (today, mut gate) = gate();
    let running = standalone(today).await;
    let (address, admin) = (running.address, running.admin_address);
    let trust = Trust::of(running.ca.as_deref().unwrap());
    let shutdown = running.shutdown.clone();
    let running = tokio::spawn(running.wait());

    let mut client = Client::connect(address, &trust).await.unwrap();
    let evaluation = tokio::spawn(async move { client.send(request(large(200 << 10))).await });
    gate.reached().await;

    let mut other = Client::connect(address, &trust).await.unwrap();
    let rewritten = request(creation(&asking(SONNET, "eu-west-1")));
    assert!(has_patch(&other.send(rewritten).await.unwrap().body));
    let miss = request(creation(&asking("x", "eu-west-1")));
    assert!(!has_patch(&other.send(miss).await.unwrap().body));
    assert_eq!(get(admin, "/livez").await, StatusCode::OK);
    assert!(!evaluation.is_finished());

    gate.open();
    assert!(has_patch(&evaluation.await.unwrap().unwrap().body));
    shutdown.abort();
    drop(running.await.unwrap());
}

#[tokio::test]
async fn idle_connections_of_the_admin_port_delay_no_probe() {
    let running = standalone(Box::new(|| TODAY)).await;
    let (admin, shutdown) = (running.admin_address, running.shutdown.clone());
    let running = tokio::spawn(running.wait());
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(admin).await.unwrap());
    }
    for path in ["/livez", "/readyz"] {
        assert_eq!(get(admin, path).await, StatusCode::OK);
    }
    drop(idle);
    shutdown.abort();
    drop(running.await.unwrap());
}

async fn get(address: std::net::SocketAddr, path: &str) -> StatusCode {
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(path).header("host", "a").body(Body::empty());
    let response = sender.send_request(request.unwrap()).await.unwrap();
    response.status()
}

/// The webhook's routes under `limits`, and its metrics.
fn routes(
    limits: ServerLimits,
    today: impl Fn() -> Date + Send + Sync + 'static,
) -> (Router, Registry) {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let view = Arc::new(Published::new(Some(rewriting())));
    let handler = AdmissionHandler::new(view, metrics, BTreeSet::new(), today);
    let reader = BodyReader::register(limits, &mut registry);
    (router(Arc::new(handler), reader), registry)
}

fn post(body: String) -> Request<Body> {
    Request::post(format!("{MUTATE}?timeout=10s"))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap()
}

fn metric(registry: &Registry, name: &str) -> usize {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value.map_or(0, |value| value.trim().parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_large_evaluation_ends_for_the_caller_at_its_deadline_and_returns_its_memory_when_it_has_ended()
 {
    let (today, mut gate) = gate();
    let (routes, registry) = routes(ServerLimits::default(), today);
    let response = tokio::spawn(routes.oneshot(post(large(100 << 10))));
    gate.reached().await;
    tokio::time::advance(Duration::from_secs(10)).await;
    let response = response.await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        metric(&registry, "requests_rejected_total{reason=\"Deadline\"}"),
        1
    );
    let body = 100 << 10;
    assert!(metric(&registry, "reserved_bytes") > 10 * body);

    gate.open();
    while metric(&registry, "reserved_bytes") > 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn an_evaluation_without_memory_is_refused_and_other_reviews_need_none() {
    for padding in [0, 100 << 10] {
        let limits = ServerLimits {
            memory: MemoryLimits {
                total: 2 * padding + 10_000,
                kept: 0,
                small: 0,
            },
            ..ServerLimits::default()
        };
        let (routes, registry) = routes(limits, || TODAY);
        let refused = routes.clone().oneshot(post(large(padding))).await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(
            metric(&registry, "requests_rejected_total{reason=\"Busy\"}"),
            1
        );
        let miss = creation(&config_map(&json!({"text": "x".repeat(padding)})));
        let admitted = routes.oneshot(post(miss)).await.unwrap();
        assert_eq!(admitted.status(), StatusCode::OK);
        assert_eq!(metric(&registry, "reserved_bytes"), 0);
    }
}

#[tokio::test]
async fn a_small_review_that_costs_much_is_evaluated_again_with_the_limits_of_a_review() {
    let keys: Vec<_> = (0..800)
        .map(|key| format!("\"k{key}\":\"{SONNET}\""))
        .collect();
    let deep = format!(
        "{}{{{}}}{}",
        "{\"a\":".repeat(300),
        keys.join(","),
        "}".repeat(300)
    );
    for (text, evaluations) in [("{}", 1), (&*deep, 2)] {
        let evaluated = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&evaluated);
        let (routes, registry) = routes(ServerLimits::default(), move || {
            counter.fetch_add(1, Ordering::Relaxed);
            TODAY
        });
        let data = json!({"MODEL": SONNET, "AWS_REGION": "eu-west-1", "m.json": text});
        let review = creation(&config_map(&data));
        assert!(review.len() < 64 << 10, "{}", review.len());
        let response = routes.oneshot(post(review)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(evaluated.load(Ordering::Relaxed), evaluations);
        assert_eq!(metric(&registry, "reserved_bytes"), 0);
        assert_eq!(metric(&registry, "admission_duration_seconds_count"), 1);
    }
}

/// The largest body whose reservation is small, rounded.
const SMALL: usize = 80 << 10;

#[test]
fn the_documented_limits_are_the_defaults() {
    let docs = std::fs::read_to_string("docs/webhook.md").unwrap();
    let (_, section) = docs.split_once("\n## Limits\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let limits = ServerLimits::default();
    let (memory, connections) = (limits.memory, limits.connections);
    let mib = |bytes: usize| format!("{} MiB", bytes >> 20);
    let small = SMALL + evaluation_bytes(SMALL);
    assert!(small <= memory.small && 11 * small / 10 > memory.small);
    let whole = limits.body + evaluation_bytes(limits.body);
    for figure in [
        format!("| the body of a review | {}", mib(limits.body)),
        format!("| {}, of which {} are", mib(memory.total), mib(memory.kept)),
        format!("reviews of up to {} KiB", SMALL >> 10),
        format!("{} bytes for each byte", evaluation_bytes(SMALL) / SMALL),
        format!("from 1 to {}", mib(whole - limits.body)),
        format!("| 1,024, and {}", ConnectionLimits::of_probes().connections),
        format!(
            "| {} s | the connection is closed",
            connections.write.as_secs()
        ),
    ] {
        assert!(section.contains(&figure), "{figure}");
    }
    assert_eq!(connections.connections, 1024);
}
