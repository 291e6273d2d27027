//! What an audit of a large cluster costs: a command, not a trial, as it takes minutes and its figures are those of one machine.
//!
//! `make weigh` plants 10,000 ConfigMaps of 100 KiB and 5,000 Pods with 1,234 findings, audits them by the command line,
//! and prints what the process needed.

use std::{
    fs,
    io::Read as _,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::{Value, json};

use crate::{namespaces::Inside, plane::Plane, world::World};

const CONFIG_MAPS: usize = 10_000;
const PODS: usize = 5_000;
const FINDINGS: usize = 1_234;

/// The size of a ConfigMap's one file, in bytes.
const FILE: usize = 100 * 1024;

/// How many objects are made at once.
const AT_ONCE: usize = 16;

const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

/// What a process needed.
struct Weight {
    peak_kib: u64,
    took: Duration,
    report: Value,
}

/// Plants, audits and prints.
pub(crate) fn audit(inside: &Inside) -> Result<()> {
    let plane = Arc::new(Plane::start(&inside.binaries)?);
    let world = World::new(Arc::clone(&plane), "load", true)?;
    let started = Instant::now();
    tokio::runtime::Runtime::new()?.block_on(plant(&world))?;
    println!("planted in {} s", started.elapsed().as_secs());
    println!("| ConfigMaps | Pods | findings | seconds | peak memory |\n|---|---|---|---|---|");
    for _ in 0..3 {
        let weight = weigh(&world)?;
        let findings = weight.report["summary"]["rewrite"].as_u64();
        ensure!(
            findings == Some(FINDINGS as u64),
            "{}",
            weight.report["summary"]
        );
        println!(
            "| {CONFIG_MAPS} of 100 KiB | {PODS} | {FINDINGS} | {:.1} | {:.1} MiB |",
            weight.took.as_secs_f64(),
            Duration::from_secs(weight.peak_kib).as_secs_f64() / 1024.0,
        );
    }
    Ok(())
}

async fn plant(world: &World) -> Result<()> {
    let kubeconfig = Kubeconfig::read_from(world.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(config)?;
    let maps = Api::<ConfigMap>::namespaced(client.clone(), world.namespace());
    let pods = Api::<Pod>::namespaced(client, world.namespace());
    let params = PostParams::default();
    futures::stream::iter(0..CONFIG_MAPS)
        .map(|at| create(&maps, &params, config_map(at, has_finding(at))))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    futures::stream::iter(0..PODS)
        .map(|at| create(&pods, &params, pod(at, has_finding(CONFIG_MAPS + at))))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

async fn create<K>(api: &Api<K>, params: &PostParams, object: Value) -> Result<()>
where
    K: serde::de::DeserializeOwned + Clone + std::fmt::Debug + serde::Serialize,
{
    let object = serde_json::from_value(object)?;
    api.create(params, &object).await?;
    Ok(())
}

/// Whether the object of this number has a finding: they are spread evenly, and there are so many in all.
fn has_finding(at: usize) -> bool {
    let before = |at: usize| at * FINDINGS / (CONFIG_MAPS + PODS);
    before(at) != before(at + 1)
}

/// A ConfigMap with one YAML file; the ID stands in its middle.
fn config_map(at: usize, has_finding: bool) -> Value {
    let half = filler("before", at);
    let model = if has_finding { SONNET } else { "gpt-5" };
    let file = format!(
        "{half}bedrock:\n  region: us-west-2\n  model: {model}\n{}",
        filler("after", at)
    );
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("map-{at}")}, "data": {"app.yaml": file}})
}

/// Half of a file.
fn filler(part: &str, at: usize) -> String {
    let line = |line: usize| {
        format!("{part}_{line}: \"the {line}th setting of file {at}, at https://example.com/v1\"\n")
    };
    let mut text = String::with_capacity(FILE / 2 + 80);
    for number in 0.. {
        if text.len() >= FILE / 2 {
            break;
        }
        text.push_str(&line(number));
    }
    text
}

/// A Pod with sixty variables.
fn pod(at: usize, has_finding: bool) -> Value {
    let mut env: Vec<_> = (0..58)
        .map(|line| json!({"name": format!("SETTING_{line}"), "value": format!("https://example.com/{at}/{line}")}))
        .collect();
    let model = if has_finding { SONNET } else { "gpt-5" };
    env.push(json!({"name": "BEDROCK_MODEL_ID", "value": model}));
    env.push(json!({"name": "AWS_REGION", "value": "us-west-2"}));
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("pod-{at}")},
        "spec": {"containers": [{"name": "app", "image": "example.com/app:1", "env": env}]}})
}

/// Runs the command, and watches what it holds of memory at most.
fn weigh(world: &World) -> Result<Weight> {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(["audit", "-A", "-o", "json", "--today", "2026-11-23"])
        .env("KUBECONFIG", world.kubeconfig())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = child.stdout.take().context("a pipe")?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    while child.try_wait()?.is_none() {
        peak_kib = peak(&status).unwrap_or(peak_kib);
        std::thread::sleep(Duration::from_millis(5));
    }
    let text = reader.join().ok().context("the reader panicked")??;
    Ok(Weight {
        peak_kib,
        took: started.elapsed(),
        report: serde_json::from_str(&text)?,
    })
}

/// The most memory that a living process has held, in KiB.
fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
