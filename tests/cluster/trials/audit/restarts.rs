//! The plan of restarts: it keeps to disruption budgets, and its commands replace the IDs of running Pods.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::super::product::{SONNET, asking, list, variable, workload};
use crate::process::wait_for;
use crate::release::{Chart, Release};
use crate::world::World;

/// What the plan is, but for the namespace.
const PLAN: &str = "\
#!/bin/sh
# Restart plan of 2026-11-23. Nothing was restarted.
# A rollout does not consult disruption budgets. So each one ends before the
# next begins, and is postponed if its strategy makes more Pods unavailable than
# a budget allows now.
set -eu

# NS/Deployment/chat: 1 Pod, 0 unavailable at once
kubectl rollout restart deployment chat -n NS --context trials
kubectl rollout status deployment chat -n NS --context trials --timeout 10m

# NS/Deployment/store: 2 Pods, 2 unavailable at once, budget store allows 0;
# postponed until its budget allows more: run it now only if its Pods do not work
# kubectl rollout restart deployment store -n NS --context trials
# kubectl rollout status deployment store -n NS --context trials --timeout 10m

# By hand:
# NS/Pod/debug: 1 Pod; no controller creates it again: delete it and create it
# again
";

pub(super) fn are_planned(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("a")?;
    let deployment = |name, spec| {
        let mut object = workload("apps", "Deployment", name, SONNET, "us-west-2");
        let fields = object["spec"].as_object_mut().context("a spec")?;
        fields.extend(serde_json::Map::clone(spec));
        anyhow::Ok(object)
    };
    let recreated = json!({"replicas": 2, "strategy": {"type": "Recreate"}});
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "store"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "store"}}}});
    world.create_in(
        &apps,
        &list([
            deployment("chat", &serde_json::Map::new())?,
            deployment("store", recreated.as_object().context("an object")?)?,
            budget,
            asking("debug", SONNET, "us-west-2"),
        ]),
    )?;
    let pods = || world.kubectl(&["get", "pods", "-o", "json", "--namespace", &apps], None);
    wait_for("the Pods", || {
        let pods: serde_json::Value = serde_json::from_str(&pods()?.stdout)?;
        let count = pods["items"].as_array().map(Vec::len);
        Ok((count == Some(4)).then_some(()))
    })?;
    let _replica = release.start_ready("one", &[])?;
    release.wait_until_active()?;

    let plan = plan(world, &apps)?;
    // The width of the namespace's name decides where comments are wrapped.
    let unwrapped = |plan: &str| plan.replace("\n# ", " ");
    assert_eq!(unwrapped(&plan).replace(&apps, "NS"), unwrapped(PLAN));

    // No Pod becomes ready here, so a rollout has no end to wait for.
    let restarts: String = plan
        .lines()
        .filter(|line| !line.contains("rollout status"))
        .flat_map(|line| [line, "\n"])
        .collect();
    run(world, &restarts)?;
    wait_for("a Pod with the profile", || {
        let pods: serde_json::Value = serde_json::from_str(&pods()?.stdout)?;
        let mut pods = pods["items"].as_array().into_iter().flatten();
        let profile = format!("us.{SONNET}");
        let is_rewritten = |pod: &serde_json::Value| {
            variable(pod, "BEDROCK_MODEL_ID").is_ok_and(|id| id == profile)
        };
        let found = pods.find(|pod| is_rewritten(pod));
        Ok(found.map(|pod| assert_eq!(pod["metadata"]["labels"]["app"], "chat")))
    })
}

/// What `audit --restart-plan` prints.
fn plan(world: &World, namespace: &str) -> Result<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(["audit", "--restart-plan", "-n", namespace]);
    command.args(["--today", "2026-11-23"]);
    let output = command.env("KUBECONFIG", world.kubeconfig()).output()?;
    let errors = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(0), "{errors}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a script with the kubectl of the control plane.
fn run(world: &World, script: &str) -> Result<()> {
    let kubectl = world.plane().kubectl();
    let folder = Path::new(kubectl.get_program()).parent();
    let folder = folder.context("the folder of kubectl")?;
    let search = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", script])
        .env("PATH", format!("{}:{search}", folder.display()))
        .env("KUBECONFIG", world.kubeconfig())
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Ok(())
}
