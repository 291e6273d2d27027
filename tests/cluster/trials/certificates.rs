//! CAs in a real Secret, leaves that a real API server verifies, and no request that RBAC does not allow.

mod replicas;
mod rotations;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    process::wait_for,
    trial::{Trial, alone, plane},
    world::World,
};

use replicas::{Cluster, Replica};

/// The annotation that requests a rotation.
const ROTATE: &str = "bedrock-profiles.dev/rotate";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane("four_rotations_fail_no_call", four_rotations_fail_no_call),
        plane(
            "an_empty_secret_is_initialized_by_one_of_three_replicas",
            one_replica_initializes,
        ),
        plane(
            "a_wiped_secret_is_restored_without_a_new_ca",
            a_wiped_secret_is_restored,
        ),
        alone(
            "a_ca_is_rotated_twice_under_a_prober",
            rotations::a_ca_is_rotated_twice,
        ),
        alone(
            "certificate_files_are_followed_under_a_prober",
            rotations::certificate_files_are_followed,
        ),
    ]
}

/// The certificates of the CAs in the Secret, and whether each CA signs.
fn stored(world: &World) -> Result<Vec<(String, bool)>> {
    let secret = world.get("secret", replicas::SECRET)?;
    let Some(text) = secret["data"]["keyring.json"].as_str() else {
        return Ok(Vec::new());
    };
    let document: Value = serde_json::from_slice(&STANDARD.decode(text)?)?;
    let authorities = document["authorities"].as_array().context("no list")?;
    let one = |ca: &Value| {
        let certificate = ca["certificate"].as_str().unwrap_or_default().to_owned();
        (certificate, ca["signFrom"].is_string())
    };
    Ok(authorities.iter().map(one).collect())
}

/// The CAs that have begun to sign.
fn signing(world: &World) -> Result<BTreeSet<String>> {
    let all = stored(world)?.into_iter();
    Ok(all.filter(|(_, signs)| *signs).map(|(ca, _)| ca).collect())
}

fn four_rotations_fail_no_call(world: &World) -> Result<()> {
    let cluster = Cluster::install(world)?;
    let (one, two) = (cluster.start("one")?, cluster.start("two")?);
    one.lead(true);
    cluster.register(&[&one, &two])?;
    let calls = cluster.call_throughout();

    let mut known = signing(world)?;
    for rotation in 1..=4 {
        // Two rotations on request and two by schedule; another replica leads each time.
        one.lead(rotation % 2 == 0);
        two.lead(rotation % 2 == 1);
        if rotation <= 2 {
            let request = format!("{ROTATE}={rotation}");
            world
                .kubectl(
                    &[
                        "annotate",
                        "--overwrite",
                        "secret",
                        replicas::SECRET,
                        &request,
                    ],
                    None,
                )?
                .success("kubectl annotate")?;
        }
        let newest = wait_for(&format!("rotation {rotation}"), || {
            Ok(signing(world)?.difference(&known).next().cloned())
        })?;
        for replica in [&one, &two] {
            wait_for(
                &format!("a leaf of the new CA at {}", replica.name()),
                || Ok(replica.serves_by(&newest)?.then_some(())),
            )?;
        }
        calls.wait_for_more()?;
        known.insert(newest);
    }
    let calls = calls.end();
    assert!(
        calls.failed.is_empty(),
        "{} of {} failed: {:?}",
        calls.failed.len(),
        calls.made,
        calls.failed
    );
    only_the_secret_was_touched(world)
}

/// Checks by the audit log that the account used this one Secret only, with the verbs that RBAC allows.
fn only_the_secret_was_touched(world: &World) -> Result<()> {
    let account = format!(
        "system:serviceaccount:{}:{}",
        world.namespace(),
        replicas::NAME
    );
    let own = |event: &Value| event["user"]["username"] == account.as_str();
    world.audit_event("a write of the Secret", |event| {
        own(event) && event["verb"] == "update"
    })?;
    let verbs = ["get", "list", "watch", "update"].map(Value::from);
    for event in world.audit_events()?.iter().filter(|event| own(event)) {
        let object = &event["objectRef"];
        ensure!(
            verbs.contains(&event["verb"])
                && object["resource"] == "secrets"
                && object["name"] == replicas::SECRET,
            "an unexpected request: {event}"
        );
    }
    Ok(())
}

fn one_replica_initializes(world: &World) -> Result<()> {
    let cluster = Cluster::install(world)?;
    let replicas: Vec<Replica> = ["one", "two", "three"]
        .map(|name| cluster.start(name))
        .into_iter()
        .collect::<Result<_>>()?;
    let initial = wait_for("an initialized Secret", || {
        let all = stored(world)?;
        Ok((!all.is_empty()).then_some(all))
    })?;
    for replica in &replicas {
        replica.wait_until_ready()?;
        assert!(replica.serves_by(&initial[0].0)?, "{}", replica.name());
    }
    assert_eq!(stored(world)?, initial);
    assert_eq!(initial.len(), 1);
    let writes: Result<Vec<_>> = replicas
        .iter()
        .map(|replica| replica.writes("initial"))
        .collect();
    assert_eq!(writes?.iter().sum::<u32>(), 1, "exactly one initialized it");
    Ok(())
}

fn a_wiped_secret_is_restored(world: &World) -> Result<()> {
    let cluster = Cluster::install(world)?;
    let (one, two) = (cluster.start("one")?, cluster.start("two")?);
    one.lead(true);
    cluster.register(&[&one, &two])?;
    let before = stored(world)?;

    // An upgrade of the chart does not change it.
    world.apply(&replicas::installed_secret(world))?;
    assert_eq!(stored(world)?, before);

    let damaged = json!({"data": {"keyring.json": STANDARD.encode("{}")}}).to_string();
    for wipe in [None, Some(damaged.as_str())] {
        match wipe {
            None => world.kubectl(
                &["replace", "-f", "-"],
                Some(&replicas::installed_secret(world)),
            )?,
            Some(patch) => world.kubectl(
                &[
                    "patch",
                    "secret",
                    replicas::SECRET,
                    "--type=merge",
                    "-p",
                    patch,
                ],
                None,
            )?,
        }
        .success("kubectl")?;
        wait_for("the restored CAs", || {
            ensure!(
                one.is_ready() && two.is_ready(),
                "a lost Secret makes a replica unready"
            );
            Ok((stored(world).unwrap_or_default() == before).then_some(()))
        })?;
    }
    for replica in [&one, &two] {
        replica.wait_until_ready()?;
        assert!(replica.serves_by(&before[0].0)?, "{}", replica.name());
    }
    assert_eq!(one.writes("restored")?, 2, "the leader restores");

    // Without a leader, a follower restores.
    one.lead(false);
    world
        .kubectl(
            &["replace", "-f", "-"],
            Some(&replicas::installed_secret(world)),
        )?
        .success("kubectl replace")?;
    wait_for("the restored CAs", || {
        Ok((stored(world)? == before).then_some(()))
    })?;
    only_the_secret_was_touched(world)
}
