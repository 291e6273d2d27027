//! One connection of a listener: its handshake, its requests, and its end.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::Service as _;

use crate::runtime::Shutdown;
use crate::runtime::published::Published;

use super::peer::PeerCertificate;
use super::waiting::{WaitState, WaitingConnections};
use super::{ConnectionFailure, ConnectionLimits, Metrics};

/// The state that all connections of a listener share.
pub(super) struct ListenerState {
    pub(super) router: Router,
    pub(super) tls: Option<Arc<Published<ServerConfig>>>,
    pub(super) http: http1::Builder,
    pub(super) limits: ConnectionLimits,
    pub(super) metrics: Metrics,
    pub(super) shutdown: Shutdown,
    /// One permit for each connection that may be open.
    pub(super) places: Arc<Semaphore>,
    pub(super) waiting: WaitingConnections,
    /// The listener is closed: finish requests in flight.
    pub(super) closing: CancellationToken,
    /// The time limit has passed: close all connections.
    pub(super) cut: CancellationToken,
}

/// The place of an admitted connection.
pub(super) enum ConnectionPlace {
    Taken(OwnedSemaphorePermit),
    /// Another connection is being closed for this one.
    OfAnother,
}

impl ListenerState {
    /// A place for a new connection; `None` if every open connection has a whole request in flight.
    pub(super) fn place(&self) -> Option<ConnectionPlace> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(ConnectionPlace::Taken(permit));
        }
        if self.waiting.close_one() {
            self.metrics.lost(ConnectionFailure::Replaced);
            return Some(ConnectionPlace::OfAnother);
        }
        self.metrics.lost(ConnectionFailure::TooMany);
        None
    }

    /// Serves a connection to its end.
    pub(super) async fn connection(self: Arc<Self>, stream: TcpStream, place: ConnectionPlace) {
        let permit = match place {
            ConnectionPlace::Taken(permit) => Ok(permit),
            ConnectionPlace::OfAnother => Arc::clone(&self.places).acquire_owned().await,
        };
        let wait = self.waiting.join();
        self.metrics.open.inc();
        tokio::select! {
            biased;
            () = self.cut.cancelled() => {}
            () = wait.replaced() => {}
            () = self.shake_hands(stream, &wait) => {}
        }
        self.metrics.open.dec();
        drop(permit);
    }

    async fn shake_hands(&self, stream: TcpStream, wait: &Arc<WaitState>) {
        let mut stream = Box::pin(TimeoutWriter::new(stream));
        stream.as_mut().set_timeout_pinned(Some(self.limits.write));
        let Some(tls) = &self.tls else {
            return self.serve(stream, None, wait).await;
        };
        let tls = TlsAcceptor::from(Arc::clone(&tls.load()));
        match timeout(self.limits.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => {
                let peer = PeerCertificate::of(stream.get_ref().1);
                self.serve(stream, peer, wait).await;
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "TLS handshake failed");
                self.metrics.lost(ConnectionFailure::Handshake);
            }
            Err(_) => self.metrics.lost(ConnectionFailure::HandshakeTimeout),
        }
    }

    /// Serves the requests of one connection.
    async fn serve<S>(&self, stream: S, peer: Option<PeerCertificate>, wait: &Arc<WaitState>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let has_request = AtomicBool::new(false);
        let service = service_fn(|mut request: Request<Incoming>| {
            has_request.store(true, Ordering::Relaxed);
            if let Some(peer) = &peer {
                request.extensions_mut().insert(peer.clone());
            }
            self.respond(request, wait)
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        // Returns when the time limit of the first request has passed; never after a request.
        let silent = async |limit| {
            sleep(limit).await;
            if has_request.load(Ordering::Relaxed) {
                pending::<()>().await;
            }
        };
        let ended = tokio::select! {
            biased;
            ended = connection.as_mut() => ended,
            () = self.closing.cancelled() => {
                // A graceful shutdown would close a connection that has read nothing. A client that has just connected may be
                // sending its request; the response to it closes the connection.
                if has_request.load(Ordering::Relaxed) {
                    connection.as_mut().graceful_shutdown();
                }
                tokio::select! {
                    biased;
                    ended = connection.as_mut() => ended,
                    () = silent(self.limits.last_request) => Ok(()),
                }
            }
            () = silent(self.limits.first_request) => {
                self.metrics.lost(ConnectionFailure::FirstRequestTimeout);
                Ok(())
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection failed");
        }
    }

    /// Responds to one request, also if the handler panics.
    async fn respond(
        &self,
        request: Request<Incoming>,
        wait: &Arc<WaitState>,
    ) -> Result<Response<Body>, Infallible> {
        let request = request.map(|body| wait.begin_request(body));
        let mut router = self.router.clone();
        let result = or_panic(async move { router.call(request).await }).await;
        let mut response = match result {
            Some(Ok(response)) => response,
            Some(Err(never)) => match never {},
            None => {
                self.metrics.panics.inc();
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal error; the log has the source location\n",
                )
                    .into_response()
            }
        };
        let busy = response.status() == StatusCode::SERVICE_UNAVAILABLE;
        let headers = response.headers_mut();
        if busy {
            // The API server's client retries a POST only if this header is present.
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if busy || self.shutdown.is_draining() || wait.is_replaced() {
            // The client sends its next request to another replica.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        wait.end_request();
        Ok(response)
    }
}

/// The result of `future`; `None` if it panicked.
async fn or_panic<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        // State that a panic leaves inconsistent is dropped with the future, which is not polled again.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
