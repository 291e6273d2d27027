//! The product in a cluster, with the rights of its table and not one more.

use anyhow::Result;
use serde_json::json;

use crate::{
    process::wait_for,
    release::{Chart, Release},
    trial::{Trial, alone},
    world::World,
};

use super::product::{SONNET, asking};

pub(super) fn trials() -> Vec<Trial> {
    vec![alone(
        "an_installed_release_works",
        an_installed_release_works,
    )]
}

/// The model that a new Pod asks for as it is stored.
fn stored(world: &World, namespace: &str, region: &str) -> Result<String> {
    let name = format!("chat-{:08x}", fastrand::u32(..));
    world.create_in(namespace, &asking(&name, SONNET, region).to_string())?;
    let pod = world.get_in(namespace, "pod", &name)?;
    let value = &pod["spec"]["containers"][0]["env"][0]["value"];
    Ok(value.as_str().unwrap_or_default().to_owned())
}

/// Waits until a new Pod in Ireland is stored with this model.
fn wait_for_model(world: &World, namespace: &str, model: &str) -> Result<()> {
    wait_for(&format!("a Pod with {model}"), || {
        Ok((stored(world, namespace, "eu-west-1")? == model).then_some(()))
    })
}

fn an_installed_release_works(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    assert_eq!(
        stored(world, &apps, "eu-west-1")?,
        SONNET,
        "an unarmed entry is inert"
    );
    let one = release.start_ready("one", &[])?;
    release.wait_until_armed()?;
    let rewritten = format!("eu.{SONNET}");
    wait_for_model(world, &apps, &rewritten)?;
    assert_eq!(one.metric("bedrock_profiles_leader")?, Some(1.0));
    assert!(one.log()?.contains("applied the shipped catalog"));

    // The custom resources are the truth: a changed one changes the next Pod, and without any nothing is changed.
    let builtin = world.get("inferenceprofilemapping", "builtin")?;
    assert_eq!(
        builtin["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "bedrock-profiles"
    );
    world
        .kubectl(&["delete", "ipp", "default"], None)?
        .success("kubectl delete")?;
    wait_for_model(world, &apps, SONNET)?;

    // What somebody deleted stays deleted until the chart wishes another; then it comes back.
    release.upgrade(&json!({"mode": "Rewrite", "priority": 3}))?;
    wait_for_model(world, &apps, &rewritten)?;
    assert_eq!(world.get("ipp", "default")?["spec"]["priority"], 3);

    // One row corrects one answer and no other.
    world.apply(&correction().to_string())?;
    wait_for_model(world, &apps, SONNET)?;
    assert_eq!(stored(world, &apps, "us-east-1")?, format!("us.{SONNET}"));
    Ok(())
}

/// A mapping that withdraws one route: the `eu` profile from Ireland.
fn correction() -> serde_json::Value {
    let route = json!({"sourceRegions": ["eu-west-1"], "absent": true});
    json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping",
        "metadata": {"name": "correction"},
        "spec": {"models": [{"modelId": SONNET, "profiles": [
            {"id": format!("eu.{SONNET}"), "geography": "eu", "routes": [route]}]}]}})
}
