//! Users who are no administrators: what they may audit, and what a login that the API server does not know gives.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Result, ensure};
use bedrock_profiles::cluster::rbac::VIEW;
use serde_json::{Value, json};

use super::super::crds;
use super::super::product::{SONNET, asking, policy};
use crate::release::definitions;
use crate::world::World;

/// The account of a developer of one namespace.
const DEVELOPER: &str = "developer";

/// Runs the command with this kubeconfig.
fn run(kubeconfig: &Path, args: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    Ok(command.args(args).env("KUBECONFIG", kubeconfig).output()?)
}

pub(super) fn may_audit(world: &World) -> Result<()> {
    crds::install(world, &definitions()?)?;
    world.apply(&policy("own", json!({"mode": "DryRun"}), json!({})))?;
    world.create(&asking("chat", SONNET, "eu-west-1").to_string())?;
    let every = ["get", "list"];
    world.account(
        DEVELOPER,
        &json!([
            {"apiGroups": [""], "resources": ["namespaces", "configmaps", "pods", "replicationcontrollers", "podtemplates"], "verbs": every},
            {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets", "replicasets"], "verbs": every},
            {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": every},
        ]),
    )?;
    let developer = world.account_config(DEVELOPER, None)?;
    let namespace = world.namespace();
    let args = [
        "audit",
        "-n",
        namespace,
        "-o",
        "json",
        "--today",
        "2026-11-23",
    ];
    needs_the_role(world, &developer, &args)?;
    is_not_logged_in(world)?;
    files_are_evaluated_by_the_cluster(world, &developer)?;
    the_definitions_are_those_of_this_version(world)
}

/// A user who may not list policies gets no findings, and all of them with the role.
fn needs_the_role(world: &World, developer: &Path, args: &[&str]) -> Result<()> {
    let refused = run(developer, args)?;
    let error = String::from_utf8(refused.stderr)?;
    assert_eq!(refused.status.code(), Some(2), "{error}");
    ensure!(
        refused.stdout.is_empty() && error.contains("-view`"),
        "{error}"
    );
    let (group, api) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
    let rule = json!({"apiGroups": [VIEW.group], "resources": VIEW.resources, "verbs": VIEW.verbs});
    let users = format!("system:serviceaccounts:{}", world.namespace());
    let objects = json!([
        {"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": "view-profiles"}, "rules": [rule]},
        {"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": {"name": "view-profiles"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "view-profiles"},
            "subjects": [{"kind": "Group", "apiGroup": group, "name": users}]},
    ]);
    world.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string())?;
    let done = run(developer, args)?;
    let error = String::from_utf8(done.stderr)?;
    let report: Value = serde_json::from_slice(&done.stdout)?;
    assert_eq!(done.status.code(), Some(1), "{error}");
    assert_eq!(report["incomplete"], json!([]), "{error}");
    let found = &report["findings"][0];
    assert_eq!(
        (&found["policy"], &found["after"]),
        (&json!("own"), &json!(format!("eu.{SONNET}")))
    );
    Ok(())
}

/// A token that the API server does not know: one line, and nothing is listed.
fn is_not_logged_in(world: &World) -> Result<()> {
    let path = world.folder().join("unknown.kubeconfig");
    let config = world.plane().kubeconfig_with_token("unknown", None);
    fs::write(&path, config.to_string())?;
    let done = run(&path, &["audit", "-A"])?;
    let error = String::from_utf8(done.stderr)?;
    assert_eq!(done.status.code(), Some(2), "{error}");
    ensure!(
        error.lines().count() == 1 && error.contains("not logged in"),
        "{error}"
    );
    Ok(())
}

/// A user who may read one namespace evaluates files of it by the cluster's policies.
fn files_are_evaluated_by_the_cluster(world: &World, developer: &Path) -> Result<()> {
    let file = world.folder().join("pod.yaml");
    fs::write(&file, asking("chat", SONNET, "eu-west-1").to_string())?;
    let file = file.to_string_lossy();
    let flags = ["-n", world.namespace(), "--cluster", "-o", "json"];
    let done = run(developer, &[&["audit", &*file][..], &flags].concat())?;
    let error = String::from_utf8(done.stderr)?;
    let report: Value = serde_json::from_slice(&done.stdout)?;
    assert_eq!(report["findings"][0]["policy"], "own", "{error}");
    Ok(())
}

/// The API server stores the definitions as this version writes them.
fn the_definitions_are_those_of_this_version(world: &World) -> Result<()> {
    let done = run(&world.kubeconfig(), &["version", "--cluster", "-o", "json"])?;
    let versions: Value = serde_json::from_slice(&done.stdout)?;
    assert_eq!(versions["cluster"]["definitions"], "Equal", "{versions}");
    assert_eq!(done.status.code(), Some(0), "{versions}");
    Ok(())
}
