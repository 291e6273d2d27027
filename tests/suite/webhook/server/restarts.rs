//! Rolling restarts under a client that behaves as the API server does: one pool of kept-alive connections, each new
//! one to any endpoint of the Service, and a request is sent again only where HTTP permits it for a POST: after a 503
//! with `Retry-After`, or where a reused connection turned out to be closed before anything was written to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bedrock_profiles::cli::evaluation_args::EvaluationArgs;
use bedrock_profiles::cli::serve::{
    Addresses, CertificateSource, RunningServer, StandaloneOptions, start_standalone,
};
use hyper::StatusCode;
use serde_json::{Value, json};

use super::rig::{Client, NAME, Reply, Trust, limits, request};

const RESTARTS: usize = 12;
const REVIEWS: usize = 10_000;

/// How long after the begin of a drain connections are still made to an endpoint.
const ENDPOINT_REMOVED_AFTER: Duration = Duration::from_millis(300);

/// A Pod whose ID is rewritten.
const REVIEW: &str = include_str!("../../../../docs/samples/review.json");

/// An endpoint and the CA of its own.
#[derive(Clone)]
struct Endpoint {
    address: SocketAddr,
    trust: Trust,
}

/// The endpoints of the Service and what is known about the calls to it.
struct Service {
    endpoints: Mutex<Vec<Endpoint>>,
    idle: Mutex<Vec<Client>>,
    dialled: AtomicUsize,
    retried: AtomicUsize,
    admitted: AtomicUsize,
    failed: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Service {
    fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection used last, or a new one to the endpoint whose turn it is; and whether it is a reused one.
    async fn connection(&self) -> Result<(Client, bool), String> {
        if let Some(client) = Self::lock(&self.idle).pop() {
            return Ok((client, true));
        }
        let turn = self.dialled.fetch_add(1, Ordering::Relaxed);
        let endpoint = {
            let endpoints = Self::lock(&self.endpoints);
            endpoints.get(turn % endpoints.len()).cloned().unwrap()
        };
        let client = Client::connect(endpoint.address, &endpoint.trust).await;
        client
            .map(|client| (client, false))
            .map_err(|error| format!("dial {}: {error}", endpoint.address))
    }

    async fn review(&self) -> Result<(), String> {
        loop {
            let (mut client, reused) = self.connection().await?;
            if reused && client.sender.is_closed() {
                continue;
            }
            let sent = client.sender.try_send_request(request(REVIEW)).await;
            let reply = match sent {
                Ok(response) => Reply::read(response)
                    .await
                    .map_err(|error| error.to_string())?,
                Err(error) if reused && error.message().is_some() => continue,
                Err(error) => return Err(format!("reused {reused}: {}", error.error())),
            };
            if reply.status == StatusCode::SERVICE_UNAVAILABLE && reply.retry_after.is_some() {
                self.retried.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            if !rewrites(&reply) {
                return Err(format!("answered {} without a patch", reply.status));
            }
            if !reply.closes && client.sender.ready().await.is_ok() {
                Self::lock(&self.idle).push(client);
            }
            return Ok(());
        }
    }

    async fn work(&self) {
        while !self.over.load(Ordering::Relaxed) || self.admitted.load(Ordering::Relaxed) < REVIEWS
        {
            match self.review().await {
                Ok(()) => drop(self.admitted.fetch_add(1, Ordering::Relaxed)),
                Err(error) => {
                    Self::lock(&self.failed).push(error);
                    return;
                }
            }
            // Connections idle now and then, as those of an API server do.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Whether the answer is the patch of [`REVIEW`].
fn rewrites(reply: &Reply) -> bool {
    let answer: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let patched = answer.is_some_and(|answer| answer["response"]["patch"].is_string());
    reply.status == StatusCode::OK && patched
}

/// The product as `serve --standalone` starts it, on the embedded catalog.
async fn replica() -> (Endpoint, RunningServer) {
    let evaluation = EvaluationArgs {
        today: "2026-11-23".parse().ok(),
        ..EvaluationArgs::default()
    };
    let policy = json!({ "mode": "Rewrite", "references": "Off" });
    let (view, _) = evaluation
        .view(serde_json::from_value(policy).unwrap())
        .unwrap();
    let mut limits = limits();
    limits.connections.lame_duck = 2 * ENDPOINT_REMOVED_AFTER;
    let running = start_standalone(StandaloneOptions {
        addresses: Addresses {
            webhook: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
        },
        view,
        certificate: CertificateSource::SelfSigned {
            dns: vec![NAME.to_owned()],
            ips: vec![],
            ca_file: None,
        },
        excluded: vec![],
        regions_injected: true,
        today: Box::new(evaluation.today()),
        limits,
        callers: None,
    })
    .await
    .unwrap();
    let trust = Trust::of(running.ca.as_deref().unwrap());
    let address = running.address;
    (Endpoint { address, trust }, running)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_restarts_lose_no_review() {
    let mut replicas = [replica().await, replica().await];
    let service = Arc::new(Service {
        endpoints: Mutex::new(
            replicas
                .iter()
                .map(|(endpoint, _)| endpoint.clone())
                .collect(),
        ),
        idle: Mutex::default(),
        dialled: AtomicUsize::new(0),
        retried: AtomicUsize::new(0),
        admitted: AtomicUsize::new(0),
        failed: Mutex::default(),
        over: AtomicBool::new(false),
    });
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.work().await })
        })
        .collect();
    for restart in 0..RESTARTS {
        let new = replica().await;
        Service::lock(&service.endpoints).push(new.0.clone());
        let (old, running) = std::mem::replace(&mut replicas[restart % 2], new);
        running.shutdown.drain();
        let ended = tokio::spawn(running.wait());
        tokio::time::sleep(ENDPOINT_REMOVED_AFTER).await;
        Service::lock(&service.endpoints).retain(|endpoint| endpoint.address != old.address);
        ended.await.unwrap().unwrap();
    }
    service.over.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let failed = Service::lock(&service.failed);
    let admitted = service.admitted.load(Ordering::Relaxed);
    assert!(
        failed.is_empty(),
        "{} of {admitted} lost: {failed:#?}",
        failed.len()
    );
    assert!(admitted >= REVIEWS, "{admitted}");
    // Each restart must have cost connections, else nothing was tried.
    let dialled = service.dialled.load(Ordering::Relaxed);
    assert!(dialled >= RESTARTS, "{dialled}");
    println!(
        "{admitted} reviews over {dialled} connections, {} retried",
        service.retried.load(Ordering::Relaxed)
    );
}
