//! Replicas that start when something is missing: every replica, the API server, or the definitions of the custom resources. And
//! namespaces that end.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    counters::created_pods,
    creates::{Creates, Which},
    prober::{Observations, Prober},
    process::wait_for,
    release::{Chart, NAME, Release, Replica, definitions},
    trial::{Trial, alone},
    world::World,
};

use super::{
    faults::rewritten,
    product::{SONNET, asking},
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone(
            "no_replica_runs_and_namespaces_are_deleted",
            no_replica_runs_and_namespaces_are_deleted,
        ),
        alone(
            "replicas_start_before_the_api_server",
            replicas_start_before_the_api_server,
        ),
        alone(
            "a_replica_starts_before_the_definitions",
            a_replica_starts_before_the_definitions,
        ),
    ]
}

/// How long no replica runs, or a replica waits for what it needs.
const AWAY: Duration = Duration::from_secs(3);

/// Pods that a trial stores at least, of three clients.
const AT_LEAST: u32 = 150;

/// How many namespaces are made and deleted.
const NAMESPACES: usize = 2;

fn no_replica_runs_and_namespaces_are_deleted(world: &World) -> Result<()> {
    let mut creates = Creates::start(world, Which::Follower)?;
    let observed = creates.fault("namespaces created and deleted", |creates| {
        let mut inside = Observations::default();
        for number in 0..NAMESPACES {
            inside.add(in_a_deleted_namespace(world, number)?);
        }
        inside.stores_only(&[rewritten("eu")])?;
        assert_eq!(inside.failed, BTreeMap::new());
        println!("{}", inside.row("creates in the deleted namespaces"));
        creates.change_policy()
    })?;
    assert_eq!(observed.failed, BTreeMap::new());

    creates.fault("no replica for three seconds, then one", |creates| {
        let ended = std::mem::take(&mut creates.replicas);
        for replica in &ended {
            creates.release.remove_endpoint(replica)?;
            replica.signal("TERM")?;
        }
        ended.iter().try_for_each(Replica::wait_until_ended)?;
        // A node can come up: the Pods of the network, of DNS and of the release are created without a replica.
        for namespace in ["kube-system", world.namespace()] {
            let pod = asking("exempt", SONNET, "eu-west-1").to_string();
            let args = ["create", "--dry-run=server", "-f", "-", "-n", namespace];
            let output = world.kubectl(&args, Some(&pod))?;
            output.success("kubectl create")?;
        }
        thread::sleep(AWAY);
        creates.succeed("four")?;
        creates.change_policy()
    })?;
    creates.leader()?;
    creates.end(AT_LEAST, true)
}

/// Creates Pods in a namespace before, while and after it is deleted.
fn in_a_deleted_namespace(world: &World, number: usize) -> Result<Observations> {
    let namespace = world.neighbour(&format!("short-{number}"))?;
    let pod = asking("probe", SONNET, "eu-west-1");
    let prober = Prober::start_in_deleted(&world.plane().kubeconfig(), &namespace, &pod)?;
    prober.wait_for(5)?;
    // Returns when the namespace is gone, so no call of the webhook keeps it.
    let args = ["delete", "namespace", &namespace, "--timeout=60s"];
    world.kubectl(&args, None)?.success("kubectl delete")?;
    prober.wait_for_other_error()?;
    prober.stop()
}

/// All replicas and the API server start again, as after a loss of power; meanwhile the API server has lost `WatchList`, which no
/// replica uses.
fn replicas_start_before_the_api_server(world: &World) -> Result<()> {
    let mut creates = Creates::start(world, Which::Follower)?;
    creates.fault("replicas started before the API server", |creates| {
        world.plane().kill_api_server();
        let ended = std::mem::take(&mut creates.replicas);
        ended
            .iter()
            .try_for_each(|replica| replica.signal("KILL"))?;
        for name in ["four", "five", "six"] {
            creates.replicas.push(creates.release.start(name, &[])?);
        }
        thread::sleep(AWAY);
        for replica in &creates.replicas {
            ensure!(!replica.is_ready()?, "{} has no view", replica.name);
        }
        world
            .plane()
            .resume_api_server(&["--feature-gates=WatchList=false"])?;
        ended
            .iter()
            .try_for_each(|replica| creates.release.remove_endpoint(replica))?;
        for replica in &creates.replicas {
            creates.release.send_to(replica)?;
        }
        creates.change_policy()
    })?;
    creates.leader()?;
    let observed = creates.fault("a policy changed without WatchList", Creates::change_policy)?;
    assert_eq!(observed.failed, BTreeMap::new());
    let user = format!("system:serviceaccount:{}:{NAME}", world.namespace());
    let streamed = world.plane().audit_events("sendInitialEvents")?;
    let by_replicas = streamed
        .iter()
        .filter(|event| event["user"]["username"] == *user);
    assert_eq!(by_replicas.count(), 0, "no replica uses WatchList");
    creates.end(AT_LEAST, false)
}

/// Without the definitions a replica is not ready, so the webhook stays inactive.
fn a_replica_starts_before_the_definitions(world: &World) -> Result<()> {
    let release = Release::install_without_definitions(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let probe = asking("probe", SONNET, "eu-west-1");
    let prober = Prober::start(&world.plane().kubeconfig(), &apps, &probe)?;
    let one = release.start("one", &[])?;
    wait_for("the definitions in the log", || {
        let log = one.log()?;
        Ok(log
            .contains("install the custom resource definitions")
            .then_some(()))
    })?;
    thread::sleep(AWAY);
    ensure!(!one.is_ready()?, "it has no view");
    let missing = one.get("/readyz")?;
    ensure!(missing.contains("mappings, policies"), "{missing}");
    let mut all = prober.take();
    all.has_only(&[SONNET])?;

    world.apply(&definitions()?)?;
    release.send_to(&one)?;
    release.wait_until_active()?;
    wait_for("a rewritten Pod", || {
        let observed = prober.take();
        let is_rewritten = observed.stored.contains_key(&rewritten("eu"));
        all.add(observed);
        Ok(is_rewritten.then_some(()))
    })?;
    let before = all.created();
    prober.wait_for(20)?;
    let last = prober.stop()?;
    last.has_only(&[rewritten("eu")])?;
    all.add(last);
    all.has_only(&[SONNET.to_owned(), rewritten("eu")])?;
    println!("{}", all.row("a replica started before the definitions"));
    let created = created_pods(world, &[&apps], all.created(), 0)?;
    ensure!(
        created == all.created() && all.attempts == created && before > 20,
        "{created} by the log of the API server: {all:?}"
    );
    Ok(())
}
