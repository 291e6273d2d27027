//! Faults around a release: every stored value is the answer of the generation before the fault or after it.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::{
    counters::created_pods,
    creates::{Creates, ENDPOINT_LAG, Which},
    prober::{Observations, Prober},
    process::wait_for,
    proxy::Proxy,
    release::{Chart, LEADER, NAME, Release},
    trial::{Trial, alone},
    world::World,
};

use super::product::{SONNET, asking};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone("the_api_server_and_etcd_fail", the_api_server_and_etcd_fail),
        alone("watches_are_cut", watches_are_cut),
        alone("a_follower_ends_gracefully", |world| {
            ends_gracefully(world, "graceful end of a follower", Which::Follower)
        }),
        alone("the_leader_ends_gracefully", |world| {
            ends_gracefully(world, "graceful end of the leader", Which::Leader)
        }),
        alone("a_follower_is_killed", |world| {
            is_killed(world, "SIGKILL of a follower", Which::Follower)
        }),
        alone("the_leader_is_killed", |world| {
            is_killed(world, "SIGKILL of the leader", Which::Leader)
        }),
        alone("a_replica_pauses_shortly", a_short_pause),
        alone("a_replica_pauses_until_it_is_unready", a_long_pause),
        alone("the_lease_is_handed_over", the_lease_is_handed_over),
    ]
}

/// How long etcd answers nobody: twice as long as a Lease is held.
const FROZEN: Duration = Duration::from_secs(30);

/// After how long a readiness probe of the chart, every two seconds, has failed three times.
const UNREADY: Duration = Duration::from_secs(6);

/// Pods that a trial stores at least, of three clients.
const AT_LEAST: u32 = 150;

/// Pods that are stored after a replica has followed a policy, all of which must have its answer.
const AFTER: u32 = 40;

fn the_api_server_and_etcd_fail(world: &World) -> Result<()> {
    let mut creates = Creates::start(world, Which::Leader)?;
    creates.leader()?;
    let observed = creates.fault("API server restarted after 2 s", |creates| {
        world.plane().restart_api_server(Duration::from_secs(2))?;
        creates.change_policy()
    })?;
    assert_eq!(observed.failed, BTreeMap::new());

    let led = creates.leader()?;
    let observed = creates.fault("etcd paused for 30 s", |creates| {
        world.plane().freeze_etcd(FROZEN)?;
        creates.change_policy()
    })?;
    assert_eq!(observed.failed, BTreeMap::new());
    creates.leader()?;
    assert!(
        creates.replicas[led].log()?.contains("lost leadership"),
        "it has noticed that it led no more"
    );
    for replica in &creates.replicas {
        replica.wait_until_ready()?;
    }
    creates.end(AT_LEAST, false)
}

pub(super) fn rewritten(geography: &str) -> String {
    format!("{geography}.{SONNET}")
}

fn watches_are_cut(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let proxy = Proxy::start(world.next_address(), world.plane().api_server())?;
    let one = release.start_behind(&proxy, "one")?;
    release.send_to(&one)?;
    release.wait_until_active()?;
    let probe = asking("probe", SONNET, "eu-west-1");
    let prober = Prober::start(&world.plane().kubeconfig(), &apps, &probe)?;
    let mut all = Observations::default();
    // Until the API server has read the rules of the webhook, Pods are stored unchanged.
    let mut before = SONNET.to_owned();
    let mut follows = |mode: &str, expected: &str| -> Result<()> {
        let policy = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "default"}, "spec": {"mode": mode}});
        world.apply(&policy.to_string())?;
        wait_for(&format!("a probe with {expected}"), || {
            let observed = prober.take();
            observed.has_only(&[&before, expected])?;
            let follows = observed.stored.contains_key(expected);
            all.add(observed);
            Ok(follows.then_some(()))
        })?;
        // The client creates one Pod after the other, and the replica never returns to the policy before.
        prober.wait_for(AFTER)?;
        let observed = prober.take();
        observed
            .has_only(&[expected])
            .with_context(|| format!("mode {mode} is followed"))?;
        all.add(observed);
        expected.clone_into(&mut before);
        Ok(())
    };
    follows("Rewrite", &rewritten("eu"))?;
    proxy.close_all();
    follows("DryRun", SONNET)?;
    proxy.silence_open_connections();
    follows("Rewrite", &rewritten("eu"))?;
    let last = prober.stop()?;
    last.has_only(&[rewritten("eu")])?;
    all.add(last);
    let created = created_pods(world, &[&apps], all.created(), 0)?;
    println!(
        "{}",
        all.row("watches closed, then silenced, of one replica")
    );
    ensure!(
        all.attempts == created && created == all.created(),
        "{created} by the log of the API server: {all:?}"
    );
    Ok(())
}

fn the_lease_is_handed_over(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let one = release.start_ready("one", &[])?;
    one.wait_until_leader()?;
    let two = release.start("two", &[])?;
    two.wait_until_ready()?;
    assert_eq!(two.metric(LEADER)?, Some(0.0), "one leads");

    // Told to end, it lets go at once; killed, it is waited for.
    release.remove_endpoint(&one)?;
    one.end()?;
    let lease = world.get("lease", NAME)?;
    let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
    assert!(!holder.starts_with("one_"), "{holder}");
    two.wait_until_leader()?;
    let three = release.start("three", &[])?;
    three.wait_until_ready()?;
    drop(two);
    three.wait_until_leader()?;

    // While the Lease is missing, nobody writes; one that somebody made anew is taken again.
    world
        .kubectl(&["delete", "lease", NAME], None)?
        .success("kubectl delete")?;
    wait_for("the end of a leader without a Lease", || {
        Ok((three.metric(LEADER)? == Some(0.0)).then_some(()))
    })?;
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}});
    world.apply(&lease.to_string())?;
    three.wait_until_leader()?;
    three.wait_until_ready()
}

fn ends_gracefully(world: &World, fault: &str, which: Which) -> Result<()> {
    let mut creates = Creates::start(world, which)?;
    let ending = creates.remove_first()?;
    creates.succeed("four")?; // first, as in a rolling update
    let observed = creates.fault(fault, |creates| {
        ending.signal("TERM")?;
        creates.change_policy()?; // the replica answers with the changed policy while it drains
        thread::sleep(ENDPOINT_LAG);
        creates.release.remove_endpoint(&ending)?;
        ending.wait_until_ended()?;
        creates.leader().map(|_| ())
    })?;
    assert_eq!(observed.failed, BTreeMap::new());
    creates.end(AT_LEAST, true)
}

/// Creates fail only until the API server has no endpoint of the killed replica any more: [`Creates::fault`] fails for a later one.
/// Without a leader the policy changes too.
fn is_killed(world: &World, fault: &str, which: Which) -> Result<()> {
    let mut creates = Creates::start(world, which)?;
    let killed = creates.remove_first()?;
    creates.fault(fault, |creates| {
        killed.signal("KILL")?;
        thread::sleep(ENDPOINT_LAG);
        creates.release.remove_endpoint(&killed)?;
        creates.succeed("four")?;
        creates.change_policy()
    })?;
    creates.end(AT_LEAST, true)
}

fn a_short_pause(world: &World) -> Result<()> {
    let mut creates = Creates::start(world, Which::Follower)?;
    set_timeout(world, 10)?; // far beyond the pause, however busy the machine is
    let paused = creates.remove_first()?;
    let observed = creates.fault("SIGSTOP for a second", |creates| {
        paused.signal("STOP")?;
        creates.change_policy()?; // the other replicas answer with it first
        thread::sleep(Duration::from_secs(1));
        paused.signal("CONT")?;
        creates.replicas.push(paused);
        Ok(())
    })?;
    assert_eq!(observed.failed, BTreeMap::new());
    creates.end(AT_LEAST, true)
}

fn a_long_pause(world: &World) -> Result<()> {
    let mut creates = Creates::start(world, Which::Follower)?;
    let paused = creates.remove_first()?;
    creates.fault("SIGSTOP until the endpoint is removed", |creates| {
        paused.signal("STOP")?;
        thread::sleep(UNREADY);
        creates.release.remove_endpoint(&paused)?;
        creates.change_policy()?;
        creates.store(1)?;
        paused.signal("CONT")?;
        creates.release.send_to(&paused)?;
        creates.replicas.push(paused);
        Ok(())
    })?;
    creates.end(AT_LEAST, true)
}

/// Sets the `timeoutSeconds` of the webhook for Pods.
fn set_timeout(world: &World, seconds: u32) -> Result<()> {
    let patch = json!([{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": seconds}]);
    let (kind, name) = (
        "mutatingwebhookconfiguration",
        "webhook-pods.bedrock-profiles.dev",
    );
    let patch = patch.to_string();
    let args = ["patch", kind, name, "--type=json", "-p", &patch];
    world
        .kubectl(&args, None)?
        .success("kubectl patch")
        .map(|_| ())
}
