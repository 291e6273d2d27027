//! A listener and its connections: HTTP/1.1 with or without TLS, under limits, and a drain that loses no request.
//!
//! It is built on hyper instead of a server crate, because limits and drain need access to the connections: whether one has sent a
//! request yet, the `Connection: close` header on responses during the lame duck period, and the connections that the kernel has
//! accepted but the server has not. It reads no bodies and knows no routes.

mod connection;
mod limits;
mod peer;
mod waiting;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::runtime::Shutdown;
use crate::runtime::admin::Registry;
use crate::runtime::published::Published;

use connection::ListenerState;
use waiting::WaitingConnections;

pub use limits::ConnectionLimits;
pub use peer::PeerCertificate;

/// Metrics of the connections of one listener.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    open: Gauge,
    lost: Family<LostLabels, Counter>,
    panics: Counter,
}

/// A bound listener, which does not serve yet.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// A listener that is ready to serve.
pub struct Server {
    listener: TcpListener,
    shared: ListenerState,
}

/// The result of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were closed with a request in flight, or before they had sent one.
    pub cut: usize,
}

/// Why an address could not be bound.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address}: {source}; choose a free port, above 1023 for unprivileged users"
)]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LostLabels {
    reason: ConnectionFailure,
}

/// Why a connection was refused, or ended without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum ConnectionFailure {
    TooMany,
    Replaced,
    Handshake,
    HandshakeTimeout,
    FirstRequestTimeout,
}

// === Metrics ===

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("connections", "Open connections", metrics.open.clone());
        registry.register(
            "connections_lost",
            "Connections that were refused, failed before their first request, or were closed for new ones, by reason",
            metrics.lost.clone(),
        );
        registry.register(
            "requests_panicked",
            "Requests answered with status 500 because their handler panicked",
            metrics.panics.clone(),
        );
        metrics
    }

    fn lost(&self, reason: ConnectionFailure) {
        self.lost.get_or_create(&LostLabels { reason }).inc();
        tracing::debug!(?reason, "connection lost");
    }
}

// === Bound ===

impl Bound {
    /// Listens on `address`; port 0 selects a free port. Connections wait until a server runs.
    ///
    /// # Errors
    /// [`BindError`] if the address is in use or not local.
    pub async fn new(address: SocketAddr) -> Result<Self, BindError> {
        let fail = |source| BindError { address, source };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        Ok(Self { listener, address })
    }

    /// The address, with the port that was selected.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A server for `router` under `limits`, over TLS if `tls` is given, that drains with `shutdown`. A replaced TLS configuration is used
    /// from the next handshake on.
    pub fn server(
        self,
        router: Router,
        tls: Option<Arc<Published<ServerConfig>>>,
        limits: ConnectionLimits,
        metrics: Metrics,
        shutdown: Shutdown,
    ) -> Server {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.idle)
            .max_buf_size(limits.header.max(8192));
        let shared = ListenerState {
            router,
            tls,
            http,
            limits,
            metrics,
            shutdown,
            places: Arc::new(Semaphore::new(limits.connections)),
            waiting: WaitingConnections::default(),
            closing: CancellationToken::new(),
            cut: CancellationToken::new(),
        };
        Server {
            listener: self.listener,
            shared,
        }
    }
}

// === Server ===

impl Server {
    /// Serves until the drain ends. When the shutdown drains, the server continues to accept for the lame duck period, with
    /// `Connection: close` on each response, then finishes requests in flight. When it aborts, the server ends at once. Dropping
    /// the future closes every connection.
    pub async fn run(self) -> Drained {
        let Self { listener, shared } = self;
        let shared = Arc::new(shared);
        let connections = TaskTracker::new();
        let _cut_when_dropped = shared.cut.clone().drop_guard();
        let admit = |stream| admit(stream, &shared, &connections);
        let lame_duck_is_over = async {
            shared.shutdown.draining().await;
            tokio::select! {
                () = sleep(shared.limits.lame_duck) => {}
                () = shared.shutdown.aborted() => {}
            }
        };
        tokio::select! {
            biased;
            () = lame_duck_is_over => {}
            never = accept_all(&listener, admit) => match never {},
        }
        // Connections that the kernel has accepted by now would be reset when the listener is closed.
        while let Some(Ok((stream, _))) = now(|cx| listener.poll_accept(cx)).await {
            admit(stream);
        }
        drop(listener);
        connections.close();
        shared.closing.cancel();
        tokio::select! {
            biased;
            () = connections.wait() => {}
            () = sleep(shared.limits.in_flight) => {}
            () = shared.shutdown.aborted() => {}
        }
        let cut = connections.len();
        shared.cut.cancel();
        connections.wait().await;
        Drained { cut }
    }
}

/// Accepts connections forever.
async fn accept_all(listener: &TcpListener, admit: impl Fn(TcpStream)) -> Infallible {
    let port = listener.local_addr().map_or(0, |address| address.port());
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tracing::debug!(port, %peer, "connection accepted");
                admit(stream);
            }
            Err(error) => {
                // Out of file descriptors, mostly: without a pause this would be a busy loop.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves a connection in its own task, so that a slow one does not delay others, if there is a place for it.
fn admit(stream: TcpStream, shared: &Arc<ListenerState>, connections: &TaskTracker) {
    let Some(place) = shared.place() else {
        return;
    };
    // A response is one small write; without this option it waits for the acknowledgement of the previous one.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    connections.spawn(Arc::clone(shared).connection(stream, place));
}

/// The value of `poll` if it is ready now.
async fn now<T>(mut poll: impl FnMut(&mut std::task::Context<'_>) -> Poll<T>) -> Option<T> {
    poll_fn(|cx| match poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
