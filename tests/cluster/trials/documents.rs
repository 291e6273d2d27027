//! ConfigMaps that hold a file, that another controller tracks, and whose authors opt out.

use anyhow::Result;
use serde_json::json;

use super::product::{SONNET, config_map, default, record};
use crate::trial::{Trial, plane};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "a_whole_file_in_a_config_map_is_edited_where_an_id_is_invoked",
            a_whole_file,
        ),
        plane("a_config_map_that_is_tracked_is_left", a_tracked_config_map),
        plane("an_object_that_opts_out_is_left", an_opt_out),
    ]
}

/// A router's configuration: aliases, comments and quotes around the IDs that are invoked.
fn router(prefix: &str) -> String {
    format!(
        r#"# who asks for what
model_list:
- model_name: {SONNET}
  litellm_params:
    model: bedrock/{prefix}{SONNET}   # the chat
    aws_region_name: eu-west-1
- model_name: "fast"
  litellm_params: {{ model: "bedrock/converse/{prefix}{SONNET}", aws_region_name: 'eu-west-1' }}
litellm_settings:
  allowed_models: [anthropic.claude-haiku-4-5-20251001-v1:0]
"#
    )
}

fn a_whole_file(world: &World) -> Result<()> {
    world.serve(&default())?;
    let manifest = config_map("router", &[("config.yaml", &router(""))]).to_string();
    for _ in 0..2 {
        world
            .kubectl(&["apply", "-f", "-"], Some(&manifest))?
            .success("apply")?;
        let stored = world.get("configmap", "router")?;
        assert_eq!(stored["data"]["config.yaml"], router("eu."));
    }
    Ok(())
}

fn a_tracked_config_map(world: &World) -> Result<()> {
    world.serve(&default())?;
    for (name, field, key, value) in [
        (
            "by-argo",
            "annotations",
            "argocd.argoproj.io/tracking-id",
            "chat:/ConfigMap:ml/by-argo",
        ),
        (
            "by-flux",
            "labels",
            "kustomize.toolkit.fluxcd.io/name",
            "chat",
        ),
    ] {
        let mut map = config_map(name, &[("model", SONNET), ("AWS_REGION", "eu-west-1")]);
        map["metadata"][field] = json!({ key: value });
        world
            .kubectl(&["apply", "-f", "-"], Some(&map.to_string()))?
            .success("apply")?;
        let stored = world.get("configmap", name)?;
        assert_eq!(
            (&stored["data"]["model"], record(&stored)),
            (&json!(SONNET), None),
            "{name}"
        );
    }
    Ok(())
}

fn an_opt_out(world: &World) -> Result<()> {
    world.serve(&default())?;
    let data = [
        ("model", SONNET),
        ("fallback", SONNET),
        ("AWS_REGION", "eu-west-1"),
    ];
    let expected = |name: &str| match name {
        "whole" => (SONNET.to_owned(), SONNET.to_owned()),
        _ => (format!("eu.{SONNET}"), SONNET.to_owned()),
    };
    for (name, key, value) in [
        (
            "whole",
            "bedrock-profiles.dev/ignore",
            "it puts the prefix itself",
        ),
        ("part", "bedrock-profiles.dev/ignore-keys", "fall*"),
    ] {
        let mut map = config_map(name, &data);
        map["metadata"]["annotations"] = json!({ key: value });
        world
            .kubectl(&["apply", "-f", "-"], Some(&map.to_string()))?
            .success("apply")?;
        let stored = world.get("configmap", name)?;
        let (model, fallback) = expected(name);
        assert_eq!(
            (&stored["data"]["model"], &stored["data"]["fallback"]),
            (&json!(model), &json!(fallback)),
            "{name}"
        );
    }
    Ok(())
}
