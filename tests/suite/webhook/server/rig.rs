//! A server under test with a handler that obeys the namespace of the review, and clients that speak TLS to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bedrock_profiles::budget::{Budget, Limits};
use bedrock_profiles::runtime::Shutdown;
use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::http::{Bound, Drained, Metrics};
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::tls::authority::{Authority, Names};
use bedrock_profiles::tls::trust::Bundle;
use bedrock_profiles::tls::{CertificateResolver, server_config};
use bedrock_profiles::webhook::body::{BodyReader, ReviewRequest, ServerLimits};
use bedrock_profiles::webhook::caller::CallerGate;
use bedrock_profiles::webhook::response::AdmissionResponse;
use bedrock_profiles::webhook::review::{self, AdmissionReview, ReviewError};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

use crate::tls_client;

pub(crate) const NAME: &str = "hook.ns.svc";

/// A namespace whose reviews panic.
pub(crate) const PANICS: &str = "panics";

/// A namespace whose reviews wait for [`Rig::release`].
pub(crate) const WAITS: &str = "waits";

/// The figures of production but for those that a test waits for.
pub(crate) fn limits() -> ServerLimits {
    let mut limits = ServerLimits::default();
    limits.connections.lame_duck = Duration::ZERO;
    limits
}

pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) trust: Trust,
    pub(crate) resolver: Arc<CertificateResolver>,
    pub(crate) shutdown: Shutdown,
    pub(crate) registry: Registry,
    pub(crate) tls: Arc<Published<ServerConfig>>,
    app: App,
    running: JoinHandle<Drained>,
}

/// The CA that a client trusts, as PEM.
#[derive(Clone)]
pub(crate) struct Trust(Arc<str>);

pub(crate) struct Client {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    connection: JoinHandle<hyper::Result<()>>,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) closes: bool,
    pub(crate) body: Bytes,
}

#[derive(Clone)]
struct App {
    reader: BodyReader,
    waiting: Arc<Semaphore>,
    released: Arc<Semaphore>,
}

impl FromRef<App> for BodyReader {
    fn from_ref(app: &App) -> Self {
        app.reader.clone()
    }
}

async fn mutate(State(app): State<App>, request: ReviewRequest) -> Response {
    match answer(&app, request.body()).await {
        Ok(bytes) => ([(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn answer(app: &App, body: &[u8]) -> Result<Bytes, ReviewError> {
    let tree = review::parse(body, &Budget::new(Limits::NONE))?;
    let envelope = AdmissionReview::of(&tree)?.envelope;
    match envelope.namespace {
        PANICS => panic!("on purpose"),
        WAITS => {
            app.waiting.add_permits(1);
            app.released.acquire().await.unwrap().forget();
        }
        _ => {}
    }
    Ok(AdmissionResponse::allowed(envelope.uid).to_bytes())
}

pub(crate) fn names() -> Names {
    Names {
        common_name: "test webhook".to_owned(),
        dns: vec![NAME.to_owned()],
        ips: Vec::new(),
    }
}

/// A review of about `padding` bytes.
pub(crate) fn review(namespace: &str, padding: usize) -> String {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u-1","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"namespace":"{namespace}","operation":"CREATE","userInfo":{{}},"object":{{"x":"{}"}},"oldObject":null}}}}"#,
        "x".repeat(padding)
    )
}

pub(crate) fn request(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/mutate?timeout=10s")
        .header("host", NAME)
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

// === Rig ===

impl Rig {
    pub(crate) async fn start(limits: ServerLimits) -> Self {
        let authority = Authority::new("test CA", SystemTime::now()).unwrap();
        Self::start_under(limits, &authority).await
    }

    pub(crate) async fn start_under(limits: ServerLimits, authority: &Authority) -> Self {
        Self::start_for(limits, authority, None).await
    }

    /// A server whose callers need a certificate of these CAs with this common name, if given.
    pub(crate) async fn start_for(
        limits: ServerLimits,
        authority: &Authority,
        callers: Option<(&Bundle, &str)>,
    ) -> Self {
        let leaf = authority.issue(&names(), SystemTime::now()).unwrap();
        let resolver = CertificateResolver::new(leaf.pair);
        let authorities = callers.map(|(authorities, _)| authorities);
        let tls = server_config(Arc::clone(&resolver), authorities).unwrap();
        let tls = Arc::new(Published::new(tls));
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let app = App {
            reader: BodyReader::register(limits, &mut registry),
            waiting: Arc::new(Semaphore::new(0)),
            released: Arc::new(Semaphore::new(0)),
        };
        let router = Router::new()
            .route("/mutate", post(mutate))
            .with_state(app.clone());
        let router = match callers {
            Some((_, name)) => CallerGate::new([name.to_owned()], app.reader.clone()).limit(router),
            None => router,
        };
        let bound = Bound::new(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = bound.address();
        let shutdown = Shutdown::new();
        let server = bound.server(
            router,
            Some(Arc::clone(&tls)),
            limits.connections,
            metrics,
            shutdown.clone(),
        );
        let running = tokio::spawn(server.run());
        Self {
            address,
            trust: Trust::new(authority),
            resolver,
            shutdown,
            registry,
            tls,
            app,
            running,
        }
    }

    /// Comes when a review of [`WAITS`] has reached the handler.
    pub(crate) async fn waiting(&self) {
        self.app.waiting.acquire().await.unwrap().forget();
    }

    /// Lets one review of [`WAITS`] go on.
    pub(crate) fn release(&self) {
        self.app.released.add_permits(1);
    }

    pub(crate) async fn ended(self) -> Drained {
        self.running.await.unwrap()
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address, &self.trust).await.unwrap()
    }

    pub(crate) async fn raw(&self) -> TlsStream<TcpStream> {
        self.trust
            .connect(self.address, &[b"http/1.1"])
            .await
            .unwrap()
    }

    /// The value of the metric whose line begins with `name`.
    pub(crate) fn metric(&self, name: &str) -> Option<u64> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(value.trim().parse().unwrap())
    }
}

// === Trust ===

impl Trust {
    pub(crate) fn new(authority: &Authority) -> Self {
        Self::of(authority.pem())
    }

    pub(crate) fn of(pem: &str) -> Self {
        Self(pem.into())
    }

    pub(crate) fn pem(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) async fn connect(
        &self,
        address: SocketAddr,
        alpn: &[&[u8]],
    ) -> Result<TlsStream<TcpStream>, tls_client::Error> {
        tls_client::connect(address, NAME, self.0.as_bytes(), alpn).await
    }

    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, tls_client::Error> {
        tls_client::shake_hands(stream, NAME, self.0.as_bytes(), &[b"http/1.1"], None).await
    }
}

// === Client ===

impl Client {
    pub(crate) async fn connect(
        address: SocketAddr,
        trust: &Trust,
    ) -> Result<Self, tls_client::Error> {
        Self::over(trust.connect(address, &[b"http/1.1"]).await?).await
    }

    pub(crate) async fn over(stream: TlsStream<TcpStream>) -> Result<Self, tls_client::Error> {
        let (sender, connection) = tls_client::http1(stream).await?;
        Ok(Self { sender, connection })
    }

    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Reply> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        Reply::read(response).await
    }

    pub(crate) async fn review(&mut self, namespace: &str) -> hyper::Result<Reply> {
        self.send(request(review(namespace, 0))).await
    }

    /// Comes when the server has closed the connection.
    pub(crate) async fn closed(self) {
        drop(self.connection.await.unwrap());
    }
}

impl Reply {
    pub(crate) async fn read(
        response: hyper::Response<hyper::body::Incoming>,
    ) -> hyper::Result<Self> {
        let (parts, body) = response.into_parts();
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        Ok(Self {
            status: parts.status,
            retry_after: header("retry-after"),
            closes: header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")),
            body: body.collect().await?.to_bytes(),
        })
    }

    /// Whether it admits the review of [`review`].
    pub(crate) fn admits(&self) -> bool {
        self.status == StatusCode::OK
            && serde_json::from_slice::<serde_json::Value>(&self.body)
                .is_ok_and(|answer| answer.pointer("/response/uid") == Some(&"u-1".into()))
    }
}
