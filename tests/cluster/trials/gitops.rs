//! Rewritten objects under the engines of Argo CD and Flux: they are applied again and again, and stay as they are.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{
    product::{SONNET, config_map, default, list, record, rewriting, serve},
    repeated::{assert_rewritten, manifests, pod_with_references, stored},
};
use crate::gitops::{ARGO_CD, FLUX};
use crate::release::{Chart, Release};
use crate::server::Serve;
use crate::trial::{Trial, gitops};
use crate::world::World;

/// A model that comes after the one of the manifests.
const HAIKU: &str = "anthropic.claude-haiku-4-5-20251001-v1:0";

/// The ways of Argo CD to compare that do not ask the API server.
const LOCAL: [&str; 2] = ["three-way", "structured-merge"];

/// The ways of Argo CD to compare by a dry run of server-side apply.
const SERVER_SIDE: [&str; 2] = ["server-side", "server-side-with-webhooks"];

pub(super) fn trials() -> Vec<Trial> {
    vec![
        gitops("argo_cd_syncs_rewritten_objects_client_side", |world| {
            argo_cd(world, &[])
        }),
        gitops("argo_cd_syncs_rewritten_objects_server_side", |world| {
            argo_cd(world, &["-server-side"])
        }),
        gitops("argo_cd_syncs_a_tracked_config_map", tracked),
        gitops("argo_cd_syncs_a_new_model", argo_cd_with_a_new_model),
        gitops(
            "argo_cd_syncs_no_rewritten_pod_without_the_webhook",
            argo_cd_alone,
        ),
        gitops("flux_reconciles_rewritten_objects", flux),
        gitops("flux_reconciles_a_new_model", flux_with_a_new_model),
        gitops(
            "flux_reconciles_nothing_beside_a_rewritten_pod_without_the_webhook",
            flux_alone,
        ),
        gitops(
            "flux_takes_a_rewritten_config_map_back_from_kubectl",
            flux_after_kubectl,
        ),
        gitops("a_pod_with_replaced_references_is_synced", references).with_own_plane(),
    ]
}

/// A policy by which ConfigMaps are rewritten, although a tool tracks them.
fn all() -> String {
    rewriting(json!({"configMaps": {"rewrite": "All"}}))
}

/// The manifests of an Application or a Kustomization. The Deployment has a Pod.
fn objects() -> String {
    let mut objects = manifests("chat");
    objects[2]["spec"]["replicas"] = json!(1);
    list(objects)
}

/// The same status of each kind of object, but for these.
fn status(of_all: &str, others: &[&str], of_others: &str) -> Value {
    let kinds = ["Pod", "ConfigMap", "Deployment", "CronJob"];
    let of = |kind| {
        if others.contains(&kind) {
            of_others
        } else {
            of_all
        }
    };
    kinds.into_iter().map(|kind| (kind, of(kind))).collect()
}

/// Starts a Job from the `CronJob`, and returns what must not change.
fn started(world: &World) -> Result<Vec<Value>> {
    let job = ["create", "job", "chat-now", "--from=cronjob/chat"];
    world.kubectl(&job, None)?.success("kubectl create job")?;
    world.wait_for(1, "pods", "app=chat")?;
    world.wait_for(1, "pods", "job-name=chat-now")?;
    state(world)
}

/// The objects, the Pods of the workloads and the record of each Pod.
fn state(world: &World) -> Result<Vec<Value>> {
    let mut all = stored(world, "chat")?;
    let mut pods = world.list("pods", "")?;
    pods.sort_by_key(|pod| pod["metadata"]["name"].to_string());
    ensure!(pods.len() == 3, "{pods:?}");
    for pod in pods {
        ensure!(record(&pod).is_some(), "{pod}");
        all.push(json!([pod["metadata"]["uid"], pod["spec"], record(&pod)]));
    }
    Ok(all)
}

/// A sync or a comparison.
fn run(world: &World, command: &str, mode: &[&str]) -> Result<Value> {
    let mut arguments = vec![command];
    arguments.extend(mode);
    ARGO_CD.run(world, &arguments, &objects())
}

/// A sync that succeeds.
fn sync(world: &World, mode: &[&str]) -> Result<()> {
    let report = run(world, "sync", mode)?;
    ensure!(report["sync"]["phase"] == "Succeeded", "{report:#}");
    Ok(())
}

fn argo_cd(world: &World, mode: &[&str]) -> Result<()> {
    world.serve(&serve(&all()))?;
    sync(world, mode)?;
    let before = started(world)?;
    assert_rewritten(&before);
    for _ in 0..2 {
        sync(world, mode)?;
        assert_eq!(state(world)?, before);
    }
    // The Application moves to server-side apply.
    sync(world, &["-server-side"])?;
    assert_eq!(state(world)?, before);
    let compared = &run(world, "compare", mode)?["status"];
    for way in LOCAL {
        let expected = status("Synced", &["Pod", "ConfigMap"], "OutOfSync");
        assert_eq!(compared[way], expected, "{way}");
    }
    for way in SERVER_SIDE {
        assert_eq!(compared[way], status("Synced", &[], ""), "{way}");
    }

    let ignored = documented_differences()?;
    let compared = &run(world, "compare", &["-ignore", &ignored])?["status"];
    for way in LOCAL.into_iter().chain(SERVER_SIDE) {
        assert_eq!(compared[way], status("Synced", &[], ""), "{way}, ignoring");
    }
    Ok(())
}

/// The block `ignoreDifferences` of the page for users, as JSON.
fn documented_differences() -> Result<String> {
    let page = fs::read_to_string("docs/gitops.md")?;
    let mut blocks = page
        .split("```")
        .filter_map(|block| block.strip_prefix("yaml\n"));
    let block = blocks.find(|block| block.starts_with("ignoreDifferences:"));
    let block: Value = serde_yaml::from_str(block.context("no such block")?)?;
    Ok(block["ignoreDifferences"].to_string())
}

/// With the default policy, which leaves the ConfigMaps of trackers.
fn tracked(world: &World) -> Result<()> {
    world.serve(&default())?;
    sync(world, &[])?;
    let before = started(world)?;
    sync(world, &[])?;
    assert_eq!(state(world)?, before);
    let stored = world.get("configmap", "chat")?;
    assert_eq!(stored["data"]["model"], SONNET);
    let compared = &run(world, "compare", &[])?["status"];
    for way in LOCAL {
        let expected = status("Synced", &["Pod"], "OutOfSync");
        assert_eq!(compared[way], expected, "{way}");
    }
    Ok(())
}

/// The ConfigMap and the Deployment, with this model.
fn models(model: &str) -> String {
    list(manifests("chat").drain(1..3)).replace(SONNET, model)
}

/// The stored ConfigMap has the profile of the new model.
fn assert_new(world: &World) -> Result<()> {
    let stored = world.get("configmap", "chat")?;
    assert_eq!(stored["data"]["model"], format!("eu.{HAIKU}"));
    Ok(())
}

fn argo_cd_with_a_new_model(world: &World) -> Result<()> {
    world.serve(&serve(&all()))?;
    let sync = |model| ARGO_CD.run(world, &["sync"], &models(model));
    sync(SONNET)?;
    for expected in ["OutOfSync", "Synced"] {
        let report = sync(HAIKU)?;
        let expected = json!({"ConfigMap": expected, "Deployment": expected});
        assert_eq!(report["status"]["server-side"], expected, "{report:#}");
        assert_new(world)?;
    }
    Ok(())
}

fn flux_with_a_new_model(world: &World) -> Result<()> {
    world.serve(&serve(&all()))?;
    FLUX.run(world, &[], &models(SONNET))?;
    for expected in ["configured", "unchanged"] {
        let report = FLUX.run(world, &[], &models(HAIKU))?;
        let expected = json!({"ConfigMap": expected, "Deployment": expected});
        assert_eq!(report["actions"], expected, "{report:#}");
        assert_new(world)?;
    }
    Ok(())
}

/// Without the webhook that restores, the API server refuses the Pod.
fn argo_cd_alone(world: &World) -> Result<()> {
    world.serve(&without_pod_updates(&all()))?;
    sync(world, &[])?;
    let report = run(world, "sync", &[])?;
    assert_eq!(report["sync"]["phase"], "Failed", "{report:#}");
    assert!(
        is_refusal(&report["sync"]["resources"]["Pod"]),
        "{report:#}"
    );
    for way in SERVER_SIDE {
        assert!(is_refusal(&report["status"][way]), "{way}: {report:#}");
    }
    Ok(())
}

fn flux(world: &World) -> Result<()> {
    world.serve(&serve(&all()))?;
    let first = FLUX.run(world, &[], &objects())?;
    assert_eq!(first["actions"], status("created", &[], ""), "{first:#}");
    let before = started(world)?;
    assert_rewritten(&before);
    for _ in 0..3 {
        let report = FLUX.run(world, &[], &objects())?;
        assert_eq!(
            report["actions"],
            status("unchanged", &[], ""),
            "{report:#}"
        );
        assert_eq!(report["drift"], status("none", &[], ""), "{report:#}");
        assert_eq!(state(world)?, before);
    }
    Ok(())
}

fn flux_alone(world: &World) -> Result<()> {
    world.serve(&without_pod_updates(&all()))?;
    FLUX.run(world, &[], &objects())?;
    let report = FLUX.run(world, &[], &objects())?;
    assert!(is_refusal(&report["error"]), "{report:#}");
    assert_eq!(report["actions"], json!({}));
    Ok(())
}

/// `kubectl apply` of the manifest takes the rewritten key, and the next reconciliation takes it back.
fn flux_after_kubectl(world: &World) -> Result<()> {
    world.serve(&serve(&all()))?;
    let map = list(manifests("chat").drain(1..2));
    FLUX.run(world, &[], &map)?;
    let before = world.get("configmap", "chat")?;
    world
        .kubectl(&["apply", "-f", "-"], Some(&map))?
        .success("kubectl apply")?;
    for action in ["configured", "unchanged"] {
        let report = FLUX.run(world, &[], &map)?;
        assert_eq!(
            report["actions"],
            json!({"ConfigMap": action}),
            "{report:#}"
        );
        let after = world.get("configmap", "chat")?;
        assert_eq!(after["data"], before["data"]);
        assert_eq!(record(&after), record(&before));
    }
    Ok(())
}

/// With the chart's webhook configurations, as the leader activates them.
fn references(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let _one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    let map = config_map("models", &[("SONNET", SONNET)]);
    world.create_in(&apps, &map.to_string())?;
    let engines = [
        ("client-side", ARGO_CD, &["sync"][..]),
        ("server-side", ARGO_CD, &["sync", "-server-side"]),
        ("flux", FLUX, &[]),
    ];
    for (name, engine, arguments) in engines {
        let run = || {
            let pods = list([pod_with_references(name)]);
            engine.run_in(world, &apps, arguments, &pods)
        };
        run()?;
        let before = world.get_in(&apps, "pod", name)?;
        let env = before["spec"]["containers"][0]["env"].to_string();
        assert_eq!(env.matches(&format!("eu.{SONNET}")).count(), 2, "{env}");
        for _ in 0..2 {
            let report = run()?;
            let result = [
                &report["status"]["server-side"]["Pod"],
                &report["sync"]["phase"],
                &report["actions"]["Pod"],
            ];
            let expected = if name == "flux" {
                [&Value::Null, &Value::Null, &json!("unchanged")]
            } else {
                [&json!("Synced"), &json!("Succeeded"), &Value::Null]
            };
            assert_eq!(result, expected, "{name}: {report:#}");
            let after = world.get_in(&apps, "pod", name)?;
            assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
            assert_eq!(after["spec"], before["spec"], "{name}");
            assert_eq!(record(&after), record(&before), "{name}");
        }
    }
    Ok(())
}

fn without_pod_updates(policies: &str) -> Serve<'_> {
    Serve {
        pod_updates: false,
        ..serve(policies)
    }
}

fn is_refusal(text: &Value) -> bool {
    text.to_string()
        .contains("pod updates may not change fields")
}
