use super::*;
use crate::domain::policy::Globs;
use crate::text::Tree;

/// Why a ConfigMap with this metadata counts as tracked.
fn tracking(metadata: &str, listed: &TrackedBy) -> Option<String> {
    let text = format!("{{apiVersion: v1, kind: ConfigMap, metadata: {metadata}, data: {{a: b}}}}");
    let tree = Tree::yaml(&text).next().unwrap().unwrap();
    let object = Object::at(&tree, tree.root());
    Tracking::of(&object, listed).map(|tracking| tracking.to_string())
}

fn managed(manager: &str, fields: &str) -> String {
    format!("{{managedFields: [{{manager: {manager}, operation: Update, fieldsV1: {fields}}}]}}")
}

/// Metadata with exactly this mark; the value is the one of the mark, if it has one.
fn metadata(mark: Mark<'_>) -> String {
    let pair = |mark: &str| {
        let (key, value) = mark.split_once('=').unwrap_or((mark, "x"));
        format!("{key}: {value}")
    };
    match mark {
        Mark::Label(mark) => format!("{{labels: {{{}}}}}", pair(mark)),
        Mark::Annotation(mark) => format!("{{annotations: {{{}}}}}", pair(mark)),
        Mark::FieldManager(pattern) => managed(&pattern.replace('*', "x"), "{'f:data': {}}"),
        Mark::OwnerGroup(group) => {
            format!("{{ownerReferences: [{{apiVersion: {group}/v1, kind: Work, name: w}}]}}")
        }
    }
}

#[test]
fn every_mark_of_the_table_is_recognised_and_names_its_tracker() {
    for (name, mark) in TRACKERS {
        assert_eq!(
            tracking(&metadata(*mark), &TrackedBy::default()),
            Some(format!("{name} tracks it by the {mark}"))
        );
    }
}

#[test]
fn marks_of_helm_and_kubectl_are_no_trackers() {
    let metadata = [
        "{}",
        "{labels: {app.kubernetes.io/instance: chat, app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: chat}}",
        "{annotations: {configmanagement.gke.io/managed: disabled}, labels: {addonmanager.kubernetes.io/mode: EnsureExists}}",
        "{ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: chat}]}",
    ];
    for metadata in metadata {
        assert_eq!(
            tracking(metadata, &TrackedBy::default()),
            None,
            "{metadata}"
        );
    }
    for manager in [
        "helm",
        "kubectl-client-side-apply",
        "kubectl",
        "bedrock-profiles",
    ] {
        let metadata = managed(manager, "{'f:data': {}}");
        assert_eq!(
            tracking(&metadata, &TrackedBy::default()),
            None,
            "{manager}"
        );
    }
}

#[test]
fn a_field_manager_counts_only_for_data() {
    for (fields, expected) in [
        ("{'f:data': {'f:a': {}}}", true),
        ("{'f:binaryData': {}}", true),
        ("{'f:metadata': {'f:labels': {}}}", false),
    ] {
        let tracking = tracking(&managed("argocd-controller", fields), &TrackedBy::default());
        assert_eq!(tracking.is_some(), expected, "{fields}");
    }
    let without_fields = "{managedFields: [{manager: argocd-controller}]}";
    assert!(tracking(without_fields, &TrackedBy::default()).is_some());
}

#[test]
fn a_controller_is_named() {
    let metadata =
        "{ownerReferences: [{apiVersion: v1, kind: Gateway, name: g, controller: true}]}";
    let expected = "its controller Gateway/g owns it";
    assert_eq!(
        tracking(metadata, &TrackedBy::default()).as_deref(),
        Some(expected)
    );
}

#[test]
fn marks_that_a_policy_lists_are_recognised() {
    let listed = TrackedBy {
        labels: Globs::new(["deploy.example.com/*"]),
        annotations: Globs::new(["example.com/owner"]),
        field_managers: Globs::new(["deployer"]),
    };
    for (metadata, mark) in [
        (
            "{labels: {deploy.example.com/app: chat}}".to_owned(),
            "label `deploy.example.com/app`",
        ),
        (
            "{annotations: {example.com/owner: chat}}".to_owned(),
            "annotation `example.com/owner`",
        ),
        (
            managed("deployer", "{'f:data': {}}"),
            "field manager `deployer`",
        ),
    ] {
        let expected = format!("it has the {mark}, which the policy lists in configMaps.trackedBy");
        assert_eq!(tracking(&metadata, &listed), Some(expected));
        assert_eq!(tracking(&metadata, &TrackedBy::default()), None);
    }
}
