//! An API server of one Lease, whose network can be made bad.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::service_fn;

use super::SECOND;
use crate::cluster::client::Clients;

/// How the API server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    Fair,
    /// Nobody ever hears of it.
    Silent,
    /// Requests and answers are late or lost, and some are refused.
    Rough,
    /// A write takes half a second to arrive.
    SlowWrites,
}

#[derive(Clone)]
pub(super) struct Server(Arc<Mutex<State>>);

pub(super) struct State {
    pub(super) lease: Option<Lease>,
    version: u64,
    weather: Weather,
    /// Slow writes that have not arrived yet.
    pub(super) on_their_way: u32,
    random: fastrand::Rng,
}

impl Server {
    pub(super) fn new(seed: u64) -> Self {
        let server = Self(Arc::new(Mutex::new(State {
            lease: None,
            version: 0,
            weather: Weather::Fair,
            on_their_way: 0,
            random: fastrand::Rng::with_seed(seed),
        })));
        server.ship();
        server
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the Lease as the chart ships it.
    pub(super) fn ship(&self) {
        let mut state = self.state();
        state.lease = Some(Lease::default());
        state.stamp();
    }

    pub(super) fn set(&self, weather: Weather) {
        self.state().weather = weather;
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

    /// Waits until a slow write is on its way, and writes something before it arrives.
    pub(super) async fn overtake(&self) {
        while self.state().on_their_way == 0 {
            sleep(SECOND / 100).await;
        }
        self.state().stamp();
    }

    pub(super) fn clients(&self) -> Clients {
        let server = self.clone();
        let service = service_fn(move |request: Request<kube::client::Body>| {
            let server = server.clone();
            // What was sent arrives, also where the sender has given up.
            tokio::spawn(async move { server.answer(request).await })
        });
        let client = kube::Client::new(service, "bedrock");
        Clients {
            reading: client.clone(),
            writing: client,
            namespace: "bedrock".to_owned(),
        }
    }

    async fn answer(&self, request: Request<kube::client::Body>) -> Response<Body> {
        self.travel().await;
        if self.state().weather == Weather::SlowWrites && request.method() == Method::PUT {
            self.state().on_their_way += 1;
            sleep(SECOND / 2).await;
            self.state().on_their_way -= 1;
        }
        if self.is_refused() {
            return failure(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = match head.method {
            Method::GET => self.state().read(),
            _ => self.state().replace(serde_json::from_slice(&body).unwrap()),
        };
        self.travel().await;
        answer.map_or_else(failure, |lease| respond(StatusCode::OK, &json!(lease)))
    }

    async fn travel(&self) {
        let delay = {
            let State {
                weather, random, ..
            } = &mut *self.state();
            match (*weather, random.u8(..20)) {
                (Weather::Fair | Weather::SlowWrites, _) => Some(0),
                (Weather::Rough, 1..12) => Some(random.u64(..500)),
                (Weather::Rough, 12..) => Some(random.u64(..12_000)),
                (Weather::Silent, _) | (Weather::Rough, 0) => None,
            }
        };
        match delay {
            Some(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
            None => std::future::pending().await,
        }
    }

    fn is_refused(&self) -> bool {
        let state = &mut *self.state();
        state.weather == Weather::Rough && state.random.u8(..10) == 0
    }
}

impl State {
    fn stamp(&mut self) {
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
        self.stamp();
        self.read()
    }
}

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
}

/// A refusal in the API server's words.
fn failure(status: StatusCode) -> Response<Body> {
    let reason = match status {
        StatusCode::CONFLICT => "Conflict",
        StatusCode::NOT_FOUND => "NotFound",
        _ => "InternalError",
    };
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": status.as_u16(), "reason": reason, "message": status.to_string()});
    respond(status, &body)
}
