//! The command `why`: for each gate an object that only this gate stops, and what the command says of it. Nothing is stored.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use bedrock_profiles::cluster::{rbac::VIEW, release::CONFIG_MAP_WEBHOOK, release::POD_WEBHOOK};
use serde_json::{Value, json};

use super::product::{SONNET, asking, config_map, list, pod, policy};
use crate::{
    process::wait_for,
    release::{Chart, Release},
    trial::{Trial, alone},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![alone("why_is_right_about_each_gate", is_right)]
}

/// The account of a developer, who may read and not create.
const DEVELOPER: &str = "developer";

/// The namespaces of the trial.
struct Namespaces {
    /// A policy in mode `Rewrite` selects it.
    apps: String,
    /// A policy in mode `DryRun` selects it.
    dry: String,
    /// A policy in mode `Rewrite` selects its Pods alone.
    pods: String,
}

/// What the command printed.
struct Explained {
    report: Value,
    stderr: String,
    code: Option<i32>,
}

impl Explained {
    /// The gates that are failed.
    fn failed(&self) -> Vec<&str> {
        let gates = self.report["gates"].as_array().into_iter().flatten();
        let failed = gates.filter(|one| one["state"] == "Failed");
        failed.filter_map(|one| one["gate"].as_str()).collect()
    }

    fn state_of(&self, gate: &str) -> &Value {
        let gates = self.report["gates"].as_array().into_iter().flatten();
        let mut gates = gates.filter(|one| one["gate"] == gate);
        gates.next().map_or(&Value::Null, |one| &one["state"])
    }
}

/// Runs `why -o json` as the user of a kubeconfig.
fn why_as(kubeconfig: &Path, namespace: &str, object: &str) -> Result<Explained> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args([
        "why",
        object,
        "-n",
        namespace,
        "-o",
        "json",
        "--today",
        "2026-11-23",
    ]);
    let output = command.env("KUBECONFIG", kubeconfig).output()?;
    let stderr = String::from_utf8(output.stderr)?;
    let report = serde_json::from_slice(&output.stdout).context(stderr.clone())?;
    Ok(Explained {
        report,
        stderr,
        code: output.status.code(),
    })
}

fn why(world: &World, namespace: &str, object: &str) -> Result<Explained> {
    why_as(&world.kubeconfig(), namespace, object)
}

/// One gate stops the object, and the API server responds so to a dry run now.
fn is_stopped(world: &World, namespace: &str, object: &str, gate: &str, now: &str) -> Result<()> {
    let explained = why(world, namespace, object)?;
    let (report, stderr) = (&explained.report, &explained.stderr);
    assert_eq!(explained.failed(), [gate], "{object}: {report:#} {stderr}");
    assert_eq!(report["answer"]["outcome"], "NotRewritten", "{object}");
    assert_eq!(
        report["changes"].as_array().map(Vec::len),
        Some(1),
        "{object}"
    );
    assert_eq!(
        report["dryRun"]["outcome"], now,
        "{object}: {}",
        report["dryRun"]
    );
    assert_eq!(explained.code, Some(1), "{object}: {stderr}");
    let annotation = &report["failOpen"]["auditAnnotation"];
    assert_eq!(
        annotation,
        "failed-open.mutation.webhook.admission.k8s.io/round_"
    );
    Ok(())
}

/// A policy of the namespaces of these names.
fn policy_of(name: &str, namespaces: &[&str], mut spec: Value) -> String {
    let expression =
        json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces});
    spec["match"]["namespaceSelector"]["matchExpressions"] = json!([expression]);
    policy(name, spec, json!({}))
}

/// A ConfigMap with an ID and its region, with further fields.
fn models(name: &str, metadata: &Value, immutable: bool) -> Value {
    let mut map = config_map(name, &[("model", SONNET), ("AWS_REGION", "eu-west-1")]);
    for (field, value) in metadata.as_object().into_iter().flatten() {
        map["metadata"][field] = value.clone();
    }
    if immutable {
        map["immutable"] = json!(true);
    }
    map
}

fn is_right(world: &World) -> Result<()> {
    let chart = Chart {
        policy: Value::Null,
        failure_policy: "Ignore",
        ..Chart::default()
    };
    let release = Release::install(world, &chart)?;
    let own = world.namespace();
    let namespaces = Namespaces {
        apps: world.neighbour("apps")?,
        dry: world.neighbour("dry")?,
        pods: world.neighbour("pods")?,
    };
    let Namespaces { apps, dry, pods } = &namespaces;
    world.apply(&policy_of(
        "rewriting",
        &[apps, own],
        json!({"mode": "Rewrite"}),
    ))?;
    world.apply(&policy_of("previewing", &[dry], json!({"mode": "DryRun"})))?;
    let of_pods = json!({"mode": "Rewrite", "match": {"resources": ["Pod"]}});
    world.apply(&policy_of("of-pods", &[pods], of_pods))?;
    world.create_in(apps, &asking("early", SONNET, "eu-west-1").to_string())?;

    is_stopped(world, apps, "pod/early", "WebhookActive", "Unchanged")?;
    let delete = ["delete", "mutatingwebhookconfiguration", POD_WEBHOOK];
    world.kubectl(&delete, None)?.success("kubectl delete")?;
    is_stopped(world, apps, "pod/early", "WebhookExists", "Unchanged")?;
    Release::install_without_definitions(world, &chart)?;

    let replica = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    wait_for("the policies in effect", || {
        let policies =
            ["rewriting", "of-pods"].map(|name| world.get("inferenceprofilepolicy", name));
        let policies: Vec<_> = policies.into_iter().collect::<Result<_>>()?;
        let are_ready = policies
            .iter()
            .all(|one| one["status"]["inForceSince"].is_string());
        Ok(are_ready.then_some(()))
    })?;
    is_stopped(world, apps, "pod/early", "WrittenAfterPolicy", "Rewritten")?;
    the_other_gates(world, &namespaces)?;
    a_rewritten_pod_is_explained(world, apps)?;
    a_developer_needs_no_permission_to_create(world, apps)?;
    another_selector_is_found(world, apps)?;
    replica.end()?;
    a_call_that_failed_open_is_not_explained(world, apps)?;
    for kind in ["pods", "configmaps"] {
        let stored = world
            .kubectl(&["get", kind, "-A", "-o", "name"], None)?
            .stdout;
        assert!(!stored.contains("-why-"), "{stored}");
    }
    Ok(())
}

fn the_other_gates(world: &World, namespaces: &Namespaces) -> Result<()> {
    let Namespaces { apps, dry, pods } = namespaces;
    let own = world.namespace();
    world.create_in(own, &models("excluded", &json!({}), false).to_string())?;
    world.create_in(dry, &asking("previewed", SONNET, "eu-west-1").to_string())?;
    world.create_in(pods, &models("unselected", &json!({}), false).to_string())?;
    let mut ignored = asking("ignored", SONNET, "eu-west-1");
    ignored["metadata"]["annotations"] = json!({"bedrock-profiles.dev/ignore": "ticket 42"});
    let owner = json!([{"apiVersion": "example.com/v1", "kind": "Site", "name": "shop", "controller": true,
        "uid": "6f2b1c1e-8f3e-4f0a-9a63-1a0d2a7c7c11"}]);
    world.create_in(
        apps,
        &list([
            ignored,
            models(
                "tracked",
                &json!({"labels": {"kapp.k14s.io/app": "1"}}),
                false,
            ),
            models("immutable", &json!({}), true),
            models("owned", &json!({"ownerReferences": owner}), false),
            pod("regionless", &[("BEDROCK_MODEL_ID", SONNET)]),
        ]),
    )?;
    for (namespace, object, gate) in [
        (own, "cm/excluded", "NamespaceNotExcluded"),
        (dry, "pod/previewed", "PolicyActs"),
        (pods, "cm/unselected", "PolicySelects"),
        (apps, "pod/ignored", "NotOptedOut"),
        (apps, "cm/tracked", "Untracked"),
        (apps, "cm/immutable", "Mutable"),
        (apps, "cm/owned", "NoController"),
        (apps, "pod/regionless", "RegionKnown"),
    ] {
        is_stopped(world, namespace, object, gate, "Unchanged")?;
    }
    Ok(())
}

/// What became of a rewritten Pod, and the region that decided, of three in sight.
fn a_rewritten_pod_is_explained(world: &World, apps: &str) -> Result<()> {
    let annotation = "bedrock-profiles.dev/region=us-east-1";
    let annotate = ["annotate", "namespace", apps, annotation];
    world
        .kubectl(&annotate, None)?
        .success("kubectl annotate")?;
    let variables = [
        ("BEDROCK_MODEL_ID", SONNET),
        ("AWS_REGION", "us-west-2"),
        ("BEDROCK_REGION", "eu-west-1"),
    ];
    world.create_in(apps, &pod("chat", &variables).to_string())?;
    let explained = why(world, apps, "pod/chat")?;
    let report = &explained.report;
    assert_eq!(explained.code, Some(0), "{report:#}");
    assert_eq!(report["answer"]["outcome"], "Rewritten");
    assert_eq!(
        report["dryRun"]["outcome"], "Unchanged",
        "{}",
        report["dryRun"]
    );
    let id = &report["ids"][0];
    assert_eq!(id["rewrittenFrom"], SONNET);
    assert_eq!(id["finding"]["before"], format!("eu.{SONNET}"));
    let regions = id["regions"].as_array().into_iter().flatten();
    let regions: Vec<_> = regions
        .map(|one| {
            let text = |field: &str| one[field].as_str().unwrap_or_default();
            (
                text("region"),
                text("source"),
                one["rank"].as_u64(),
                one["decides"] == true,
            )
        })
        .collect();
    assert_eq!(
        regions,
        [
            ("us-west-2", "ContainerEnv", Some(5), false),
            ("eu-west-1", "ContainerEnv", Some(3), true),
            ("us-east-1", "NamespaceAnnotation", None, false),
        ]
    );
    Ok(())
}

/// A user who may read objects and policies gets the same answer, without what the user may not read.
fn a_developer_needs_no_permission_to_create(world: &World, apps: &str) -> Result<()> {
    world.account(DEVELOPER, &json!([]))?;
    let (group, api) = ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1");
    let subject =
        json!([{"kind": "ServiceAccount", "name": DEVELOPER, "namespace": world.namespace()}]);
    let binding = |kind: &str, role: &str, namespace: Option<&str>| {
        json!({"apiVersion": api, "kind": kind, "metadata": {"name": role, "namespace": namespace},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role}, "subjects": subject})
    };
    let role = json!({"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": "view-profiles"},
        "rules": [{"apiGroups": [VIEW.group], "resources": VIEW.resources, "verbs": VIEW.verbs}]});
    world.apply(&list([
        role,
        binding("ClusterRoleBinding", "view-profiles", None),
    ]))?;
    world.apply_in(
        apps,
        &binding("RoleBinding", "view", Some(apps)).to_string(),
    )?;
    let developer = world.account_config(DEVELOPER, None)?;
    let explained = wait_for("the role of the developer", || {
        Ok(why_as(&developer, apps, "pod/ignored").ok())
    })?;
    let report = &explained.report;
    assert_eq!(explained.failed(), ["NotOptedOut"], "{report:#}");
    assert_eq!(explained.state_of("WebhookExists"), "Unknown");
    assert_eq!(report["dryRun"]["outcome"], "NotPermitted");
    Ok(())
}

/// A configuration that selects another namespace, and one that an upgrade of the chart has changed.
fn another_selector_is_found(world: &World, apps: &str) -> Result<()> {
    let patch = json!([{"op": "add", "path": "/webhooks/0/namespaceSelector/matchLabels", "value": {"team": "other"}}]);
    let patch = [
        "patch",
        "mutatingwebhookconfiguration",
        CONFIG_MAP_WEBHOOK,
        "--type=json",
        "-p",
        &patch.to_string(),
    ];
    world.kubectl(&patch, None)?.success("kubectl patch")?;
    // The API server takes note of it after a while.
    wait_for("the new selector", || {
        let copy = models("probe", &json!({}), false).to_string();
        let args = [
            "create",
            "--dry-run=server",
            "-o",
            "json",
            "-n",
            apps,
            "-f",
            "-",
        ];
        let created = world
            .kubectl(&args, Some(&copy))?
            .success("kubectl create")?;
        Ok(created
            .stdout
            .contains(&format!("\"{SONNET}\""))
            .then_some(()))
    })?;
    world.create_in(apps, &models("other", &json!({}), false).to_string())?;
    is_stopped(world, apps, "cm/other", "WebhookSelects", "Unchanged")
}

/// The object does not show that the call has failed, and the audit log of the API server has the annotation that is printed.
fn a_call_that_failed_open_is_not_explained(world: &World, apps: &str) -> Result<()> {
    world.create_in(apps, &asking("open", SONNET, "eu-west-1").to_string())?;
    let explained = why(world, apps, "pod/open")?;
    let report = &explained.report;
    assert_eq!(explained.failed(), Vec::<&str>::new(), "{report:#}");
    assert_eq!(report["answer"]["outcome"], "Unexplained", "{report:#}");
    assert_eq!(report["dryRun"]["outcome"], "Unchanged");
    assert_eq!(explained.code, Some(1));
    let open = &report["failOpen"];
    let start = open["auditAnnotation"].as_str().context("an annotation")?;
    wait_for("the audit event of the failed call", || {
        let events = world.plane().audit_events(apps)?;
        let of_pod = events
            .iter()
            .filter(|event| event["objectRef"]["name"] == "open");
        let annotations = of_pod.filter_map(|event| event["annotations"].as_object());
        let mut annotations = annotations.flatten();
        let is_it =
            |(key, value): (&String, &Value)| key.starts_with(start) && *value == open["webhook"];
        Ok(annotations.any(is_it).then_some(()))
    })
}
