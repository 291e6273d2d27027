//! The audit of a cluster: which object a finding is attributed to, how often it is counted, which objects are skipped, and which
//! findings the webhook missed.

use std::collections::BTreeSet;

use bedrock_profiles::audit::{AuditInput, AuditResult, ClusterAudit, Coverage, Reach};
use bedrock_profiles::domain::kinds::{BuiltInKind, NAMESPACE};
use bedrock_profiles::domain::policy::{Requirement, Selector};
use bedrock_profiles::domain::reason::Reason;
use bedrock_profiles::report::severity::Severity;
use bedrock_profiles::report::{FindingRecord, Missed};
use serde_json::{Value, json};

use crate::evaluate::scenario::{SONNET_4_6, Scenario, TODAY};

mod coverage;
mod documents;
mod files;
mod regions;

const PROFILE: &str = "eu.anthropic.claude-sonnet-4-6";

/// A cluster to audit.
struct Cluster {
    input: AuditInput,
    namespaces: Vec<Value>,
    objects: Vec<Value>,
}

impl Cluster {
    fn under(world: Scenario, objects: Vec<Value>) -> Self {
        let input = AuditInput {
            view: world.view,
            today: TODAY,
            excluded: BTreeSet::new(),
            coverage: Coverage::default(),
            objects: Selector::default(),
            keeps_outdated_pods: false,
            max_records: usize::MAX,
        };
        Self {
            input,
            namespaces: vec![json!({"metadata": {"name": "ml"}})],
            objects,
        }
    }

    fn of(objects: Vec<Value>) -> Self {
        Self::under(Scenario::under("{ region: {default: eu-west-1} }"), objects)
    }

    fn audit(self) -> AuditResult {
        let mut audit = ClusterAudit::new(self.input);
        for namespace in &self.namespaces {
            audit.add(&NAMESPACE, &namespace.to_string());
        }
        audit.commit();
        audit.end_list(&NAMESPACE, Ok(()));
        for kind in BuiltInKind::all() {
            for object in self.objects.iter().filter(|one| one["kind"] == kind.kind) {
                audit.add(kind, &as_an_item(object));
            }
            audit.commit();
            audit.end_list(kind, Ok(()));
        }
        audit.finish()
    }
}

/// An object as a list has it: without its kind.
fn as_an_item(object: &Value) -> String {
    let mut item = object.clone();
    let fields = item.as_object_mut().unwrap();
    fields.remove("kind");
    fields.remove("apiVersion");
    item.to_string()
}

fn kind_of(kind: &str) -> &'static BuiltInKind {
    BuiltInKind::all().find(|one| one.kind == kind).unwrap()
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
        "apiVersion": kind_of(kind).api_version, "kind": kind,
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
fn lines(result: &AuditResult) -> Vec<String> {
    let line = |record: &FindingRecord| {
        let name =
            |one: &bedrock_profiles::report::ObjectReference| format!("{}/{}", one.kind, one.name);
        let object = name(record.object.as_ref().unwrap());
        let seen_in = record.seen_in.as_ref();
        let seen_in = seen_in.map(|one| format!(" in {}", name(one)));
        let line = object + &seen_in.unwrap_or_default();
        let answer = record
            .after
            .as_deref()
            .or(record.reason.map(Reason::as_str))
            .unwrap();
        format!("{line} x{} {} -> {answer}", record.instances, record.before)
    };
    result
        .findings
        .iter()
        .map(|stored| line(&stored.record))
        .collect()
}

#[test]
fn a_finding_of_many_pods_is_attributed_once_to_their_workload() {
    let result = Cluster::of(vec![
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
    .audit();
    assert_eq!(
        lines(&result),
        [
            format!("Deployment/chat x3 {SONNET_4_6} -> {PROFILE}"),
            format!("Deployment/chat in Pod/chat-1-c x1 {PROFILE} -> AlreadyProfiled"),
            format!("Pod/alone x0 {SONNET_4_6} -> {PROFILE}"),
        ]
    );
    assert_eq!(result.counts.objects, 6);
    let totals = &result.totals.policies["test"];
    assert_eq!(
        (totals.findings, totals.unchanged["AlreadyProfiled"]),
        (3, 1)
    );
    assert_eq!(&*result.findings[0].uid, uid("Deployment", "chat"));
}

#[test]
fn an_unlisted_owner_is_named_by_the_owner_reference() {
    let result = Cluster::of(vec![
        object("ReplicaSet", "r-1", SONNET_4_6, Some(("Rollout", "r"))),
        object("Pod", "r-1-a", SONNET_4_6, Some(("ReplicaSet", "r-1"))),
        object("Deployment", "k-d", SONNET_4_6, Some(("Revision", "k"))),
        object("Pod", "w-0", SONNET_4_6, Some(("Workload", "w"))),
    ])
    .audit();
    assert_eq!(
        lines(&result),
        [
            format!("Revision/k in Deployment/k-d x1 {SONNET_4_6} -> {PROFILE}"),
            format!("Rollout/r in ReplicaSet/r-1 x2 {SONNET_4_6} -> {PROFILE}"),
            format!("Workload/w in Pod/w-0 x1 {SONNET_4_6} -> {PROFILE}"),
        ]
    );
    assert_eq!(
        result.findings[0]
            .record
            .object
            .as_ref()
            .unwrap()
            .api_version,
        "any/v1"
    );
}

#[test]
fn a_finished_object_is_skipped_and_still_owns_its_pods() {
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
    let result = Cluster::of(vec![old, done, ended, last]).audit();
    assert_eq!(
        lines(&result),
        [format!(
            "Deployment/chat in Pod/chat-0-a x1 {SONNET_4_6} -> {PROFILE}"
        )]
    );
    assert_eq!(result.counts.objects, 1);
}

#[test]
fn two_equal_findings_of_a_container_stay_two_in_workload_and_pod() {
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
    let result = Cluster::of(vec![
        twice("StatefulSet", "chat", None),
        twice("Pod", "chat-0", Some(("StatefulSet", "chat"))),
    ])
    .audit();
    let line = format!("StatefulSet/chat x1 {SONNET_4_6} -> {PROFILE}");
    assert_eq!(lines(&result), [line.clone(), line]);
}

#[test]
fn a_config_map_reference_of_a_pod_is_resolved() {
    let mut pod = object("Pod", "chat", "x", None);
    let from = |name: &str| json!({"configMapKeyRef": {"name": name, "key": "model"}});
    pod["spec"]["containers"][0]["env"] = json!([
        {"name": "A_MODEL_ID", "valueFrom": from("models")}, {"name": "B_MODEL_ID", "valueFrom": from("gone")}]);
    let models = config_map("models", &json!({"model": SONNET_4_6}));
    let found = lines(&Cluster::of(vec![pod.clone(), models]).audit());
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
fn labels_and_annotations_of_a_namespace_apply_to_its_objects() {
    let policy =
        "{ region: {default: eu-west-1}, match: {namespaceSelector: {matchLabels: {team: a}}} }";
    let mut cluster = Cluster::under(
        Scenario::under(policy),
        vec![object("Pod", "chat", SONNET_4_6, None)],
    );
    cluster.namespaces = vec![json!({"metadata": {"name": "ml"}})];
    assert!(cluster.audit().findings.is_empty());
    let mut cluster = Cluster::under(
        Scenario::under(policy),
        vec![object("Pod", "chat", SONNET_4_6, None)],
    );
    cluster.namespaces = vec![json!({"metadata": {"name": "ml", "labels": {"team": "a"},
        "annotations": {"bedrock-profiles.dev/region": "us-east-1"}}})];
    assert_eq!(
        lines(&cluster.audit()),
        [format!("Pod/chat x0 {SONNET_4_6} -> us.{SONNET_4_6}")]
    );
}

#[test]
fn objects_without_the_labels_are_skipped_and_still_own_others() {
    let mut pod = object("Pod", "chat-1", SONNET_4_6, Some(("Deployment", "chat")));
    pod["metadata"]["labels"] = json!({"app": "chat"});
    let mut cluster = Cluster::of(vec![
        object("Deployment", "chat", SONNET_4_6, None),
        pod,
        object("Pod", "other", SONNET_4_6, None),
    ]);
    let label = Requirement::In("app".into(), ["chat".into()].into());
    cluster.input.objects = Selector::new([label]);
    let result = cluster.audit();
    assert_eq!(
        lines(&result),
        [format!(
            "Deployment/chat in Pod/chat-1 x1 {SONNET_4_6} -> {PROFILE}"
        )]
    );
    assert_eq!(result.counts.objects, 1);
}

#[test]
fn objects_that_no_policy_selects_are_counted() {
    let selector = "{ match: {namespaceSelector: {matchLabels: {team: a}}} }";
    let pod = |namespace: &str| {
        let mut pod = object("Pod", "p", SONNET_4_6, None);
        pod["metadata"]["namespace"] = json!(namespace);
        pod
    };
    let mut cluster = Cluster::under(Scenario::under(selector), vec![pod("ml"), pod("web")]);
    let labels = json!({"team": "a"});
    cluster.namespaces = vec![
        json!({"metadata": {"name": "ml", "labels": labels}}),
        json!({"metadata": {"name": "web"}}),
    ];
    let counts = cluster.audit().counts;
    assert_eq!((counts.objects, counts.unselected), (2, 1));
}

#[test]
fn an_excluded_namespace_is_skipped() {
    let mut cluster = Cluster::of(vec![object("Pod", "chat", SONNET_4_6, None)]);
    cluster.input.excluded = BTreeSet::from(["ml".to_owned()]);
    let result = cluster.audit();
    assert_eq!((result.counts.objects, result.findings.len()), (0, 0));
}

#[test]
fn a_list_page_read_twice_is_counted_once() {
    let input = Cluster::of(Vec::new()).input;
    let mut audit = ClusterAudit::new(input);
    let pods = kind_of("Pod");
    let item = as_an_item(&object("Pod", "chat", SONNET_4_6, None));
    audit.add(pods, &item);
    audit.abandon();
    audit.add(pods, &item);
    audit.add(pods, "{\"metadata\":");
    audit.commit();
    let result = audit.finish();
    assert_eq!((result.counts.objects, result.counts.unreadable), (1, 1));
    assert_eq!(result.findings.len(), 1);
    assert_eq!(result.findings[0].record.instances, 0);
}

#[test]
fn findings_beyond_the_maximum_are_counted() {
    let names = ["a", "b", "c", "d"];
    let mut pods: Vec<_> = names
        .map(|name| object("Pod", name, SONNET_4_6, None))
        .into();
    pods.push(object("Pod", "e", PROFILE, None));
    let mut cluster = Cluster::of(pods);
    cluster.input.max_records = 2;
    let result = cluster.audit();
    assert_eq!(result.findings.len(), 2);
    assert_eq!(result.totals.policies["test"].findings, 5);
    let dropped = result.totals.dropped["ml"];
    let counts = Severity::ALL.map(|one| dropped.of(one));
    assert_eq!(counts, [0, 2, 0, 0, 1], "two changes, and a profile");
}

#[test]
fn a_dry_run_policy_is_a_preview_beside_the_effective_policy() {
    let world = Scenario::of(
        &[
            ("decides", "{ mode: Rewrite, region: {default: eu-west-1} }"),
            ("tries", "{ mode: DryRun, region: {default: us-east-1} }"),
        ],
        &[],
    );
    let result = Cluster::under(world, vec![object("Pod", "chat", SONNET_4_6, None)]).audit();
    let found: Vec<_> = result
        .findings
        .iter()
        .map(|stored| &stored.record)
        .map(|one| {
            (
                one.policy.as_str(),
                one.preview,
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

#[test]
fn an_object_that_exceeds_the_budget_is_one_finding_and_the_others_are_audited() {
    let ids = (0..264).map(|at| format!("  m{at}: {SONNET_4_6}\n"));
    let uses = (0..985).map(|at| format!("u{at}: *b\n"));
    let text = format!(
        "x: &b\n{}{}",
        ids.collect::<String>(),
        uses.collect::<String>()
    );
    let costly = json!({"models.yaml": text, "AWS_REGION": "eu-west-1"});
    let others = json!({"MODEL": SONNET_4_6, "AWS_REGION": "eu-west-1"});
    let result = Cluster::of(vec![
        config_map("costly", &costly),
        config_map("usual", &others),
    ])
    .audit();
    assert_eq!(
        lines(&result),
        [
            "ConfigMap/costly x0  -> TooLarge".to_owned(),
            format!("ConfigMap/usual x0 {SONNET_4_6} -> {PROFILE}")
        ]
    );
}

#[test]
fn a_pod_is_outdated_if_its_creation_would_be_rewritten() {
    let referring = |policy: &str| {
        let mut pod = object("Pod", "chat", "x", None);
        pod["spec"]["containers"][0]["env"] = json!([
            {"name": "AWS_REGION", "value": "eu-west-1"},
            {"name": "MODEL_ID", "valueFrom": {"configMapKeyRef": {"name": "models", "key": "model"}}}]);
        let map = config_map("models", &json!({"model": SONNET_4_6}));
        Cluster::under(Scenario::under(policy), vec![pod, map])
    };
    let direct = |policy: &str| {
        let pod = object("Pod", "chat", SONNET_4_6, None);
        Cluster::under(Scenario::under(policy), vec![pod])
    };
    let region = "region: {default: eu-west-1}";
    let policy = |fields: &str| format!("{{ {fields}, {region} }}");
    for (cluster, outdated) in [
        (direct(&policy("mode: Rewrite")), 1),
        (direct(&policy("mode: Deny")), 0),
        (direct(&policy("mode: DryRun")), 0),
        (referring("{ references: Resolve }"), 1),
        (referring("{ references: Report }"), 0),
    ] {
        let mut cluster = cluster;
        cluster.input.keeps_outdated_pods = true;
        let label = format!("{:?}", cluster.input.view.snapshot.policies);
        assert_eq!(cluster.audit().outdated_pods.len(), outdated, "{label}");
    }
}

#[test]
fn an_opt_out_by_name_outlasts_one_with_an_end() {
    let mut map = config_map("m", &json!({"a": SONNET_4_6, "b": SONNET_4_6}));
    map["metadata"]["annotations"] = json!({
        "bedrock-profiles.dev/ignore": format!("gateway; until={TODAY}"), "bedrock-profiles.dev/ignore-keys": "a"});
    let findings = Cluster::of(vec![map]).audit().findings;
    let ends = findings
        .iter()
        .map(|one| (&*one.record.pointer, one.record.opt_out_ends_soon()));
    let ends: Vec<_> = ends.collect();
    assert_eq!(ends, [("/data/a", false), ("/data/b", true)]);
}
