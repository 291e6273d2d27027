//! The audit of a cluster: it finds exactly the planted IDs, as an audit of files does, and the leader writes the result to status,
//! reports, events and metrics.

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

mod leader;
pub(crate) mod planted;
mod restarts;
mod users;

use planted::Planted;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone(
            "an_audit_finds_the_planted_ids_as_an_audit_of_files_does",
            an_audit_finds_the_planted_ids,
        )
        .with_controllers(),
        alone("an_audit_of_a_user_needs_the_role_view", users::may_audit),
        alone(
            "an_audit_of_the_leader_writes_status_reports_events_and_metrics",
            leader::writes_its_results,
        )
        .with_controllers(),
        alone(
            "the_restarts_of_pods_with_direct_ids_are_planned",
            restarts::are_planned,
        )
        .with_controllers(),
    ]
}

/// The output of the command.
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

/// A finding in the short form of [`Planted::findings`]: `namespace/Kind/name: before -> answer`.
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

/// The number of occurrences of each line.
pub(crate) fn counted(lines: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
}

/// A finding without the fields that only files or only clusters have.
fn common(finding: &Value) -> String {
    let mut common = finding.clone();
    for field in ["source", "seenIn", "missed", "instances"] {
        common[field] = Value::Null;
    }
    common.to_string()
}

fn an_audit_finds_the_planted_ids(world: &World) -> Result<()> {
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
    equals_an_audit_of_files(world, &audited)?;
    is_limited_to_a_namespace(world, &other, &planted[1])?;
    uses_custom_resources(world, &other)
}

/// The findings of objects without an owner equal those of `audit -f`.
fn equals_an_audit_of_files(world: &World, audited: &Audited) -> Result<()> {
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

/// `-n` audits one namespace and no other.
fn is_limited_to_a_namespace(world: &World, namespace: &str, planted: &Planted) -> Result<()> {
    let audited = audit(world, &["-n", namespace], None)?;
    let found = counted(audited.findings().iter().map(line));
    assert_eq!(found, counted(planted.findings.clone()));
    Ok(())
}

/// The policies of the cluster apply, and the flags replace them.
fn uses_custom_resources(world: &World, namespace: &str) -> Result<()> {
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
