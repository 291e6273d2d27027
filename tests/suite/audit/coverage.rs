//! `Missed` is claimed where nothing else can be, and nowhere else.

use bedrock_profiles::domain::catalog::LifecycleState;
use jiff::civil::date;

use super::*;

const CREATED: &str = "2026-11-20T10:00:00Z";

/// Everything that has to be so for a Pod to have been missed; each test takes one thing away.
struct Case {
    policy: &'static str,
    in_force: &'static str,
    namespace_changed: &'static str,
    reach: Reach,
    object: Value,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            policy: "{ mode: Rewrite, region: {default: eu-west-1} }",
            in_force: "2026-11-20T09:59:59Z",
            namespace_changed: "2026-11-20T09:00:00Z",
            reach: Reach::Namespaces(Selector::default()),
            object: created(object("Pod", "chat", SONNET_4_6, None)),
        }
    }
}

fn created(mut object: Value) -> Value {
    object["metadata"]["creationTimestamp"] = json!(CREATED);
    object
}

/// Written once more by a manager of the given subresource.
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
        let coverage = &mut cluster.terms.coverage;
        coverage
            .in_force_since
            .insert("test".into(), self.in_force.parse().unwrap());
        coverage.pods = self.reach.clone();
        coverage.config_maps = self.reach.clone();
        coverage.templates = self.reach;
        let surveyed = cluster.survey();
        surveyed
            .findings
            .iter()
            .map(|kept| kept.record.missed)
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
fn a_pod_that_was_created_in_force_and_reached_was_missed() {
    assert_eq!(Case::default().missed(), Some(Missed::Missed));
}

#[test]
fn in_doubt_it_was_before() {
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
                in_force: CREATED,
                ..Case::default()
            },
        ),
        (
            "not in force",
            Case {
                in_force: "2026-11-21T00:00:00Z",
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
            "not reached",
            Case {
                reach: Reach::Namespaces(Selector::new([excluding])),
                ..Case::default()
            },
        ),
        (
            "no entry",
            Case {
                reach: Reach::Unknown,
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
        "the value itself says the region"
    );
}

#[test]
fn a_config_map_counts_from_when_it_was_last_written_by_anybody_but_the_status() {
    let case = |object| Case {
        object,
        in_force: "2026-11-21T00:00:00Z",
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
fn nothing_is_missed_that_would_have_passed() {
    let template = created(object("Deployment", "chat", SONNET_4_6, None));
    let deny = "{ mode: Deny, region: {default: eu-west-1} }";
    let owned = created(object("Pod", "chat", SONNET_4_6, Some(("ReplicaSet", "r"))));
    let left = created(object("Pod", "chat", PROFILE, None));
    for (why, expected, case) in [
        (
            "templates are never changed",
            None,
            Case {
                object: template.clone(),
                ..Case::default()
            },
        ),
        (
            "but refused",
            Some(Missed::Missed),
            Case {
                object: template,
                policy: deny,
                ..Case::default()
            },
        ),
        (
            "what a controller makes is never refused",
            None,
            Case {
                object: owned,
                policy: deny,
                ..Case::default()
            },
        ),
        (
            "nothing is to be done",
            None,
            Case {
                object: left,
                ..Case::default()
            },
        ),
        (
            "a policy that decides nothing",
            None,
            Case {
                policy: "{ mode: DryRun, region: {default: eu-west-1} }",
                ..Case::default()
            },
        ),
        (
            "refused only for what an update brings",
            Some(Missed::Before),
            Case {
                object: models("2026-11-22T00:00:00Z"),
                policy: deny,
                in_force: "2026-11-21T00:00:00Z",
                ..Case::default()
            },
        ),
    ] {
        assert_eq!(case.missed(), expected, "{why}");
    }
}

#[test]
fn an_id_that_worked_when_it_was_written_was_nothing_to_catch() {
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
        let surveyed = Cluster::under(world, vec![object.clone()]).survey();
        let Some(record) = surveyed.findings.first().map(|kept| &kept.record) else {
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
