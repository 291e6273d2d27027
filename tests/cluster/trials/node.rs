//! The image, and a release of it, on a real node: what containers see, and not what objects say.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    deployment::{Deployment, restricted},
    process::wait_for,
    release::NAME,
    trial::{Trial, node},
    world::World,
};

use super::product::{SONNET, asking, variable};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        node("the_image_runs_restricted", the_image_runs_restricted),
        node("a_release_becomes_ready", a_release_becomes_ready),
        node(
            "containers_see_what_was_rewritten",
            containers_see_what_was_rewritten,
        ),
        node(
            "a_bare_installation_only_reports",
            a_bare_installation_only_reports,
        ),
        node("the_test_of_the_chart_tests", the_test_of_the_chart_tests),
    ]
}

/// What takes its model from somewhere, one Pod for each way.
const WORKLOADS: &str = include_str!("../assets/workloads.yaml");

/// Lets nothing into a namespace but what the Pod Security Standard `restricted` lets in.
fn restrict(world: &World, namespace: &str) -> Result<()> {
    let args = [
        "label",
        "namespace",
        namespace,
        "pod-security.kubernetes.io/enforce=restricted",
    ];
    world
        .kubectl(&args, None)?
        .success("kubectl label")
        .map(|_| ())
}

fn wait_until_ready(world: &World, namespace: &str) -> Result<()> {
    let args = [
        "wait",
        "--for=condition=Ready",
        "pods",
        "--all",
        "--timeout=60s",
        "--namespace",
        namespace,
    ];
    world
        .kubectl(&args, None)?
        .success("kubectl wait")
        .map(|_| ())
}

/// A file in `/proc` of the first container of a Pod, as its own process sees it.
fn process_file(world: &World, pod: &Value, file: &str) -> Result<String> {
    let container = pod["status"]["containerStatuses"][0]["containerID"].as_str();
    let container = container.context("the container has not been started")?;
    let path = world.node()?.process_of(container)?.join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The value of a variable in the process of a Pod.
fn variable_of_process(
    world: &World,
    namespace: &str,
    pod: &str,
    variable: &str,
) -> Result<String> {
    let pod = world.get_in(namespace, "pod", pod)?;
    let environment = process_file(world, &pod, "environ")?;
    let mut entries = environment
        .split('\0')
        .filter_map(|one| one.split_once('='));
    let entry = entries.find(|(name, _)| *name == variable);
    let (_, value) = entry.with_context(|| format!("the process has no {variable}"))?;
    Ok(value.to_owned())
}

fn the_image_runs_restricted(world: &World) -> Result<()> {
    restrict(world, world.namespace())?;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "alone"}, "spec": {
        "automountServiceAccountToken": false,
        "containers": [{"name": "webhook", "image": world.node()?.image(), "imagePullPolicy": "Never",
            "args": ["serve", "--standalone", "--listen=0.0.0.0:8443", "--admin-listen=0.0.0.0:8080"],
            "ports": [{"name": "admin", "containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "admin"}, "periodSeconds": 1},
            "securityContext": restricted()}]}});
    let output = world.create(&pod.to_string())?;
    assert_eq!(output.warnings(), Vec::<&str>::new());
    wait_until_ready(world, world.namespace())?;

    // Of the user in the image the kubelet takes the number alone; the group is for the Pod to say.
    is_restricted(world, &world.get("pod", "alone")?, "0")
}

/// What the kernel says of the process of a Pod.
fn is_restricted(world: &World, pod: &Value, group: &str) -> Result<()> {
    let status = process_file(world, pod, "status")?;
    let of = |name: &str| -> Vec<&str> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().split_whitespace().collect()
    };
    assert_eq!(of("Uid:"), ["65532"; 4]);
    assert_eq!(of("Gid:"), [group; 4]);
    assert_eq!(of("CapBnd:"), ["0000000000000000"]);
    assert_eq!(of("NoNewPrivs:"), ["1"]);
    assert_eq!(of("Seccomp:"), ["2"], "a filter of system calls");
    Ok(())
}

fn a_release_becomes_ready(world: &World) -> Result<()> {
    restrict(world, world.namespace())?;
    let _deployment = Deployment::install(world)?;
    let deployment = world.get("deployment", NAME)?;
    assert_eq!(deployment["status"]["readyReplicas"], 2);
    for pod in world.list("pods", &format!("app.kubernetes.io/name={NAME}"))? {
        assert_eq!(pod["status"]["containerStatuses"][0]["restartCount"], 0);
        is_restricted(world, &pod, "65532")?;
    }
    Ok(())
}

fn containers_see_what_was_rewritten(world: &World) -> Result<()> {
    let _deployment = Deployment::install(world)?;
    let apps = world.neighbour("apps")?;
    restrict(world, &apps)?;
    world.create_in(&apps, WORKLOADS)?;
    wait_until_ready(world, &apps)?;

    let (europe, japan) = (format!("eu.{SONNET}"), format!("jp.{SONNET}"));
    let embedded = format!("https://bedrock.example/model/{europe}/invoke");
    for (pod, variable, expected) in [
        ("literal", "BEDROCK_MODEL_ID", &europe),
        ("literal", "MODEL_URL", &embedded),
        ("by-key", "BEDROCK_MODEL_ID", &europe),
        ("by-key", "MODEL_URL", &embedded),
        ("by-map", "BEDROCK_MODEL_ID", &japan),
    ] {
        assert_eq!(
            &variable_of_process(world, &apps, pod, variable)?,
            expected,
            "{variable} of {pod}"
        );
    }
    Ok(())
}

/// With the defaults of a first install, the same Pod is left as it is, and its author told.
fn a_bare_installation_only_reports(world: &World) -> Result<()> {
    let _deployment = Deployment::with(world, &[])?;
    let apps = world.neighbour("apps")?;
    let created = world.create_in(&apps, &asking("chat", SONNET, "eu-west-1").to_string())?;
    let warnings = created.warnings();
    ensure!(
        warnings.len() == 2 && warnings[0].contains(&format!("eu.{SONNET}")),
        "{warnings:?}"
    );
    let pod = world.get_in(&apps, "pod", "chat")?;
    assert_eq!(variable(&pod, "BEDROCK_MODEL_ID")?, SONNET);
    let audited = [
        "wait",
        "--for=jsonpath={.status.lastAudit.findings}=1",
        "ipp/default",
        "--timeout=150s", // a minute after the start, and as long as an audit takes
    ];
    world.kubectl(&audited, None)?.success("kubectl wait")?;
    Ok(())
}

fn the_test_of_the_chart_tests(world: &World) -> Result<()> {
    restrict(world, world.namespace())?;
    let deployment = Deployment::install(world)?;
    let test = ["test", NAME, "--logs", "--timeout=60s"];
    let printed = deployment.helm.run(&test)?;
    ensure!(printed.contains("the certificate is trusted"), "{printed}");

    let broken = r#"{"spec": {"selector": {"app.kubernetes.io/instance": "nobody"}}}"#;
    let patch = ["patch", "service", NAME, "--type=merge", "-p", broken];
    world.kubectl(&patch, None)?.success("kubectl patch")?;
    // The node hears of it a moment later.
    wait_for("a test that fails without an endpoint", || {
        let tested = deployment.helm.try_run(&test)?;
        Ok((!tested.status.success()).then_some(()))
    })
}
