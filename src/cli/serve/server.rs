//! The server that both modes have: listeners, webhook, admin port and background tasks.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use prometheus_client::registry::Registry;
use rustls::ServerConfig;

use crate::cluster::release::SYSTEM_NAMESPACE;
use crate::domain::view::View;
use crate::runtime::admin::{self, Hold, Readiness};
use crate::runtime::published::Published;
use crate::runtime::{BoxError, Shutdown, TaskError, Tasks, http, telemetry};
use crate::tls::files::{AuthoritiesFile, RELOAD_INTERVAL};
use crate::tls::{self, CertificateResolver, TlsError};
use crate::webhook;
use crate::webhook::body::{self, BodyReader};
use crate::webhook::caller::CallerGate;
use crate::webhook::handler::AdmissionHandler;
use crate::webhook::metrics::Metrics;

use super::StartError;

/// Prefix of every metric.
const METRICS: &str = "bedrock_profiles";

/// The name that the common names of all CAs of the product begin with.
pub(super) const CA_NAME: &str = "bedrock-profiles CA";

/// The common name of all leaf certificates of the product.
pub(super) const SERVER_NAME: &str = "bedrock-profiles webhook";

/// Addresses to listen on.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// Address of the webhook.
    pub webhook: SocketAddr,
    /// Address of the admin port.
    pub admin: SocketAddr,
}

/// Which callers may send reviews: those with a client certificate of these CAs and one of these common names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerOptions {
    /// File with the CA certificates, as PEM; reloaded when it changes.
    pub authorities: PathBuf,
    /// Common names; at least one.
    pub common_names: Vec<String>,
}

/// What the webhook evaluates reviews with.
pub(super) struct WebhookOptions {
    /// The view to evaluate with; `None` until it is known.
    pub view: Arc<Published<Option<View>>>,
    /// Namespaces to ignore, besides `kube-system`.
    pub excluded: Vec<String>,
    /// Whether another webhook may set a region in Pods.
    pub regions_injected: bool,
    /// The date to compare end-of-life dates with.
    pub today: Box<dyn Fn() -> Date + Send + Sync>,
    /// The limits of the server.
    pub limits: body::ServerLimits,
    /// Which callers may send reviews; `None`: any.
    pub callers: Option<CallerOptions>,
}

/// A server whose ports are bound and which is not ready yet.
pub(super) struct BoundServer {
    /// Begins the shutdown.
    pub shutdown: Shutdown,
    /// Holds back readiness.
    pub readiness: Readiness,
    /// Collects the metrics until the server runs.
    pub registry: Registry,
    /// The running tasks.
    pub tasks: Tasks,
    webhook: http::Bound,
    admin: http::Bound,
    starting: Hold,
}

/// A server that accepts reviews.
pub struct RunningServer {
    /// Address of the webhook, with the actual port.
    pub address: SocketAddr,
    /// Address of the admin port.
    pub admin_address: SocketAddr,
    /// The CA certificate to trust, as PEM, unless the certificate is from files.
    pub ca: Option<String>,
    /// Begins the shutdown.
    pub shutdown: Shutdown,
    tasks: Tasks,
}

impl RunningServer {
    /// Drains on SIGTERM, SIGINT or SIGHUP, and ends at once on the second signal.
    pub fn shut_down_on_signals(&mut self) -> std::io::Result<()> {
        let signals = self.shutdown.on_signals()?;
        self.tasks.support("signal handler", signals);
        Ok(())
    }

    /// Runs until the drain is complete; a task that ends early ends the server.
    pub async fn wait(self) -> Result<(), TaskError> {
        self.tasks.run().await
    }
}

impl BoundServer {
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

    /// Starts to serve with the certificate of `resolver`, whose CA certificate is `ca`.
    pub(super) fn serve(
        mut self,
        options: WebhookOptions,
        resolver: Arc<CertificateResolver>,
        ca: Option<String>,
    ) -> Result<RunningServer, StartError> {
        let (address, admin_address) = (self.webhook.address(), self.admin.address());
        let (authorities, common_names) = match options.callers {
            Some(callers) => (Some(callers.authorities), Some(callers.common_names)),
            None => (None, None),
        };
        let tls = self.tls(resolver, authorities)?;
        let connections = http::Metrics::register(&mut self.registry);
        let metrics = Metrics::register(&mut self.registry);
        let excluded = options.excluded.into_iter().map(Into::into);
        let excluded: BTreeSet<Box<str>> = excluded.chain([SYSTEM_NAMESPACE.into()]).collect();
        let handler = AdmissionHandler::new(options.view, metrics, excluded, options.today)
            .with_regions_injected(options.regions_injected);
        let reader = BodyReader::register(options.limits, &mut self.registry);
        let gate = common_names.map(|names| CallerGate::new(names, reader.clone()));
        let router = webhook::router(Arc::new(handler), reader);
        let router = match gate {
            Some(gate) => gate.limit(router),
            None => router,
        };

        let limits = options.limits.connections;
        let shutdown = self.shutdown.clone();
        let serving = self
            .webhook
            .server(router, Some(tls), limits, connections, shutdown);
        self.tasks
            .work("webhook", async move { log_drain(serving.run().await) });
        let router = admin::router(self.readiness, self.registry);
        let serving = self.admin.server(
            router,
            None,
            http::ConnectionLimits::of_probes(),
            http::Metrics::default(),
            Shutdown::new(),
        );
        self.tasks.support(
            "admin server",
            async move { log_drain(serving.run().await) },
        );
        self.starting.release();
        Ok(RunningServer {
            address,
            admin_address,
            ca,
            shutdown: self.shutdown,
            tasks: self.tasks,
        })
    }
}

impl BoundServer {
    /// The TLS configuration, with the CAs of callers if any, replaced by a task when their file changes.
    fn tls(
        &mut self,
        resolver: Arc<CertificateResolver>,
        authorities: Option<PathBuf>,
    ) -> Result<Arc<Published<ServerConfig>>, TlsError> {
        let Some(path) = authorities else {
            let config = tls::server_config(resolver, None)?;
            return Ok(Arc::new(Published::new(config)));
        };
        let (file, bundle) = AuthoritiesFile::open(path)?;
        let config = tls::server_config(Arc::clone(&resolver), Some(&bundle))?;
        let published = Arc::new(Published::new(config));
        let config = Arc::clone(&published);
        let reloading = reload_authorities(file, RELOAD_INTERVAL, resolver, config);
        self.tasks.support("client authorities", async move {
            reloading.await;
            Ok::<(), BoxError>(())
        });
        Ok(published)
    }
}

/// Replaces the TLS configuration when the CAs of callers change. On errors, which are logged, the current CAs stay.
async fn reload_authorities(
    mut file: AuthoritiesFile,
    interval: Duration,
    resolver: Arc<CertificateResolver>,
    published: Arc<Published<ServerConfig>>,
) {
    while let Some((next, reloaded)) = file.reload_after(interval).await {
        file = next;
        let config = reloaded.and_then(|bundle| {
            let config = |bundle| tls::server_config(Arc::clone(&resolver), Some(bundle));
            bundle.as_ref().map(config).transpose()
        });
        match config {
            Ok(None) => {}
            Ok(Some(config)) => {
                published.replace(config);
                tracing::info!("verifying callers by new client CAs");
            }
            Err(error) => {
                tracing::warn!(%error, "cannot load the client CAs; keeping the current ones");
            }
        }
    }
}

/// Logs the connections that the drain had to close. They are no error, since the process is shutting down.
#[expect(clippy::unnecessary_wraps, reason = "tasks return results")]
fn log_drain(drained: http::Drained) -> Result<(), BoxError> {
    if drained.cut > 0 {
        tracing::warn!(
            connections = drained.cut,
            "closed open connections at the end of the drain"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use tokio::time::timeout;

    use super::*;
    use crate::tls::authority::Authority;

    #[tokio::test]
    async fn new_client_cas_replace_the_tls_configuration_and_an_invalid_file_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.crt");
        // A reader never sees a part of a file that is renamed.
        let write = |text: &str| {
            std::fs::write(folder.path().join("new"), text).unwrap();
            std::fs::rename(folder.path().join("new"), &path).unwrap();
        };
        let pem = |name| Authority::new(name, SystemTime::now()).unwrap();
        write(pem("one").pem());
        let (file, bundle) = AuthoritiesFile::open(path.clone()).unwrap();
        let resolver = CertificateResolver::empty();
        let config = tls::server_config(Arc::clone(&resolver), Some(&bundle)).unwrap();
        let published = Arc::new(Published::new(config));
        let before = Arc::clone(&published.load());
        let mut changes = published.subscribe();
        let interval = Duration::from_millis(1);
        let reloading = reload_authorities(file, interval, resolver, Arc::clone(&published));
        let task = tokio::spawn(reloading);
        write("no certificate");
        tokio::time::sleep(20 * interval).await;
        assert!(Arc::ptr_eq(&before, &published.load()));
        write(pem("two").pem());
        let replaced = timeout(Duration::from_mins(1), changes.changed());
        replaced.await.unwrap();
        assert!(!Arc::ptr_eq(&before, &published.load()));
        task.abort();
    }
}
