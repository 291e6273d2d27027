//! The audit of a cluster: that it finds what was planted, tells it as of files, and says so where a cluster looks for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::crds;
use super::product::{asking, config_map, list, policy, workload};
use crate::{
    release::definitions,
    trial::{Trial, alone},
    world::World,
};

pub(crate) mod planted;
mod told;

use planted::Planted;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone(
            "an_audit_finds_what_was_planted_and_tells_it_as_of_files",
            an_audit_finds_what_was_planted,
        )
        .with_controllers(),
        alone(
            "an_audit_tells_what_it_found_where_a_cluster_looks_for_it",
            told::where_a_cluster_looks,
        )
        .with_controllers(),
    ]
}

/// What the command printed.
struct Audited {
    report: Value,
    stderr: String,
    code: Option<i32>,
}

/// Runs `audit -o json` with these flags.
fn audit(world: &World, flags: &[&str], stdin: Option<&str>) -> Result<Audited> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(["audit", "-o", "json", "--today", "2026-11-23"]);
    command.args(flags).env("KUBECONFIG", world.kubeconfig());
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
        std::io::Write::write_all(&mut pipe, text.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let stderr = String::from_utf8(output.stderr)?;
    let report = serde_json::from_slice(&output.stdout).context(stderr.clone())?;
    Ok(Audited {
        report,
        stderr,
        code: output.status.code(),
    })
}

impl Audited {
    fn findings(&self) -> &[Value] {
        self.report["findings"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

/// A finding in short, as plans of planted objects have it: `namespace/Kind/name: before -> answer`.
fn line(finding: &Value) -> String {
    let object = &finding["object"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let answer = if finding["reason"].is_null() {
        &finding["after"]
    } else {
        &finding["reason"]
    };
    format!(
        "{}/{}/{}: {} -> {}",
        text(&object["namespace"]),
        text(&object["kind"]),
        text(&object["name"]),
        text(&finding["before"]),
        text(answer)
    )
}

/// How often each line stands among them.
pub(crate) fn counted(lines: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

/// A finding without what only a file or only a cluster has.
fn common(finding: &Value) -> String {
    let mut common = finding.clone();
    for field in ["source", "seenIn", "missed", "instances"] {
        common[field] = Value::Null;
    }
    common.to_string()
}

fn an_audit_finds_what_was_planted(world: &World) -> Result<()> {
    let other = world.neighbour("other")?;
    let planted = [Planted::of(world.namespace(), 120), Planted::of(&other, 60)];
    for (namespace, one) in [world.namespace(), &other].into_iter().zip(&planted) {
        let objects = list(one.objects.iter().cloned());
        world
            .kubectl(&["create", "-n", namespace, "-f", "-"], Some(&objects))?
            .success("kubectl create")?;
    }
    let chat = workload("apps", "Deployment", "chat", planted::SONNET, "us-west-2");
    let mut chat = chat;
    chat["spec"]["replicas"] = json!(3);
    world.create(&chat.to_string())?;
    world.wait_for(3, "pods", "app=chat")?;

    let mut expected = counted(planted.iter().flat_map(|one| one.findings.clone()));
    let namespace = world.namespace();
    let of_chat = format!(
        "{namespace}/Deployment/chat: {0} -> us.{0}",
        planted::SONNET
    );
    expected.insert(of_chat.clone(), 1);
    let audited = audit(world, &["-A"], None)?;
    assert_eq!(counted(audited.findings().iter().map(line)), expected);
    assert_eq!(audited.code, Some(1), "{}", audited.stderr);
    let chat = audited.findings().iter().find(|one| line(one) == of_chat);
    let chat = chat.context("the Deployment")?;
    assert_eq!(
        (&chat["instances"], &chat["seenIn"], &chat["missed"]),
        (&json!(4), &Value::Null, &json!("Before")),
        "one ReplicaSet and three Pods"
    );
    as_of_files(world, &audited)?;
    of_one_namespace(world, &other, &planted[1])?;
    by_custom_resources(world, &other)
}

/// What nothing owns is told as `audit -f` tells it of the same objects.
fn as_of_files(world: &World, audited: &Audited) -> Result<()> {
    let kinds = "configmaps,pods,deployments,cronjobs,statefulsets";
    let exported = world
        .kubectl(&["get", kinds, "-A", "-o", "json"], None)?
        .success("kubectl get")?;
    let mut exported: Value = serde_json::from_str(&exported.stdout)?;
    if let Some(items) = exported["items"].as_array_mut() {
        items.retain(|item| item["metadata"]["ownerReferences"].is_null());
    }
    let files = audit(world, &["-f", "-"], Some(&exported.to_string()))?;
    let of_files: BTreeSet<String> = files.findings().iter().map(common).collect();
    let of_cluster: BTreeSet<String> = audited.findings().iter().map(common).collect();
    ensure!(of_files.len() > 100, "only {} findings", of_files.len());
    assert_eq!(of_cluster, of_files);
    Ok(())
}

/// `-n` looks at one namespace, and nowhere else.
fn of_one_namespace(world: &World, namespace: &str, planted: &Planted) -> Result<()> {
    let audited = audit(world, &["-n", namespace], None)?;
    let found = counted(audited.findings().iter().map(line));
    assert_eq!(found, counted(planted.findings.clone()));
    Ok(())
}

/// The cluster's own policies count where it has some; the flags stand in their place.
fn by_custom_resources(world: &World, namespace: &str) -> Result<()> {
    crds::install(world, &definitions()?)?;
    world.apply(&policy(
        "everything",
        json!({"mode": "DryRun", "models": {"include": []}}),
        json!({}),
    ))?;
    let audited = audit(world, &["-n", namespace], None)?;
    let rewrites = |audited: &Audited| audited.report["summary"]["rewrite"].clone();
    assert_eq!(rewrites(&audited), 0, "nothing is included");
    let policies: BTreeSet<_> = audited
        .findings()
        .iter()
        .map(|one| one["policy"].to_string())
        .collect();
    assert_eq!(policies, BTreeSet::from(["\"everything\"".to_owned()]));
    let file = world.folder().join("policy.yaml");
    std::fs::write(
        &file,
        policy("tried", json!({"mode": "Rewrite"}), json!({})),
    )?;
    let file = file.to_str().context("a path")?;
    let tried = audit(world, &["-n", namespace, "--policy", file], None)?;
    assert_ne!(rewrites(&tried), 0);
    Ok(())
}
