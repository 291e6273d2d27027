//! The admin port: `/livez`, `/readyz` and `/metrics` over plain HTTP. It serves no review, and makes no metric of
//! its own: families live with their owners, who register them before the port opens.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
pub use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::runtime::Shutdown;

/// The text form in which metrics are written.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Whether the process should be sent work. Clones share it.
///
/// Ready means: nobody holds a [`Hold`], and no drain has begun. It does not mean that work would be done well.
#[derive(Clone, Debug)]
pub struct Readiness {
    shutdown: Shutdown,
    holds: Arc<Mutex<BTreeMap<u64, &'static str>>>,
    told: Arc<watch::Sender<bool>>,
}

/// Keeps the process from being ready until it is released. A hold that is dropped without a release, as by a task
/// that died, keeps it so for ever.
#[derive(Debug)]
#[must_use = "a hold that is dropped without a release keeps the process from ever being ready"]
pub struct Hold {
    readiness: Readiness,
    number: u64,
}

#[derive(Clone)]
struct Admin {
    readiness: Readiness,
    registry: Arc<Registry>,
}

// === Readiness ===

impl Readiness {
    /// Ready from the start, until a hold is taken; no longer once `shutdown` drains.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            holds: Arc::default(),
            told: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Not ready until the hold is released; `reason` says what is waited for, in the words of an operator.
    pub fn hold(&self, reason: &'static str) -> Hold {
        let mut holds = self.holds();
        let number = holds.last_key_value().map_or(0, |(last, _)| last + 1);
        holds.insert(number, reason);
        drop(holds);
        Hold {
            readiness: self.clone(),
            number,
        }
    }

    /// Whether anybody has asked and was told that the process is ready. Who sends work learns it from whoever asked.
    pub fn told(&self) -> watch::Receiver<bool> {
        self.told.subscribe()
    }

    /// What stands in the way, oldest first; empty when ready.
    pub fn waits_for(&self) -> Vec<&'static str> {
        let draining = self
            .shutdown
            .is_draining()
            .then_some("nothing: shutting down");
        draining
            .into_iter()
            .chain(self.holds().values().copied())
            .collect()
    }

    fn holds(&self) -> MutexGuard<'_, BTreeMap<u64, &'static str>> {
        // The map is whole after each of its own calls, whoever panicked.
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// What was waited for is there.
    pub fn release(self) {
        self.readiness.holds().remove(&self.number);
    }
}

// === Admin ===

/// The routes of the admin port. `registry` is complete: what is not registered by now is not shown.
pub fn router(readiness: Readiness, registry: Registry) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Admin {
            readiness,
            registry: Arc::new(registry),
        })
}

/// Says that the process still answers, and nothing about its work: a restart cures nothing else.
async fn livez() -> &'static str {
    "ok\n"
}

/// Says whether work should be sent here, and if not, what is waited for.
async fn readyz(State(admin): State<Admin>) -> Response {
    let waits_for = admin.readiness.waits_for();
    if waits_for.is_empty() {
        admin.readiness.told.send_replace(true);
        return "ok\n".into_response();
    }
    let mut text = String::from("not ready, waiting for:\n");
    for reason in waits_for {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {reason}");
    }
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &admin.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use prometheus_client::metrics::counter::Counter;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(router: &Router, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn is_ready_when_nothing_is_held_and_no_drain_has_begun() {
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let router = router(readiness.clone(), Registry::default());
        assert_eq!(get(&router, "/readyz").await, (200, "ok\n".into()));

        let snapshot = readiness.hold("a snapshot");
        readiness.told.send_replace(false);
        let certificate = readiness.hold("a certificate");
        let (status, text) = get(&router, "/readyz").await;
        assert_eq!(status, 503);
        assert!(
            text.contains("a snapshot") && text.contains("a certificate"),
            "{text}"
        );

        snapshot.release();
        assert_eq!(readiness.waits_for(), ["a certificate"]);
        assert!(!*readiness.told().borrow());
        certificate.release();
        assert_eq!(get(&router, "/readyz").await.0, 200);

        assert!(*readiness.told().borrow());
        shutdown.drain();
        assert_eq!(get(&router, "/readyz").await.0, 503);
        assert_eq!(get(&router, "/livez").await, (200, "ok\n".into()));
    }

    #[test]
    fn a_hold_that_dies_with_its_owner_is_not_released() {
        let readiness = Readiness::new(Shutdown::new());
        drop(readiness.hold("a snapshot"));
        readiness.hold("a certificate").release();
        assert_eq!(readiness.waits_for(), ["a snapshot"]);
    }

    #[tokio::test]
    async fn shows_what_was_registered() {
        let mut registry = Registry::with_prefix("bedrock_profiles");
        let reviews = Counter::<u64>::default();
        registry.register("reviews", "Reviews answered", reviews.clone());
        let router = router(Readiness::new(Shutdown::new()), registry);
        reviews.inc();
        let (status, text) = get(&router, "/metrics").await;
        assert_eq!(status, 200);
        assert!(
            text.contains("bedrock_profiles_reviews_total 1\n"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
