//! What an audit of a large cluster costs, and whether it finds all that is there: a command, not a trial, as it takes minutes
//! and its figures are those of one machine.
//!
//! `make weigh` plants 10,000 ConfigMaps of 100 KiB and 5,000 Pods with 1,234 findings. It has them audited by the command line,
//! in the cluster and as files, and by a leader that serves, watches and resolves references, holds what each says against what
//! was planted, and prints what each process needed.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
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

use crate::{
    namespaces::Inside,
    open_reports,
    plane::Plane,
    process::wait_for,
    release::{Chart, NAME, Release, Replica},
    trials::audit::{counted, planted::Told},
    world::World,
};

const CONFIG_MAPS: usize = 10_000;
const PODS: usize = 5_000;
const FINDINGS: usize = 1_234;

/// The size of a ConfigMap's one file, in bytes.
const FILE: usize = 100 * 1024;

/// How many objects are made at once.
const AT_ONCE: usize = 16;

/// How many namespaces they stand in: a report lists 500 results at most.
const NAMESPACES: usize = 4;

/// How often an audit of a leader is looked at, and for how long.
const LOOK: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_mins(5);

/// Reasons that no report lists: what stands there is right as it stands, as far as anybody can tell.
const UNREPORTED: &[&str] = &[
    "AlreadyProfiled",
    "Batch",
    "GatewayClient",
    "ListLeft",
    "Mantle",
    "OtherCloud",
    "ProvisionedSuffix",
    "WorksDirectly",
];

/// What there is to be found, and where.
struct Load {
    namespaces: Vec<String>,
    /// Each object as a file.
    folder: PathBuf,
    expected: BTreeMap<String, usize>,
}

/// What a process needed.
struct Weight {
    peak: String,
    took: Duration,
}

/// Plants, audits and prints.
pub(crate) fn audit(inside: &Inside) -> Result<()> {
    let plane = Arc::new(Plane::start(&inside.binaries)?);
    let world = World::new(Arc::clone(&plane), "load", true)?;
    let load = Load::of(&world)?;
    let started = Instant::now();
    tokio::runtime::Runtime::new()?.block_on(load.plant(&world))?;
    println!("planted in {} s", started.elapsed().as_secs());
    println!(
        "{CONFIG_MAPS} ConfigMaps of 100 KiB, {PODS} Pods, {FINDINGS} findings of {} answers",
        load.answers()
    );
    println!("| audit | seconds | peak memory |\n|---|---|---|");
    for _ in 0..3 {
        print("`audit -A`", &load.by_command(&world, &["-A"])?);
    }
    let folder = load.folder.to_str().context("a path")?;
    print(
        "`audit -f`, of the same objects",
        &load.by_command(&world, &["-f", folder])?,
    );
    load.by_leader(&world)
}

fn print(what: &str, weight: &Weight) {
    println!(
        "| {what} | {:.1} | {} |",
        weight.took.as_secs_f64(),
        weight.peak
    );
}

impl Load {
    fn of(world: &World) -> Result<Self> {
        let namespaces: Result<Vec<_>> = (0..NAMESPACES)
            .map(|number| world.neighbour(&number.to_string()))
            .collect();
        let folder = world.folder().join("objects");
        fs::create_dir(&folder)?;
        let mut load = Self {
            namespaces: namespaces?,
            folder,
            expected: BTreeMap::new(),
        };
        let all = (0..CONFIG_MAPS + PODS).filter_map(|at| {
            let (object, told) = (load.named(at), told(at)?);
            let (namespace, kind, name) = (object.0, object.1, object.2);
            Some(format!("{namespace}/{kind}/{name} -> {}", told.answer))
        });
        load.expected = counted(all);
        Ok(load)
    }

    /// Namespace, kind and name of the object of this number.
    fn named(&self, at: usize) -> (&str, &'static str, String) {
        let namespace = &self.namespaces[at % NAMESPACES];
        if at < CONFIG_MAPS {
            (namespace, "ConfigMap", format!("map-{at}"))
        } else {
            (namespace, "Pod", format!("pod-{at}"))
        }
    }

    /// How many different answers are among the findings.
    fn answers(&self) -> usize {
        let answer = |line: &String| line.rsplit(" -> ").next().map(str::to_owned);
        counted(self.expected.keys().filter_map(answer)).len()
    }

    fn object(&self, at: usize) -> Value {
        let (namespace, kind, name) = self.named(at);
        let mut object = if kind == "Pod" {
            pod(at, told(at))
        } else {
            config_map(at, told(at))
        };
        object["metadata"] = json!({"name": name, "namespace": namespace});
        object
    }

    /// Creates each object, and writes it to a file.
    async fn plant(&self, world: &World) -> Result<()> {
        let kubeconfig = Kubeconfig::read_from(world.kubeconfig())?;
        let config =
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        futures::stream::iter(0..CONFIG_MAPS + PODS)
            .map(|at| {
                let (client, object) = (client.clone(), self.object(at));
                let namespace = self.named(at).0;
                let file = self.folder.join(format!("{at}.json"));
                async move {
                    fs::write(file, object.to_string())?;
                    if object["kind"] == "Pod" {
                        create(&Api::<Pod>::namespaced(client, namespace), object).await
                    } else {
                        create(&Api::<ConfigMap>::namespaced(client, namespace), object).await
                    }
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    /// An audit by the command line, held against what was planted.
    fn by_command(&self, world: &World, flags: &[&str]) -> Result<Weight> {
        let started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
            .args(["audit", "-o", "json", "--today", "2026-11-23"])
            .args(flags)
            .env("KUBECONFIG", world.kubeconfig())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = child.stdout.take().context("a pipe")?;
        let reader = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).map(|_| text)
        });
        let mut most = String::new();
        while child.try_wait()?.is_none() {
            most = peak(child.id()).unwrap_or(most);
            thread::sleep(Duration::from_millis(5));
        }
        let took = started.elapsed();
        let text = reader.join().ok().context("the reader panicked")??;
        let report: Value = serde_json::from_str(&text)?;
        let findings = report["findings"].as_array().context("no findings")?;
        self.compare(
            &format!("audit {flags:?}"),
            findings.iter().map(of_a_finding),
            |_| true,
        )?;
        Ok(Weight { peak: most, took })
    }

    /// An audit by a leader that serves, watches and resolves references, with its reports.
    fn by_leader(&self, world: &World) -> Result<()> {
        const FLAGS: &[&str] = &["--audit-every=1h", "--audit-settle=20s", "--audit-pace=300"];
        world.apply(&open_reports::definitions()?)?;
        let release = Release::install(world, &Chart::default())?;
        let leader = release.start_ready("one", FLAGS)?;
        release.wait_until_armed()?;
        let before = peak(leader.process_id()?).context("no status")?;
        println!("a leader that watches all of it, before its audit: {before} at most");
        let started = Instant::now();
        while leader.metric(COMPLETE)?.is_none_or(|audits| audits < 1.0) {
            ensure!(started.elapsed() < PATIENCE, "no audit after {PATIENCE:?}");
            thread::sleep(LOOK);
        }
        let findings = world.get("ipp", "default")?["status"]["lastAudit"]["findings"].clone();
        ensure!(findings == FINDINGS, "{findings}");
        self.reported(world)?;
        let weight = Weight {
            peak: peak(leader.process_id()?).context("no status")?,
            took: audited_for(&leader)?,
        };
        print(
            "of a leader, at 300 objects a second, with watches and references",
            &weight,
        );
        ensure!(
            leader.log()?.contains("the audit goes on"),
            "nothing said how far it was"
        );
        Ok(())
    }

    fn reported(&self, world: &World) -> Result<()> {
        let mut lines = Vec::new();
        for namespace in &self.namespaces {
            let report = wait_for(&format!("a report of {namespace}"), || {
                let args = [
                    "get",
                    "reports.openreports.io",
                    NAME,
                    "-o",
                    "json",
                    "--namespace",
                    namespace,
                ];
                let output = world.kubectl(&args, None)?;
                Ok(output.ok.then_some(output.stdout))
            })?;
            let report: Value = serde_json::from_str(&report)?;
            lines.extend(
                report["results"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(of_a_report),
            );
        }
        let listed = |line: &str| !UNREPORTED.iter().any(|reason| line.ends_with(reason));
        self.compare("reports", lines, listed)
    }

    /// Holds what was said against what was planted, as far as it is `wanted`.
    fn compare(
        &self,
        what: &str,
        said: impl IntoIterator<Item = String>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let said = counted(said);
        let expected = self.expected.iter().filter(|(line, _)| wanted(line));
        let missing: Vec<_> = expected
            .filter(|(line, _)| !said.contains_key(*line))
            .collect();
        let more = said
            .iter()
            .filter(|(line, count)| self.expected.get(*line) != Some(count));
        let more: Vec<_> = more.collect();
        ensure!(
            missing.is_empty() && more.is_empty(),
            "{what}: {} missing: {:#?}\n{} more: {:#?}",
            missing.len(),
            &missing[..missing.len().min(40)],
            more.len(),
            &more[..more.len().min(40)]
        );
        Ok(())
    }
}

const COMPLETE: &str = "bedrock_profiles_audits_total{outcome=\"complete\"}";

fn audited_for(leader: &Replica) -> Result<Duration> {
    let seconds = leader.metric("bedrock_profiles_audit_duration_seconds{}")?;
    Ok(Duration::from_secs_f64(seconds.context("no duration")?))
}

/// A finding in short: `namespace/Kind/name -> answer`.
fn of_a_finding(finding: &Value) -> String {
    let answer = if finding["reason"].is_null() {
        &finding["after"]
    } else {
        &finding["reason"]
    };
    short(&finding["object"], answer)
}

/// A result of a report in short, in the same words.
fn of_a_report(result: &Value) -> String {
    let answer = if result["rule"] == "Rewrite" {
        &result["properties"]["after"]
    } else {
        &result["rule"]
    };
    short(&result["resources"][0], answer)
}

fn short(object: &Value, answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (namespace, kind) = (text(&object["namespace"]), text(&object["kind"]));
    format!(
        "{namespace}/{kind}/{} -> {}",
        text(&object["name"]),
        text(answer)
    )
}

/// The most memory that a living process has held.
fn peak(process: u32) -> Option<String> {
    let text =
        fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{:.1} MiB", f64::from(kilobytes) / 1024.0))
}

async fn create<K>(api: &Api<K>, object: Value) -> Result<()>
where
    K: serde::de::DeserializeOwned + Clone + std::fmt::Debug + serde::Serialize,
{
    let object = serde_json::from_value(object)?;
    api.create(&PostParams::default(), &object).await?;
    Ok(())
}

/// What is to be found in the object of this number: findings are spread evenly, and there are so many in all.
fn told(at: usize) -> Option<Told> {
    let before = |at: usize| at * FINDINGS / (CONFIG_MAPS + PODS);
    (before(at) != before(at + 1)).then(|| Told::number(before(at)))
}

/// Nothing of Bedrock's.
const NOTHING: Told = Told {
    text: "gpt-5",
    region: "us-west-2",
    answer: "",
};

/// A ConfigMap with one YAML file; the ID stands in its middle.
fn config_map(at: usize, told: Option<Told>) -> Value {
    let entry = told.unwrap_or(NOTHING);
    let region = match entry.region {
        "" => String::new(),
        region => format!("  aws_region: {region}\n"),
    };
    let model = json!(entry.text); // JSON is YAML
    let file = format!(
        "{}bedrock:\n{region}  model: {model}\n{}",
        filler("before", at),
        filler("after", at)
    );
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"app.yaml": file}})
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
fn pod(at: usize, told: Option<Told>) -> Value {
    let mut env: Vec<_> = (0..58)
        .map(|line| json!({"name": format!("SETTING_{line}"), "value": format!("https://example.com/{at}/{line}")}))
        .collect();
    let entry = told.unwrap_or(NOTHING);
    env.push(json!({"name": "BEDROCK_MODEL_ID", "value": entry.text}));
    env.push(json!({"name": "AWS_REGION", "value": entry.region}));
    json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "app", "image": "example.com/app:1", "env": env}]}})
}
