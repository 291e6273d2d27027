//! `check --url`: sends a dry-run review of a sample Pod to a webhook, as the API server would, and verifies the webhook's certificate.
//! Retries until the timeout. It needs neither a cluster nor rights.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use axum::http::uri::{InvalidUri, Scheme};
use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;

use crate::cli::cluster_args::block_on;
use crate::cli::console;
use crate::cli::named_file::read_named_bytes;
use crate::health::{SAMPLE_NAMESPACE, sample_pod};
use crate::tls::trust::Bundle;
use crate::webhook::MUTATE;

/// A webhook to send a review to.
#[derive(Debug)]
pub(super) struct ReviewedWebhook<'a> {
    /// Its URL.
    pub(super) url: &'a WebhookUrl,
    /// The CA certificates to trust, as PEM.
    pub(super) ca_file: &'a Path,
    /// Whether it should refuse a caller without a client certificate.
    pub(super) client_auth: bool,
}

/// The URL of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookUrl {
    host: String,
    port: u16,
    path: String,
}

/// Why a text is not the URL of a webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookUrlError {
    /// The text is not a URL.
    #[error(transparent)]
    Uri(#[from] InvalidUri),
    /// The URL has another scheme, or no host.
    #[error("expected https://HOST[:PORT][/PATH]")]
    NotHttps,
}

/// The fields of an `AdmissionResponse` that are printed.
#[derive(Debug, Deserialize)]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(default)]
    warnings: Vec<String>,
}

/// Why the response to the review is not valid.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The status is not 200.
    #[error("the webhook responded with {status}: {text}")]
    Status {
        /// The status.
        status: StatusCode,
        /// The first line of the body.
        text: String,
    },
    /// The body is not an `AdmissionReview`.
    #[error("the response is not an AdmissionReview")]
    Body(#[source] serde_json::Error),
    /// The response belongs to another request.
    #[error("the response UID does not match the request")]
    Uid,
}

/// The UID of the review.
const UID: &str = "bedrock-profiles-check";

/// The time between attempts. A new Service is not reachable from every node at once.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The limit of a response in bytes; the response for the sample Pod has a few hundred.
const LARGEST_RESPONSE: usize = 64 * 1024;

/// Sends a review, and prints the response.
pub(super) fn run(webhook: &ReviewedWebhook<'_>, timeout: Duration) -> anyhow::Result<ExitCode> {
    let response = block_on(check_until(webhook, timeout))?;
    let url = webhook.url;
    let Some(response) = response else {
        return print(&format!(
            "{url}: the certificate is trusted, and a caller without a client certificate is refused\n"
        ));
    };
    let verdict = if response.allowed {
        "allowed"
    } else {
        "denied"
    };
    let mut text = format!("{url}: the certificate is trusted, and the sample Pod is {verdict}\n");
    for warning in &response.warnings {
        text.extend(["Warning: ", warning, "\n"]);
    }
    print(&text)
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    console::print_document(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Sends reviews until one succeeds or the time is up; the error is that of the last attempt. `None`: refused, as expected.
async fn check_until(
    webhook: &ReviewedWebhook<'_>,
    time: Duration,
) -> anyhow::Result<Option<Response>> {
    let end = Instant::now() + time;
    let mut last = anyhow::anyhow!("no response before the timeout");
    loop {
        match timeout_at(end, check_once(webhook)).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => last = error,
            Err(_) => break,
        }
        if Instant::now() + RETRY_AFTER >= end {
            break;
        }
        sleep(RETRY_AFTER).await;
    }
    Err(last).with_context(|| format!("the check of {} failed", webhook.url))
}

/// Sends one review. The CA file is read for each attempt, since a mounted file may appear later.
async fn check_once(webhook: &ReviewedWebhook<'_>) -> anyhow::Result<Option<Response>> {
    let ca_file = webhook.ca_file;
    let pem =
        read_named_bytes(ca_file).with_context(|| format!("cannot read {}", ca_file.display()))?;
    let bundle = Bundle::from_pem(&pem)?;
    anyhow::ensure!(
        !bundle.is_empty(),
        "{} contains no certificate",
        ca_file.display()
    );
    let (status, body) = send(webhook.url, bundle.client_config()?).await?;
    if !webhook.client_auth {
        return Ok(Some(read(status, &body)?));
    }
    anyhow::ensure!(
        status == StatusCode::UNAUTHORIZED,
        "the webhook responded with {status} to a caller without a client certificate, and not with 401; start it with --client-ca-file"
    );
    Ok(None)
}

async fn send(url: &WebhookUrl, config: Arc<ClientConfig>) -> anyhow::Result<(StatusCode, Bytes)> {
    let name = ServerName::try_from(url.host.clone()).context("the URL has no valid host")?;
    let stream = TcpStream::connect((url.host.as_str(), url.port))
        .await
        .context("cannot connect")?;
    let stream = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .context("the TLS handshake failed")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(&url.path)
        .header(header::HOST, url.host.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .body(Body::from(review()))?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(Body::new(body), LARGEST_RESPONSE).await?;
        anyhow::Ok((head.status, body))
    };
    // The connection closes after the response, so that its own result adds nothing.
    let (response, _) = tokio::join!(exchange, connection);
    response
}

/// A dry-run review of a Pod with a direct ID, in a namespace that every cluster has.
fn review() -> String {
    let pod = sample_pod(SAMPLE_NAMESPACE, "sample");
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": UID, "dryRun": true, "operation": "CREATE", "userInfo": {"username": UID},
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "", "namespace": SAMPLE_NAMESPACE, "object": pod, "oldObject": null}})
    .to_string()
}

/// The response to the review.
fn read(status: StatusCode, body: &[u8]) -> Result<Response, CheckError> {
    #[derive(Deserialize)]
    struct Review {
        response: Response,
    }
    if status != StatusCode::OK {
        let text = String::from_utf8_lossy(body);
        let text = text.lines().next().unwrap_or_default().to_owned();
        return Err(CheckError::Status { status, text });
    }
    let review: Review = serde_json::from_slice(body).map_err(CheckError::Body)?;
    if review.response.uid == UID {
        Ok(review.response)
    } else {
        Err(CheckError::Uid)
    }
}

impl WebhookUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// If the text is not an HTTPS URL with a host.
    pub(super) fn parse(text: &str) -> Result<Self, WebhookUrlError> {
        let uri: Uri = text.parse()?;
        let host = uri.host().filter(|_| uri.scheme() == Some(&Scheme::HTTPS));
        let host = host.ok_or(WebhookUrlError::NotHttps)?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(443),
            path: if path == "/" { MUTATE } else { path }.to_owned(),
        })
    }
}

impl std::fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}:{}{}", self.host, self.port, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Budget, Limits};
    use crate::webhook::response::AdmissionResponse;
    use crate::webhook::review::{AdmissionReview, parse};

    #[test]
    fn a_url_needs_https_and_a_host_and_its_path_defaults_to_mutate() {
        let parsed = |text| WebhookUrl::parse(text).map(|url| url.to_string());
        assert_eq!(
            parsed("https://a.b.svc").unwrap(),
            "https://a.b.svc:443/mutate"
        );
        assert_eq!(
            parsed("https://a:8443/validate?timeout=2s").unwrap(),
            "https://a:8443/validate?timeout=2s"
        );
        for wrong in ["a.b.svc", "http://a.b.svc", "https://", "/mutate", ""] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_sample_review_is_a_valid_dry_run() {
        let text = review();
        let tree = parse(text.as_bytes(), &Budget::new(Limits::NONE)).unwrap();
        let envelope = AdmissionReview::of(&tree).unwrap().envelope;
        assert!(envelope.dry_run);
        assert_eq!(envelope.uid, UID);
    }

    #[test]
    fn a_response_must_match_the_review_that_was_sent() {
        let ok = |uid| read(StatusCode::OK, &AdmissionResponse::allowed(uid).to_bytes());
        assert!(ok(UID).unwrap().allowed);
        assert!(matches!(ok("another"), Err(CheckError::Uid)));
        let denied = AdmissionResponse::denied(UID, 403, "no".to_owned()).to_bytes();
        assert!(!read(StatusCode::OK, &denied).unwrap().allowed);
        let empty = read(StatusCode::OK, b"{}");
        assert!(matches!(empty, Err(CheckError::Body(_))));
        let unavailable = read(StatusCode::SERVICE_UNAVAILABLE, b"not yet\nreally");
        assert_eq!(
            unavailable.unwrap_err().to_string(),
            "the webhook responded with 503 Service Unavailable: not yet"
        );
    }
}
