//! The schema of the value `policy`: the definition's, as far as JSON Schema can say it. What only CEL can say, the API server
//! says to the leader.

use bedrock_profiles::api::InferenceProfilePolicy;
use kube::CustomResourceExt as _;
use serde_json::{Map, Value, json};

/// The schema of `policy`.
pub(crate) fn policy() -> Value {
    let definition = serde_json::to_value(InferenceProfilePolicy::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut policy = plain(&schema["properties"]["spec"]);
    policy["properties"]["create"] = json!({
        "type": "boolean", "description": "Whether the policy is made.", "default": true,
    });
    policy
}

/// A schema without what only Kubernetes knows, which refuses unknown keys.
fn plain(schema: &Value) -> Value {
    let schema = schema.as_object().unwrap();
    let mut plain = Map::new();
    for (key, value) in schema {
        let value = match key.as_str() {
            "properties" => {
                plain.insert("additionalProperties".into(), json!(false));
                let properties = value.as_object().unwrap().iter();
                properties
                    .map(|(name, schema)| (name.clone(), self::plain(schema)))
                    .collect()
            }
            "items" | "additionalProperties" => self::plain(value),
            "nullable" | "format" => continue,
            key if key.starts_with("x-kubernetes-") => continue,
            _ => value.clone(),
        };
        plain.insert(key.clone(), value);
    }
    if schema.get("nullable") == Some(&json!(true)) {
        plain.insert("type".into(), json!([schema["type"], "null"]));
    }
    if let Some(pattern) = pattern(schema) {
        plain.insert("pattern".into(), json!(pattern));
    }
    Value::Object(plain)
}

/// The pattern of a rule that is nothing but one.
fn pattern(schema: &Map<String, Value>) -> Option<&str> {
    let mut rules = schema.get("x-kubernetes-validations")?.as_array()?.iter();
    rules.find_map(|rule| {
        let rule = rule["rule"].as_str()?;
        rule.strip_prefix("self.matches(r'")?.strip_suffix("')")
    })
}
