//! An API server with one Lease, whose network can be made unreliable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::service_fn;

use super::{NAMESPACE, SECOND};

/// How reliable the network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Network {
    Reliable,
    /// All requests are lost.
    Down,
    /// Requests and responses are late or lost, and some requests fail.
    Unreliable,
    /// A write takes half a second to arrive.
    SlowWrites,
}

#[derive(Clone)]
pub(super) struct Server(Arc<Mutex<State>>);

pub(super) struct State {
    pub(super) lease: Option<Lease>,
    version: u64,
    network: Network,
    /// Number of slow writes that have not arrived yet.
    pub(super) in_flight: u32,
    random: fastrand::Rng,
}

impl Server {
    pub(super) fn new(seed: u64) -> Self {
        let server = Self(Arc::new(Mutex::new(State {
            lease: None,
            version: 0,
            network: Network::Reliable,
            in_flight: 0,
            random: fastrand::Rng::with_seed(seed),
        })));
        server.install();
        server
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores an empty Lease.
    pub(super) fn install(&self) {
        let mut state = self.state();
        state.lease = Some(Lease::default());
        state.bump_version();
    }

    pub(super) fn set(&self, network: Network) {
        self.state().network = network;
    }

    pub(super) fn lease(&self) -> Lease {
        self.state().lease.clone().unwrap()
    }

    pub(super) fn holder(&self) -> String {
        let spec = self.lease().spec.unwrap_or_default();
        spec.holder_identity.unwrap_or_default()
    }

    pub(super) fn version(&self) -> u64 {
        self.state().version
    }

    /// Waits until a slow write is in flight, and stores another write before it arrives.
    pub(super) async fn overtake(&self) {
        while self.state().in_flight == 0 {
            sleep(SECOND / 100).await;
        }
        self.state().bump_version();
    }

    pub(super) fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = service_fn(move |request: Request<kube::client::Body>| {
            let server = server.clone();
            // A request that was sent arrives even if the sender stops waiting.
            tokio::spawn(async move { server.respond(request).await })
        });
        kube::Client::new(service, NAMESPACE)
    }

    async fn respond(&self, request: Request<kube::client::Body>) -> Response<Body> {
        self.transmit().await;
        if self.state().network == Network::SlowWrites && request.method() == Method::PUT {
            self.state().in_flight += 1;
            sleep(SECOND / 2).await;
            self.state().in_flight -= 1;
        }
        if self.fails() {
            return failure(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let result = match head.method {
            Method::GET => self.state().read(),
            _ => self.state().replace(serde_json::from_slice(&body).unwrap()),
        };
        self.transmit().await;
        result.map_or_else(failure, |lease| response(StatusCode::OK, &json!(lease)))
    }

    async fn transmit(&self) {
        let delay = {
            let State {
                network, random, ..
            } = &mut *self.state();
            match (*network, random.u8(..20)) {
                (Network::Reliable | Network::SlowWrites, _) => Some(0),
                (Network::Unreliable, 1..12) => Some(random.u64(..500)),
                (Network::Unreliable, 12..) => Some(random.u64(..12_000)),
                (Network::Down, _) | (Network::Unreliable, 0) => None,
            }
        };
        match delay {
            Some(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
            None => std::future::pending().await,
        }
    }

    fn fails(&self) -> bool {
        let state = &mut *self.state();
        state.network == Network::Unreliable && state.random.u8(..10) == 0
    }
}

impl State {
    fn bump_version(&mut self) {
        self.version += 1;
        if let Some(lease) = &mut self.lease {
            lease.metadata.resource_version = Some(self.version.to_string());
        }
    }

    fn read(&self) -> Result<Lease, StatusCode> {
        self.lease.clone().ok_or(StatusCode::NOT_FOUND)
    }

    fn replace(&mut self, lease: Lease) -> Result<Lease, StatusCode> {
        if self.read()?.metadata.resource_version != lease.metadata.resource_version {
            return Err(StatusCode::CONFLICT);
        }
        self.lease = Some(lease);
        self.bump_version();
        self.read()
    }
}

fn response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
}

/// An error response of the API server.
fn failure(status: StatusCode) -> Response<Body> {
    let reason = match status {
        StatusCode::CONFLICT => "Conflict",
        StatusCode::NOT_FOUND => "NotFound",
        _ => "InternalError",
    };
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": status.as_u16(), "reason": reason, "message": status.to_string()});
    response(status, &body)
}
