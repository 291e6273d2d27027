use serde_json::json;

use super::super::owners::ControllerReference;
use super::*;

fn pod(name: &str, app: &str, owner: Option<(&str, &str, &str)>) -> OutdatedPod {
    OutdatedPod {
        namespace: "ml".into(),
        name: name.into(),
        labels: [("app".into(), app.into())].into(),
        owner: owner.map(|(api_version, kind, name)| ControllerReference {
            api_version: api_version.into(),
            kind: kind.into(),
            name: name.into(),
            uid: name.into(),
        }),
        is_reviewed: true,
    }
}

fn budget(name: &str, app: &str, allowed: u64) -> DisruptionBudget {
    DisruptionBudget::of(&json!({
        "metadata": {"namespace": "ml", "name": name, "generation": 2},
        "spec": {"selector": {"matchLabels": {"app": app}}},
        "status": {"observedGeneration": 2, "disruptionsAllowed": allowed},
    }))
    .unwrap()
}

fn deployment(max_unavailable: &Value, max_surge: &Value) -> WorkloadState {
    WorkloadState::of(
        &json!({"kind": "Deployment", "spec": {"replicas": 4, "strategy": {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": max_unavailable, "maxSurge": max_surge}}}}),
    )
}

fn name(kind: &str, name: &str) -> WorkloadName {
    WorkloadName::of(&pod("x", "x", Some(("apps/v1", kind, name))))
}

#[test]
fn a_rollout_makes_as_many_pods_unavailable_as_its_strategy_allows() {
    for (unavailable, surge, expected) in [
        (json!("25%"), json!("25%"), 1),
        (json!("20%"), json!("25%"), 0),
        (json!("20%"), json!(0), 1),
        (json!(0), json!(1), 0),
        (json!(9), json!(1), 4),
    ] {
        let state = deployment(&unavailable, &surge);
        assert_eq!(state.at_once, expected, "{unavailable} {surge}");
    }
    let at_once = |kind, spec: Value| {
        let status = json!({"desiredNumberScheduled": 3});
        let object = json!({"kind": kind, "spec": spec, "status": status});
        WorkloadState::of(&object).at_once
    };
    let recreate = json!({"replicas": 3, "strategy": {"type": "Recreate"}});
    assert_eq!(at_once("Deployment", recreate), 3);
    assert_eq!(
        at_once("StatefulSet", json!({"replicas": 3, "updateStrategy": {}})),
        1
    );
    let half = json!({"updateStrategy": {"rollingUpdate": {"maxUnavailable": "50%"}}});
    assert_eq!(at_once("DaemonSet", half), 2);
    assert_eq!(at_once("DaemonSet", json!({"updateStrategy": {}})), 1);
}

#[test]
fn restarts_that_exceed_a_budget_are_postponed_and_the_others_ordered_by_room() {
    let pods = [
        pod("a-1", "a", Some(("apps/v1", "Deployment", "a"))),
        pod("a-2", "a", Some(("apps/v1", "Deployment", "a"))),
        pod("b-1", "b", Some(("apps/v1", "Deployment", "b"))),
        pod("c-1", "c", Some(("apps/v1", "StatefulSet", "c"))),
        pod("d-1", "d", Some(("apps/v1", "Deployment", "d"))),
        OutdatedPod {
            is_reviewed: false,
            ..pod("e-1", "e", Some(("apps/v1", "Deployment", "e")))
        },
    ];
    let budgets = [
        budget("a", "a", 1),
        budget("b", "b", 0),
        budget("c", "c", 0),
        budget("c-too", "c", 3),
    ];
    let one_at_once = deployment(&json!(1), &json!(1));
    let none_at_once = deployment(&json!(0), &json!(1));
    let states = [
        (name("Deployment", "a"), one_at_once),
        (name("Deployment", "b"), none_at_once),
        (
            name("StatefulSet", "c"),
            WorkloadState::of(&json!({"kind": "StatefulSet", "spec": {"replicas": 2}})),
        ),
        (name("Deployment", "d"), one_at_once),
    ];
    let plan = RestartPlan::new(&pods, &budgets, &states.into());
    let names = |restarts: &[Restart]| -> Vec<String> {
        let names = restarts
            .iter()
            .map(|one| format!("{} {}", one.workload.name, one.pods));
        names.collect()
    };
    assert_eq!(names(&plan.restarts), ["d 1", "a 2", "b 1"]);
    assert_eq!(names(&plan.postponed), ["c 1"]);
    assert_eq!(plan.postponed[0].exceeds(), Some(&("c".into(), 0)));
    assert_eq!((plan.by_hand.len(), plan.unreviewed), (0, 1));
}

#[test]
fn what_no_command_restarts_is_listed_with_the_reason() {
    let paused = WorkloadState::of(&json!({"kind": "Deployment", "spec": {"paused": true}}));
    let on_delete = json!({"kind": "DaemonSet", "spec": {"updateStrategy": {"type": "OnDelete"}}});
    let on_delete = WorkloadState::of(&on_delete);
    let partitioned = json!({"kind": "StatefulSet", "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 1}}}});
    let partitioned = WorkloadState::of(&partitioned);
    let by_hand = |owner, state: Option<WorkloadState>| {
        let pods = [pod("x", "x", owner)];
        let states = state.map(|state| (WorkloadName::of(&pods[0]), state));
        let plan = RestartPlan::new(&pods, &[], &states.into_iter().collect());
        plan.by_hand.into_iter().next().map(|one| one.method)
    };
    for (owner, state, part) in [
        (None, None, "no controller"),
        (Some(("batch/v1", "Job", "j")), None, "end by themselves"),
        (Some(("batch/v1", "CronJob", "j")), None, "next Job"),
        (
            Some(("apps/v1", "ReplicaSet", "r")),
            None,
            "one after the other",
        ),
        (Some(("apps/v1", "Deployment", "d")), None, "cannot be read"),
        (Some(("apps/v1", "Deployment", "d")), Some(paused), "paused"),
        (
            Some(("apps/v1", "DaemonSet", "d")),
            Some(on_delete),
            "OnDelete",
        ),
        (
            Some(("apps/v1", "StatefulSet", "s")),
            Some(partitioned),
            "partition",
        ),
        (
            Some(("x.io/v1", "Deployment", "d")),
            None,
            "its controller documents",
        ),
    ] {
        let Some(RestartMethod::ByHand(reason)) = by_hand(owner, state) else {
            panic!("{owner:?}");
        };
        assert!(reason.contains(part), "{owner:?}: {reason}");
    }
    assert_eq!(
        by_hand(Some(("argoproj.io/v1alpha1", "Rollout", "r")), None),
        None
    );
}

#[test]
fn a_budget_that_was_not_computed_allows_nothing_and_one_without_selector_has_no_pods() {
    let with = |spec: Value, status: Value| {
        let metadata = json!({"namespace": "ml", "name": "b", "generation": 3});
        DisruptionBudget::of(&json!({"metadata": metadata, "spec": spec, "status": status}))
    };
    let all = json!({"selector": {}});
    for (status, allowed) in [
        (Value::Null, 0),
        (json!({"observedGeneration": 2, "disruptionsAllowed": 5}), 0),
        (json!({"observedGeneration": 3, "disruptionsAllowed": 5}), 5),
    ] {
        let budget = with(all.clone(), status.clone()).unwrap();
        assert_eq!(budget.allowed, allowed, "{status}");
        assert!(
            budget.selects(&pod("x", "x", None)),
            "an empty selector selects all"
        );
    }
    assert_eq!(with(json!({}), Value::Null), None);
}
