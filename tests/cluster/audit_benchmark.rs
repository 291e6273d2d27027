//! A benchmark of audits of a large cluster: time, memory, and whether they find every planted ID. A command and not a trial,
//! because it takes minutes and its figures are those of one machine.
//!
//! `make bench-audit` plants 10,000 ConfigMaps of 100 KiB and 5,000 Pods with 1,234 findings. It has them audited by the command line,
//! in the cluster and as files, and by a leader that serves, watches and resolves references, compares each result with the planted
//! IDs, and prints time and memory of each process.

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
    trials::audit::{counted, planted::PlantedText},
    world::World,
};

const CONFIG_MAPS: usize = 10_000;
const PODS: usize = 5_000;
const FINDINGS: usize = 1_234;

/// The size of a ConfigMap's one file, in bytes.
const FILE: usize = 100 * 1024;

/// The number of objects created concurrently.
const AT_ONCE: usize = 16;

/// The number of namespaces: a report lists 500 results at most.
const NAMESPACES: usize = 4;

/// The interval and the timeout of waiting for a leader's audit.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_mins(5);

/// Reasons that reports omit, because nothing is known to be wrong.
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

/// The planted objects and the expected findings.
struct Load {
    namespaces: Vec<String>,
    /// Each object as a file.
    folder: PathBuf,
    expected: BTreeMap<String, usize>,
}

/// Time and memory of a process.
struct Usage {
    peak: String,
    took: Duration,
}

/// Plants objects, audits them and prints the usage.
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

fn print(what: &str, usage: &Usage) {
    println!(
        "| {what} | {:.1} | {} |",
        usage.took.as_secs_f64(),
        usage.peak
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
            let (object, planted) = (load.named(at), planted(at)?);
            let (namespace, kind, name) = (object.0, object.1, object.2);
            Some(format!("{namespace}/{kind}/{name} -> {}", planted.answer))
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

    /// The number of different results among the findings.
    fn answers(&self) -> usize {
        let answer = |line: &String| line.rsplit(" -> ").next().map(str::to_owned);
        counted(self.expected.keys().filter_map(answer)).len()
    }

    fn object(&self, at: usize) -> Value {
        let (namespace, kind, name) = self.named(at);
        let mut object = if kind == "Pod" {
            pod(at, planted(at))
        } else {
            config_map(at, planted(at))
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

    /// Audits by the command line, and compares the result with the planted IDs.
    fn by_command(&self, world: &World, flags: &[&str]) -> Result<Usage> {
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
        Ok(Usage { peak: most, took })
    }

    /// Audits by a leader that serves, watches and resolves references, and compares its reports.
    fn by_leader(&self, world: &World) -> Result<()> {
        const FLAGS: &[&str] = &["--audit-every=1h", "--audit-settle=20s", "--audit-pace=300"];
        world.apply(&open_reports::definitions()?)?;
        let release = Release::install(world, &Chart::default())?;
        let leader = release.start_ready("one", FLAGS)?;
        release.wait_until_active()?;
        let before = peak(leader.process_id()?).context("no status")?;
        println!("a leader that watches all of it, before its audit: {before} at most");
        let started = Instant::now();
        while leader.metric(COMPLETE)?.is_none_or(|audits| audits < 1.0) {
            ensure!(started.elapsed() < TIMEOUT, "no audit after {TIMEOUT:?}");
            thread::sleep(POLL_INTERVAL);
        }
        let findings = world.get("ipp", "default")?["status"]["lastAudit"]["findings"].clone();
        ensure!(findings == FINDINGS, "{findings}");
        self.reported(world)?;
        let usage = Usage {
            peak: peak(leader.process_id()?).context("no status")?,
            took: audited_for(&leader)?,
        };
        print(
            "of a leader, at 300 objects a second, with watches and references",
            &usage,
        );
        ensure!(
            leader.log()?.contains("audit in progress"),
            "no log line reports the progress"
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

    /// Compares findings with the planted IDs that `wanted` selects.
    fn compare(
        &self,
        what: &str,
        found: impl IntoIterator<Item = String>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let found = counted(found);
        let expected = self.expected.iter().filter(|(line, _)| wanted(line));
        let missing: Vec<_> = expected
            .filter(|(line, _)| !found.contains_key(*line))
            .collect();
        let more = found
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

/// A finding in short form: `namespace/Kind/name -> answer`.
fn of_a_finding(finding: &Value) -> String {
    let answer = if finding["reason"].is_null() {
        &finding["after"]
    } else {
        &finding["reason"]
    };
    short(&finding["object"], answer)
}

/// A result of a report in the same short form.
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

/// The peak resident memory of a running process.
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

/// The text planted in the object of this number; the texts are spread evenly.
fn planted(at: usize) -> Option<PlantedText> {
    let before = |at: usize| at * FINDINGS / (CONFIG_MAPS + PODS);
    (before(at) != before(at + 1)).then(|| PlantedText::number(before(at)))
}

/// A model of another provider.
const OTHER_MODEL: PlantedText = PlantedText {
    text: "gpt-5",
    region: "us-west-2",
    answer: "",
};

/// A ConfigMap with one YAML file that has the ID in its middle.
fn config_map(at: usize, planted: Option<PlantedText>) -> Value {
    let entry = planted.unwrap_or(OTHER_MODEL);
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
fn pod(at: usize, planted: Option<PlantedText>) -> Value {
    let mut env: Vec<_> = (0..58)
        .map(|line| json!({"name": format!("SETTING_{line}"), "value": format!("https://example.com/{at}/{line}")}))
        .collect();
    let entry = planted.unwrap_or(OTHER_MODEL);
    env.push(json!({"name": "BEDROCK_MODEL_ID", "value": entry.text}));
    env.push(json!({"name": "AWS_REGION", "value": entry.region}));
    json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "app", "image": "example.com/app:1", "env": env}]}})
}
