//! The webhook rules of the chart and the RBAC of the audit have exactly the kinds of `domain::kinds`, and the checks before an installation
//! know exactly what the chart installs.

use std::collections::BTreeSet;
use std::path::Path;

use bedrock_profiles::cluster::rbac::{Switch, TABLE};
use bedrock_profiles::domain::kinds::{AdmissionWebhook, BuiltInKind};
use bedrock_profiles::health::{INSTALLED_KINDS, OLDEST_MINOR, sample_pod};
use serde::Deserialize as _;
use serde_json::Value;

/// The rendered chart with its default values.
const CHART: &str = "tests/data/chart/default.yaml";

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents
        .map(|one| Value::deserialize(one).unwrap())
        .collect()
}

/// The webhooks of the bootstrap ConfigMap, each with `kind` and `rules`.
fn webhooks() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CHART);
    let chart = documents(&std::fs::read_to_string(path).unwrap());
    let is_bootstrap = |one: &&Value| !one["data"]["bootstrap.yaml"].is_null();
    let bootstrap = chart.iter().find(is_bootstrap).unwrap();
    let text = bootstrap["data"]["bootstrap.yaml"].as_str().unwrap();
    let bootstrap = documents(text).remove(0);
    let lists = bootstrap.as_object().unwrap().values();
    let webhooks = lists.filter_map(Value::as_array).flatten();
    webhooks
        .filter(|one| one["rules"].is_array())
        .cloned()
        .collect()
}

fn texts(rule: &Value, field: &str) -> Vec<String> {
    serde_json::from_value(rule[field].clone()).unwrap()
}

#[test]
fn the_webhook_rules_of_the_chart_have_every_admitted_kind_and_no_other() {
    let mut rules = BTreeSet::new();
    for webhook in webhooks() {
        let kind = webhook["kind"].as_str().unwrap();
        for rule in webhook["rules"].as_array().unwrap() {
            let (group, version) = (&texts(rule, "apiGroups")[0], &texts(rule, "apiVersions")[0]);
            let creates = texts(rule, "operations").contains(&"CREATE".to_owned());
            for resource in texts(rule, "resources").iter().filter(|_| creates) {
                rules.insert(format!("{kind} {group}/{version} {resource}"));
            }
        }
    }
    let admitted = BuiltInKind::all().filter_map(|one| {
        let kind = match one.reviewed_by? {
            AdmissionWebhook::Mutating => "MutatingWebhookConfiguration",
            AdmissionWebhook::Validating => "ValidatingWebhookConfiguration",
        };
        let (group, version) = (one.group(), one.version());
        Some(format!("{kind} {group}/{version} {}", one.plural))
    });
    assert_eq!(rules, admitted.collect());
}

#[test]
fn the_rbac_of_the_audit_lists_every_kind_and_no_other() {
    let of_the_audit = TABLE.iter().filter(|rule| {
        matches!(rule.when, Some(Switch::Audit | Switch::AuditConfigMaps))
            && rule.verbs.contains(&"list")
    });
    let listed: BTreeSet<(&str, &str)> = of_the_audit
        .flat_map(|rule| {
            rule.resources
                .iter()
                .map(|resource| (rule.group, *resource))
        })
        .collect();
    let kinds = BuiltInKind::all().map(|one| (one.group(), one.plural));
    assert_eq!(listed, kinds.collect());
}

/// The objects that the chart installs with its default values.
fn installed() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/install.yaml");
    documents(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn the_kinds_whose_rights_are_checked_are_those_that_the_chart_installs() {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let installed: BTreeSet<_> = installed()
        .iter()
        .filter(|object| object["kind"] != "Namespace")
        .map(|object| {
            let is_namespaced = object["metadata"]["namespace"].is_string();
            (
                text(&object["apiVersion"]),
                text(&object["kind"]),
                is_namespaced,
            )
        })
        .collect();
    let checked = INSTALLED_KINDS.iter().map(|kind| {
        let plural = kind.kind.to_lowercase();
        let plural = plural
            .strip_suffix('y')
            .map_or(format!("{plural}s"), |stem| format!("{stem}ies"));
        assert_eq!(kind.plural, plural);
        (
            kind.api_version.to_owned(),
            kind.kind.to_owned(),
            kind.is_namespaced,
        )
    });
    assert_eq!(checked.collect::<BTreeSet<_>>(), installed);
}

#[test]
fn the_oldest_version_that_is_checked_is_that_of_the_chart() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/bedrock-profiles/Chart.yaml");
    let chart = documents(&std::fs::read_to_string(path).unwrap()).remove(0);
    assert_eq!(chart["kubeVersion"], format!(">=1.{OLDEST_MINOR}.0-0"));
}

#[test]
fn the_sample_pod_has_the_resources_and_the_security_contexts_of_the_chart() {
    let installed = installed();
    let deployment = installed
        .iter()
        .find(|one| one["kind"] == "Deployment")
        .unwrap();
    let template = &deployment["spec"]["template"]["spec"];
    let sample = sample_pod("default", "sample");
    assert_eq!(
        sample["spec"]["securityContext"],
        template["securityContext"]
    );
    for field in ["securityContext", "resources"] {
        let own = &sample["spec"]["containers"][0][field];
        assert_eq!(*own, template["containers"][0][field], "{field}");
    }
}
