//! Measurements of a release on a real control plane: `make bench-memory`. They print figures and assert nothing about time.

use std::{
    fs,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, client::conn::http1::SendRequest, header};
use serde_json::{Value, json};

use crate::{
    plane::Plane,
    process::wait_for,
    release::{Chart, NAME, Release, Replica},
    tls_client,
    world::World,
};

/// Policies applied one after the other.
const CHANGES: usize = 30;

/// Namespaces beside those of the plane.
const NAMESPACES: usize = 1000;

/// Reviews of one replica.
const REVIEWS: usize = 1_000_000;

/// Connections that they come by.
const CONNECTIONS: usize = 8;

/// Measures everything on a plane of its own.
pub(crate) fn all(plane: Plane) -> Result<()> {
    let world = World::new(Arc::new(plane), "measure", true)?;
    let release = Release::install(&world, &Chart::default())?;
    let one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    println!("idle: {}", memory(&one)?);
    let (two, three) = (
        release.start_ready("two", &[])?,
        release.start_ready("three", &[])?,
    );
    follow(&world, &[&one, &two, &three])?;
    for replica in [two, three] {
        release.remove_endpoint(&replica)?;
        replica.end()?;
    }
    namespaces(&world)?;
    thread::sleep(Duration::from_secs(2)); // the watch brings the last of them
    println!("with {NAMESPACES} namespaces: {}", memory(&one)?);
    let started = Instant::now();
    reviews(&world, &one)?;
    println!(
        "after {REVIEWS} reviews, every fourth with an ID, in {:.0} s: {}",
        started.elapsed().as_secs_f32(),
        memory(&one)?
    );
    Ok(())
}

/// How long a changed policy takes until every replica answers by it, from the answer to whoever applied it.
fn follow(world: &World, replicas: &[&Replica]) -> Result<()> {
    const SERIES: &str =
        r#"bedrock_profiles_active_generation{kind="InferenceProfilePolicy",name="default"}"#;
    let mut times = Vec::new();
    for priority in 1..=CHANGES {
        let policy = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "default"}, "spec": {"mode": "Rewrite", "priority": priority}});
        world.apply(&policy.to_string())?;
        let applied = Instant::now();
        let generation = world.get("ipp", "default")?["metadata"]["generation"].as_f64();
        wait_for("the generation in force", || {
            let mut all = true;
            for replica in replicas {
                all &= replica.metric(SERIES)? == generation;
            }
            Ok(all.then_some(()))
        })?;
        times.push(applied.elapsed());
    }
    times.sort();
    println!(
        "a changed policy is used by {} replicas at most {} ms later, half of {CHANGES} changes within {} ms (polled every 100 ms)",
        replicas.len(),
        times.last().map_or(0, Duration::as_millis),
        times[CHANGES / 2].as_millis()
    );
    Ok(())
}

fn namespaces(world: &World) -> Result<()> {
    let namespace = |number: usize| {
        let labels = json!({"team": format!("team-{}", number % 50), "stage": "production"});
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("app-{number}"), "labels": labels}})
    };
    let items: Vec<Value> = (0..NAMESPACES).map(namespace).collect();
    world.create(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())?;
    Ok(())
}

/// Memory of a replica's process, from the kernel.
fn memory(replica: &Replica) -> Result<String> {
    let status = fs::read_to_string(format!("/proc/{}/status", replica.process_id()?))?;
    let of = |name: &str| -> Result<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line
            .and_then(|line| line.split_whitespace().next())
            .context("no such line")?;
        Ok(kilobytes.parse::<f64>()? / 1024.0)
    };
    Ok(format!(
        "{:.1} MiB resident ({:.1} of its own, {:.1} of its file), {:.1} MiB at most so far",
        of("VmRSS:")?,
        of("RssAnon:")?,
        of("RssFile:")?,
        of("VmHWM:")?
    ))
}

/// Sends reviews over kept connections, as an API server does.
fn reviews(world: &World, replica: &Replica) -> Result<()> {
    let configuration = world.get(
        "mutatingwebhookconfiguration",
        "webhook-pods.bedrock-profiles.dev",
    )?;
    let bundle = configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str();
    let bundle = STANDARD.decode(bundle.context("the entry is not armed")?)?;
    let name = format!("{NAME}.{}.svc", world.namespace());
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let mut all = tokio::task::JoinSet::new();
            for _ in 0..CONNECTIONS {
                let connection = connect(replica.address, &bundle, &name).await?;
                all.spawn(send(connection, REVIEWS / CONNECTIONS));
            }
            while let Some(sent) = all.join_next().await {
                sent??;
            }
            Ok(())
        })
}

async fn connect(
    address: SocketAddr,
    bundle: &[u8],
    name: &str,
) -> Result<SendRequest<Full<bytes::Bytes>>> {
    let stream = tls_client::connect(address, name, bundle, &[]).await;
    let stream = stream.map_err(anyhow::Error::from_boxed)?;
    // The end of the connection fails the next request.
    let (sender, _) = tls_client::http1(stream).await?;
    Ok(sender)
}

async fn send(mut sender: SendRequest<Full<bytes::Bytes>>, count: usize) -> Result<()> {
    for number in 0..count {
        let request = Request::post("/mutate?timeout=10s")
            .header(header::HOST, "webhook")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(review(number).into()))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        answer.into_body().collect().await?;
    }
    Ok(())
}

/// A review of a Pod as the API server writes it; every fourth asks for a model.
fn review(number: usize) -> String {
    let model = if number.is_multiple_of(4) {
        "anthropic.claude-sonnet-4-5-20250929-v1:0"
    } else {
        "none"
    };
    let filler = "x".repeat(6 * 1024);
    let namespace = number % NAMESPACES;
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"u{number}","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"name":"p{number}","namespace":"app-{namespace}","operation":"CREATE","userInfo":{{}},"object":{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p{number}","annotations":{{"filler":"{filler}"}}}},"spec":{{"containers":[{{"name":"app","env":[{{"name":"BEDROCK_MODEL_ID","value":"{model}"}},{{"name":"AWS_REGION","value":"eu-west-1"}}]}}]}}}},"oldObject":null,"dryRun":false,"options":null}}}}"#
    )
}
