//! What the trials of the product share: policies and Pods in few words, and what is read back of them.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::server::Serve;

/// The day as of which the product judges, so that no trial depends on the real one.
pub(super) const FLAGS: &[&str] = &["--today", "2026-11-23"];

/// A model that only a global profile serves in `sa-east-1`.
pub(super) const ONLY_GLOBAL: &str = "anthropic.claude-sonnet-4-6";

pub(crate) const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
/// The warning that comes with a rewrite to a profile of [`SONNET`].
pub(super) const LEGACY: &str = "bedrock-profiles: anthropic.claude-sonnet-4-5-20250929-v1:0 is Legacy until 2027-04-08: accounts without recent use are refused; its successor is anthropic.claude-sonnet-4-6";

/// A policy that rewrites, with these fields of its spec besides.
pub(super) fn rewriting(fields: Value) -> String {
    policy("test", json!({"mode": "Rewrite"}), fields)
}

/// A policy of this name.
pub(super) fn policy(name: &str, mut spec: Value, fields: Value) -> String {
    spec["references"] = json!("Off");
    if let (Some(spec), Value::Object(fields)) = (spec.as_object_mut(), fields) {
        spec.extend(fields);
    }
    let object = json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy", "metadata": {"name": name}, "spec": spec,
    });
    format!("---\n{object}\n")
}

/// The product with these policies.
pub(super) fn serve(policies: &str) -> Serve<'_> {
    Serve {
        policies,
        flags: FLAGS,
        ..Serve::default()
    }
}

/// The product with its default policy.
pub(super) fn default() -> Serve<'static> {
    serve("")
}

/// A Pod whose container `app` has these variables.
pub(super) fn pod(name: &str, env: &[(&str, &str)]) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container("app", env)]}})
}

/// A Pod that asks for `model` in `region`.
pub(crate) fn asking(name: &str, model: &str, region: &str) -> Value {
    pod(name, &[("BEDROCK_MODEL_ID", model), ("AWS_REGION", region)])
}

/// A container with these variables.
pub(super) fn container(name: &str, env: &[(&str, &str)]) -> Value {
    let env: Vec<_> = env
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    json!({"name": name, "image": "example.com/chat:1", "env": env})
}

/// A ConfigMap with these keys.
pub(super) fn config_map(name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<_, _> = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// A workload of this kind whose Pods ask for `model` in `region`.
pub(super) fn workload(group: &str, kind: &str, name: &str, model: &str, region: &str) -> Value {
    let mut template = asking(name, model, region);
    if let Some(template) = template.as_object_mut() {
        template.retain(|key, _| key == "spec");
    }
    template["metadata"] = json!({"labels": {"app": name}});
    let mut spec = json!({"template": template});
    if group == "apps" {
        spec["selector"] = json!({"matchLabels": {"app": name}});
    } else {
        spec["template"]["spec"]["restartPolicy"] = json!("Never");
    }
    json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Several objects as one List.
pub(super) fn list(objects: impl IntoIterator<Item = Value>) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": objects.into_iter().collect::<Vec<_>>()})
        .to_string()
}

/// The value of a variable of the first container.
pub(super) fn variable<'a>(pod: &'a Value, name: &str) -> Result<&'a str> {
    variable_of(&pod["spec"]["containers"][0], name)
}

/// The value of a variable of a container.
pub(super) fn variable_of<'a>(container: &'a Value, name: &str) -> Result<&'a str> {
    let mut env = container["env"].as_array().into_iter().flatten();
    let entry = env
        .find(|entry| entry["name"] == name)
        .with_context(|| format!("no variable {name}"))?;
    entry["value"]
        .as_str()
        .with_context(|| format!("{name} has no value"))
}

/// The record of what was rewritten.
pub(super) fn record(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"]["bedrock-profiles.dev/rewrites"].as_str()
}
