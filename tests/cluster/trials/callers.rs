//! Who may call the webhook, and whom the API server calls.

use std::fs;

use anyhow::{Context as _, Result, anyhow, ensure};
use http_body_util::Full;
use hyper::Request;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::json;

use super::product::{SONNET, asking, policy, rewriting, serve, variable};
use crate::{
    certificates::Authority,
    server::{Serve, Server},
    tls_client::{self, Identity},
    trial::{Trial, plane},
    webhook_credentials::WEBHOOK_CALLER,
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane("only_the_api_server_may_send_reviews", only_the_api_server),
        plane(
            "an_api_server_with_another_certificate_is_refused",
            another_certificate,
        ),
        plane("an_impostor_gets_no_review", an_impostor),
    ]
}

/// The flags by which only clients of this common name and of the plane's CA may send reviews.
fn limited_to(world: &World, name: &str) -> Result<[String; 2]> {
    let authority = world.plane().client_authority();
    let authority = authority.to_str().context("a path that is no text")?;
    Ok([
        format!("--client-ca-file={authority}"),
        format!("--client-common-name={name}"),
    ])
}

/// The status of the response to a request of a client that is not the API server.
fn status_for(
    world: &World,
    server: &Server,
    authority: &str,
    identity: Option<Identity>,
) -> Result<u16> {
    let name = format!("bedrock-profiles.{}.svc", world.namespace());
    let request = Request::post("/mutate")
        .header("host", &name)
        .header("content-type", "application/json")
        .body(Full::from("{}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let send = async {
        let authority = authority.as_bytes();
        let stream =
            tls_client::connect_as(server.address, &name, authority, &[], identity).await?;
        let (mut sender, _connection) = tls_client::http1(stream).await?;
        let response = sender.send_request(request).await?;
        Ok::<_, tls_client::Error>(response.status().as_u16())
    };
    runtime.block_on(send).map_err(|error| anyhow!(error))
}

fn only_the_api_server(world: &World) -> Result<()> {
    let flags = limited_to(world, WEBHOOK_CALLER)?;
    let policies = rewriting(json!({}));
    let serve = serve(&policies);
    let flags = flags.iter().map(String::as_str);
    let flags: Vec<_> = serve.flags.iter().copied().chain(flags).collect();
    let serve = Serve {
        flags: &flags,
        ..serve
    };
    let (server, authority) = Server::start(world, &serve)?;
    server.register(world, &serve, &authority)?;
    world.create(&asking("chat", SONNET, "eu-west-1").to_string())?;
    let stored = world.get("pod", "chat")?;
    ensure!(variable(&stored, "BEDROCK_MODEL_ID")? == format!("eu.{SONNET}"));

    ensure!(status_for(world, &server, &authority, None)? == 401);
    let [certificate, key] = world.plane().client_identity("admin");
    let admin = (
        CertificateDer::from_pem_slice(&fs::read(certificate)?)?,
        PrivateKeyDer::from_pem_slice(&fs::read(key)?)?,
    );
    ensure!(status_for(world, &server, &authority, Some(admin))? == 403);
    for reason in ["Unauthenticated", "NotAllowed"] {
        let series = format!("bedrock_profiles_requests_rejected_total{{reason=\"{reason}\"}}");
        ensure!(server.admin.metric(&series)? == Some(1.0), "{series}");
    }
    Ok(())
}

fn another_certificate(world: &World) -> Result<()> {
    let flags = limited_to(world, "another-api-server")?;
    let policies = policy("rewrite", json!({"mode": "Rewrite"}), json!({}));
    let serve = serve(&policies);
    let flags = flags.iter().map(String::as_str);
    let flags: Vec<_> = serve.flags.iter().copied().chain(flags).collect();
    let serve = Serve {
        flags: &flags,
        ..serve
    };
    world.serve(&serve)?;
    let pod = asking("chat", SONNET, "eu-west-1").to_string();
    let refused = world.kubectl(&["create", "-f", "-"], Some(&pod))?;
    ensure!(!refused.ok, "{refused:?}");
    for part in [
        "webhook-pods.bedrock-profiles.dev",
        "the common name of the client certificate",
    ] {
        ensure!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    Ok(())
}

fn an_impostor(world: &World) -> Result<()> {
    let policies = rewriting(json!({}));
    let serve = serve(&policies);
    let (server, _) = Server::start(world, &serve)?;
    let trusted = Authority::new("the CA that the API server trusts")?;
    server.register(world, &serve, trusted.certificate())?;
    let pod = asking("chat", SONNET, "eu-west-1").to_string();
    let refused = world.kubectl(&["create", "-f", "-"], Some(&pod))?;
    ensure!(
        !refused.ok
            && refused
                .stderr
                .contains("x509: certificate signed by unknown authority"),
        "{refused:?}"
    );
    let metrics = server.get("/metrics")?;
    ensure!(
        !metrics.contains("bedrock_profiles_admission_reviews_total{"),
        "{metrics}"
    );
    Ok(())
}
