//! A stand-in of Bedrock's control plane that lists: it speaks the JSON of `ListInferenceProfiles`, in pages, and of
//! `ListFoundationModels`.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{bedrock_answers::Answers, stand_in::runtime};

/// The entries of a page.
const PAGE: usize = 25;

/// A running stand-in; ends when dropped.
pub(crate) struct Bedrock {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Bedrock {
    /// Listens on loopback. A region without answers refuses every call, as where a role has no permission.
    pub(crate) fn start(answers: Answers) -> Result<Self> {
        let runtime = runtime()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let answers = Arc::new(answers);
        let task = runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answers = Arc::clone(&answers);
                tokio::spawn(async move {
                    let service = service_fn(|request| {
                        let response = respond(&answers, &request);
                        async { Ok::<_, Infallible>(response) }
                    });
                    let _ = http1::Builder::new() // a client that ends early has its own error
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Ok(Self { address, task })
    }

    /// The URL, for `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Bedrock {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn respond(answers: &Answers, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let region = signed_region(request).unwrap_or_default();
    let start = query(request, "nextToken").map_or(0, |token| token.parse().unwrap_or_default());
    let rows = |listed: &BTreeMap<String, Vec<Value>>| listed.get(&region).cloned();
    let body = match request.uri().path() {
        "/inference-profiles" => rows(&answers.profiles).map(|rows| {
            let page: Vec<_> = rows.iter().skip(start).take(PAGE).collect();
            let next = start + PAGE;
            let mut answer = json!({"inferenceProfileSummaries": page});
            if next < rows.len() {
                answer["nextToken"] = next.to_string().into();
            }
            answer
        }),
        "/foundation-models" => rows(&answers.models).map(|rows| json!({"modelSummaries": rows})),
        _ => None,
    };
    let refusal = || json!({"message": "no permission in this region"});
    let mut response = Response::new(Full::from(body.clone().unwrap_or_else(refusal).to_string()));
    let headers = response.headers_mut();
    headers.insert(
        "content-type",
        hyper::header::HeaderValue::from_static("application/json"),
    );
    if body.is_none() {
        let kind = hyper::header::HeaderValue::from_static("AccessDeniedException");
        headers.insert("x-amzn-errortype", kind);
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    response
}

/// The region of the credential in the signature: `Credential=KEY/DATE/REGION/bedrock/aws4_request`.
fn signed_region(request: &Request<Incoming>) -> Option<String> {
    let signature = request.headers().get("authorization")?.to_str().ok()?;
    let (_, credential) = signature.split_once("Credential=")?;
    credential.split('/').nth(2).map(str::to_owned)
}

fn query<'r>(request: &'r Request<Incoming>, name: &str) -> Option<&'r str> {
    let pairs = request.uri().query()?.split('&');
    let mut values = pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    values.next()
}
