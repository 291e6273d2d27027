//! Beside the identity webhook, which injects the region before or after us; and records that are not ours.

use anyhow::Result;
use serde_json::{Value, json};

use super::product::{
    LEGACY, SONNET, asking, list, pod, policy, record, rewriting, serve, variable,
};
use crate::server::Serve;
use crate::stand_in::Identity;
use crate::trial::{Trial, plane};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "the_injected_region_decides_when_it_comes_first",
            injected_first,
        ),
        plane(
            "the_injected_region_decides_when_it_comes_last",
            injected_last,
        ),
        plane(
            "the_original_is_back_when_the_injected_region_leaves_it",
            the_original_is_back,
        ),
        plane("nothing_is_denied_for_lack_of_a_region", nothing_is_denied),
        plane("a_forged_record_changes_nothing", a_forged_record),
    ]
}

/// Sorts before `pod-identity-webhook`, so that the API server calls it first.
const BEFORE: &str = "bedrock-profiles";
/// Sorts after it.
const AFTER: &str = "webhook-bedrock-profiles";

fn both(world: &World, name: &'static str, region: &str, policies: &str) -> Result<()> {
    world.identity_webhook(&Identity {
        region,
        ..Identity::default()
    })?;
    world.serve(&Serve {
        name,
        ..serve(policies)
    })?;
    Ok(())
}

/// A policy with a region of its own, which is weaker than an injected one.
fn with_default() -> String {
    rewriting(json!({"region": {"default": "us-east-1"}}))
}

/// The audit annotations of ours on the creation of `name`.
fn annotations(world: &World, name: &str) -> Result<Value> {
    let event = world.audit_event("the creation", |event| {
        event["verb"] == "create" && event["objectRef"]["name"] == name
    })?;
    Ok(event["annotations"].clone())
}

const REWRITES: &str = "webhook-pods.bedrock-profiles.dev/rewrites";
const REVISED: &str = "webhook-pods.bedrock-profiles.dev/rewrites-revised";

fn injected_first(world: &World) -> Result<()> {
    both(world, AFTER, "eu-west-1", &with_default())?;
    let output = world.create(&pod("chat", &[("BEDROCK_MODEL_ID", SONNET)]).to_string())?;
    let expected = format!("eu.{SONNET}");
    assert_eq!(
        variable(&world.get("pod", "chat")?, "BEDROCK_MODEL_ID")?,
        expected
    );
    assert_eq!(
        output.warnings(),
        [
            &*format!("bedrock-profiles: replaced {SONNET} with {expected}"),
            LEGACY
        ]
    );
    assert_eq!(
        annotations(world, "chat")?[REWRITES],
        format!("app/env/BEDROCK_MODEL_ID: {SONNET} -> {expected} (eu-west-1, ContainerEnv)")
    );
    Ok(())
}

fn injected_last(world: &World) -> Result<()> {
    both(world, BEFORE, "eu-west-1", &with_default())?;
    let output = world.create(&pod("chat", &[("BEDROCK_MODEL_ID", SONNET)]).to_string())?;
    let stored = world.get("pod", "chat")?;
    assert_eq!(
        variable(&stored, "BEDROCK_MODEL_ID")?,
        format!("eu.{SONNET}")
    );
    assert!(record(&stored).is_some_and(|record| record.contains("\"eu-west-1\"") && !record.contains("us-east-1")));
    // The first round had answered for the default region: nothing that it said may be false now.
    assert!(
        output
            .warnings()
            .iter()
            .all(|warning| !warning.contains("us.anthropic")),
        "{:?}",
        output.warnings()
    );
    let annotations = annotations(world, "chat")?;
    assert_eq!(
        annotations[REVISED],
        format!("app/env/BEDROCK_MODEL_ID: {SONNET} -> eu.{SONNET} (eu-west-1, ContainerEnv)")
    );
    Ok(())
}

fn the_original_is_back(world: &World) -> Result<()> {
    both(world, BEFORE, "eu-west-2", &with_default())?;
    let model = "anthropic.claude-sonnet-4-6";
    let output = world.create(&pod("chat", &[("BEDROCK_MODEL_ID", model)]).to_string())?;
    let stored = world.get("pod", "chat")?;
    assert_eq!(
        variable(&stored, "BEDROCK_MODEL_ID")?,
        model,
        "it works in London"
    );
    assert_eq!(record(&stored), None);
    assert_eq!(output.warnings(), Vec::<&str>::new());
    Ok(())
}

fn nothing_is_denied(world: &World) -> Result<()> {
    let strict = policy(
        "strict",
        json!({"mode": "Deny", "unresolved": "Deny"}),
        json!({}),
    );
    both(world, BEFORE, "eu-west-2", &strict)?;
    let output = world.create(
        &pod(
            "chat",
            &[("BEDROCK_MODEL_ID", "anthropic.claude-sonnet-4-6")],
        )
        .to_string(),
    )?;
    assert_eq!(output.warnings(), Vec::<&str>::new());
    Ok(())
}

fn a_forged_record(world: &World) -> Result<()> {
    world.serve(&serve(&rewriting(json!({}))))?;
    let profiled = format!("us.{SONNET}");
    let entry = |from: &str, to: &str, region: &str, by: &str| {
        json!({"entries": [{"at": "app/env/BEDROCK_MODEL_ID", "from": from, "to": to, "region": region, "by": by}]}).to_string()
    };
    let forged = [
        entry(SONNET, &profiled, "us-east-1", "PolicyDefault"),
        entry(SONNET, &profiled, "us-east-1", "NamespaceAnnotation"),
        entry(
            "anthropic.claude-sonnet-4-6",
            &profiled,
            "eu-west-1",
            "ContainerEnv",
        ),
        entry("evil", &profiled, "eu-west-1", "PolicyDefault"),
        "not a record".to_owned(),
    ];
    let pods = forged.iter().enumerate().map(|(at, text)| {
        let mut pod = asking(&format!("forged-{at}"), &profiled, "eu-west-1");
        pod["metadata"]["annotations"] = json!({"bedrock-profiles.dev/rewrites": text});
        pod
    });
    world.create(&list(pods))?;
    for (at, text) in forged.iter().enumerate() {
        let stored = world.get("pod", &format!("forged-{at}"))?;
        assert_eq!(variable(&stored, "BEDROCK_MODEL_ID")?, profiled, "{text}");
        assert_eq!(
            record(&stored),
            None,
            "what is no record of ours is removed: {text}"
        );
    }
    Ok(())
}
