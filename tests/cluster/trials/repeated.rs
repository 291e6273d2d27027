//! Rewritten objects that are applied again from their manifests: every command succeeds, and the objects stay as they are.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::product::{SONNET, asking, config_map, default, list, record, workload};
use crate::helm::Helm;
use crate::pinned::{HELM_3, HELM_4, Tool};
use crate::process::wait_for;
use crate::release::{Chart, Release};
use crate::trial::{Trial, alone, plane};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "rewritten_objects_are_applied_again_client_side",
            applied_client_side,
        ),
        plane(
            "rewritten_objects_are_applied_again_server_side",
            applied_server_side,
        ),
        plane("rewritten_objects_are_replaced", replaced),
        plane("a_helm_3_release_is_upgraded_and_rolled_back", helm_3),
        plane("a_helm_4_release_is_upgraded_and_rolled_back", helm_4),
        plane(
            "a_client_side_helm_4_release_is_upgraded_and_rolled_back",
            helm_4_client_side,
        ),
        plane(
            "an_update_of_a_rewritten_pod_restores_nothing_else",
            restores_nothing_else,
        ),
        plane(
            "a_second_applier_of_a_rewritten_config_map_conflicts_once",
            a_second_applier,
        ),
        plane(
            "the_original_of_a_config_map_is_applied_after_an_uninstallation",
            after_an_uninstallation,
        ),
        alone(
            "a_pod_with_replaced_references_is_applied_again",
            replaced_references,
        ),
    ]
}

/// The objects that a user applies: a Pod without a controller, with IDs in every kind of place, a ConfigMap, and workloads.
pub(super) fn manifests(name: &str) -> Vec<Value> {
    let mut pod = asking(name, SONNET, "eu-west-1");
    let container = &mut pod["spec"]["containers"][0];
    container["args"] = json!(["--model", SONNET, "--fallback", format!("eu.{SONNET}")]);
    container["livenessProbe"] = json!({"exec": {"command": ["check", "--model", SONNET]}});
    // `kubectl replace` drops what the manifest lacks: without these, the fields of the service account.
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    pod["spec"]["serviceAccountName"] = json!("default");
    let mut deployment = workload("apps", "Deployment", name, SONNET, "eu-west-1");
    deployment["spec"]["replicas"] = json!(0);
    let job = workload("batch", "Job", name, SONNET, "eu-west-1");
    let cron_job = json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": job["spec"]["template"]}}}});
    let map = config_map(name, &[("model", SONNET), ("AWS_REGION", "eu-west-1")]);
    vec![pod, map, deployment, cron_job]
}

/// What must not change: the specs, the data and the records.
pub(super) fn stored(world: &World, name: &str) -> Result<Vec<Value>> {
    let kinds = ["pod", "configmap", "deployment", "cronjob"];
    let all = kinds.iter().map(|kind| {
        let object = world.get(kind, name)?;
        Ok(json!([
            object["metadata"]["uid"],
            object["spec"],
            object["data"],
            record(&object)
        ]))
    });
    all.collect()
}

/// The Pod and the ConfigMap of `stored` are rewritten.
pub(super) fn assert_rewritten(stored: &[Value]) {
    for object in &stored[..2] {
        assert!(object[3].is_string(), "{object}");
        assert!(object.to_string().contains(&format!("eu.{SONNET}")));
    }
}

/// Runs a command on the manifests, and asserts that nothing has changed.
fn repeat(world: &World, name: &str, before: &[Value], command: &[&str]) -> Result<()> {
    let manifests = list(manifests(name));
    for round in ["first", "second"] {
        let mut arguments = command.to_vec();
        arguments.extend(["-f", "-"]);
        let output = world.kubectl(&arguments, Some(&manifests))?;
        // `kubectl diff` fails where it prints a difference.
        ensure!(
            output.ok,
            "{round} {command:?}: {}{}",
            output.stdout,
            output.stderr
        );
        assert_eq!(stored(world, name)?, before, "{round} {command:?}");
    }
    Ok(())
}

fn applied_client_side(world: &World) -> Result<()> {
    let server = world.serve(&default())?;
    world
        .kubectl(&["apply", "-f", "-"], Some(&list(manifests("csa"))))?
        .success("kubectl apply")?;
    let before = stored(world, "csa")?;
    assert_rewritten(&before);
    repeat(world, "csa", &before, &["apply"])?;
    repeat(world, "csa", &before, &["diff"])?;
    repeat(world, "csa", &before, &["apply", "--dry-run=server"])?;
    let log = server.log()?;
    ensure!(log.contains("\"outcome\":\"restored\""), "{log}");
    let metrics = server.get("/metrics")?;
    let is_counted = |line: &str| line.contains("outcome=\"restored\"") && !line.ends_with(" 0");
    ensure!(metrics.lines().any(is_counted), "{metrics}");
    Ok(())
}

fn applied_server_side(world: &World) -> Result<()> {
    world.serve(&default())?;
    let apply = ["apply", "--server-side"];
    world
        .kubectl(
            &["apply", "--server-side", "-f", "-"],
            Some(&list(manifests("ssa"))),
        )?
        .success("kubectl apply")?;
    let before = stored(world, "ssa")?;
    assert_rewritten(&before);
    repeat(world, "ssa", &before, &apply)?;
    repeat(world, "ssa", &before, &["diff", "--server-side"])
}

fn replaced(world: &World) -> Result<()> {
    world.serve(&default())?;
    world.create(&list(manifests("put")))?;
    let before = stored(world, "put")?;
    assert_rewritten(&before);
    // The manifests have no record, and `kubectl replace` drops what they lack.
    repeat(world, "put", &before, &["replace"])
}

fn helm_3(world: &World) -> Result<()> {
    released(world, HELM_3, &[])
}

fn helm_4(world: &World) -> Result<()> {
    released(world, HELM_4, &[])
}

fn helm_4_client_side(world: &World) -> Result<()> {
    released(world, HELM_4, &["--server-side=false"])
}

fn released(world: &World, tool: Tool, mode: &'static [&'static str]) -> Result<()> {
    world.serve(&default())?;
    let chart = world.folder().join("applications");
    fs::create_dir_all(chart.join("templates"))?;
    fs::write(
        chart.join("Chart.yaml"),
        "{apiVersion: v2, name: applications, version: 1.0.0}",
    )?;
    let documents = manifests("app");
    let documents: Vec<_> = documents.iter().map(Value::to_string).collect();
    fs::write(chart.join("templates/all.yaml"), documents.join("\n---\n"))?;
    let chart = chart.to_string_lossy();
    let helm = Helm { world, tool, mode };
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(mode);
        helm.run(&all)
    };
    run(&["install", "apps", &chart])?;
    let before = stored(world, "app")?;
    assert_rewritten(&before);
    for arguments in [
        &["upgrade", "apps", &chart][..],
        &["upgrade", "apps", &chart],
        &["rollback", "apps", "1"],
        &["rollback", "apps", "2"],
        &["upgrade", "apps", &chart],
    ] {
        run(arguments)?;
        assert_eq!(stored(world, "app")?, before, "{arguments:?}");
    }
    Ok(())
}

fn restores_nothing_else(world: &World) -> Result<()> {
    world.serve(&default())?;
    let manifest = asking("chat", SONNET, "eu-west-1");
    world.create(&manifest.to_string())?;
    let patched = |patch: &Value| {
        let patch = patch.to_string();
        world.kubectl(&["patch", "pod", "chat", "-p", &patch], None)
    };
    let env = |value: &str| json!({"spec": {"containers": [{"name": "app", "env": [{"name": "BEDROCK_MODEL_ID", "value": value}]}]}});
    for value in ["anthropic.claude-sonnet-4-6", &format!("us.{SONNET}"), "x"] {
        let output = patched(&env(value))?;
        ensure!(!output.ok, "{value}: {}", output.stdout);
        ensure!(
            output.stderr.contains("pod updates may not change fields"),
            "{}",
            output.stderr
        );
    }
    let before = world.get("pod", "chat")?;
    patched(&env(SONNET))?.success("the recorded original")?;
    let image = json!({"spec": {"containers": [{"name": "app", "image": "example.com/chat:2"}]}});
    patched(&image)?.success("another image")?;
    world
        .kubectl(
            &["annotate", "pod", "chat", "bedrock-profiles.dev/rewrites-"],
            None,
        )?
        .success("annotate")?;
    let after = world.get("pod", "chat")?;
    assert_eq!(record(&after), record(&before));
    let container = |pod: &Value| pod["spec"]["containers"][0].clone();
    assert_eq!(container(&after)["image"], "example.com/chat:2");
    assert_eq!(container(&after)["env"], container(&before)["env"]);

    // A Pod without a record has no one to restore from.
    let mut opted_out = asking("own", SONNET, "eu-west-1");
    opted_out["metadata"]["annotations"] = json!({"bedrock-profiles.dev/ignore": "trial"});
    world.create(&opted_out.to_string())?;
    world
        .kubectl(&["label", "pod", "own", "a=b"], None)?
        .success("label")?;
    assert_eq!(record(&world.get("pod", "own")?), None);
    Ok(())
}

/// Fields belong to the manager of the request, so two appliers of one manifest conflict about a rewritten value.
fn a_second_applier(world: &World) -> Result<()> {
    world.serve(&default())?;
    let manifest = config_map("models", &[("model", SONNET), ("AWS_REGION", "eu-west-1")]);
    let manifest = manifest.to_string();
    let apply = |arguments: &[&str]| {
        let mut all = vec!["apply", "-f", "-"];
        all.extend(arguments);
        world.kubectl(&all, Some(&manifest))
    };
    apply(&[])?.success("client-side apply")?;
    let refused = apply(&["--server-side"])?;
    ensure!(
        !refused.ok && refused.stderr.contains("conflict"),
        "{}",
        refused.stderr
    );
    ensure!(refused.stderr.contains(".data.model"), "{}", refused.stderr);
    apply(&["--server-side", "--force-conflicts"])?.success("the cure")?;
    apply(&["--server-side"])?.success("the next one")?;
    let stored = world.get("configmap", "models")?;
    assert_eq!(stored["data"]["model"], format!("eu.{SONNET}"));
    Ok(())
}

/// The text of the manifest comes back, and the record stays until it is removed.
fn after_an_uninstallation(world: &World) -> Result<()> {
    world.serve(&default())?;
    let manifest =
        |name| config_map(name, &[("model", SONNET), ("AWS_REGION", "eu-west-1")]).to_string();
    let commands = [
        ("csa", &["apply", "-f", "-"][..]),
        ("ssa", &["apply", "--server-side", "-f", "-"]),
    ];
    for (name, apply) in commands {
        world.kubectl(apply, Some(&manifest(name)))?.success(name)?;
        let stored = world.get("configmap", name)?;
        assert_eq!(stored["data"]["model"], format!("eu.{SONNET}"));
    }
    let configuration = world.cluster_wide("bedrock-profiles");
    world
        .kubectl(
            &["delete", "mutatingwebhookconfiguration", &configuration],
            None,
        )?
        .success("delete")?;
    wait_for("no webhook", || {
        let output = world.kubectl(
            &["create", "--dry-run=server", "-f", "-", "-o", "json"],
            Some(&manifest("probe")),
        )?;
        Ok((output.ok && !output.stdout.contains(&format!("eu.{SONNET}"))).then_some(()))
    })?;
    for (name, apply) in commands {
        world.kubectl(apply, Some(&manifest(name)))?.success(name)?;
        let stored = world.get("configmap", name)?;
        assert_eq!(stored["data"]["model"], SONNET);
        assert!(record(&stored).is_some());
        let removal = [
            "annotate",
            "configmap",
            name,
            "bedrock-profiles.dev/rewrites-",
        ];
        world.kubectl(&removal, None)?.success("annotate")?;
        assert_eq!(record(&world.get("configmap", name)?), None);
    }
    Ok(())
}

/// A Pod that takes IDs from the ConfigMap `models`, by one key and by all of them.
pub(super) fn pod_with_references(name: &str) -> Value {
    let mut pod = asking(name, SONNET, "eu-west-1");
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    pod["spec"]["serviceAccountName"] = json!("default");
    let container = &mut pod["spec"]["containers"][0];
    container["env"] = json!([
        {"name": "AWS_REGION", "value": "eu-west-1"},
        {"name": "MODEL", "valueFrom": {"configMapKeyRef": {"name": "models", "key": "SONNET"}}},
        {"name": "ARGUMENT", "value": "--model=$(SONNET)"},
    ]);
    container["envFrom"] = json!([{"configMapRef": {"name": "models"}}]);
    pod
}

/// With the chart's webhook configurations, as the leader activates them.
fn replaced_references(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let _one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    let map = config_map("models", &[("SONNET", SONNET)]);
    world.create_in(&apps, &map.to_string())?;
    let commands = [
        ("csa", &["apply"][..], "apply"),
        ("ssa", &["apply", "--server-side"], "apply"),
        ("put", &["create"], "replace"),
    ];
    for (name, first, again) in commands {
        let run = |command: &[&str]| {
            let mut all = command.to_vec();
            all.extend(["--namespace", &apps, "-f", "-"]);
            world
                .kubectl(&all, Some(&pod_with_references(name).to_string()))?
                .success(name)
        };
        run(first)?;
        let before = world.get_in(&apps, "pod", name)?;
        let env = before["spec"]["containers"][0]["env"].to_string();
        assert_eq!(env.matches(&format!("eu.{SONNET}")).count(), 2, "{env}");
        for _ in 0..2 {
            run(if again == "replace" {
                &["replace"]
            } else {
                first
            })?;
            let after = world.get_in(&apps, "pod", name)?;
            assert_eq!(after["spec"], before["spec"], "{name}");
            assert_eq!(record(&after), record(&before), "{name}");
        }
    }
    Ok(())
}
