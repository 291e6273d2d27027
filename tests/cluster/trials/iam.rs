//! The command `iam` about a cluster: the role of a ServiceAccount and the permissions of Pods that the webhook has rewritten.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::product::{ONLY_GLOBAL, asking};
use crate::release::{Chart, Release};
use crate::trial::{Trial, alone};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![alone("permissions_of_rewritten_pods_are_known", are_known).with_controllers()]
}

fn are_known(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("a")?;
    let _replica = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    let role = "arn:aws:iam::111122223333:role/chat";
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "chat", "annotations": {"eks.amazonaws.com/role-arn": role}}});
    let mut pod = asking("chat", ONLY_GLOBAL, "eu-west-1");
    pod["spec"]["serviceAccountName"] = json!("chat");
    world.create_in(&apps, &account.to_string())?;
    world.create_in(&apps, &pod.to_string())?;

    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(["iam", "-A", "-o", "json", "--today", "2026-11-23"]);
    let output = command.env("KUBECONFIG", world.kubeconfig()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let printed: Value = serde_json::from_slice(&output.stdout).context(errors)?;
    let text = printed.to_string();
    let accounts = printed
        .as_array()
        .or_else(|| printed["principals"].as_array());
    let mut accounts = accounts.context("a list")?.iter();
    let found = accounts.find(|one| one["role"] == role).context(text)?;
    assert_eq!(found["refused"], json!([]), "{found}");
    let policy = found["policy"].to_string();
    for arn in [
        format!("arn:aws:bedrock:eu-west-1:111122223333:inference-profile/eu.{ONLY_GLOBAL}"),
        format!("arn:aws:bedrock:eu-north-1::foundation-model/{ONLY_GLOBAL}"),
    ] {
        assert!(policy.contains(&arn), "{arn}: {policy}");
    }
    Ok(())
}
