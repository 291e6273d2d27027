//! `Missed` is claimed only where the API server must have asked the webhook.

use bedrock_profiles::domain::catalog::LifecycleState;
use jiff::civil::date;

use super::*;

const CREATED: &str = "2026-11-20T10:00:00Z";

/// A Pod that the webhook missed; each test changes one condition.
struct Case {
    policy: &'static str,
    ready_since: &'static str,
    namespace_changed: &'static str,
    reach: Option<Reach>,
    object: Value,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            policy: "{ mode: Rewrite, region: {default: eu-west-1} }",
            ready_since: "2026-11-20T09:59:59Z",
            namespace_changed: "2026-11-20T09:00:00Z",
            reach: Some(reach(Selector::default())),
            object: created(object("Pod", "chat", SONNET_4_6, None)),
        }
    }
}

/// A webhook with the rules of the chart.
fn reach(namespaces: Selector) -> Reach {
    let rule = |group: &str, resources: &[&str]| {
        json!({"operations": ["CREATE", "UPDATE"], "apiGroups": [group], "apiVersions": ["v1"],
            "resources": resources, "scope": "Namespaced"})
    };
    let rules = json!([
        rule("", &["pods", "configmaps"]),
        rule("apps", &["deployments"])
    ]);
    Reach {
        namespaces,
        rules: serde_json::from_value(rules).unwrap(),
    }
}

fn created(mut object: Value) -> Value {
    object["metadata"]["creationTimestamp"] = json!(CREATED);
    object
}

/// Updated by a manager of the given subresource.
fn written(mut object: Value, at: &str, subresource: &str) -> Value {
    let mut manager = json!({"manager": "x", "operation": "Update", "time": at});
    if !subresource.is_empty() {
        manager["subresource"] = json!(subresource);
    }
    let managers = &mut object["metadata"]["managedFields"];
    if managers.is_null() {
        *managers = json!([]);
    }
    managers.as_array_mut().unwrap().push(manager);
    object
}

impl Case {
    fn missed(self) -> Option<Missed> {
        let world = Scenario::of(&[("test", self.policy)], &[]);
        let mut cluster = Cluster::under(world, vec![self.object]);
        cluster.namespaces = vec![written(
            json!({"metadata": {"name": "ml", "labels": {"team": "a"}}}),
            self.namespace_changed,
            "",
        )];
        let coverage = &mut cluster.input.coverage;
        coverage
            .ready_since
            .insert("test".into(), self.ready_since.parse().unwrap());
        coverage.mutating.extend(self.reach.clone());
        coverage.validating.extend(self.reach);
        let result = cluster.audit();
        result
            .findings
            .iter()
            .map(|stored| stored.record.missed)
            .max()
            .unwrap()
    }
}

fn models(at: &str) -> Value {
    let map = config_map(
        "models",
        &json!({"AWS_REGION": "eu-west-1", "model": SONNET_4_6}),
    );
    written(created(map), at, "")
}

#[test]
fn a_pod_created_under_a_ready_policy_and_a_webhook_is_missed() {
    assert_eq!(Case::default().missed(), Some(Missed::Missed));
}

#[test]
fn an_uncertain_write_is_before() {
    let excluding = bedrock_profiles::domain::policy::Requirement::DoesNotExist("team".into());
    let guessed = "{ mode: Rewrite }";
    let mut undated = Case::default().object;
    undated["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("creationTimestamp");
    for (why, case) in [
        (
            "the same second",
            Case {
                ready_since: CREATED,
                ..Case::default()
            },
        ),
        (
            "not ready",
            Case {
                ready_since: "2026-11-21T00:00:00Z",
                ..Case::default()
            },
        ),
        (
            "the namespace changed",
            Case {
                namespace_changed: "2026-11-20T10:00:00Z",
                ..Case::default()
            },
        ),
        (
            "not selected",
            Case {
                reach: Some(reach(Selector::new([excluding]))),
                ..Case::default()
            },
        ),
        (
            "no webhook configuration",
            Case {
                reach: None,
                ..Case::default()
            },
        ),
        (
            "no date",
            Case {
                object: undated,
                ..Case::default()
            },
        ),
    ] {
        assert_eq!(case.missed(), Some(Missed::Before), "{why}");
    }
    let mut case = Case {
        policy: guessed,
        ..Case::default()
    };
    case.object["spec"]["containers"][0]["env"][0] =
        json!({"name": "MODEL_ID", "value": format!("bedrock/us-east-1/{SONNET_4_6}")});
    assert_eq!(
        case.missed(),
        Some(Missed::Missed),
        "the value itself names the region"
    );
}

#[test]
fn the_last_update_of_a_config_map_counts_except_of_its_status() {
    let case = |object| Case {
        object,
        ready_since: "2026-11-21T00:00:00Z",
        ..Case::default()
    };
    assert_eq!(
        case(models("2026-11-20T11:00:00Z")).missed(),
        Some(Missed::Before)
    );
    assert_eq!(
        case(models("2026-11-22T00:00:00Z")).missed(),
        Some(Missed::Missed)
    );
    let by_status = written(
        models("2026-11-20T11:00:00Z"),
        "2026-11-22T00:00:00Z",
        "status",
    );
    assert_eq!(case(by_status).missed(), Some(Missed::Before));
}

#[test]
fn an_object_admitted_unchanged_is_not_missed() {
    let template = created(object("Deployment", "chat", SONNET_4_6, None));
    let deny = "{ mode: Deny, region: {default: eu-west-1} }";
    let owned = created(object("Pod", "chat", SONNET_4_6, Some(("ReplicaSet", "r"))));
    let left = created(object("Pod", "chat", PROFILE, None));
    for (why, expected, case) in [
        (
            "workloads are never rewritten",
            None,
            Case {
                object: template.clone(),
                ..Case::default()
            },
        ),
        (
            "but denied",
            Some(Missed::Missed),
            Case {
                object: template,
                policy: deny,
                ..Case::default()
            },
        ),
        (
            "objects of a controller are never denied",
            None,
            Case {
                object: owned,
                policy: deny,
                ..Case::default()
            },
        ),
        (
            "no rewrite is needed",
            None,
            Case {
                object: left,
                ..Case::default()
            },
        ),
        (
            "a DryRun policy",
            None,
            Case {
                policy: "{ mode: DryRun, region: {default: eu-west-1} }",
                ..Case::default()
            },
        ),
        (
            "an update is denied only for IDs that it adds",
            Some(Missed::Before),
            Case {
                object: models("2026-11-22T00:00:00Z"),
                policy: deny,
                ready_since: "2026-11-21T00:00:00Z",
                ..Case::default()
            },
        ),
    ] {
        assert_eq!(case.missed(), expected, "{why}");
    }
}

#[test]
fn a_model_alive_at_creation_is_not_missed() {
    let mut found = 0;
    let catalog = Scenario::under("{}")
        .view
        .snapshot
        .catalog
        .models()
        .iter()
        .map(|model| model.id.to_string())
        .collect::<Vec<_>>();
    for model in catalog {
        let object = created(object("Pod", "chat", &model, None));
        let policy = "{ mode: Rewrite, region: {default: us-east-1}, models: {include: ['*']} }";
        let world = Scenario::of(&[("test", policy)], &[]);
        let result = Cluster::under(world, vec![object.clone()]).audit();
        let Some(record) = result.findings.first().map(|stored| &stored.record) else {
            continue;
        };
        let Some(life) = record.lifecycle.as_ref().filter(|_| record.after.is_some()) else {
            continue;
        };
        let between = life.state == LifecycleState::EndOfLife
            && life
                .end_of_life_date
                .is_none_or(|end| end > date(2026, 11, 20));
        let expected = if between {
            Missed::Before
        } else {
            Missed::Missed
        };
        found += 1;
        assert_eq!(
            Case {
                policy,
                object,
                ..Case::default()
            }
            .missed(),
            Some(expected),
            "{model}"
        );
    }
    assert!(found > 10, "{found}");
}

/// `Deny` refuses workloads that the rules of the validating webhook cover, and no others.
#[test]
fn a_resource_is_missed_only_where_a_rule_covers_it() {
    let mut template = created(object("PodTemplate", "chat", SONNET_4_6, None));
    template["template"] = template["spec"]["template"].take();
    let missed = |rules: &Value| {
        let mut covering = reach(Selector::default());
        covering.rules = serde_json::from_value(rules.clone()).unwrap();
        let case = Case {
            policy: "{ mode: Deny, region: {default: eu-west-1} }",
            object: template.clone(),
            reach: Some(covering),
            ..Case::default()
        };
        case.missed()
    };
    let rule = |resource: &str, operation: &str| json!([{"operations": [operation], "apiGroups": [""], "apiVersions": ["v1"], "resources": [resource]}]);
    let rules = rule("replicationcontrollers", "CREATE");
    assert_eq!(missed(&rules), Some(Missed::Before));
    let rules = rule("podtemplates", "UPDATE");
    assert_eq!(missed(&rules), Some(Missed::Before));
    let rules = rule("podtemplates", "CREATE");
    assert_eq!(missed(&rules), Some(Missed::Missed));
}

/// `Rewrite` needs a mutating webhook.
#[test]
fn a_pod_is_missed_only_where_a_mutating_webhook_covers_it() {
    let mut cluster = Cluster::under(
        Scenario::of(&[("test", Case::default().policy)], &[]),
        vec![Case::default().object],
    );
    let namespace = json!({"metadata": {"name": "ml"}});
    cluster.namespaces = vec![written(namespace, "2026-11-20T09:00:00Z", "")];
    let coverage = &mut cluster.input.coverage;
    let ready_since = "2026-11-20T09:59:59Z".parse().unwrap();
    coverage.ready_since.insert("test".into(), ready_since);
    coverage.validating.push(reach(Selector::default()));
    let result = cluster.audit();
    assert_eq!(result.findings[0].record.missed, Some(Missed::Before));
}
