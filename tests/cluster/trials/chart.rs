//! The chart, installed by Helm on a real API server. There is no node: a process of the built binary plays its Pods.

use std::{collections::BTreeSet, io::Write as _, net::TcpStream};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::product::{ONLY_GLOBAL, SONNET, asking, variable};
use crate::{
    helm::{CHART, FORGET, Helm},
    pinned::{HELM_3, HELM_4, Tool},
    process::wait_for,
    release::{NAME, Release, Replica},
    trial::{Trial, alone},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone("a_release_lives_by_helm_4", |world| {
            install_and_uninstall(world, HELM_4, &[])
        })
        .with_controllers(),
        alone("a_release_lives_by_helm_4_on_the_client", |world| {
            install_and_uninstall(world, HELM_4, &["--server-side=false"])
        })
        .with_controllers(),
        alone("a_release_lives_by_helm_3", |world| {
            install_and_uninstall(world, HELM_3, &[])
        })
        .with_controllers(),
    ]
}

/// The entries, as kinds and names.
const ENTRIES: [(&str, &str); 3] = [
    (
        "mutatingwebhookconfiguration",
        "webhook-pods.bedrock-profiles.dev",
    ),
    (
        "mutatingwebhookconfiguration",
        "webhook-configmaps.bedrock-profiles.dev",
    ),
    (
        "validatingwebhookconfiguration",
        "webhook-templates.bedrock-profiles.dev",
    ),
];

/// What replicas have written into what the chart ships.
#[derive(Debug, PartialEq)]
struct LeaderState {
    authorities: Value,
    active: Vec<[Value; 2]>,
    applied_hashes: Value,
}

impl LeaderState {
    fn of(world: &World) -> Result<Self> {
        let secret = world.get("secret", &format!("{NAME}-ca"))?;
        let lease = world.get("lease", NAME)?;
        ensure!(
            lease["spec"]["holderIdentity"].is_string(),
            "no replica holds the Lease: {}",
            lease["spec"]
        );
        let active: Result<Vec<_>> = ENTRIES
            .iter()
            .map(|(kind, name)| {
                let webhook = &world.get(kind, name)?["webhooks"][0];
                let (rules, bundle) = (&webhook["rules"], &webhook["clientConfig"]["caBundle"]);
                ensure!(rules.is_array() && bundle.is_string(), "{name} is inactive");
                Ok([rules.clone(), bundle.clone()])
            })
            .collect();
        let mut applied_hashes = lease["metadata"]["annotations"].clone();
        if let Some(annotations) = applied_hashes.as_object_mut() {
            annotations.retain(|key, _| key.starts_with("bedrock-profiles.dev/"));
        }
        Ok(Self {
            authorities: secret["data"].clone(),
            active: active?,
            applied_hashes,
        })
    }
}

/// A release from its installation to its end, twice.
fn install_and_uninstall(world: &World, tool: Tool, mode: &'static [&'static str]) -> Result<()> {
    let helm = Helm { world, tool, mode };
    let apps = world.neighbour("apps")?;
    let before = everything(world)?;
    let notes = helm.put("install", &[])?;
    ensure!(
        notes.contains("kubectl wait --for=condition=Ready"),
        "{notes}"
    );
    refuses_a_second(&helm)?;

    let release = Release::shipped(world)?;
    let replica = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    let wait_for_ready = [
        "wait",
        "--for=condition=Ready",
        "ipp/default",
        "--timeout=60s",
    ];
    world
        .kubectl(&wait_for_ready, None)?
        .success("kubectl wait")?;
    rewrites(world, &apps)?;
    exposes_what_the_dashboard_shows(world, &apps, &replica)?;
    leaves_what_was_filled(&helm)?;
    rewrites(world, &apps)?;
    references_can_be_switched_off(&helm)?;
    switches_a_webhook(&helm, &release)?;
    heals_what_was_replaced(&helm, &release)?;

    helm.uninstall()?;
    replica.end()?;
    logs_no_errors(&replica)?;
    let kept = world.kubectl(&["get", "ipm,ipp", "-o", "name"], None)?;
    let kept = kept.success("kubectl get")?.stdout;
    ensure!(
        kept.lines().count() == 2,
        "the custom resources stay: {kept}"
    );
    helm.put("install", &[])
        .context("what was kept is adopted")?;
    helm.uninstall()?;
    world.kubectl(FORGET, None)?.success("kubectl delete")?;
    nothing_is_left(world, &before)
}

/// A normal uninstallation removes permissions, Secret, Lease and webhook configurations before the replica ends.
fn logs_no_errors(replica: &Replica) -> Result<()> {
    let log = replica.log()?;
    let errors: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(r#""level":"ERROR""#))
        .collect();
    ensure!(
        log.contains(r#""level":"INFO""#) && errors.is_empty(),
        "errors in the log of a replica that was uninstalled: {errors:#?}"
    );
    Ok(())
}

/// The names of the entries belong to the whole cluster.
fn refuses_a_second(helm: &Helm<'_>) -> Result<()> {
    let mut second = vec!["install", "second", CHART];
    second.extend(helm.mode);
    let refused = helm.try_run(&second)?;
    let printed = String::from_utf8_lossy(&refused.stderr);
    ensure!(
        !refused.status.success() && printed.contains("invalid ownership metadata"),
        "a second release: {printed}"
    );
    Ok(())
}

/// The first Pod is rewritten: nothing is tried twice.
fn rewrites(world: &World, namespace: &str) -> Result<()> {
    let name = format!("chat-{:08x}", fastrand::u32(..));
    world.create_in(namespace, &asking(&name, SONNET, "eu-west-1").to_string())?;
    let pod = world.get_in(namespace, "pod", &name)?;
    assert_eq!(variable(&pod, "BEDROCK_MODEL_ID")?, format!("eu.{SONNET}"));
    Ok(())
}

/// Neither upgrades nor a rollback take back what replicas have written.
fn leaves_what_was_filled(helm: &Helm<'_>) -> Result<()> {
    let world = helm.world;
    let before = LeaderState::of(world)?;
    let timeout = || -> Result<Value> {
        let (kind, name) = ENTRIES[0];
        Ok(world.get(kind, name)?["webhooks"][0]["timeoutSeconds"].clone())
    };
    helm.put(
        "upgrade",
        &["--set=webhooks.timeoutSeconds=3,replicas=3,audit.every=2h"],
    )?;
    assert_eq!(
        (LeaderState::of(world)?, timeout()?),
        (before, Value::from(3))
    );
    let before = LeaderState::of(world)?;
    helm.put("upgrade", &[])?;
    assert_eq!(
        (LeaderState::of(world)?, timeout()?),
        (before, Value::from(2))
    );
    let before = LeaderState::of(world)?;
    helm.rollback("2")?;
    assert_eq!(
        (LeaderState::of(world)?, timeout()?),
        (before, Value::from(3))
    );
    Ok(())
}

/// The API server accepts the policy that the chart makes with `references.enabled=false`.
fn references_can_be_switched_off(helm: &Helm<'_>) -> Result<()> {
    let references = |expected: &'static str| {
        wait_for(&format!("references: {expected}"), || {
            let policy = helm.world.get("ipp", "default")?;
            Ok((policy["spec"]["references"] == expected).then_some(()))
        })
    };
    helm.put("upgrade", &["--set=references.enabled=false"])?;
    references("Off")?;
    helm.put("upgrade", &["--set=references.enabled=true"])?;
    references("Resolve")
}

/// A switch removes a webhook configuration; the leader activates it again when it is back.
fn switches_a_webhook(helm: &Helm<'_>, release: &Release<'_>) -> Result<()> {
    let (kind, name) = ENTRIES[1];
    helm.put("upgrade", &["--set=webhooks.configMaps.enabled=false"])?;
    let gone = helm.world.kubectl(&["get", kind, name], None)?;
    ensure!(!gone.ok, "{name} is still there");
    helm.put("upgrade", &[])?;
    release.wait_until_active()
}

/// Replaced by what was shipped, everything is filled again, and by the CAs that there were.
fn heals_what_was_replaced(helm: &Helm<'_>, release: &Release<'_>) -> Result<()> {
    let authorities = || -> Result<Value> {
        let secret = helm.world.get("secret", &format!("{NAME}-ca"))?;
        Ok(secret["data"].clone())
    };
    let before = authorities()?;
    helm.replace()?;
    wait_for("the CAs that there were", || {
        Ok((authorities()? == before).then_some(()))
    })?;
    release.wait_until_active()
}

/// Every object that the API server lists, as `KIND/NAMESPACE/NAME`, but for what the controllers of Kubernetes and the trial itself
/// make in the meantime.
fn everything(world: &World) -> Result<BTreeSet<String>> {
    let kinds = ["api-resources", "--verbs=list", "--output=name"];
    let kinds = world
        .kubectl(&kinds, None)?
        .success("kubectl api-resources")?;
    let passing = ["events", "componentstatuses", "pods", "endpointslices"];
    let kinds: Vec<&str> = kinds
        .stdout
        .lines()
        .filter(|kind| !passing.iter().any(|one| kind.starts_with(one)))
        .collect();
    ensure!(kinds.len() > 40, "{kinds:?}");
    let kinds = kinds.join(",");
    let template =
        "jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{'\\n'}{end}";
    let args = ["get", &kinds, "-A", "-o", template, "--ignore-not-found"];
    let listed = world.kubectl(&args, None)?.success("kubectl get")?.stdout;
    let of_kubernetes = |line: &&str| {
        line.contains("/kube-") // its namespaces, and the CA bundle in each namespace
            || line.starts_with("ServiceAccount/") && line.ends_with("/default")
    };
    Ok(listed
        .lines()
        .filter(|line| !of_kubernetes(line))
        .map(str::to_owned)
        .collect())
}

/// Nothing is in the cluster that was not there before: neither what the chart has shipped nor what replicas have made.
fn nothing_is_left(world: &World, before: &BTreeSet<String>) -> Result<()> {
    let mut left = BTreeSet::new();
    let gone = wait_for("the end of every object of the release", || {
        left = everything(world)?.difference(before).cloned().collect();
        Ok(left.is_empty().then_some(()))
    });
    gone.with_context(|| format!("left behind: {left:?}"))
}

/// A replica that has answered, audited, led, kept an ID and lost a connection exposes every metric that alerts and dashboard use.
fn exposes_what_the_dashboard_shows(world: &World, apps: &str, replica: &Replica) -> Result<()> {
    let unserved = asking("unserved", ONLY_GLOBAL, "sa-east-1");
    world.create_in(apps, &unserved.to_string())?;
    let mut opted_out = asking("opted-out", SONNET, "us-east-1");
    opted_out["metadata"]["annotations"] =
        json!({"bedrock-profiles.dev/ignore": "no prefixes; until=2099-12-31"});
    world.create_in(apps, &opted_out.to_string())?;
    TcpStream::connect(replica.address)?.write_all(b"GET / HTTP/1.1\r\n\r\n")?; // no TLS
    let list = include_str!("../../data/chart/metrics.txt");
    let mut missing = BTreeSet::new();
    let found = wait_for("every metric of alerts and dashboard", || {
        let scrape = replica.get("/metrics")?;
        let exposed: BTreeSet<&str> = scrape
            .lines()
            .filter_map(|line| line.split(['{', ' ']).next())
            .collect();
        missing = list
            .lines()
            .filter(|name| !exposed.contains(name))
            .collect();
        Ok(missing.is_empty().then_some(()))
    });
    found.with_context(|| format!("without a series: {missing:?}"))
}
