//! The manifests of a release, applied or replaced while its webhook configurations are active.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    clients::chart,
    creates::{Creates, Which},
    process::wait_for,
    release::{NAME, manifests},
    trial::{Trial, alone},
    world::World,
};

use super::product::SONNET;

pub(super) fn trials() -> Vec<Trial> {
    vec![alone(
        "the_release_is_applied_over_active_configurations",
        the_release_is_applied,
    )]
}

/// Pods that the trial stores at least, of three clients.
const AT_LEAST: u32 = 150;

const CLIENT_SIDE: &[&str] = &["apply", "-f", "-"];
const SERVER_SIDE: &[&str] = &["apply", "--server-side", "--force-conflicts", "-f", "-"];
const REPLACE: &[&str] = &["replace", "-f", "-"];

const PODS: (&str, &str) = (
    "mutatingwebhookconfiguration",
    "webhook-pods.bedrock-profiles.dev",
);

/// What the leader has written into the objects of the release, and the failure policy of the chart.
#[derive(Debug, PartialEq)]
struct Filled {
    rules: Value,
    bundle: Value,
    failure_policy: Value,
    authorities: Value,
    holder: Value,
}

impl Filled {
    fn of(world: &World) -> Result<Self> {
        let webhook = world.get(PODS.0, PODS.1)?["webhooks"][0].take();
        Ok(Self {
            rules: webhook["rules"].clone(),
            bundle: webhook["clientConfig"]["caBundle"].clone(),
            failure_policy: webhook["failurePolicy"].clone(),
            authorities: world.get("secret", &format!("{NAME}-ca"))?["data"].clone(),
            holder: world.get("lease", NAME)?["spec"]["holderIdentity"].clone(),
        })
    }
}

fn the_release_is_applied(world: &World) -> Result<()> {
    let mut creates = Creates::start(world, Which::Leader)?;
    let filled = Filled::of(world)?;
    ensure!(
        filled.rules.is_array() && filled.failure_policy == "Fail",
        "{filled:?}"
    );
    for (name, args) in [
        ("`kubectl apply` twice", CLIENT_SIDE),
        (
            "`kubectl apply --server-side --force-conflicts` twice",
            SERVER_SIDE,
        ),
    ] {
        let observed = creates.fault(name, |creates| {
            fail_open(world)?;
            for _ in 0..2 {
                ship(world, args)?;
            }
            assert_eq!(Filled::of(world)?, filled, "{name}");
            creates.change_policy()
        })?;
        assert_eq!(observed.failed, BTreeMap::new(), "{name}");
    }

    creates.clients.permit_unchanged();
    let observed = creates.fault("`kubectl replace`", |creates| {
        ship(world, REPLACE)?;
        wait_for("what the leader had written", || {
            let now = Filled::of(world)?;
            Ok((now == filled).then_some(()))
        })?;
        creates.change_policy()
    })?;
    assert_eq!(observed.failed, BTreeMap::new());
    let unchanged = observed.stored.get(SONNET).copied().unwrap_or_default();
    println!("{unchanged} Pods were stored unchanged");
    creates.leader()?;
    creates.end(AT_LEAST, true)
}

/// Sends the manifests of the release as they were shipped.
fn ship(world: &World, args: &[&str]) -> Result<()> {
    for (namespace, objects) in manifests(world, &chart())? {
        let args = [args, &["--namespace", &namespace]].concat();
        world.kubectl(&args, Some(&objects))?.success("kubectl")?;
    }
    Ok(())
}

/// Changes the failure policy, as a user does by hand.
fn fail_open(world: &World) -> Result<()> {
    let patch = json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore"}]);
    let patch = patch.to_string();
    let args = ["patch", PODS.0, PODS.1, "--type=json", "-p", &patch];
    world
        .kubectl(&args, None)?
        .success("kubectl patch")
        .map(|_| ())
}
