//! What every server is made of: listeners, the webhook, the admin port, and what has to end with them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::civil::Date;
use prometheus_client::registry::Registry;

use crate::cluster::release::SYSTEM_NAMESPACE;
use crate::domain::view::View;
use crate::runtime::admin::{self, Hold, Readiness};
use crate::runtime::published::Published;
use crate::runtime::{BoxError, Shutdown, TaskError, Tasks, http, telemetry};
use crate::tls::{self, Resolver};
use crate::webhook;
use crate::webhook::body::{self, BodyBudget};
use crate::webhook::handler::AdmissionHandler;
use crate::webhook::metrics::Metrics;

use super::StartError;

/// Prefix of every metric.
const METRICS: &str = "bedrock_profiles";

/// Namespaces that are never judged: a mistake there would be nobody's to mend.
pub(super) const NEVER: &[&str] = &[SYSTEM_NAMESPACE];

/// The name that the common names of all CAs of the product begin with.
pub(super) const CA_NAME: &str = "bedrock-profiles CA";

/// The common name of all leaf certificates of the product.
pub(super) const SERVER_NAME: &str = "bedrock-profiles webhook";

/// Where to listen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// Address of the webhook.
    pub webhook: SocketAddr,
    /// Address of the admin port.
    pub admin: SocketAddr,
}

/// By what and about whom the webhook judges.
pub(super) struct Judges {
    /// What is judged by.
    pub view: Arc<Published<Option<View>>>,
    /// Namespaces that are never judged, besides `kube-system`.
    pub excluded: Vec<String>,
    /// The day that decides over dates of end of life.
    pub today: Box<dyn Fn() -> Date + Send + Sync>,
    /// What the server may be made to do.
    pub limits: body::Limits,
}

/// A server in the making: its ports are bound, and it is not ready.
pub(super) struct Stack {
    /// What is told to end.
    pub shutdown: Shutdown,
    /// What keeps it from being ready.
    pub readiness: Readiness,
    /// Where metrics are made known, until it runs.
    pub registry: Registry,
    /// What runs.
    pub tasks: Tasks,
    webhook: http::Bound,
    admin: http::Bound,
    starting: Hold,
}

/// A server that accepts reviews.
pub struct Running {
    /// Address of the webhook, with the port that was taken.
    pub address: SocketAddr,
    /// Address of the admin port.
    pub admin_address: SocketAddr,
    /// The CA to trust, as PEM, where it is ours.
    pub ca: Option<String>,
    /// Ends it.
    pub shutdown: Shutdown,
    tasks: Tasks,
}

impl Running {
    /// Lets SIGTERM and SIGINT begin the drain, and a second one end at once.
    pub fn end_on_signals(&mut self) -> std::io::Result<()> {
        let signals = self.shutdown.on_signals()?;
        self.tasks.support("the signals", signals);
        Ok(())
    }

    /// Serves until the drain is over; the first task that ends early ends all.
    pub async fn wait(self) -> Result<(), TaskError> {
        self.tasks.run().await
    }
}

impl Stack {
    /// Binds both ports.
    pub(super) async fn bind(addresses: Addresses) -> Result<Self, StartError> {
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let starting = readiness.hold("the listeners to be bound");
        let mut registry = Registry::with_prefix(METRICS);
        telemetry::register(&mut registry);
        Ok(Self {
            readiness,
            registry,
            tasks: Tasks::new(shutdown.clone()),
            shutdown,
            webhook: http::Bound::new(addresses.webhook).await?,
            admin: http::Bound::new(addresses.admin).await?,
            starting,
        })
    }

    /// Starts to serve with what `resolver` holds; `ca` is told to whoever asks.
    pub(super) fn serve(
        mut self,
        judges: Judges,
        resolver: Arc<Resolver>,
        ca: Option<String>,
    ) -> Result<Running, StartError> {
        let (address, admin_address) = (self.webhook.address(), self.admin.address());
        let tls = tls::server_config(resolver)?;
        let connections = http::Metrics::register(&mut self.registry);
        let body_metrics = body::Metrics::register(&mut self.registry);
        let metrics = Metrics::register(&mut self.registry);
        let excluded: BTreeSet<Box<str>> = NEVER
            .iter()
            .map(|name| (*name).into())
            .chain(judges.excluded.into_iter().map(Into::into))
            .collect();
        let handler = AdmissionHandler::new(judges.view, metrics, excluded, judges.today);
        let budget = BodyBudget::new(judges.limits, body_metrics);
        let router = webhook::router(Arc::new(handler), budget);

        let limits = judges.limits.connections;
        let shutdown = self.shutdown.clone();
        let serving = self
            .webhook
            .server(router, Some(tls), limits, connections, shutdown);
        self.tasks
            .work("the webhook", async move { told(serving.run().await) });
        let router = admin::router(self.readiness, self.registry);
        let serving = self.admin.server(
            router,
            None,
            http::Limits::default(),
            http::Metrics::default(),
            Shutdown::new(),
        );
        self.tasks
            .support("the admin port", async move { told(serving.run().await) });
        self.starting.release();
        Ok(Running {
            address,
            admin_address,
            ca,
            shutdown: self.shutdown,
            tasks: self.tasks,
        })
    }
}

/// Says what the drain had to cut. An error would be wrong: the process was told to end.
#[expect(clippy::unnecessary_wraps, reason = "a task's outcome is a result")]
fn told(drained: http::Drained) -> Result<(), BoxError> {
    if drained.cut > 0 {
        tracing::warn!(
            cut = drained.cut,
            "connections were cut at the end of the drain"
        );
    }
    Ok(())
}
