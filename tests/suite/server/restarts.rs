//! Rolling restarts under a client that behaves as the API server does: one pool of kept-alive connections, each new
//! one to any endpoint of the Service, and a request is sent again only where HTTP permits it for a POST: after a 503
//! with `Retry-After`, or where a reused connection turned out to be closed before anything was written to it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bedrock_profiles::runtime::http::Drained;
use bedrock_profiles::tls::authority::Authority;
use hyper::StatusCode;

use super::rig::{Client, Reply, Rig, Trust, limits, request, review};

const RESTARTS: usize = 12;
const REVIEWS: usize = 10_000;

/// How long after the begin of a drain connections are still made to an endpoint.
const ENDPOINT_REMOVED_AFTER: Duration = Duration::from_millis(300);

/// The endpoints of the Service and what is known about the calls to it.
struct Service {
    trust: Trust,
    endpoints: Mutex<Vec<SocketAddr>>,
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
            endpoints.get(turn % endpoints.len()).copied().unwrap()
        };
        let client = Client::connect(endpoint, &self.trust).await;
        client
            .map(|client| (client, false))
            .map_err(|error| format!("dial {endpoint}: {error}"))
    }

    async fn review(&self) -> Result<(), String> {
        loop {
            let (mut client, reused) = self.connection().await?;
            if reused && client.sender.is_closed() {
                continue;
            }
            let sent = client
                .sender
                .try_send_request(request(review("ml", 2000)))
                .await;
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
            if !reply.admits() {
                return Err(format!("answered {}", reply.status));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_restarts_lose_no_review() {
    let authority = Authority::new(SystemTime::now()).unwrap();
    let mut limits = limits();
    limits.connections.lame_duck = 2 * ENDPOINT_REMOVED_AFTER;
    let mut replicas = [
        Rig::start_under(limits, &authority).await,
        Rig::start_under(limits, &authority).await,
    ];
    let service = Arc::new(Service {
        trust: Trust::new(&authority),
        endpoints: Mutex::new(replicas.iter().map(|replica| replica.address).collect()),
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
        let new = Rig::start_under(limits, &authority).await;
        Service::lock(&service.endpoints).push(new.address);
        let old = std::mem::replace(&mut replicas[restart % 2], new);
        old.shutdown.drain();
        tokio::time::sleep(ENDPOINT_REMOVED_AFTER).await;
        Service::lock(&service.endpoints).retain(|endpoint| *endpoint != old.address);
        assert_eq!(old.ended().await, Drained { cut: 0 });
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
