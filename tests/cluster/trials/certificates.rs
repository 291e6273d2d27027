//! CAs in a real Secret, leaves that a real API server verifies, and nothing asked for that the rights do not give.

mod keepers;
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

use keepers::{Cluster, Keeper};

/// Where a person asks for a new CA.
const ROTATE: &str = "bedrock-profiles.dev/rotate";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane("four_rotations_fail_no_call", four_rotations_fail_no_call),
        plane(
            "of_two_replicas_one_fills_the_secret",
            of_two_replicas_one_fills,
        ),
        plane(
            "a_wiped_secret_is_put_back_without_a_new_ca",
            a_wiped_secret_is_put_back,
        ),
        alone(
            "a_ca_is_rotated_twice_under_a_prober",
            rotations::a_ca_is_rotated_twice,
        ),
        alone(
            "certificates_of_others_are_followed_under_a_prober",
            rotations::certificates_of_others_are_followed,
        ),
    ]
}

/// The CAs in the Secret, by their certificates, and whether they sign; none where it is empty.
fn stored(world: &World) -> Result<Vec<(String, bool)>> {
    let secret = world.get("secret", keepers::SECRET)?;
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

    let mut seen = signing(world)?;
    for rotation in 1..=4 {
        // Two rotations on demand and two in their turn; another leads each time.
        one.lead(rotation % 2 == 0);
        two.lead(rotation % 2 == 1);
        if rotation <= 2 {
            let wish = format!("{ROTATE}={rotation}");
            world
                .kubectl(
                    &["annotate", "--overwrite", "secret", keepers::SECRET, &wish],
                    None,
                )?
                .success("kubectl annotate")?;
        }
        let newest = wait_for(&format!("rotation {rotation}"), || {
            Ok(signing(world)?.difference(&seen).next().cloned())
        })?;
        for keeper in [&one, &two] {
            wait_for(
                &format!("a leaf of the new CA at {}", keeper.name()),
                || Ok(keeper.serves_by(&newest)?.then_some(())),
            )?;
        }
        calls.wait_for_more()?;
        seen.insert(newest);
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

/// What the account did, as the API server saw it: it touched this one Secret, and as its rights say.
fn only_the_secret_was_touched(world: &World) -> Result<()> {
    let account = format!(
        "system:serviceaccount:{}:{}",
        world.namespace(),
        keepers::NAME
    );
    let ours = |event: &Value| event["user"]["username"] == account.as_str();
    world.audit_event("a write of the Secret", |event| {
        ours(event) && event["verb"] == "update"
    })?;
    let rights = ["get", "list", "watch", "update"].map(Value::from);
    for event in world.audit_events()?.iter().filter(|event| ours(event)) {
        let object = &event["objectRef"];
        ensure!(
            rights.contains(&event["verb"])
                && object["resource"] == "secrets"
                && object["name"] == keepers::SECRET,
            "it did something else: {event}"
        );
    }
    Ok(())
}

fn of_two_replicas_one_fills(world: &World) -> Result<()> {
    let cluster = Cluster::install(world)?;
    let keepers: Vec<Keeper> = ["one", "two", "three"]
        .map(|name| cluster.start(name))
        .into_iter()
        .collect::<Result<_>>()?;
    let filled = wait_for("a filled Secret", || {
        let all = stored(world)?;
        Ok((!all.is_empty()).then_some(all))
    })?;
    for keeper in &keepers {
        keeper.wait_until_ready()?;
        assert!(keeper.serves_by(&filled[0].0)?, "{}", keeper.name());
    }
    assert_eq!(stored(world)?, filled);
    assert_eq!(filled.len(), 1);
    let writes: Result<Vec<_>> = keepers
        .iter()
        .map(|keeper| keeper.writes("filled"))
        .collect();
    assert_eq!(writes?.iter().sum::<u32>(), 1, "one of them filled it");
    Ok(())
}

fn a_wiped_secret_is_put_back(world: &World) -> Result<()> {
    let cluster = Cluster::install(world)?;
    let (one, two) = (cluster.start("one")?, cluster.start("two")?);
    one.lead(true);
    cluster.register(&[&one, &two])?;
    let before = stored(world)?;

    // An upgrade of the chart does not touch it.
    world.apply(&keepers::shipped(world))?;
    assert_eq!(stored(world)?, before);

    let damaged = json!({"data": {"keyring.json": STANDARD.encode("{}")}}).to_string();
    for wipe in [None, Some(damaged.as_str())] {
        match wipe {
            None => world.kubectl(&["replace", "-f", "-"], Some(&keepers::shipped(world)))?,
            Some(patch) => world.kubectl(
                &[
                    "patch",
                    "secret",
                    keepers::SECRET,
                    "--type=merge",
                    "-p",
                    patch,
                ],
                None,
            )?,
        }
        .success("kubectl")?;
        wait_for("the CAs put back", || {
            ensure!(
                one.is_ready() && two.is_ready(),
                "a lost Secret takes readiness away"
            );
            Ok((stored(world).unwrap_or_default() == before).then_some(()))
        })?;
    }
    for keeper in [&one, &two] {
        keeper.wait_until_ready()?;
        assert!(keeper.serves_by(&before[0].0)?, "{}", keeper.name());
    }
    assert_eq!(one.writes("put_back")?, 2, "the leader puts back");

    // Where nobody leads, another does.
    one.lead(false);
    world
        .kubectl(&["replace", "-f", "-"], Some(&keepers::shipped(world)))?
        .success("kubectl replace")?;
    wait_for("the CAs put back", || {
        Ok((stored(world)? == before).then_some(()))
    })?;
    only_the_secret_was_touched(world)
}
