//! Which objects are changed, however they come: through controllers, by generated names, dry runs, ephemeral containers,
//! ConfigMaps; and which never are.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::product::{
    SONNET, asking, config_map, container, default, list, pod, record, rewriting, serve, variable,
    variable_of, workload,
};
use crate::trial::{Trial, plane};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "pods_of_every_controller_are_rewritten",
            pods_of_every_controller,
        )
        .with_controllers(),
        plane(
            "the_pod_of_a_daemon_set_is_rewritten",
            the_pod_of_a_daemon_set,
        )
        .with_controllers(),
        plane("the_pod_of_a_cron_job_is_rewritten", the_pod_of_a_cron_job).with_controllers(),
        plane("a_pod_with_a_generated_name_is_rewritten", a_generated_name),
        plane(
            "a_server_side_dry_run_shows_the_answer_and_stores_nothing",
            a_dry_run,
        ),
        plane(
            "a_rewritten_pod_is_admitted_again_without_a_patch",
            admitted_again,
        ),
        plane(
            "only_a_new_ephemeral_container_is_rewritten",
            ephemeral_containers,
        ),
        plane("a_mirror_pod_is_never_patched", a_mirror_pod),
        plane("an_update_of_a_pod_is_never_patched", an_update_of_a_pod),
        plane(
            "a_config_map_is_rewritten_on_create_and_update_and_applies_twice",
            a_config_map,
        ),
        plane(
            "an_immutable_config_map_is_never_rewritten_and_applies_twice",
            an_immutable_config_map,
        ),
        plane("a_config_map_of_900_kib_is_stored", a_large_config_map),
        plane(
            "an_object_with_nearly_full_annotations_is_stored",
            nearly_full_annotations,
        ),
    ]
}

fn profiled() -> String {
    format!("eu.{SONNET}")
}

fn pods_of_every_controller(world: &World) -> Result<()> {
    world.serve(&default())?;
    let kinds = [
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "ReplicaSet"),
        ("batch", "Job"),
    ];
    let name = |kind: &str| format!("w-{}", kind.to_lowercase());
    world.create(&list(kinds.map(|(group, kind)| {
        workload(group, kind, &name(kind), SONNET, "eu-west-1")
    })))?;
    for (_, kind) in kinds {
        let pods = world.wait_for(1, "pods", &format!("app={}", name(kind)))?;
        assert_eq!(
            variable(&pods[0], "BEDROCK_MODEL_ID")?,
            profiled(),
            "{kind}"
        );
        let stored = world.get(kind, &name(kind))?;
        assert_eq!(
            variable(&stored["spec"]["template"], "BEDROCK_MODEL_ID")?,
            SONNET,
            "the template of {kind} stays"
        );
    }
    Ok(())
}

fn the_pod_of_a_daemon_set(world: &World) -> Result<()> {
    world.serve(&default())?;
    let name = world.cluster_wide("machine");
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"trial": world.namespace()}}});
    let mut set = workload("apps", "DaemonSet", "agent", SONNET, "eu-west-1");
    set["spec"]["template"]["spec"]["nodeSelector"] = json!({"trial": world.namespace()});
    set["spec"]["template"]["spec"]["tolerations"] = json!([{"operator": "Exists"}]);
    world.create(&list([node, set]))?;
    let pods = world.wait_for(1, "pods", "app=agent");
    world
        .kubectl(&["delete", "node", &name], None)?
        .success("delete the node")?;
    assert_eq!(variable(&pods?[0], "BEDROCK_MODEL_ID")?, profiled());
    Ok(())
}

fn the_pod_of_a_cron_job(world: &World) -> Result<()> {
    world.serve(&default())?;
    world.create(&cron_job("nightly").to_string())?;
    start_cron_job(world, "nightly")?;
    let pods = world.wait_for(1, "pods", "app=nightly")?;
    assert_eq!(variable(&pods[0], "BEDROCK_MODEL_ID")?, profiled());
    Ok(())
}

/// A `CronJob` that is due once a year.
pub(super) fn cron_job(name: &str) -> Value {
    let job = workload("batch", "Job", name, SONNET, "eu-west-1");
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job["spec"]}}})
}

/// Makes the `CronJob` due at once: it last ran long ago.
pub(super) fn start_cron_job(world: &World, name: &str) -> Result<()> {
    let ran = json!({"status": {"lastScheduleTime": "2020-01-02T00:00:00Z"}}).to_string();
    world
        .kubectl(
            &[
                "patch",
                "cronjob",
                name,
                "--subresource=status",
                "--type=merge",
                "-p",
                &ran,
            ],
            None,
        )?
        .success("patch the status")?;
    Ok(())
}

fn a_generated_name(world: &World) -> Result<()> {
    world.serve(&default())?;
    let mut pod = asking("", SONNET, "eu-west-1");
    pod["metadata"] = json!({"generateName": "chat-", "labels": {"app": "generated"}});
    world.create(&pod.to_string())?;
    assert_eq!(
        variable(&world.list("pods", "app=generated")?[0], "BEDROCK_MODEL_ID")?,
        profiled()
    );
    Ok(())
}

fn a_dry_run(world: &World) -> Result<()> {
    let server = world.serve(&default())?;
    let pod = asking("chat", SONNET, "eu-west-1").to_string();
    let output = world
        .kubectl(
            &["create", "--dry-run=server", "-o", "json", "-f", "-"],
            Some(&pod),
        )?
        .success("dry run")?;
    assert_eq!(
        variable(&serde_json::from_str(&output.stdout)?, "BEDROCK_MODEL_ID")?,
        profiled()
    );
    assert_eq!(output.warnings().len(), 2, "{}", output.stderr);
    assert!(
        !world.kubectl(&["get", "pod", "chat"], None)?.ok,
        "nothing is stored"
    );
    let metrics = server.get("/metrics")?;
    let counted =
        |line: &&str| line.contains("outcome=\"rewritten\"") && line.contains("dry_run=\"true\"");
    ensure!(
        metrics.lines().any(|line| counted(&line)),
        "a dry run counts apart: {metrics}"
    );
    ensure!(
        !metrics.contains("rewrites_total{"),
        "a dry run rewrites nothing: {metrics}"
    );
    Ok(())
}

fn admitted_again(world: &World) -> Result<()> {
    world.serve(&default())?;
    world.create(&asking("chat", SONNET, "eu-west-1").to_string())?;
    let mut again = world.get("pod", "chat")?;
    again["metadata"] = json!({"name": "again", "annotations": again["metadata"]["annotations"]});
    let output = world.create(&again.to_string())?;
    assert_eq!(output.warnings(), Vec::<&str>::new());
    let stored = world.get("pod", "again")?;
    assert_eq!(variable(&stored, "BEDROCK_MODEL_ID")?, profiled());
    assert_eq!(
        stored["metadata"]["annotations"],
        again["metadata"]["annotations"]
    );
    let event = world.audit_event("the second creation", |event| {
        event["objectRef"]["name"] == "again"
    })?;
    let marks = event["annotations"].as_object().context("no annotations")?;
    let ours = |mark: &&Value| {
        mark.as_str()
            .is_some_and(|mark| mark.contains("webhook-pods.bedrock-profiles.dev"))
    };
    let annotation = marks
        .values()
        .find(ours)
        .and_then(Value::as_str)
        .context("no mark of the webhook's call")?;
    assert!(annotation.contains(r#""mutated":false"#), "{annotation}");
    Ok(())
}

fn ephemeral_containers(world: &World) -> Result<()> {
    // The first one is older than the webhook: it cannot be changed any more.
    world.create(&pod("chat", &[]).to_string())?;
    let ours = |name| {
        container(
            name,
            &[("BEDROCK_MODEL_ID", SONNET), ("AWS_REGION", "eu-west-1")],
        )
    };
    debug(world, &[ours("old")])?;
    world.serve(&default())?;
    let output = debug(world, &[ours("old"), ours("new")])?;
    let containers = world.get("pod", "chat")?["spec"]["ephemeralContainers"].clone();
    assert_eq!(variable_of(&containers[0], "BEDROCK_MODEL_ID")?, SONNET);
    assert_eq!(variable_of(&containers[1], "BEDROCK_MODEL_ID")?, profiled());
    assert!(output.contains("ephemeralContainers"), "{output}");
    let event = world.audit_event("the new ephemeral container", |event| {
        event["objectRef"]["subresource"] == "ephemeralcontainers"
            && event["annotations"]["webhook-pods.bedrock-profiles.dev/rewrites"].is_string()
    })?;
    let annotation = event["annotations"]["webhook-pods.bedrock-profiles.dev/rewrites"]
        .as_str()
        .unwrap_or_default();
    assert!(
        annotation.starts_with("new/env/BEDROCK_MODEL_ID: "),
        "{annotation}"
    );
    Ok(())
}

/// Puts ephemeral containers into the Pod `chat`, as `kubectl debug` does.
fn debug(world: &World, containers: &[Value]) -> Result<String> {
    let mut pod = world.get("pod", "chat")?;
    pod["spec"]["ephemeralContainers"] = json!(containers);
    let path = format!(
        "/api/v1/namespaces/{}/pods/chat/ephemeralcontainers",
        world.namespace()
    );
    Ok(world
        .kubectl(
            &["replace", "--raw", &path, "-f", "-"],
            Some(&pod.to_string()),
        )?
        .success("debug")?
        .stdout)
}

fn a_mirror_pod(world: &World) -> Result<()> {
    world.serve(&default())?;
    let mut pod = asking("static", SONNET, "eu-west-1");
    pod["metadata"]["annotations"] = json!({"kubernetes.io/config.mirror": "0123"});
    pod["spec"]["nodeName"] = json!("nowhere");
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    let output = world.create(&pod.to_string())?;
    assert_eq!(output.warnings(), Vec::<&str>::new());
    assert_eq!(
        variable(&world.get("pod", "static")?, "BEDROCK_MODEL_ID")?,
        SONNET
    );
    Ok(())
}

fn an_update_of_a_pod(world: &World) -> Result<()> {
    world.create(&asking("old", SONNET, "eu-west-1").to_string())?;
    world.serve(&default())?;
    world
        .kubectl(&["label", "pod", "old", "seen=yes"], None)?
        .success("label")?;
    world
        .kubectl(&["annotate", "pod", "old", "seen=yes"], None)?
        .success("annotate")?;
    let pod = world.get("pod", "old")?;
    assert_eq!(variable(&pod, "BEDROCK_MODEL_ID")?, SONNET);
    assert_eq!(record(&pod), None);
    Ok(())
}

fn a_config_map(world: &World) -> Result<()> {
    world.serve(&default())?;
    let wrapped = format!("bedrock/{SONNET}");
    let manifest = config_map(
        "models",
        &[
            ("model", SONNET),
            ("route", &wrapped),
            ("AWS_REGION", "eu-west-1"),
            ("note", "not an ID"),
        ],
    )
    .to_string();
    for _ in 0..2 {
        world
            .kubectl(&["apply", "-f", "-"], Some(&manifest))?
            .success("client-side apply")?;
        world.apply(&manifest)?;
        let stored = world.get("configmap", "models")?;
        assert_eq!(stored["data"]["model"], profiled());
        assert_eq!(stored["data"]["route"], format!("bedrock/{}", profiled()));
        assert_eq!(stored["data"]["note"], "not an ID");
    }
    let added = json!({"data": {"another": SONNET}}).to_string();
    world
        .kubectl(
            &["patch", "configmap", "models", "--type=merge", "-p", &added],
            None,
        )?
        .success("patch")?;
    assert_eq!(
        world.get("configmap", "models")?["data"]["another"],
        profiled()
    );
    Ok(())
}

fn an_immutable_config_map(world: &World) -> Result<()> {
    world.serve(&default())?;
    let mut map = config_map("fixed", &[("model", SONNET), ("AWS_REGION", "eu-west-1")]);
    map["immutable"] = json!(true);
    for _ in 0..2 {
        world
            .kubectl(&["apply", "-f", "-"], Some(&map.to_string()))?
            .success("apply")?;
        let stored = world.get("configmap", "fixed")?;
        assert_eq!(
            (&stored["data"]["model"], record(&stored)),
            (&json!(SONNET), None)
        );
    }
    world
        .kubectl(&["label", "configmap", "fixed", "seen=yes"], None)?
        .success("label")?;
    Ok(())
}

/// The IDs of a large ConfigMap.
const LARGE_IDS: usize = 2000;

fn a_large_config_map(world: &World) -> Result<()> {
    world.serve(&default())?;
    // 900 KiB, in which as many IDs are rewritten as a review may have.
    let keys: Vec<String> = (0..LARGE_IDS).map(|at| format!("m{at}")).collect();
    let large = |name: &str, filler: usize| {
        let mut data: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), SONNET)).collect();
        let filler = "x".repeat(filler);
        data.extend([("AWS_REGION", "eu-west-1"), ("filler", &filler)]);
        config_map(name, &data).to_string()
    };
    world.create(&large("large", 850 * 1024))?;
    let stored = world.get("configmap", "large")?;
    assert_eq!(stored["data"]["m1999"], profiled());
    // The record has its first entries and says how many there would be.
    let record: Value = serde_json::from_str(record(&stored).context("no record")?)?;
    assert_eq!(
        (&record["truncated"], &record["count"]),
        (&json!(true), &json!(LARGE_IDS))
    );
    let room = 1000;
    let ids = LARGE_IDS * SONNET.len() + "eu-west-1".len();
    world.create(&large("full", 1024 * 1024 - ids - room))?;
    assert_eq!(
        world.get("configmap", "full")?["data"]["m0"],
        SONNET,
        "it would grow beyond what is stored"
    );
    // More IDs than a review evaluates.
    let keys: Vec<String> = (0..5000).map(|at| format!("m{at}")).collect();
    let mut data: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), SONNET)).collect();
    data.push(("AWS_REGION", "eu-west-1"));
    world.create(&config_map("many", &data).to_string())?;
    assert_eq!(world.get("configmap", "many")?["data"]["m0"], SONNET);
    Ok(())
}

fn nearly_full_annotations(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({}))))?;
    let mut map = config_map(
        "annotated",
        &[("model", SONNET), ("AWS_REGION", "eu-west-1")],
    );
    map["metadata"]["annotations"] = json!({"filler": "x".repeat(255 * 1024)});
    let mut pod = asking("annotated", SONNET, "eu-west-1");
    pod["metadata"]["annotations"] = json!({"filler": "x".repeat(255 * 1024)});
    world.create(&list([map, pod]))?;
    let stored = world.get("configmap", "annotated")?;
    assert_eq!(
        (&stored["data"]["model"], record(&stored)),
        (&json!(profiled()), None)
    );
    let stored = world.get("pod", "annotated")?;
    assert_eq!(
        (variable(&stored, "BEDROCK_MODEL_ID")?, record(&stored)),
        (&*profiled(), None)
    );
    Ok(())
}
