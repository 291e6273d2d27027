//! A cluster's objects, item by item: on whom findings stand, how often, what is passed over, and what was missed.

use std::collections::BTreeSet;

use bedrock_profiles::domain::policy::Selector;
use bedrock_profiles::domain::reason::Reason;
use bedrock_profiles::report::{FindingRecord, Missed};
use bedrock_profiles::scan::cluster::{
    CONFIG_MAPS, Coverage, NAMESPACES, Reach, Resource, Survey, Surveyed, Terms, WORKLOADS,
};
use serde_json::{Value, json};

use crate::evaluate::scenario::{SONNET_4_6, Scenario, TODAY};

mod coverage;
mod files;

const PROFILE: &str = "eu.anthropic.claude-sonnet-4-6";

/// What a cluster has, to be surveyed.
struct Cluster {
    terms: Terms,
    namespaces: Vec<Value>,
    objects: Vec<Value>,
}

impl Cluster {
    fn under(world: Scenario, objects: Vec<Value>) -> Self {
        let terms = Terms {
            view: world.view,
            today: TODAY,
            excluded: BTreeSet::new(),
            coverage: Coverage::default(),
            keep: usize::MAX,
        };
        Self {
            terms,
            namespaces: vec![json!({"metadata": {"name": "ml"}})],
            objects,
        }
    }

    fn of(objects: Vec<Value>) -> Self {
        Self::under(Scenario::under("{ region: {default: eu-west-1} }"), objects)
    }

    fn survey(self) -> Surveyed {
        let mut survey = Survey::new(self.terms);
        for namespace in &self.namespaces {
            survey.take(&NAMESPACES, &namespace.to_string());
        }
        survey.commit();
        survey.end(&NAMESPACES, true);
        for resource in std::iter::once(&CONFIG_MAPS).chain(WORKLOADS) {
            for object in self
                .objects
                .iter()
                .filter(|one| one["kind"] == resource.kind)
            {
                survey.take(resource, &as_an_item(object));
            }
            survey.commit();
            survey.end(resource, true);
        }
        survey.finish()
    }
}

/// As a list has it: without its kind.
fn as_an_item(object: &Value) -> String {
    let mut item = object.clone();
    let fields = item.as_object_mut().unwrap();
    fields.remove("kind");
    fields.remove("apiVersion");
    item.to_string()
}

fn resource(kind: &str) -> &'static Resource {
    let all = std::iter::once(&CONFIG_MAPS).chain(WORKLOADS);
    all.into_iter().find(|one| one.kind == kind).unwrap()
}

/// An object of `kind` whose one container asks for `model`, owned by the owner of this kind and name.
fn object(kind: &str, name: &str, model: &str, owner: Option<(&str, &str)>) -> Value {
    let spec =
        json!({"containers": [{"name": "app", "env": [{"name": "MODEL_ID", "value": model}]}]});
    let spec = match kind {
        "Pod" => spec,
        "CronJob" => json!({"jobTemplate": {"spec": {"template": {"spec": spec}}}}),
        _ => json!({"template": {"spec": spec}}),
    };
    let mut object = json!({
        "apiVersion": resource(kind).api_version, "kind": kind,
        "metadata": {"name": name, "namespace": "ml", "uid": uid(kind, name)}, "spec": spec,
    });
    if let Some((kind, name)) = owner {
        object["metadata"]["ownerReferences"] = json!([
            {"apiVersion": "any/v1", "kind": kind, "name": name, "uid": uid(kind, name), "controller": true}]);
    }
    object
}

fn uid(kind: &str, name: &str) -> String {
    format!("uid-of-{kind}-{name}")
}

fn config_map(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "ml", "uid": name}, "data": data})
}

/// Each finding in short: `Kind/name[ in Kind/name] xN before -> answer`.
fn lines(surveyed: &Surveyed) -> Vec<String> {
    let line = |record: &FindingRecord| {
        let name =
            |one: &bedrock_profiles::report::ObjectReference| format!("{}/{}", one.kind, one.name);
        let stands_on = name(record.object.as_ref().unwrap());
        let seen_in = record.seen_in.as_ref();
        let seen_in = seen_in.map(|one| format!(" in {}", name(one)));
        let line = stands_on + &seen_in.unwrap_or_default();
        let answer = record
            .after
            .as_deref()
            .or(record.reason.map(Reason::as_str))
            .unwrap();
        format!("{line} x{} {} -> {answer}", record.instances, record.before)
    };
    surveyed
        .findings
        .iter()
        .map(|kept| line(&kept.record))
        .collect()
}

#[test]
fn what_pods_show_stands_on_their_workload_once() {
    let surveyed = Cluster::of(vec![
        object("Deployment", "chat", SONNET_4_6, None),
        object(
            "ReplicaSet",
            "chat-1",
            SONNET_4_6,
            Some(("Deployment", "chat")),
        ),
        object(
            "Pod",
            "chat-1-a",
            SONNET_4_6,
            Some(("ReplicaSet", "chat-1")),
        ),
        object(
            "Pod",
            "chat-1-b",
            SONNET_4_6,
            Some(("ReplicaSet", "chat-1")),
        ),
        object("Pod", "chat-1-c", PROFILE, Some(("ReplicaSet", "chat-1"))),
        object("Pod", "alone", SONNET_4_6, None),
    ])
    .survey();
    assert_eq!(
        lines(&surveyed),
        [
            format!("Deployment/chat x3 {SONNET_4_6} -> {PROFILE}"),
            format!("Deployment/chat in Pod/chat-1-c x1 {PROFILE} -> AlreadyProfiled"),
            format!("Pod/alone x0 {SONNET_4_6} -> {PROFILE}"),
        ]
    );
    assert_eq!(surveyed.counts.objects, 6);
    let sums = &surveyed.sums.policies["test"];
    assert_eq!((sums.findings, sums.left["AlreadyProfiled"]), (3, 1));
    assert_eq!(&*surveyed.findings[0].uid, uid("Deployment", "chat"));
}

#[test]
fn owners_that_are_not_read_are_named_by_what_they_own() {
    let surveyed = Cluster::of(vec![
        object("ReplicaSet", "r-1", SONNET_4_6, Some(("Rollout", "r"))),
        object("Pod", "r-1-a", SONNET_4_6, Some(("ReplicaSet", "r-1"))),
        object("Deployment", "k-d", SONNET_4_6, Some(("Revision", "k"))),
        object("Pod", "w-0", SONNET_4_6, Some(("Workload", "w"))),
    ])
    .survey();
    assert_eq!(
        lines(&surveyed),
        [
            format!("Revision/k in Deployment/k-d x1 {SONNET_4_6} -> {PROFILE}"),
            format!("Rollout/r in ReplicaSet/r-1 x2 {SONNET_4_6} -> {PROFILE}"),
            format!("Workload/w in Pod/w-0 x1 {SONNET_4_6} -> {PROFILE}"),
        ]
    );
    assert_eq!(
        surveyed.findings[0]
            .record
            .object
            .as_ref()
            .unwrap()
            .api_version,
        "any/v1"
    );
}

#[test]
fn what_is_over_is_passed_over_but_still_owns() {
    let mut old = object(
        "ReplicaSet",
        "chat-0",
        SONNET_4_6,
        Some(("Deployment", "chat")),
    );
    old["spec"]["replicas"] = json!(0);
    let mut done = object("Job", "night", SONNET_4_6, Some(("CronJob", "night")));
    done["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    let mut ended = object("Pod", "ended", SONNET_4_6, None);
    ended["status"] = json!({"phase": "Failed"});
    let last = object(
        "Pod",
        "chat-0-a",
        SONNET_4_6,
        Some(("ReplicaSet", "chat-0")),
    );
    let surveyed = Cluster::of(vec![old, done, ended, last]).survey();
    assert_eq!(
        lines(&surveyed),
        [format!(
            "Deployment/chat in Pod/chat-0-a x1 {SONNET_4_6} -> {PROFILE}"
        )]
    );
    assert_eq!(surveyed.counts.objects, 1);
}

#[test]
fn the_same_twice_in_one_container_is_two_findings_below_as_above() {
    let twice = |kind, name, owner| {
        let mut object = object(kind, name, "", owner);
        let args = json!([
            format!("--model={SONNET_4_6}"),
            format!("--again={SONNET_4_6}")
        ]);
        let template = if kind == "Pod" {
            &mut object
        } else {
            &mut object["spec"]["template"]
        };
        template["spec"]["containers"][0]["args"] = args;
        object
    };
    let surveyed = Cluster::of(vec![
        twice("StatefulSet", "chat", None),
        twice("Pod", "chat-0", Some(("StatefulSet", "chat"))),
    ])
    .survey();
    let line = format!("StatefulSet/chat x1 {SONNET_4_6} -> {PROFILE}");
    assert_eq!(lines(&surveyed), [line.clone(), line]);
}

#[test]
fn config_maps_are_known_when_pods_are_judged_and_missing_ones_told() {
    let mut pod = object("Pod", "chat", "x", None);
    let from = |name: &str| json!({"configMapKeyRef": {"name": name, "key": "model"}});
    pod["spec"]["containers"][0]["env"] = json!([
        {"name": "A_MODEL_ID", "valueFrom": from("models")}, {"name": "B_MODEL_ID", "valueFrom": from("gone")}]);
    let models = config_map("models", &json!({"model": SONNET_4_6}));
    let found = lines(&Cluster::of(vec![pod.clone(), models]).survey());
    assert!(
        found.contains(&format!("ConfigMap/models x0 {SONNET_4_6} -> {PROFILE}")),
        "{found:?}"
    );
    assert!(
        found.contains(&format!("Pod/chat x0 {SONNET_4_6} -> {PROFILE}")),
        "{found:?}"
    );
}

#[test]
fn labels_and_annotations_of_namespaces_count() {
    let policy =
        "{ region: {default: eu-west-1}, match: {namespaceSelector: {matchLabels: {team: a}}} }";
    let mut cluster = Cluster::under(
        Scenario::under(policy),
        vec![object("Pod", "chat", SONNET_4_6, None)],
    );
    cluster.namespaces = vec![json!({"metadata": {"name": "ml"}})];
    assert!(cluster.survey().findings.is_empty());
    let mut cluster = Cluster::under(
        Scenario::under(policy),
        vec![object("Pod", "chat", SONNET_4_6, None)],
    );
    cluster.namespaces = vec![json!({"metadata": {"name": "ml", "labels": {"team": "a"},
        "annotations": {"bedrock-profiles.dev/region": "us-east-1"}}})];
    assert_eq!(
        lines(&cluster.survey()),
        [format!("Pod/chat x0 {SONNET_4_6} -> us.{SONNET_4_6}")]
    );
}

#[test]
fn excluded_namespaces_are_passed_over() {
    let mut cluster = Cluster::of(vec![object("Pod", "chat", SONNET_4_6, None)]);
    cluster.terms.excluded = BTreeSet::from(["ml".to_owned()]);
    let surveyed = cluster.survey();
    assert_eq!((surveyed.counts.objects, surveyed.findings.len()), (0, 0));
}

#[test]
fn a_page_that_breaks_off_counts_once_when_it_is_read_again() {
    let terms = Cluster::of(Vec::new()).terms;
    let mut survey = Survey::new(terms);
    let pods = resource("Pod");
    let item = as_an_item(&object("Pod", "chat", SONNET_4_6, None));
    survey.take(pods, &item);
    survey.abandon();
    survey.take(pods, &item);
    survey.take(pods, "{\"metadata\":");
    survey.commit();
    let surveyed = survey.finish();
    assert_eq!((surveyed.counts.objects, surveyed.counts.unread), (1, 1));
    assert_eq!(surveyed.findings.len(), 1);
    assert_eq!(surveyed.findings[0].record.instances, 0);
}

#[test]
fn what_there_is_no_room_to_keep_is_counted() {
    let names = ["a", "b", "c", "d"];
    let mut pods: Vec<_> = names
        .map(|name| object("Pod", name, SONNET_4_6, None))
        .into();
    pods.push(object("Pod", "e", PROFILE, None));
    let mut cluster = Cluster::of(pods);
    cluster.terms.keep = 2;
    let surveyed = cluster.survey();
    assert_eq!(surveyed.findings.len(), 2);
    assert_eq!(surveyed.sums.policies["test"].findings, 5);
    let dropped = surveyed.sums.dropped["ml"];
    assert_eq!((dropped.warn, dropped.all()), (2, 2));
}

#[test]
fn a_policy_that_decides_nothing_is_told_beside_the_one_that_does() {
    let world = Scenario::of(
        &[
            ("decides", "{ mode: Rewrite, region: {default: eu-west-1} }"),
            ("tries", "{ mode: DryRun, region: {default: us-east-1} }"),
        ],
        &[],
    );
    let surveyed = Cluster::under(world, vec![object("Pod", "chat", SONNET_4_6, None)]).survey();
    let found: Vec<_> = surveyed
        .findings
        .iter()
        .map(|kept| &kept.record)
        .map(|one| {
            (
                one.policy.as_str(),
                one.shadow,
                one.mode.as_str(),
                one.after.as_deref().unwrap(),
            )
        })
        .collect();
    let us = format!("us.{SONNET_4_6}");
    assert_eq!(
        found,
        [
            ("decides", false, "Rewrite", PROFILE),
            ("tries", true, "DryRun", us.as_str())
        ]
    );
}
