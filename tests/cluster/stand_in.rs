//! Webhooks that a trial writes as a closure: for neighbours of the product, and for proving the fixture itself.
//!
//! They run in the test's own process, on TLS, with certificates of their own. None of the product's code is in them.

mod identity;

use std::{
    convert::Infallible,
    fs::OpenOptions,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use anyhow::{Context, Result, anyhow};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{ServerConfig, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Leaf;

pub(crate) use identity::Identity;

/// What a stand-in says to one review. The default allows and changes nothing.
#[derive(Default)]
pub(crate) struct Answer {
    /// Why the object is refused, if it is.
    pub(crate) denied: Option<String>,
    /// The operations of the JSON patch.
    pub(crate) patch: Vec<Value>,
    /// Warnings for the user.
    pub(crate) warnings: Vec<String>,
    /// Audit annotations; the API server puts the webhook's name before the key.
    pub(crate) audit: Vec<(String, String)>,
}

/// A running stand-in; ends when dropped.
pub(crate) struct StandIn {
    task: JoinHandle<()>,
}

impl StandIn {
    /// Listens at the address, and answers every review by the closure, which gets the review's `request`.
    pub(crate) fn start<F>(
        address: SocketAddr,
        tls: Arc<ServerConfig>,
        log: &Path,
        answer: F,
    ) -> Result<Self>
    where
        F: Fn(&Value) -> Answer + Send + Sync + 'static,
    {
        let listener =
            TcpListener::bind(address).with_context(|| format!("cannot listen at {address}"))?;
        listener.set_nonblocking(true)?;
        let acceptor = TlsAcceptor::from(tls);
        let handler = Arc::new(ReviewHandler {
            answer,
            log: log.to_owned(),
        });
        let runtime = runtime()?;
        let _inside = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let task = runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, handler) = (acceptor.clone(), Arc::clone(&handler));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(|request| handler.serve(request));
                    // A connection that ends early is the API server's business, and is in its log.
                    // Each review comes by a handshake of its own, so that a certificate is used by the next one.
                    let _ = http1::Builder::new()
                        .keep_alive(false)
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self { task })
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct ReviewHandler<F> {
    answer: F,
    log: PathBuf,
}

impl<F: Fn(&Value) -> Answer> ReviewHandler<F> {
    async fn serve(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<bytes::Bytes>>, Infallible> {
        let (status, body) = match self.review(request).await {
            Ok(body) => (200, body),
            Err(error) => {
                self.note(&format!("not answered: {error:#}"));
                (500, error.to_string())
            }
        };
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        response.headers_mut().insert(
            "content-type",
            hyper::header::HeaderValue::from_static("application/json"),
        );
        Ok(response)
    }

    async fn review(&self, request: Request<Incoming>) -> Result<String> {
        let body = request.into_body().collect().await?.to_bytes();
        let review: Value = serde_json::from_slice(&body)?;
        let request = &review["request"];
        let answer = (self.answer)(request);
        self.note(&format!(
            "{} {} {}/{}: {}, {} operations",
            request["operation"].as_str().unwrap_or_default(),
            request["resource"]["resource"].as_str().unwrap_or_default(),
            request["namespace"].as_str().unwrap_or_default(),
            request["name"].as_str().unwrap_or_default(),
            answer.denied.as_deref().unwrap_or("allowed"),
            answer.patch.len(),
        ));
        let mut response = json!({
            "uid": request["uid"], "allowed": answer.denied.is_none(), "warnings": answer.warnings,
            "auditAnnotations": answer.audit.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        });
        if let Some(message) = answer.denied {
            response["status"] = json!({"message": message, "code": 403});
        }
        if !answer.patch.is_empty() {
            response["patchType"] = json!("JSONPatch");
            response["patch"] = json!(STANDARD.encode(serde_json::to_vec(&answer.patch)?));
        }
        let kind = "AdmissionReview";
        Ok(
            json!({"apiVersion": review["apiVersion"], "kind": kind, "response": response})
                .to_string(),
        )
    }

    fn note(&self, line: &str) {
        let file = OpenOptions::new().create(true).append(true).open(&self.log);
        let _ = file.and_then(|mut file| writeln!(file, "{line}")); // a lost line must not fail a review
    }
}

/// TLS with this leaf.
pub(crate) fn configuration(leaf: &Leaf) -> Result<Arc<ServerConfig>> {
    let chain = vec![CertificateDer::from_pem_slice(leaf.certificate.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes())?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.with_no_client_auth();
    Ok(Arc::new(builder.with_single_cert(chain, key)?))
}

/// One runtime for all stand-ins of the process.
pub(crate) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
    });
    made.as_ref()
        .map_err(|error| anyhow!("no runtime for the stand-ins: {error}"))
}
