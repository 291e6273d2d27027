//! A stand-in for the webhook of IAM roles for service accounts: gives every container a region, as that one does.

use serde_json::{Value, json};

use super::Answer;
use crate::registration::Entry;

/// How the stand-in for the identity webhook is set up.
#[derive(Clone, Debug)]
pub(crate) struct Identity<'a> {
    /// What it injects.
    pub(crate) region: &'a str,
    /// `Never` or `IfNeeded`.
    pub(crate) reinvocation_policy: &'a str,
}

impl Default for Identity<'_> {
    fn default() -> Self {
        Self {
            region: "eu-west-1",
            reinvocation_policy: "IfNeeded",
        }
    }
}

impl Identity<'_> {
    /// The entry of its configuration.
    pub(crate) fn entry(&self) -> Entry<'_> {
        Entry {
            name: "pod-identity-webhook.amazonaws.com",
            path: "/mutate",
            rules: json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]),
            fields: json!({"reinvocationPolicy": self.reinvocation_policy}),
        }
    }

    /// Appends `AWS_DEFAULT_REGION` and `AWS_REGION` to each container of a Pod that has neither, as the real one does.
    pub(crate) fn inject(request: &Value, region: &str) -> Answer {
        let mut patch = Vec::new();
        for kind in ["initContainers", "containers"] {
            let containers = request["object"]["spec"][kind]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            for (index, container) in containers.iter().enumerate() {
                let place = format!("/spec/{kind}/{index}/env");
                let env = container["env"].as_array().map_or(&[][..], Vec::as_slice);
                let names = ["AWS_DEFAULT_REGION", "AWS_REGION"];
                if env
                    .iter()
                    .any(|entry| names.iter().any(|name| entry["name"] == *name))
                {
                    continue;
                }
                let missing = names.map(|name| json!({"name": name, "value": region}));
                if env.is_empty() {
                    patch.push(json!({"op": "add", "path": place, "value": missing}));
                } else {
                    let add =
                        |entry| json!({"op": "add", "path": format!("{place}/-"), "value": entry});
                    patch.extend(missing.into_iter().map(add));
                }
            }
        }
        let audit = vec![("region".to_owned(), region.to_owned())];
        Answer {
            patch,
            audit,
            ..Answer::default()
        }
    }
}
