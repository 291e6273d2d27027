//! A render for each file of values in the chart's `ci/`, byte for byte, and the same objects with Helm 3.

use std::fs;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::helm::{CHART, KUBERNETES, Release, Rendered, identity};
use crate::pinned::{HELM_3, HELM_4, Tool};
use crate::tools::{assert_generated, repository};
use crate::trial;

/// The names of the files of values, without `-values.yaml`.
pub(crate) fn names() -> Vec<String> {
    let folder = fs::read_dir(repository(CHART).join("ci")).unwrap();
    let files = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = files
        .map(|file| {
            file.strip_suffix("-values.yaml")
                .expect("NAME-values.yaml")
                .to_owned()
        })
        .collect();
    names.sort();
    names
}

/// The text of one of them.
pub(crate) fn values(name: &str) -> String {
    let file = repository(CHART).join(format!("ci/{name}-values.yaml"));
    fs::read_to_string(file).unwrap()
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for name in names() {
        let of = name.clone();
        trials.push(trial(format!("golden::{name}"), move || golden(&of)));
        for helm in [HELM_4, HELM_3] {
            let of = name.clone();
            let title = format!("lint::{name}::{}", helm.name);
            trials.push(trial(title, move || lint(helm, &of)));
        }
    }
    trials
}

fn golden(name: &str) {
    let values = values(name);
    let render = |helm| {
        Release {
            helm,
            ..Release::default()
        }
        .text(&values)
    };
    let rendered = render(HELM_4);
    assert!(rendered == render(HELM_4), "two renders differ");
    let (with_4, with_3) = (sorted(&rendered), sorted(&render(HELM_3)));
    assert!(with_4 == with_3, "Helm 3 renders something else");
    assert_no_namespace_of_cluster_scoped(&with_4);
    assert_generated(&format!("tests/data/chart/{name}.yaml"), &rendered);
}

/// Kinds of the chart that belong to no namespace; kubectl drops one from them.
const CLUSTER_SCOPED: [&str; 8] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

fn assert_no_namespace_of_cluster_scoped(objects: &[Value]) {
    for object in objects {
        let kind = object["kind"].as_str().unwrap_or_default();
        let has_namespace = object["metadata"].get("namespace").is_some();
        assert!(
            !(CLUSTER_SCOPED.contains(&kind) && has_namespace),
            "{kind} {} has a namespace",
            object["metadata"]["name"]
        );
    }
}

/// The objects of a render, sorted: the order and the empty lines between them are Helm's.
fn sorted(text: &str) -> Vec<Value> {
    let mut objects = Rendered::read(text).0;
    objects.sort_by_key(identity);
    objects
}

fn lint(helm: Tool, name: &str) {
    let file = format!("{CHART}/ci/{name}-values.yaml");
    let output = helm
        .command()
        .unwrap()
        .args(["lint", "--strict", CHART, "--values", &file])
        .args(["--kube-version", KUBERNETES])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
}
