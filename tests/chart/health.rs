//! The health of policies and mappings as tools for continuous delivery see it: by kstatus, as Flux, and by the health checks for Argo CD in
//! its Lua interpreter.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    pinned::{Module, Tool},
    tools::repository,
};

/// Evaluates the health of objects; its source is in the module.
const HEALTH: Tool = Tool {
    name: "health",
    module: &Module {
        name: "health",
        packages: &[("health", "bedrock-profiles.dev/tests/chart/assets/health")],
        tags: "",
        takes: "1 minute",
    },
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test(
        "gitops_tools_understand_the_health_of_both_kinds",
        || {
            states();
            Ok(())
        },
    )]
}

/// The health check of a kind.
fn lua(kind: &str) -> String {
    let text = std::fs::read_to_string(repository("docs/samples/argocd-health.yaml")).unwrap();
    let patch: Value = serde_yaml::from_str(&text).unwrap();
    let key = format!("resource.customizations.health.bedrock-profiles.dev_{kind}");
    patch["data"][key].as_str().unwrap().to_owned()
}

fn object(kind: &str, observed: i64, conditions: &[(&str, &str, &str)]) -> Value {
    let conditions: Vec<_> = conditions
        .iter()
        .map(|(kind, status, reason)| {
            json!({"type": kind, "status": status, "reason": reason, "message": format!("message of {kind}"),
                "lastTransitionTime": "2026-11-30T00:00:00Z", "observedGeneration": observed})
        })
        .collect();
    json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": kind,
        "metadata": {"name": "x", "generation": 2}, "spec": {},
        "status": {"observedGeneration": observed, "conditions": conditions},
    })
}

fn evaluate(kind: &str, objects: &[Value]) -> Vec<Value> {
    let mut child = Command::new(HEALTH.path().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = json!({"lua": lua(kind), "objects": objects}).to_string();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Name, observed generation, conditions, and the health by kstatus and by Argo CD.
type Case = (
    &'static str,
    i64,
    &'static [(&'static str, &'static str, &'static str)],
    &'static str,
    &'static str,
);

const CASES: &[Case] = &[
    (
        "active",
        2,
        &[("Accepted", "True", "Valid"), ("Ready", "True", "Active")],
        "Current",
        "Healthy",
    ),
    (
        "shadowed, which is as specified",
        2,
        &[
            ("Accepted", "True", "Valid"),
            ("Ready", "True", "Active"),
            ("Shadowed", "True", "Shadowed"),
        ],
        "Current",
        "Healthy",
    ),
    (
        "a generation that is not yet observed",
        1,
        &[("Accepted", "True", "Valid"), ("Ready", "True", "Active")],
        "InProgress",
        "Progressing",
    ),
    (
        "an inactive webhook",
        2,
        &[
            ("Accepted", "True", "Valid"),
            ("Ready", "False", "WebhookInactive"),
        ],
        "InProgress",
        "Progressing",
    ),
    (
        "webhooks that are not yet read",
        2,
        &[
            ("Accepted", "True", "Valid"),
            ("Ready", "Unknown", "Pending"),
        ],
        "InProgress",
        "Progressing",
    ),
    (
        "no webhook",
        2,
        &[
            ("Accepted", "True", "Valid"),
            ("Ready", "False", "NoWebhook"),
            ("Stalled", "True", "NoWebhook"),
        ],
        "Failed",
        "Degraded",
    ),
    (
        "invalid",
        2,
        &[
            ("Accepted", "False", "Invalid"),
            ("Ready", "False", "NotAccepted"),
            ("Stalled", "True", "NotAccepted"),
        ],
        "Failed",
        "Degraded",
    ),
    (
        "a refused policy of the chart",
        2,
        &[
            ("Accepted", "True", "Valid"),
            ("Ready", "True", "Active"),
            ("UpToDate", "False", "ShippedPolicyRefused"),
        ],
        "Current",
        "Degraded",
    ),
];

fn states() {
    for kind in ["InferenceProfilePolicy", "InferenceProfileMapping"] {
        let mut objects: Vec<_> = CASES
            .iter()
            .map(|(_, observed, conditions, ..)| object(kind, *observed, conditions))
            .collect();
        let mut new = object(kind, 2, &[]);
        new["status"] = Value::Null;
        objects.push(new);
        let results = evaluate(kind, &objects);
        assert_eq!(results.len(), objects.len());
        for ((name, .., kstatus, argocd), result) in CASES.iter().zip(&results) {
            assert_eq!(result["kstatus"], *kstatus, "{kind}: {name}");
            assert_eq!(result["argocd"], *argocd, "{kind}: {name}");
        }
        assert_eq!(results[6]["message"], "message of Stalled");
        assert_eq!(
            results[8]["argocd"], "Progressing",
            "{kind}: without a status"
        );
    }
}
