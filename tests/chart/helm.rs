//! Renders of the chart.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde::Deserialize as _;
use serde_json::Value;

use crate::pinned::{HELM_4, Tool};

/// The chart.
pub(crate) const CHART: &str = "charts/bedrock-profiles";

/// The oldest Kubernetes that the chart is for.
pub(crate) const KUBERNETES: &str = "1.33.0";

/// A release that is only rendered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release<'a> {
    pub(crate) helm: Tool,
    pub(crate) chart: &'a str,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
}

impl Default for Release<'_> {
    fn default() -> Self {
        Self {
            helm: HELM_4,
            chart: CHART,
            name: "bedrock-profiles",
            namespace: "bedrock-profiles",
        }
    }
}

/// What was rendered.
pub(crate) struct Rendered(pub(crate) Vec<Value>);

impl Release<'_> {
    /// Renders with these values, given as JSON or YAML, and these arguments.
    pub(crate) fn try_text(&self, values: &str, arguments: &[&str]) -> Result<String, String> {
        let mut helm = self.helm.command().unwrap();
        helm.args([
            "template",
            self.name,
            self.chart,
            "--namespace",
            self.namespace,
        ])
        .args(["--kube-version", KUBERNETES, "--values", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
        let mut helm = helm.spawn().unwrap();
        let mut stdin = helm.stdin.take().unwrap();
        stdin.write_all(values.as_bytes()).unwrap();
        drop(stdin);
        let Output {
            status,
            stdout,
            stderr,
        } = helm.wait_with_output().unwrap();
        if status.success() {
            Ok(String::from_utf8(stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&stderr).into_owned())
        }
    }

    /// Renders with these values.
    pub(crate) fn text(&self, values: &str) -> String {
        let rendered = self.try_text(values, &[]);
        rendered.unwrap_or_else(|error| panic!("{self:?} does not render: {error}"))
    }

    /// The objects with these values.
    pub(crate) fn objects(&self, values: &Value) -> Rendered {
        Rendered::read(&self.text(&values.to_string()))
    }
}

impl Rendered {
    /// The objects of a render, of which none may stand there twice.
    pub(crate) fn read(text: &str) -> Self {
        let documents = serde_yaml::Deserializer::from_str(text);
        let objects = documents.map(|document| Value::deserialize(document).unwrap());
        let objects: Vec<_> = objects.filter(|object| !object.is_null()).collect();
        for (at, one) in objects.iter().enumerate() {
            let twice = objects[..at]
                .iter()
                .any(|other| identity(other) == identity(one));
            assert!(!twice, "twice: {:?}", identity(one));
        }
        Self(objects)
    }

    /// The object of this kind and name; null where there is none.
    pub(crate) fn get(&self, kind: &str, name: &str) -> &Value {
        let mut found = self.0.iter();
        found
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
            .unwrap_or(&Value::Null)
    }

    /// The only object of this kind; null where there is none.
    pub(crate) fn only(&self, kind: &str) -> &Value {
        let mut found = self.0.iter().filter(|object| object["kind"] == kind);
        let first = found.next().unwrap_or(&Value::Null);
        assert!(found.next().is_none(), "more than one {kind}");
        first
    }

    /// The template of the Pods.
    pub(crate) fn pod(&self) -> &Value {
        &self.only("Deployment")["spec"]["template"]["spec"]
    }

    /// The container of the Pods.
    pub(crate) fn container(&self) -> &Value {
        &self.pod()["containers"][0]
    }

    /// Whether the container has this argument.
    pub(crate) fn has_argument(&self, argument: &str) -> bool {
        let arguments = self.container()["args"].as_array().unwrap();
        arguments.iter().any(|one| one == argument)
    }

    /// The webhook of a configuration, by its suffix: `pods`, `configmaps` or `templates`; null where there is none.
    pub(crate) fn webhook(&self, suffix: &str) -> &Value {
        let name = format!("webhook-{suffix}.bedrock-profiles.dev");
        let mut found = self.0.iter();
        found
            .find(|object| object["metadata"]["name"] == *name)
            .map_or(&Value::Null, |object| &object["webhooks"][0])
    }

    /// The configuration of the leader.
    pub(crate) fn bootstrap(&self) -> Value {
        let map = self.get("ConfigMap", "bedrock-profiles-bootstrap");
        serde_yaml::from_str(map["data"]["bootstrap.yaml"].as_str().unwrap()).unwrap()
    }

    /// Whether a rule of the roles is about this resource and has this verb.
    pub(crate) fn grants(&self, resource: &str, verb: &str) -> bool {
        let rules = self
            .0
            .iter()
            .filter_map(|object| object["rules"].as_array());
        let has = |list: &Value, what: &str| list.as_array().unwrap().iter().any(|one| one == what);
        rules
            .flatten()
            .any(|rule| has(&rule["resources"], resource) && has(&rule["verbs"], verb))
    }
}

/// What tells an object from others.
pub(crate) fn identity(object: &Value) -> [String; 3] {
    let metadata = &object["metadata"];
    [&object["kind"], &metadata["namespace"], &metadata["name"]]
        .map(|part| part.as_str().unwrap_or_default().to_owned())
}
