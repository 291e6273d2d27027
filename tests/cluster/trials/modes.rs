//! What the modes say and do: to a person at kubectl, to controllers, and in the audit log.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::objects::{cron_job, start_cron_job};
use super::product::{
    LEGACY, SONNET, asking, config_map, list, pod, policy, rewriting, serve, variable, workload,
};
use crate::process;
use crate::trial::{Trial, plane};
use crate::world::{Output, World};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "a_dry_run_policy_says_what_it_would_do_and_does_nothing",
            a_dry_run_policy,
        ),
        plane("a_preview_warns_beside_the_effective_policy", a_preview),
        plane(
            "deny_refuses_what_a_person_applies_and_says_what_to_write",
            deny_refuses,
        ),
        plane("deny_lets_controllers_go_on", deny_lets_controllers_go_on).with_controllers(),
        plane(
            "deny_lets_an_older_deployment_be_managed",
            deny_lets_an_older_deployment_be_managed,
        )
        .with_controllers(),
        plane(
            "unresolved_deny_lets_an_older_deployment_be_managed",
            unresolved_deny_and_an_older_deployment,
        )
        .with_controllers(),
        plane("unresolved_is_allowed_warned_or_denied", unresolved),
        plane("what_is_merely_unknown_is_never_denied", what_is_unknown),
        plane("the_author_of_a_template_is_told_at_once", templates),
        plane("a_rewrite_stands_in_the_audit_log", the_audit_log),
    ]
}

fn profiled() -> String {
    format!("eu.{SONNET}")
}

fn a_dry_run_policy(world: &World) -> Result<()> {
    world.serve(&serve(&policy(
        "trial-run",
        json!({"mode": "DryRun"}),
        json!({}),
    )))?;
    let output = world.create(&asking("chat", SONNET, "eu-west-1").to_string())?;
    assert_eq!(
        output.warnings(),
        [
            &*format!(
                "bedrock-profiles: policy trial-run (DryRun) would replace {SONNET} with {}",
                profiled()
            ),
            LEGACY
        ]
    );
    assert_eq!(
        variable(&world.get("pod", "chat")?, "BEDROCK_MODEL_ID")?,
        SONNET
    );
    let recorded = annotations(world, "chat", "pods")?;
    assert_eq!(
        recorded["webhook-pods.bedrock-profiles.dev/policy"],
        "trial-run"
    );
    assert_eq!(
        recorded["webhook-pods.bedrock-profiles.dev/would-rewrite"],
        format!(
            "app/env/BEDROCK_MODEL_ID: {SONNET} -> {} (eu-west-1, ContainerEnv)",
            profiled()
        )
    );
    Ok(())
}

fn a_preview(world: &World) -> Result<()> {
    let effective = policy("effective", json!({"mode": "Rewrite"}), json!({}));
    let preview = policy(
        "stage-two",
        json!({"mode": "DryRun"}),
        json!({"geography": {"global": "Fallback"}}),
    );
    world.serve(&serve(&format!("{effective}{preview}")))?;
    let output = world.create(&asking("alike", SONNET, "eu-west-1").to_string())?;
    assert_eq!(
        output.warnings().len(),
        2,
        "both have the same answer: {:?}",
        output.warnings()
    );
    let output = world.create(&asking("chat", SONNET, "sa-east-1").to_string())?;
    let warning = format!(
        "bedrock-profiles: policy stage-two (DryRun) would replace {SONNET} with global.{SONNET}"
    );
    assert!(
        output.warnings().contains(&&*warning),
        "{:?}",
        output.warnings()
    );
    assert_eq!(
        variable(&world.get("pod", "chat")?, "BEDROCK_MODEL_ID")?,
        SONNET
    );
    Ok(())
}

fn denying(fields: Value) -> String {
    policy("strict", json!({"mode": "Deny"}), fields)
}

fn refused(output: &Output) -> &str {
    assert!(!output.ok, "not refused: {}", output.stdout);
    &output.stderr
}

fn deny_refuses(world: &World) -> Result<()> {
    world.serve(&serve(&denying(json!({}))))?;
    let words = format!("use {} instead of {SONNET}", profiled());
    let config = config_map("models", &[("model", SONNET), ("AWS_REGION", "eu-west-1")]);
    let deployment = workload("apps", "Deployment", "chat", SONNET, "eu-west-1");
    for (object, place) in [
        (
            asking("chat", SONNET, "eu-west-1"),
            "app/env/BEDROCK_MODEL_ID",
        ),
        (config, "data/model"),
        (deployment, "app/env/BEDROCK_MODEL_ID"),
        (cron_job("chat"), "app/env/BEDROCK_MODEL_ID"),
    ] {
        let output = world.kubectl(&["create", "-f", "-"], Some(&object.to_string()))?;
        let recorded = refused(&output);
        assert!(
            recorded.contains(&words)
                && recorded.contains(place)
                && recorded.contains("policy strict"),
            "{recorded}"
        );
        assert!(
            recorded.contains(".bedrock-profiles.dev\" denied the request: use "),
            "the first words are what to do: {recorded}"
        );
    }
    world.create(&list([
        asking("good", &profiled(), "eu-west-1"),
        pod("other", &[]),
    ]))?;
    Ok(())
}

/// Workloads that were there before the policy.
fn deny_lets_controllers_go_on(world: &World) -> Result<()> {
    let set = workload("apps", "ReplicaSet", "set", SONNET, "eu-west-1");
    world.create(&list([set, cron_job("nightly")]))?;
    let first = world.wait_for(1, "pods", "app=set")?;
    world.serve(&serve(&denying(json!({"unresolved": "Deny"}))))?;
    let name = first[0]["metadata"]["name"].as_str().unwrap_or_default();
    world
        .kubectl(&["delete", "pod", name, "--now"], None)?
        .success("delete the pod")?;
    let replaced = process::wait_for("the replacement of the pod", || {
        Ok(world
            .list("pods", "app=set")?
            .into_iter()
            .find(|pod| pod["metadata"]["name"] != name))
    })?;
    assert_eq!(
        variable(&replaced, "BEDROCK_MODEL_ID")?,
        SONNET,
        "admitted unchanged"
    );
    start_cron_job(world, "nightly")?;
    world.wait_for(1, "pods", "app=nightly")?;
    let recorded = annotations(
        world,
        replaced["metadata"]["name"].as_str().unwrap_or_default(),
        "pods",
    );
    // A generated name is not in the event; the one that has the annotation is enough.
    drop(recorded);
    world.audit_event("the replacement's admission", |event| {
        event["objectRef"]["resource"] == "pods"
            && event["annotations"]["webhook-pods.bedrock-profiles.dev/would-rewrite"].is_string()
    })?;
    Ok(())
}

fn deny_lets_an_older_deployment_be_managed(world: &World) -> Result<()> {
    manage_an_older_deployment(world, SONNET, "eu-west-1", &denying(json!({})))
}

fn unresolved_deny_and_an_older_deployment(world: &World) -> Result<()> {
    manage_an_older_deployment(
        world,
        SONNET,
        "sa-east-1",
        &rewriting(json!({"unresolved": "Deny"})),
    )
}

/// Labels, scales, changes the image of, rolls back and deletes in the foreground a Deployment that is older than the policy.
fn manage_an_older_deployment(
    world: &World,
    model: &str,
    region: &str,
    policies: &str,
) -> Result<()> {
    world.create(&workload("apps", "Deployment", "chat", model, region).to_string())?;
    world.wait_for(1, "replicasets", "app=chat")?;
    world.serve(&serve(policies))?;
    let new = workload("apps", "Deployment", "new", model, region).to_string();
    refused(&world.kubectl(&["create", "-f", "-"], Some(&new))?);
    for command in [
        &["label", "deployment", "chat", "seen=yes"][..],
        &["scale", "deployment", "chat", "--replicas=2"],
        &["set", "image", "deployment/chat", "app=example.com/chat:2"],
    ] {
        world.kubectl(command, None)?.success(&command.join(" "))?;
    }
    world.wait_for(2, "replicasets", "app=chat")?;
    world
        .kubectl(&["rollout", "undo", "deployment/chat"], None)?
        .success("rollout undo")?;
    let worse = json!([{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "SECOND_MODEL", "value": model}}]).to_string();
    refused(&world.kubectl(
        &["patch", "deployment", "chat", "--type=json", "-p", &worse],
        None,
    )?);
    world
        .kubectl(
            &[
                "delete",
                "deployment",
                "chat",
                "--cascade=foreground",
                "--timeout=50s",
            ],
            None,
        )?
        .success("delete in the foreground")?;
    ensure!(
        !world.kubectl(&["get", "deployment", "chat"], None)?.ok,
        "the deployment is gone"
    );
    Ok(())
}

fn unresolved(world: &World) -> Result<()> {
    let selecting = |value: &str, name: &str| {
        policy(
            name,
            json!({"mode": "Rewrite", "unresolved": value, "priority": 1}),
            json!({"match": {"resources": [if value == "Deny" { "ConfigMap" } else { "Pod" }]}}),
        )
    };
    world.serve(&serve(&format!(
        "{}{}",
        selecting("Allow", "quiet"),
        selecting("Deny", "strict")
    )))?;
    let output = world.create(&asking("chat", SONNET, "sa-east-1").to_string())?;
    assert_eq!(output.warnings(), Vec::<&str>::new(), "allowed silently");
    let map = config_map("models", &[("model", SONNET), ("AWS_REGION", "sa-east-1")]).to_string();
    let output = world.kubectl(&["create", "-f", "-"], Some(&map))?;
    let recorded = refused(&output);
    assert!(
        recorded.contains(&format!("replace {SONNET} at data/model for sa-east-1"))
            && recorded.contains("OnlyGlobalServes"),
        "{recorded}"
    );
    assert!(
        recorded.contains("geography.global: Fallback"),
        "what to do: {recorded}"
    );
    assert!(
        !recorded.contains("anthropic.claude-sonnet-4-6"),
        "the successor has no geographic profile there either: {recorded}"
    );
    Ok(())
}

fn what_is_unknown(world: &World) -> Result<()> {
    let strict = denying(json!({"unresolved": "Deny", "models": {"include": ["*"]}}));
    world.serve(&serve(&strict))?;
    let rows = [
        (
            "no-region",
            pod("no-region", &[("BEDROCK_MODEL_ID", SONNET)]),
        ),
        (
            "unknown",
            asking("unknown", "anthropic.claude-sonnet-9-9", "eu-west-1"),
        ),
        (
            "unverified",
            asking("unverified", "anthropic.claude-fable-5-2", "us-east-1"),
        ),
        (
            "unscanned",
            asking("unscanned", "anthropic.claude-opus-4-6-v1", "us-gov-west-1"),
        ),
        ("nonsense", asking("nonsense", SONNET, "asia-northeast-1")),
    ];
    world.create(&list(rows.map(|(_, pod)| pod)))?;
    Ok(())
}

fn templates(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({}))))?;
    let output =
        world.apply(&workload("apps", "Deployment", "chat", SONNET, "eu-west-1").to_string())?;
    assert_eq!(
        output.warnings(),
        [
            &*format!(
                "bedrock-profiles: Pods in eu-west-1 get {} instead of {SONNET}",
                profiled()
            ),
            LEGACY
        ]
    );
    let output =
        world.apply(&workload("apps", "StatefulSet", "store", SONNET, "sa-east-1").to_string())?;
    assert_eq!(
        output.warnings(),
        [format!(
            "bedrock-profiles: {SONNET}: only global.{SONNET} serves sa-east-1; to use it: geography.global: Fallback"
        )]
    );
    assert_eq!(
        variable(
            &world.get("deployment", "chat")?["spec"]["template"],
            "BEDROCK_MODEL_ID"
        )?,
        SONNET
    );
    Ok(())
}

fn the_audit_log(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({}))))?;
    world.create(&asking("chat", SONNET, "eu-west-1").to_string())?;
    let recorded = annotations(world, "chat", "pods")?;
    assert_eq!(recorded["webhook-pods.bedrock-profiles.dev/policy"], "test");
    assert_eq!(
        recorded["webhook-pods.bedrock-profiles.dev/rewrites"],
        format!(
            "app/env/BEDROCK_MODEL_ID: {SONNET} -> {} (eu-west-1, ContainerEnv)",
            profiled()
        )
    );
    Ok(())
}

/// The audit annotations of an object's creation.
fn annotations(world: &World, name: &str, resource: &str) -> Result<Value> {
    let event = world.audit_event("the creation", |event| {
        event["verb"] == "create"
            && event["objectRef"]["name"] == name
            && event["objectRef"]["resource"] == resource
    })?;
    Ok(event["annotations"].clone())
}
