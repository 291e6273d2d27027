//! The alerts: when each fires and when it does not, and the metrics that alerts and dashboard name. The series are written by hand;
//! `tests/cluster/trials/chart.rs` compares the names of the metrics with those of a replica.

use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::helm::{CHART, Release};
use crate::pinned::PROMTOOL;
use crate::tools::repository;
use crate::trial;

/// A series, and its values a minute apart, in promtool's notation.
type Series = (&'static str, &'static str);

/// An alert, series under which it fires with these labels after an hour and a half, and such under which it does not.
struct Row {
    alert: &'static str,
    fires: &'static [Series],
    labels: &'static [(&'static str, &'static str)],
    silent: &'static [Series],
}

/// The name of a webhook, as the API server labels its metrics.
const POD_WEBHOOK: &str = "webhook-pods.bedrock-profiles.dev";

const TABLE: &[Row] = &[
    Row {
        alert: "BedrockProfilesAbsent",
        fires: &[("up{job=\"other\"}", "1x90")],
        labels: &[],
        silent: &[("bedrock_profiles_view_timestamp_seconds{pod=\"a\"}", "1x90")],
    },
    Row {
        alert: "BedrockProfilesWebhookInactive",
        fires: &[
            (
                "bedrock_profiles_webhook_active{webhook=\"webhook-pods.bedrock-profiles.dev\",pod=\"a\"}",
                "0x90",
            ),
            (
                "bedrock_profiles_webhook_active{webhook=\"webhook-pods.bedrock-profiles.dev\",pod=\"b\"}",
                "0x90",
            ),
        ],
        labels: &[("webhook", POD_WEBHOOK)],
        silent: &[
            (
                "bedrock_profiles_webhook_active{webhook=\"webhook-pods.bedrock-profiles.dev\",pod=\"a\"}",
                "0x90",
            ),
            (
                "bedrock_profiles_webhook_active{webhook=\"webhook-pods.bedrock-profiles.dev\",pod=\"b\"}",
                "1x90",
            ),
        ],
    },
    Row {
        alert: "BedrockProfilesFailOpen",
        fires: &[(
            "apiserver_admission_webhook_fail_open_count{name=\"webhook-pods.bedrock-profiles.dev\",type=\"admit\"}",
            "0+1x90",
        )],
        labels: &[("name", POD_WEBHOOK)],
        silent: &[
            (
                "apiserver_admission_webhook_fail_open_count{name=\"webhook-pods.bedrock-profiles.dev\",type=\"admit\"}",
                "5x90",
            ),
            (
                "apiserver_admission_webhook_fail_open_count{name=\"somebody.else.dev\",type=\"admit\"}",
                "0+1x90",
            ),
        ],
    },
    Row {
        alert: "BedrockProfilesFailClosed",
        fires: &[(
            "apiserver_admission_webhook_rejection_count{name=\"webhook-pods.bedrock-profiles.dev\",error_type=\"calling_webhook_error\"}",
            "0+1x90",
        )],
        labels: &[
            ("name", POD_WEBHOOK),
            ("error_type", "calling_webhook_error"),
        ],
        silent: &[(
            "apiserver_admission_webhook_rejection_count{name=\"webhook-pods.bedrock-profiles.dev\",error_type=\"no_error\"}",
            "0+1x90",
        )],
    },
    Row {
        alert: "BedrockProfilesMissed",
        fires: &[(
            "bedrock_profiles_audit_findings{reason=\"Missed\",pod=\"a\"}",
            "2x90",
        )],
        labels: &[],
        silent: &[
            (
                "bedrock_profiles_audit_findings{reason=\"Missed\",pod=\"a\"}",
                "0x90",
            ),
            (
                "bedrock_profiles_audit_findings{reason=\"Rewrite\",pod=\"a\"}",
                "9x90",
            ),
        ],
    },
    Row {
        alert: "BedrockProfilesAuditStale",
        fires: &[(
            "bedrock_profiles_audit_timestamp_seconds{pod=\"a\"}",
            "-90000x90",
        )],
        labels: &[],
        silent: &[
            (
                "bedrock_profiles_audit_timestamp_seconds{pod=\"a\"}",
                "-90000x90",
            ),
            (
                "bedrock_profiles_audit_timestamp_seconds{pod=\"b\"}",
                "60x90",
            ),
        ],
    },
    Row {
        alert: "BedrockProfilesNoLeader",
        fires: &[
            ("bedrock_profiles_leader{pod=\"a\"}", "0x90"),
            ("bedrock_profiles_leader{pod=\"b\"}", "0x90"),
        ],
        labels: &[],
        silent: &[
            ("bedrock_profiles_leader{pod=\"a\"}", "0x90"),
            ("bedrock_profiles_leader{pod=\"b\"}", "1x90"),
        ],
    },
    Row {
        alert: "BedrockProfilesCertificateExpiresSoon",
        fires: &[
            (
                "bedrock_profiles_certificate_expiration_timestamp_seconds{certificate=\"served\",pod=\"a\"}",
                "9000x90",
            ),
            (
                "bedrock_profiles_certificate_expiration_timestamp_seconds{certificate=\"served\",pod=\"b\"}",
                "90000x90",
            ),
        ],
        labels: &[],
        silent: &[
            (
                "bedrock_profiles_certificate_expiration_timestamp_seconds{certificate=\"served\",pod=\"a\"}",
                "90000x90",
            ),
            (
                "bedrock_profiles_certificate_expiration_timestamp_seconds{certificate=\"oldest\",pod=\"a\"}",
                "9000x90",
            ),
        ],
    },
    Row {
        alert: "BedrockProfilesCASecretErrors",
        fires: &[(
            "bedrock_profiles_authority_failures_total{pod=\"a\"}",
            "0+2x90",
        )],
        labels: &[],
        silent: &[(
            "bedrock_profiles_authority_failures_total{pod=\"a\"}",
            "3x90",
        )],
    },
    Row {
        alert: "BedrockProfilesWatchDown",
        fires: &[
            (
                "bedrock_profiles_watch_up{resource=\"inferenceprofilepolicies\",pod=\"a\"}",
                "0x90",
            ),
            (
                "bedrock_profiles_watch_up{resource=\"inferenceprofilepolicies\",pod=\"b\"}",
                "1x90",
            ),
        ],
        labels: &[("resource", "inferenceprofilepolicies")],
        silent: &[(
            "bedrock_profiles_watch_up{resource=\"inferenceprofilepolicies\",pod=\"a\"}",
            "1x90",
        )],
    },
    Row {
        alert: "BedrockProfilesReplicasOutOfSync",
        fires: &[
            (
                "bedrock_profiles_active_generation{kind=\"InferenceProfilePolicy\",name=\"x\",pod=\"a\"}",
                "1x90",
            ),
            (
                "bedrock_profiles_active_generation{kind=\"InferenceProfilePolicy\",name=\"x\",pod=\"b\"}",
                "2x90",
            ),
        ],
        labels: &[("kind", "InferenceProfilePolicy"), ("name", "x")],
        silent: &[
            (
                "bedrock_profiles_active_generation{kind=\"InferenceProfilePolicy\",name=\"x\",pod=\"a\"}",
                "2x90",
            ),
            (
                "bedrock_profiles_active_generation{kind=\"InferenceProfilePolicy\",name=\"x\",pod=\"b\"}",
                "2x90",
            ),
            (
                "bedrock_profiles_active_generation{kind=\"InferenceProfilePolicy\",name=\"y\",pod=\"b\"}",
                "1x90",
            ),
        ],
    },
    Row {
        alert: "BedrockProfilesCatalogStale",
        fires: &[(
            "bedrock_profiles_catalog_timestamp_seconds{pod=\"a\"}",
            "-11000000x90",
        )],
        labels: &[],
        silent: &[(
            "bedrock_profiles_catalog_timestamp_seconds{pod=\"a\"}",
            "0x90",
        )],
    },
    Row {
        alert: "BedrockProfilesModelEndsSoon",
        fires: &[
            (
                "bedrock_profiles_model_end_of_life_timestamp_seconds{model=\"m\",pod=\"a\"}",
                "2592000x90",
            ),
            (
                "bedrock_profiles_model_end_of_life_timestamp_seconds{model=\"late\",pod=\"a\"}",
                "2692000x90",
            ),
        ],
        labels: &[("model", "m")],
        silent: &[(
            "bedrock_profiles_model_end_of_life_timestamp_seconds{model=\"m\",pod=\"a\"}",
            "2692000x90",
        )],
    },
    Row {
        alert: "BedrockProfilesOptOutEndsSoon",
        fires: &[
            (
                "bedrock_profiles_opt_out_end_timestamp_seconds{object=\"ml/Pod/a\",pod=\"a\"}",
                "2592000x90",
            ),
            (
                "bedrock_profiles_opt_out_end_timestamp_seconds{object=\"ml/Pod/late\",pod=\"a\"}",
                "2692000x90",
            ),
        ],
        labels: &[("object", "ml/Pod/a")],
        silent: &[(
            "bedrock_profiles_opt_out_end_timestamp_seconds{object=\"ml/Pod/a\",pod=\"a\"}",
            "2692000x90",
        )],
    },
    Row {
        alert: "BedrockProfilesHighLatency",
        fires: &[
            (
                "bedrock_profiles_admission_duration_seconds_bucket{le=\"0.25\",pod=\"a\"}",
                "0+1x90",
            ),
            (
                "bedrock_profiles_admission_duration_seconds_bucket{le=\"1.0\",pod=\"a\"}",
                "0+9x90",
            ),
            (
                "bedrock_profiles_admission_duration_seconds_bucket{le=\"+Inf\",pod=\"a\"}",
                "0+9x90",
            ),
        ],
        labels: &[],
        silent: &[
            (
                "bedrock_profiles_admission_duration_seconds_bucket{le=\"0.25\",pod=\"a\"}",
                "0+9x90",
            ),
            (
                "bedrock_profiles_admission_duration_seconds_bucket{le=\"1.0\",pod=\"a\"}",
                "0+9x90",
            ),
            (
                "bedrock_profiles_admission_duration_seconds_bucket{le=\"+Inf\",pod=\"a\"}",
                "0+9x90",
            ),
        ],
    },
    Row {
        alert: "BedrockProfilesPanics",
        fires: &[("bedrock_profiles_panics_total{pod=\"a\"}", "0x60 1x30")],
        labels: &[],
        silent: &[("bedrock_profiles_panics_total{pod=\"a\"}", "4x90")],
    },
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("alerts::are_accepted", accepted),
        trial("alerts::fire_and_are_silent", fire),
        trial("alerts::each_is_tried_and_in_the_runbook", in_the_runbook),
        trial("the_metrics_of_dashboard_and_alerts_are_listed", named),
    ]
}

/// The groups of rules, as a cluster with the operator gets them.
fn groups() -> Value {
    let rendered =
        Release::default().objects(&json!({"metrics": {"prometheusRule": {"enabled": true}}}));
    rendered.only("PrometheusRule")["spec"].clone()
}

fn rules(groups: &Value) -> &Vec<Value> {
    groups["groups"][0]["rules"].as_array().unwrap()
}

/// Runs promtool on these files, written into a folder of their own.
fn promtool(arguments: &[&str], files: &[(&str, &Value)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content.to_string()).unwrap();
    }
    let mut promtool = PROMTOOL.command().unwrap();
    let output = promtool.args(arguments).current_dir(folder.path()).output();
    let Output {
        status,
        stdout,
        stderr,
    } = output.unwrap();
    let printed = [stdout, stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat();
    assert!(status.success(), "{printed}");
    printed
}

fn accepted() {
    let printed = promtool(
        &["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"],
        &[("rules.yaml", &groups())],
    );
    assert!(
        printed.contains(&format!("{} rules found", TABLE.len())),
        "{printed}"
    );
}

fn fire() {
    // What an alert says is text, which `check rules` reads; here it would have to be repeated.
    let mut rules_alone = groups();
    let mut severities = std::collections::BTreeMap::new();
    for rule in rules_alone["groups"][0]["rules"].as_array_mut().unwrap() {
        rule.as_object_mut().unwrap().remove("annotations");
        severities.insert(
            rule["alert"].as_str().unwrap().to_owned(),
            rule["labels"]["severity"].clone(),
        );
    }
    let tests: Vec<Value> = TABLE
        .iter()
        .flat_map(|row| {
            let mut labels = json!({"severity": severities[row.alert]});
            for (name, value) in row.labels {
                labels[name] = json!(value);
            }
            [
                test(
                    "fires",
                    row.alert,
                    row.fires,
                    &json!([{"exp_labels": labels}]),
                ),
                test("is silent", row.alert, row.silent, &json!([])),
            ]
        })
        .collect();
    let tests = json!({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests});
    promtool(
        &["test", "rules", "tests.yaml"],
        &[("rules.yaml", &rules_alone), ("tests.yaml", &tests)],
    );
}

fn test(what: &str, alert: &str, series: &[Series], expected: &Value) -> Value {
    let series: Vec<_> = series
        .iter()
        .map(|(series, values)| json!({"series": series, "values": values}))
        .collect();
    json!({"name": format!("{alert} {what}"), "interval": "1m", "input_series": series,
        "alert_rule_test": [{"eval_time": "90m", "alertname": alert, "exp_alerts": expected}]})
}

fn in_the_runbook() {
    let groups = groups();
    let runbook = fs::read_to_string(repository("docs/runbook.md")).unwrap();
    let alerts: Vec<_> = rules(&groups)
        .iter()
        .map(|rule| rule["alert"].as_str().unwrap())
        .collect();
    assert_eq!(
        alerts,
        TABLE.iter().map(|row| row.alert).collect::<Vec<_>>()
    );
    for alert in alerts {
        assert!(
            runbook.contains(&format!("\n## {alert}\n")),
            "docs/runbook.md has no heading for {alert}"
        );
    }
    let headings = runbook
        .lines()
        .filter(|line| line.starts_with("## BedrockProfiles"));
    assert_eq!(
        headings.count(),
        TABLE.len(),
        "the runbook is about an alert that there is not"
    );
}

/// The list has every metric of ours that alerts or dashboard name, and no other. The trials of `tests/cluster/trials/chart.rs` compare
/// it with the metrics of a replica.
fn named() {
    let dashboard = fs::read_to_string(repository(CHART).join("files/dashboard.json")).unwrap();
    let texts = [groups().to_string(), dashboard];
    let list = fs::read_to_string(repository("tests/data/chart/metrics.txt")).unwrap();
    let listed: BTreeSet<&str> = list.lines().collect();
    let named: BTreeSet<&str> = texts.iter().flat_map(|text| names(text)).collect();
    assert_eq!(
        named, listed,
        "tests/data/chart/metrics.txt lists what rules and dashboard name"
    );
}

/// The names of our metrics in a text.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(move |c| !of_a_name(c))
        .filter(|word| word.starts_with("bedrock_profiles_"))
}
