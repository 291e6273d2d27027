//! The admin port: `/livez`, `/readyz` and `/metrics` over plain HTTP. Metrics are defined by the modules that measure, and
//! registered before the port opens.

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

/// The content type of the `OpenMetrics` text format.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Whether the process is ready to receive requests. Clones share the state.
///
/// The process is ready if there is no [`Hold`] and no drain has begun.
#[derive(Clone, Debug)]
pub struct Readiness {
    shutdown: Shutdown,
    holds: Arc<Mutex<BTreeMap<u64, &'static str>>>,
    observed: Arc<watch::Sender<bool>>,
}

/// Keeps the process unready until it is released. If a hold is dropped without a release, as by a task that panicked, the
/// process stays unready.
#[derive(Debug)]
#[must_use = "a hold that is dropped without a release keeps the process unready forever"]
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
    /// Ready while there is no hold and `shutdown` has not begun.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            holds: Arc::default(),
            observed: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Makes the process unready until the hold is released. `reason` is shown by `/readyz`: what the process waits for.
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

    /// Whether a probe has observed that the process is ready. Requests follow such a probe.
    pub fn observed(&self) -> watch::Receiver<bool> {
        self.observed.subscribe()
    }

    /// The reasons of all holds, oldest first; empty if the process is ready.
    pub fn waits_for(&self) -> Vec<&'static str> {
        let draining = self
            .shutdown
            .is_draining()
            .then_some("nothing; shutting down");
        draining
            .into_iter()
            .chain(self.holds().values().copied())
            .collect()
    }

    fn holds(&self) -> MutexGuard<'_, BTreeMap<u64, &'static str>> {
        // A panic elsewhere leaves the map consistent.
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Ends the hold.
    pub fn release(self) {
        self.readiness.holds().remove(&self.number);
    }
}

// === Admin ===

/// The routes of the admin port. `registry` must be complete.
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

/// Succeeds while the process responds. It checks nothing else, because a restart would not repair anything else.
async fn livez() -> &'static str {
    "ok\n"
}

/// Succeeds if the process is ready to receive requests. Otherwise lists what it waits for.
async fn readyz(State(admin): State<Admin>) -> Response {
    let waits_for = admin.readiness.waits_for();
    if waits_for.is_empty() {
        admin.readiness.observed.send_replace(true);
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
            tracing::error!(%error, "cannot encode metrics");
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
    async fn the_process_is_ready_without_holds_before_a_drain() {
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let router = router(readiness.clone(), Registry::default());
        assert_eq!(get(&router, "/readyz").await, (200, "ok\n".into()));

        let snapshot = readiness.hold("a snapshot");
        readiness.observed.send_replace(false);
        let certificate = readiness.hold("a certificate");
        let (status, text) = get(&router, "/readyz").await;
        assert_eq!(status, 503);
        assert!(
            text.contains("a snapshot") && text.contains("a certificate"),
            "{text}"
        );

        snapshot.release();
        assert_eq!(readiness.waits_for(), ["a certificate"]);
        assert!(!*readiness.observed().borrow());
        certificate.release();
        assert_eq!(get(&router, "/readyz").await.0, 200);

        assert!(*readiness.observed().borrow());
        shutdown.drain();
        assert_eq!(get(&router, "/readyz").await.0, 503);
        assert_eq!(get(&router, "/livez").await, (200, "ok\n".into()));
    }

    #[test]
    fn a_hold_that_is_dropped_is_not_released() {
        let readiness = Readiness::new(Shutdown::new());
        drop(readiness.hold("a snapshot"));
        readiness.hold("a certificate").release();
        assert_eq!(readiness.waits_for(), ["a snapshot"]);
    }

    #[tokio::test]
    async fn registered_metrics_are_shown() {
        let mut registry = Registry::with_prefix("webhook");
        let reviews = Counter::<u64>::default();
        registry.register("reviews", "Reviews answered", reviews.clone());
        let router = router(Readiness::new(Shutdown::new()), registry);
        reviews.inc();
        let (status, text) = get(&router, "/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("webhook_reviews_total 1\n"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
