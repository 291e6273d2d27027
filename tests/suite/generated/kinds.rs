//! The webhook rules of the chart and the RBAC of the audit have exactly the kinds of `domain::kinds`.

use std::collections::BTreeSet;
use std::path::Path;

use bedrock_profiles::cluster::rbac::{Switch, TABLE};
use bedrock_profiles::domain::kinds::{AdmissionWebhook, BuiltInKind};
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
