//! ConfigMaps that hold a file, that another controller tracks, and whose authors opt out.

use anyhow::{Result, ensure};
use bedrock_profiles::text::Tree;
use serde_json::{Value, json};

use super::product::{SONNET, config_map, default, record, rewriting, serve};
use crate::trial::{Trial, plane};
use crate::world::World;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane(
            "a_whole_file_in_a_config_map_is_edited_where_an_id_is_invoked",
            a_whole_file,
        ),
        plane("a_config_map_that_is_tracked_is_left", a_tracked_config_map),
        plane(
            "a_config_map_is_tracked_by_the_manager_that_applies_it",
            a_tracking_manager,
        ),
        plane("an_object_that_opts_out_is_left", an_opt_out),
        plane(
            "a_manifest_is_read_as_kubectl_sends_it",
            manifests_with_several_values,
        ),
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

/// The field manager is known when the object is created, by client-side and by server-side apply.
fn a_tracking_manager(world: &World) -> Result<()> {
    let listed = json!({"configMaps": {"trackedBy": {"fieldManagers": ["deploy*"]}}});
    let server = world.serve(&serve(&rewriting(listed)))?;
    let profiled = format!("eu.{SONNET}");
    let labels =
        json!({"app.kubernetes.io/instance": "chat", "app.kubernetes.io/managed-by": "Helm"});
    let managers = [
        ("argocd-controller", SONNET),
        ("kustomize-controller", SONNET),
        ("deployer", SONNET),
        ("helm", &*profiled),
        ("kubectl", &*profiled),
    ];
    for (manager, expected) in managers {
        for side in ["client", "server"] {
            let name = format!("{manager}-{side}");
            let data = [("model", SONNET), ("AWS_REGION", "eu-west-1")];
            let mut map = config_map(&name, &data);
            map["metadata"]["labels"] = labels.clone();
            let by = format!("--field-manager={manager}");
            let is_server = format!("--server-side={}", side == "server");
            // The second apply is an update.
            for text in [SONNET, "anthropic.claude-haiku-4-5-20251001-v1:0"] {
                map["data"]["model"] = json!(text);
                let apply = ["apply", &*by, &*is_server, "-f", "-"];
                world
                    .kubectl(&apply, Some(&map.to_string()))?
                    .success(&name)?;
                let stored = world.get("configmap", &name)?;
                let expected = expected.replace(SONNET, text);
                assert_eq!(stored["data"]["model"], expected, "{name}");
            }
        }
    }
    let log = server.log()?;
    ensure!(
        log.contains("Tracked (Argo CD tracks it by the field manager `argocd-controller`)"),
        "{log}"
    );
    // The API server drops the managers of a manifest that was exported with them, so a copy is not tracked.
    let get = [
        "get",
        "configmap",
        "argocd-controller-client",
        "-o",
        "json",
        "--show-managed-fields",
    ];
    let output = world.kubectl(&get, None)?.success("kubectl get")?;
    let mut exported: Value = serde_json::from_str(&output.stdout)?;
    exported["metadata"] =
        json!({"name": "copy", "managedFields": exported["metadata"]["managedFields"]});
    world.create(&exported.to_string())?;
    let copy = world.get("configmap", "copy")?;
    ensure!(record(&copy).is_some(), "a copied manager counts: {copy}");
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

/// The entry of a variable beside the anchor `x: &shared {value: us-east-1}`, and the region that the API server stores.
const REGIONS: &[(&str, &str)] = &[
    (
        "{name: AWS_REGION, value: eu-west-1, <<: *shared}",
        "us-east-1",
    ),
    (
        "{name: AWS_REGION, <<: *shared, value: eu-west-1}",
        "eu-west-1",
    ),
    ("{<<: *shared, name: AWS_REGION}", "us-east-1"),
    (
        "{name: AWS_REGION, value: eu-west-1, value: us-west-2}",
        "us-west-2",
    ),
    (
        "{name: AWS_REGION, value: eu-west-1, <<: [{value: us-west-2}, *shared]}",
        "us-west-2",
    ),
    (
        "{name: AWS_REGION, <<: *shared, <<: {value: eu-west-1}}",
        "eu-west-1",
    ),
];

/// The front end of YAML reads merge keys and keys that occur twice as kubectl sends them.
fn manifests_with_several_values(world: &World) -> Result<()> {
    let mut manifests = String::new();
    for (at, (region, _)) in REGIONS.iter().enumerate() {
        let manifest = format!(
            "x: &shared {{value: us-east-1}}\napiVersion: v1\nkind: Pod\nmetadata: {{name: several-{at}}}\nspec:\n  containers:\n  - name: c\n    image: example.com/c\n    env:\n    - {region}\n---\n"
        );
        manifests += &manifest;
    }
    let created = world.kubectl(&["create", "--validate=false", "-f", "-"], Some(&manifests))?;
    created.success("create")?;
    let path = ["spec", "containers", "0", "env", "0", "value"];
    for (at, (tree, (region, expected))) in Tree::yaml(&manifests).zip(REGIONS).enumerate() {
        let stored = world.get("pod", &format!("several-{at}"))?;
        let stored = stored.pointer(&format!("/{}", path.join("/")));
        let tree = tree?;
        let read = tree.at(tree.root(), &path).and_then(|node| tree.text(node));
        assert_eq!(
            (read, stored.and_then(serde_json::Value::as_str)),
            (Some(*expected), Some(*expected)),
            "{region}"
        );
    }
    Ok(())
}
