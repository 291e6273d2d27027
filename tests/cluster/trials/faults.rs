//! What goes wrong around a release: every stored value is the answer of a policy that was in force, whatever happens.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::{
    prober::{Observations, Prober},
    process::wait_for,
    proxy::Proxy,
    release::{Chart, LEADER, NAME, Release, Replica},
    trial::{Trial, alone},
    world::World,
};

use super::product::{SONNET, asking};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        alone("the_api_server_and_etcd_fail", the_api_server_and_etcd_fail),
        alone("watches_are_cut", watches_are_cut),
        alone("three_replicas_answer_as_one", three_replicas_answer_as_one),
        alone("the_lease_is_handed_over", the_lease_is_handed_over),
    ]
}

/// How long etcd answers nobody: twice as long as a Lease is held.
const FROZEN: Duration = Duration::from_secs(30);

fn the_api_server_and_etcd_fail(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let one = release.start_ready("one", &[])?;
    release.wait_until_active()?;
    let probe = asking("probe", SONNET, "eu-west-1");
    let prober = Prober::start(&world.plane().kubeconfig(), &apps, &probe)?;
    wait_for("a rewritten probe", || {
        Ok(prober
            .take()
            .stored
            .contains_key(&rewritten("eu"))
            .then_some(()))
    })?;
    prober.take();

    world.plane().restart_api_server(Duration::from_secs(2))?;
    prober.wait_for(50)?;
    assert_eq!(one.metric(LEADER)?, Some(1.0), "shorter than the Lease");

    world.plane().freeze_etcd(FROZEN)?;
    prober.wait_for(50)?;
    one.wait_until_leader()?;
    assert!(
        one.log()?.contains("lost leadership"),
        "it has noticed that it led no more"
    );
    let observed = prober.stop()?;
    assert_eq!(
        observed.stored.keys().collect::<Vec<_>>(),
        [&rewritten("eu")],
        "{observed:?}"
    );
    one.wait_until_ready()
}

fn rewritten(geography: &str) -> String {
    format!("{geography}.{SONNET}")
}

fn watches_are_cut(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let proxy = Proxy::start(world.next_address(), world.plane().api_server())?;
    let _one = release.start_behind(&proxy, "one")?;
    release.wait_until_active()?;
    let probe = asking("probe", SONNET, "eu-west-1");
    let prober = Prober::start(&world.plane().kubeconfig(), &apps, &probe)?;
    let mut all = Observations::default();
    let mut follows = |mode: &str, expected: &str| -> Result<()> {
        let policy = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "default"}, "spec": {"mode": mode}});
        world.apply(&policy.to_string())?;
        wait_for(&format!("a probe with {expected}"), || {
            let observed = prober.take();
            let follows = observed.stored.contains_key(expected);
            all.add(observed);
            Ok(follows.then_some(()))
        })
    };
    follows("Rewrite", &rewritten("eu"))?;
    proxy.close_all();
    follows("DryRun", SONNET)?;
    proxy.silence_open_connections();
    follows("Rewrite", &rewritten("eu"))?;
    all.add(prober.stop()?);
    all.has_only(&[SONNET, &rewritten("eu")])
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

fn three_replicas_answer_as_one(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let apps = world.neighbour("apps")?;
    let mut replicas = Vec::new();
    for name in ["one", "two", "three"] {
        replicas.push(release.start_ready(name, &[])?);
    }
    release.wait_until_active()?;
    let probe = asking("probe", SONNET, "eu-west-1");
    let prober = Prober::start(&world.plane().kubeconfig(), &apps, &probe)?;
    wait_for("a rewritten probe", || {
        Ok(prober
            .take()
            .stored
            .contains_key(&rewritten("eu"))
            .then_some(()))
    })?;

    // Each change is in force on all of them, and then nothing is answered by the one before.
    for (mode, expected) in [("DryRun", SONNET.to_owned()), ("Rewrite", rewritten("eu"))] {
        let policy = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "default"}, "spec": {"mode": mode}});
        world.apply(&policy.to_string())?;
        let generation = world.get("ipp", "default")?["metadata"]["generation"].as_f64();
        for replica in &replicas {
            wait_for("the active generation", || {
                Ok((replica.metric(ACTIVE_GENERATION)? == generation).then_some(()))
            })?;
        }
        prober.wait_for(1)?; // its review may have begun before the change
        prober.take().has_only(&[SONNET, &rewritten("eu")])?; // the policy before or the changed one
        prober.wait_for(50)?;
        prober.take().has_only(&[&expected])?;
    }

    // The leader ends as a Pod does: no create fails, and another replica leads.
    let is_leader =
        |replica: &Replica| -> Result<bool> { Ok(replica.metric(LEADER)? == Some(1.0)) };
    let mut leader = None;
    for (at, replica) in replicas.iter().enumerate() {
        if is_leader(replica)? {
            assert_eq!(leader.replace(at), None, "one leads");
        }
    }
    let leader = replicas.remove(leader.unwrap_or_default());
    release.remove_endpoint(&leader)?;
    leader.end()?;
    wait_for("another leader", || {
        let all: Result<Vec<bool>> = replicas.iter().map(is_leader).collect();
        Ok((all?.into_iter().filter(|is_leader| *is_leader).count() == 1).then_some(()))
    })?;
    prober.wait_for(50)?;
    let observed = prober.stop()?;
    assert!(observed.failed.is_empty(), "{observed:?}");
    assert_eq!(
        observed.stored.keys().collect::<Vec<_>>(),
        [&rewritten("eu")]
    );
    Ok(())
}

const ACTIVE_GENERATION: &str =
    r#"bedrock_profiles_active_generation{kind="InferenceProfilePolicy",name="default"}"#;
