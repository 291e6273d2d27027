//! The command `check`: passed for a cluster without and with a release; and for each fault exactly its check is failed.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bedrock_profiles::cluster::{
    rbac::{PolicyRule, TABLE},
    release::POD_WEBHOOK,
};
use serde_json::{Value, json};

use super::{catalog_date, product::policy};
use crate::{
    process::wait_for,
    release::{Chart, NAME, Release, Replica, definitions, manifests},
    trial::{Trial, alone},
    world::World,
};

mod before;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone("check_finds_each_fault_of_a_release", finds_each_fault).with_controllers(),
        alone(
            "check_finds_what_stops_an_installation",
            before::finds_what_stops_an_installation,
        )
        .with_controllers(),
    ]
}

/// The states of checks that are not passed.
const NOT_PASSED: [&str; 3] = ["Failed", "Warning", "Unknown"];

/// What the command printed.
struct Checked {
    report: Value,
    stderr: String,
    code: Option<i32>,
}

impl Checked {
    fn checks(&self) -> impl Iterator<Item = &Value> {
        let groups = self.report["groups"].as_array().into_iter().flatten();
        groups.flat_map(|group| group["checks"].as_array().into_iter().flatten())
    }

    /// The names of the checks in this state.
    fn of_state(&self, state: &str) -> Vec<&str> {
        let checks = self.checks().filter(|one| one["state"] == state);
        checks.filter_map(|one| one["check"].as_str()).collect()
    }

    fn check(&self, name: &str) -> Result<&Value> {
        let found = self.checks().find(|one| one["check"] == name);
        found.with_context(|| format!("no check {name}: {:#} {}", self.report, self.stderr))
    }

    /// Exactly this check has this state, which is that of no other one, and none is in a worse state.
    fn is_only(&self, state: &str, name: &str) -> Result<()> {
        let worse = NOT_PASSED.iter().take_while(|one| **one != state);
        for worse in worse.filter(|one| **one != "Unknown") {
            ensure!(self.of_state(worse).is_empty(), "{name}: {:#}", self.report);
        }
        ensure!(
            self.of_state(state) == [name],
            "{state} {name}: {:#}\n{}",
            self.report,
            self.stderr
        );
        let check = self.check(name)?;
        ensure!(check["hint"].is_string(), "{name} has a hint: {check}");
        let anchor = format!("#{}", name.to_lowercase());
        let url = check["url"].as_str().unwrap_or_default();
        ensure!(url.ends_with(&anchor), "{url}");
        let code = i32::from(state == "Failed");
        ensure!(
            self.code == Some(code),
            "{name}: {:?} {}",
            self.code,
            self.stderr
        );
        Ok(())
    }

    fn is_passed(&self) -> Result<()> {
        for state in NOT_PASSED {
            ensure!(
                self.of_state(state).is_empty(),
                "{state}: {:#}\n{}",
                self.report,
                self.stderr
            );
        }
        ensure!(self.code == Some(0), "{:?} {}", self.code, self.stderr);
        Ok(())
    }
}

/// Runs `check -o json` as the user of a kubeconfig.
fn check_as(kubeconfig: &Path, args: &[&str]) -> Result<Checked> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args(["check", "-o", "json"]).args(args);
    if !args.contains(&"--today") {
        command.args(["--today", catalog_date()]);
    }
    let output = command.env("KUBECONFIG", kubeconfig).output()?;
    let stderr = String::from_utf8(output.stderr)?;
    let report = serde_json::from_slice(&output.stdout).context(stderr.clone())?;
    Ok(Checked {
        report,
        stderr,
        code: output.status.code(),
    })
}

fn check(world: &World, args: &[&str]) -> Result<Checked> {
    check_as(&world.kubeconfig(), args)
}

/// Waits until exactly this check is failed: what stages the fault takes effect some time after it is stored.
fn fails(world: &World, name: &str, args: &[&str]) -> Result<()> {
    becomes(world, &format!("{name} to fail"), args, |checked| {
        checked.is_only("Failed", name)
    })
}

/// Waits until every check is passed again.
fn passes(world: &World) -> Result<()> {
    becomes(world, "every check to pass", &[], Checked::is_passed)
}

fn becomes(
    world: &World,
    what: &str,
    args: &[&str],
    is_it: impl Fn(&Checked) -> Result<()>,
) -> Result<()> {
    let mut last = Ok(());
    let waited = wait_for(what, || {
        last = is_it(&check(world, args)?);
        Ok(last.is_ok().then_some(()))
    });
    waited.and(Ok(())).or_else(|error| last.and(Err(error)))
}

fn kubectl(world: &World, args: &[&str]) -> Result<()> {
    let what = format!("kubectl {}", args.join(" "));
    world.kubectl(args, None)?.success(&what).map(|_| ())
}

/// The labels of the release's objects.
fn labels() -> Value {
    json!({"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/version": env!("CARGO_PKG_VERSION")})
}

/// A Deployment as the chart's, whose Pod a replica of the test plays.
fn deployment(namespace: &str, admin_port: u16) -> Value {
    let selector = json!({"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/component": "webhook"});
    let container = json!({"name": "webhook", "image": "example.com/webhook:1",
        "ports": [{"name": "admin", "containerPort": admin_port}]});
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": NAME, "namespace": namespace, "labels": labels()},
        "spec": {"replicas": 1, "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": selector}, "spec": {"containers": [container]}}}})
}

/// Makes the Pod of the Deployment one that runs at the address of the replica, as a node would.
fn play(world: &World, replica: &Replica, ready: &str) -> Result<()> {
    let selector = "app.kubernetes.io/component=webhook";
    let pods = world.wait_for(1, "pods", selector)?;
    let address = replica.address.ip();
    let status = json!({"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": ready}]}});
    for pod in pods {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let patch = status.to_string();
        kubectl(
            world,
            &[
                "patch",
                "pod",
                name,
                "--subresource=status",
                "--type=merge",
                "-p",
                &patch,
            ],
        )?;
    }
    Ok(())
}

/// The rights of a replica that may not write webhook configurations.
fn without_corrections() -> Vec<PolicyRule> {
    let rules = TABLE.iter().map(|rule| PolicyRule {
        verbs: if rule.resources[0].ends_with("webhookconfigurations") {
            &["list", "watch"]
        } else {
            rule.verbs
        },
        ..*rule
    });
    rules.collect()
}

fn patch_webhook(world: &World, patch: &Value) -> Result<()> {
    let patch = json!([patch]).to_string();
    let kind = "mutatingwebhookconfiguration";
    kubectl(
        world,
        &["patch", kind, POD_WEBHOOK, "--type=json", "-p", &patch],
    )
}

fn chart() -> Chart<'static> {
    Chart {
        failure_policy: "Ignore",
        ..Chart::default()
    }
}

fn finds_each_fault(world: &World) -> Result<()> {
    fails(world, "ReleaseInstalled", &[])?;
    let release = Release::install(world, &chart())?;
    let replica = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    let deployment = deployment(world.namespace(), replica.admin().0.port());
    world.apply(&deployment.to_string())?;
    play(world, &replica, "True")?;
    passes(world)?;
    the_page_has_these_checks(world)?;

    let later = check(world, &["--today", "2099-01-01"])?;
    later.is_only("Warning", "CatalogAge")?;
    objects_of_the_release(world, &replica)?;
    custom_resources(world)?;
    webhook_configurations(world, &release)?;
    rights(world)?;
    passes(world)?;
    let stored = world
        .kubectl(&["get", "pods", "-A", "-o", "name"], None)?
        .stdout;
    assert!(!stored.contains("bedrock-profiles-check-"), "{stored}");
    Ok(())
}

/// The example of the page has the groups and checks of a release that works, in their order.
fn the_page_has_these_checks(world: &World) -> Result<()> {
    /// Headings, and the state and the name of each check.
    fn checks(text: &str) -> Vec<&str> {
        let is_check = |line: &&str| line.starts_with("  passed") || !line.starts_with(' ');
        let (_, text) = text.split_once("\n\n").unwrap_or_default();
        let lines = text.lines().filter(is_check);
        let names = lines.map(|line| line.get(..30).unwrap_or(line).trim_end());
        names.filter(|line| !line.is_empty()).collect()
    }
    let page = include_str!("../../../docs/check.md");
    let example = page.split("```text\n").nth(1).context("an example")?;
    let example = example.split("```").next().unwrap_or_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let kubeconfig = world.kubeconfig();
    let output = command
        .args(["check", "--today", catalog_date()])
        .env("KUBECONFIG", kubeconfig)
        .output()?;
    let printed = String::from_utf8(output.stdout)?;
    assert_eq!(checks(&printed), checks(example), "{printed}");
    Ok(())
}

fn objects_of_the_release(world: &World, replica: &Replica) -> Result<()> {
    // The API server keeps its connection to an endpoint that is removed, so the replica itself falls silent.
    replica.signal("STOP")?;
    let silent = fails(world, "ReviewAnswered", &[]);
    replica.signal("CONT")?;
    silent?;
    passes(world)?;

    play(world, replica, "False")?;
    fails(world, "ReplicasReady", &[])?;
    play(world, replica, "True")?;

    kubectl(
        world,
        &[
            "label",
            "deployment",
            NAME,
            "app.kubernetes.io/version=9.9.9",
            "--overwrite",
        ],
    )?;
    becomes(world, "another version", &[], |checked| {
        checked.is_only("Warning", "VersionsFit")
    })?;
    let version = format!("app.kubernetes.io/version={}", env!("CARGO_PKG_VERSION"));
    kubectl(
        world,
        &["label", "deployment", NAME, &version, "--overwrite"],
    )?;

    let beside = world.neighbour("second")?;
    world.apply_in(&beside, &deployment(&beside, 8080).to_string())?;
    fails(world, "ReleaseInstalled", &[])?;
    check(world, &["-n", world.namespace()])?.is_passed()?;
    kubectl(
        world,
        &["delete", "deployment", NAME, "--namespace", &beside],
    )?;

    kubectl(
        world,
        &["delete", "configmap", &format!("{NAME}-bootstrap")],
    )?;
    fails(world, "WebhooksActive", &[])?;
    Release::install_without_definitions(world, &chart())?;
    passes(world)?;

    kubectl(world, &["delete", "lease", NAME])?;
    fails(world, "LeaseHeld", &[])?;
    Release::install_without_definitions(world, &chart())?;
    passes(world)
}

fn custom_resources(world: &World) -> Result<()> {
    let invalid = json!({"mode": "DryRun", "region": {"default": "us-gov-1"}});
    world.apply(&policy("invalid", invalid, json!({})))?;
    fails(world, "PoliciesAccepted", &[])?;
    kubectl(world, &["delete", "ipp", "invalid"])?;
    let invalid = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfileMapping",
        "metadata": {"name": "invalid"}, "spec": {"scannedRegions": ["us-gov-1"], "models": []}});
    world.apply(&invalid.to_string())?;
    fails(world, "MappingsAccepted", &[])?;
    kubectl(world, &["delete", "ipm", "invalid"])?;

    let description = "/spec/versions/0/schema/openAPIV3Schema/description";
    let patch = json!([{"op": "replace", "path": description, "value": "of another version"}]);
    let patch = patch.to_string();
    let name = "inferenceprofilepolicies.bedrock-profiles.dev";
    kubectl(world, &["patch", "crd", name, "--type=json", "-p", &patch])?;
    fails(world, "DefinitionsFit", &[])?;
    world.apply(&definitions()?)?;
    passes(world)
}

/// The leader would correct each fault, so it loses the right to do so.
fn webhook_configurations(world: &World, release: &Release<'_>) -> Result<()> {
    let powerless = Chart {
        rights: without_corrections(),
        ..chart()
    };
    for (namespace, objects) in manifests(world, &powerless)? {
        world.apply_in(&namespace, &objects)?;
    }
    let rules = json!({"op": "remove", "path": "/webhooks/0/rules"});
    patch_webhook(world, &rules)?;
    fails(world, "WebhooksActive", &[])?;
    Release::install_without_definitions(world, &chart())?;
    release.wait_until_active()?;
    passes(world)?;

    for (namespace, objects) in manifests(world, &powerless)? {
        world.apply_in(&namespace, &objects)?;
    }
    let other = crate::certificates::Authority::new("another CA")?;
    let other = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        other.certificate(),
    );
    let bundle =
        json!({"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": other});
    patch_webhook(world, &bundle)?;
    fails(world, "WebhooksTrust", &[])?;
    Release::install_without_definitions(world, &chart())?;
    passes(world)?;

    let kind = "mutatingwebhookconfiguration";
    kubectl(world, &["delete", kind, POD_WEBHOOK])?;
    fails(world, "WebhooksActive", &[])?;
    Release::install_without_definitions(world, &chart())?;
    release.wait_until_active()?;
    passes(world)
}

/// What a user may not read is neither passed nor failed, and the missing right is named.
fn rights(world: &World) -> Result<()> {
    world.account("without-rights", &json!([]))?;
    let user = world.account_config("without-rights", None)?;
    let checked = check_as(&user, &[])?;
    assert_eq!(
        checked.of_state("Unknown"),
        ["ReleaseInstalled"],
        "{:#}",
        checked.report
    );
    assert_eq!(checked.code, Some(2), "{}", checked.stderr);

    let subject = format!("system:serviceaccount:{}:without-rights", world.namespace());
    let grant = |name: &str, verbs: &str, resources: &str| -> Result<()> {
        let (verbs, resources) = (format!("--verb={verbs}"), format!("--resource={resources}"));
        kubectl(world, &["create", "clusterrole", name, &verbs, &resources])?;
        let (role, user) = (format!("--clusterrole={name}"), format!("--user={subject}"));
        kubectl(world, &["create", "clusterrolebinding", name, &role, &user])
    };
    grant("check-deployments", "list", "deployments.apps")?;
    let checked = check_as(&user, &[])?;
    assert_eq!(checked.of_state("Failed"), [""; 0], "{:#}", checked.report);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    for (name, right) in [
        (
            "WebhooksActive",
            "list mutatingwebhookconfigurations.admissionregistration.k8s.io",
        ),
        ("LeaseHeld", "get leases.coordination.k8s.io in namespace "),
        (
            "ReplicasAgree",
            "list inferenceprofilemappings.bedrock-profiles.dev",
        ),
        (
            "PoliciesAccepted",
            "list inferenceprofilepolicies.bedrock-profiles.dev",
        ),
        ("ServingCertificates", "list pods in namespace "),
        ("ReviewAnswered", "create pods in namespace default"),
    ] {
        let check = checked.check(name)?;
        let detail = check["detail"].as_str().unwrap_or_default();
        assert_eq!(check["state"], "Unknown", "{check}");
        assert!(detail.contains(right), "{check}");
    }
    grant("check-pods", "list", "pods")?;
    let checked = check_as(&user, &[])?;
    let check = checked.check("ServingCertificates")?;
    let detail = check["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("get pods/proxy in namespace "), "{check}");
    for name in ["check-deployments", "check-pods"] {
        kubectl(world, &["delete", "clusterrolebinding", name])?;
    }
    Ok(())
}
