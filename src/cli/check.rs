//! `check`: whether a webhook answers, and under a certificate that the API server would take. It sends one dry-run review of a
//! sample Pod, as often as it takes until the time is up.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use axum::http::uri::Scheme;
use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;

use crate::tls::trust::Bundle;
use crate::webhook::MUTATE;

/// Sends a review to a webhook.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the webhook is; without a path, its mutating entry.
    #[arg(long, value_name = "URL", value_parser = Target::parse)]
    pub url: Target,
    /// Certificates of the CAs to trust, as PEM, and no others.
    #[arg(long, value_name = "FILE")]
    pub ca_file: PathBuf,
    /// How long to try.
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub timeout: SignedDuration,
}

/// Where a webhook is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    path: String,
}

/// The answer to a review, as far as it is told.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Answer {
    uid: String,
    allowed: bool,
    #[serde(default)]
    warnings: Vec<String>,
}

/// Why an answer is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoAnswer {
    /// The server answers something else than 200.
    #[error("it says {status}: {text}")]
    Status {
        /// What it says.
        status: StatusCode,
        /// The first line of why.
        text: String,
    },
    /// The body is not a review.
    #[error("what it says is no answer to a review: {0}")]
    Form(String),
    /// It answers another review.
    #[error("it answers another review than it was sent")]
    Other,
}

/// The identifier of the review.
const UID: &str = "bedrock-profiles-check";

/// How long to wait before the next try: a Service that is new is not known on every node yet.
const AGAIN: Duration = Duration::from_secs(1);

/// How much of an answer is read, in bytes: one to the sample Pod has a few hundred.
const MOST: usize = 64 * 1024;

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let time = Duration::try_from(args.timeout).context("--timeout is below zero")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(ask_until(args, time))?;
    let mut text = format!(
        "{}: the certificate is trusted, and the sample Pod is {}\n",
        args.url,
        if answer.allowed { "allowed" } else { "refused" }
    );
    for warning in &answer.warnings {
        text.extend(["Warning: ", warning, "\n"]);
    }
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to the standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// Asks until there is an answer or the time is up, and says then what was wrong last.
async fn ask_until(args: &Args, time: Duration) -> anyhow::Result<Answer> {
    let end = Instant::now() + time;
    let mut last = anyhow::anyhow!("it does not answer in time");
    loop {
        match timeout_at(end, ask(&args.url, &args.ca_file)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = error,
            Err(_) => break,
        }
        if Instant::now() + AGAIN >= end {
            break;
        }
        sleep(AGAIN).await;
    }
    Err(last).with_context(|| format!("{} gives no answer", args.url))
}

/// Asks once. The CAs are read each time: they may be mounted, and be there a moment later.
async fn ask(target: &Target, ca_file: &PathBuf) -> anyhow::Result<Answer> {
    let pem =
        std::fs::read(ca_file).with_context(|| format!("cannot read {}", ca_file.display()))?;
    let bundle = Bundle::from_pem(&pem)?;
    anyhow::ensure!(
        !bundle.is_empty(),
        "{} holds no certificate",
        ca_file.display()
    );
    let (status, body) = send(target, bundle.client_config()?).await?;
    Ok(read(status, &body)?)
}

async fn send(target: &Target, config: Arc<ClientConfig>) -> anyhow::Result<(StatusCode, Bytes)> {
    let name = ServerName::try_from(target.host.clone()).context("the URL names no host")?;
    let stream = TcpStream::connect((target.host.as_str(), target.port))
        .await
        .context("cannot connect")?;
    let stream = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .context("the TLS handshake failed")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::post(&target.path)
        .header(header::HOST, target.host.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .body(Body::from(review()))?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(Body::new(body), MOST).await?;
        anyhow::Ok((head.status, body))
    };
    // The connection ends after its only answer; what it says then has nothing to add.
    let (answer, _) = tokio::join!(exchange, connection);
    answer
}

/// A review of a Pod with a direct ID. Nobody makes it: it is a dry run, in a namespace that every cluster has.
fn review() -> String {
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "sample", "namespace": "default"},
        "spec": {"containers": [{"name": "sample", "image": "sample", "env": [
            {"name": "AWS_REGION", "value": "eu-west-1"},
            {"name": "BEDROCK_MODEL_ID", "value": "anthropic.claude-sonnet-4-5-20250929-v1:0"}]}]}});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": UID, "dryRun": true, "operation": "CREATE", "userInfo": {"username": UID},
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "sample", "namespace": "default", "object": pod, "oldObject": null}})
    .to_string()
}

/// What the server says to the review.
fn read(status: StatusCode, body: &[u8]) -> Result<Answer, NoAnswer> {
    #[derive(Deserialize)]
    struct Review {
        response: Answer,
    }
    if status != StatusCode::OK {
        let text = String::from_utf8_lossy(body);
        let text = text.lines().next().unwrap_or_default().to_owned();
        return Err(NoAnswer::Status { status, text });
    }
    let review: Review =
        serde_json::from_slice(body).map_err(|error| NoAnswer::Form(error.to_string()))?;
    if review.response.uid == UID {
        Ok(review.response)
    } else {
        Err(NoAnswer::Other)
    }
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// Where it is none of a host over HTTPS.
    fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
        let host = uri.host().filter(|_| uri.scheme() == Some(&Scheme::HTTPS));
        let host = host.ok_or("expected https://HOST[:PORT][/PATH]")?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(443),
            path: if path == "/" { MUTATE } else { path }.to_owned(),
        })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}:{}{}", self.host, self.port, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::response::AdmissionResponse;
    use crate::webhook::review::{AdmissionReview, parse};

    #[test]
    fn a_url_names_a_host_and_mostly_no_more() {
        let target = |text| Target::parse(text).map(|target| target.to_string());
        assert_eq!(
            target("https://a.b.svc").unwrap(),
            "https://a.b.svc:443/mutate"
        );
        assert_eq!(
            target("https://a:8443/validate?timeout=2s").unwrap(),
            "https://a:8443/validate?timeout=2s"
        );
        for wrong in ["a.b.svc", "http://a.b.svc", "https://", "/mutate", ""] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_review_is_one_that_the_webhook_reads() {
        let text = review();
        let tree = parse(text.as_bytes()).unwrap();
        let envelope = AdmissionReview::of(&tree).unwrap().envelope;
        assert!(envelope.dry_run);
        assert_eq!(envelope.uid, UID);
    }

    #[test]
    fn an_answer_is_one_to_the_review_that_was_sent() {
        let ok = |uid| read(StatusCode::OK, &AdmissionResponse::allowed(uid).to_bytes());
        assert!(ok(UID).unwrap().allowed);
        assert_eq!(ok("another"), Err(NoAnswer::Other));
        let refused = AdmissionResponse::denied(UID, 403, "no".to_owned()).to_bytes();
        assert!(!read(StatusCode::OK, &refused).unwrap().allowed);
        assert!(matches!(
            read(StatusCode::OK, b"{}"),
            Err(NoAnswer::Form(_))
        ));
        assert_eq!(
            read(StatusCode::SERVICE_UNAVAILABLE, b"not yet\nreally"),
            Err(NoAnswer::Status {
                status: StatusCode::SERVICE_UNAVAILABLE,
                text: "not yet".into()
            })
        );
    }
}
