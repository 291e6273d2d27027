//! The command `preview`: what it prints about a policy is what the cluster does once the policy is applied.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::product::{ONLY_GLOBAL, asking, policy, variable};
use crate::process::wait_for;
use crate::release::{Chart, Release};
use crate::trial::{Trial, alone};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![alone("a_preview_is_what_the_change_does", is_right).with_controllers()]
}

fn is_right(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("a")?;
    let region = "eu-west-1";
    // The webhook is not active yet.
    world.create_in(&apps, &asking("before", ONLY_GLOBAL, region).to_string())?;
    let _replica = release.start_ready("one", &[])?;
    release.wait_until_active()?;

    let spec = json!({"mode": "Rewrite", "priority": 10});
    let fields = json!({"geography": {"global": "Prefer"}});
    let planned = policy("planned", spec, fields);
    let file = world.folder().join("planned.yaml");
    fs::write(&file, &planned)?;
    let policies = || world.kubectl(&["get", "ipp", "-o", "yaml"], None);
    let stored = policies()?.stdout;
    let (code, report) = preview(world, &apps, &file)?;
    assert_eq!(code, Some(1));
    assert_eq!(policies()?.stdout, stored, "nothing is applied");
    let findings = report["findings"].as_array().context("findings")?;
    assert_eq!(findings.len(), 1, "{report}");
    let [now, planned_id] = ["now", "planned"].map(|time| &findings[0][time]["replacement"]);
    assert_eq!(*now, format!("eu.{ONLY_GLOBAL}"));
    assert_eq!(*planned_id, format!("global.{ONLY_GLOBAL}"));
    assert_eq!(report["routes"][0]["added"], json!(["*"]));

    world.apply(&planned)?;
    let id_of = |name: &str| -> Result<String> {
        let pod = world.kubectl(
            &["get", "pod", name, "-o", "json", "--namespace", &apps],
            None,
        )?;
        let pod = serde_json::from_str(&pod.stdout)?;
        Ok(variable(&pod, "BEDROCK_MODEL_ID")?.to_owned())
    };
    let mut attempts = 0;
    wait_for("a Pod with the planned profile", || {
        attempts += 1;
        let name = format!("after-{attempts}");
        world.create_in(&apps, &asking(&name, ONLY_GLOBAL, region).to_string())?;
        Ok((planned_id == &id_of(&name)?).then_some(()))
    })?;
    let (code, _) = preview(world, &apps, &file)?;
    assert_eq!(code, Some(0));
    Ok(())
}

/// Runs `preview -o json` of a namespace with the policies of a file.
fn preview(world: &World, namespace: &str, file: &Path) -> Result<(Option<i32>, Value)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(["preview", "-o", "json", "-n", namespace]);
    command.args(["--today", "2026-11-23", "--with"]).arg(file);
    let output = command.env("KUBECONFIG", world.kubeconfig()).output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).context(errors)?;
    Ok((output.status.code(), report))
}
