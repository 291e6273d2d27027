//! Years of renewals and rotations, in which all watches are late and the leader dies after its writes: every served leaf is
//! accepted at all times, whether replicas issue it from their own CAs or mount it. Faults that are planted into the replicas are
//! found.
//!
//! Each world is generated from a seed, which a failure prints. `SEED` runs that one alone, and `WORLDS` sets their number.

use super::files_world::{FilesFlaw, FilesWorld};
use super::issuers::{FakeIssuer, Issuer, RealIssuer};
use super::world::{DAY, Fault, Flaw, HOUR, MINUTE, World};
use crate::controllers::certificates::keyring::Lifetimes;
use crate::controllers::certificates::rotation::WriteReason;

const YEARS: u64 = 2 * 365 * DAY;
/// Without faults at the end, so that all watches catch up.
const CALM: u64 = 30 * DAY;
const REPLICAS: usize = 3;
const CONFIGURATIONS: usize = 2;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a test in many worlds, one for each seed.
fn in_worlds(count: u64, test: impl Fn(u64) -> Result<(), String>) {
    let seeds = match variable("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..variable("WORLDS").unwrap_or(count),
    };
    for seed in seeds {
        if let Err(error) = test(seed) {
            panic!("SEED={seed}: {error}");
        }
    }
}

/// Schedules faults: mostly one at a time, and half of them in the middle of a rotation.
fn schedule_faults<I: Issuer>(world: &mut World<I>, until: u64) {
    let mut time = DAY;
    loop {
        time += world.pick(HOUR..=20 * DAY);
        if time > until {
            return;
        }
        if world.pick(0..=1) == 0 {
            world.schedule(time, Fault::RequestRotation);
            time += world.pick(0..=20 * MINUTE);
        }
        let fault = random_fault(world);
        world.schedule(time, fault);
    }
}

fn random_fault<I: Issuer>(world: &mut World<I>) -> Fault {
    let replica = world.pick(0..=REPLICAS - 1);
    match world.pick(0..=10) {
        0 | 1 => Fault::EmptySecret,
        2 | 3 => Fault::ResetConfiguration(world.pick(0..=CONFIGURATIONS - 1)),
        4 | 5 => Fault::Kill(replica),
        6 => Fault::Overlap(world.pick(1..=HOUR)),
        // Longer than any rotation, and shorter than the rest of the old CA's validity.
        _ => Fault::Stall(replica, world.pick(HOUR..=28 * DAY)),
    }
}

/// Checks the end of a run: CAs were rotated on schedule, no rotation started over, and the signing CA is recent.
fn check_rotations<I: Issuer>(world: &World<I>, days: u64) -> Result<(), String> {
    let writes = |reason| u64::from(world.writes(reason));
    let lifetime = Lifetimes::default().ca.as_secs() / DAY;
    let periods = days / (lifetime * 2 / 3 + 1);
    let (scheduled, requested) = (
        writes(WriteReason::Scheduled),
        writes(WriteReason::Requested),
    );
    if scheduled + requested + 1 < periods || scheduled > periods + 2 {
        return Err(format!(
            "{scheduled} scheduled rotations in {periods} periods, and {requested} requested"
        ));
    }
    // If the replicas that know the CAs learn of the loss last, one that knows none may create another; theirs are restored
    // beside it.
    let initial = writes(WriteReason::Initial);
    if initial > 1 + u64::from(world.emptied()) {
        return Err(format!("{initial} initial CAs"));
    }
    let signing = world.keyring().signing(world.time());
    let signing = signing.ok_or("no CA signs")?;
    if !world.trusts_everywhere(signing.fingerprint()) {
        return Err("a configuration does not trust the signing CA".to_owned());
    }
    let late = world.time() > signing.renewal() + std::time::Duration::from_hours(24);
    if late {
        return Err("the signing CA is overdue for rotation".to_owned());
    }
    Ok(())
}

#[test]
fn every_served_leaf_is_accepted_in_two_years_of_late_watches_and_failing_leaders() {
    in_worlds(60, |seed| {
        let mut world = World::new(FakeIssuer::default(), seed, REPLICAS, CONFIGURATIONS);
        schedule_faults(&mut world, YEARS - CALM);
        world.run(YEARS)?;
        check_rotations(&world, YEARS / DAY)
    });
}

#[test]
fn every_real_leaf_is_accepted_in_a_season_of_late_watches_and_failing_leaders() {
    in_worlds(2, |seed| {
        let mut world = World::new(RealIssuer::default(), seed, REPLICAS, CONFIGURATIONS);
        world.schedule(10 * DAY, Fault::RequestRotation);
        world.schedule(10 * DAY + 3 * MINUTE, Fault::Kill(0));
        world.schedule(20 * DAY, Fault::EmptySecret);
        world.schedule(55 * DAY, Fault::Stall(1, 20 * DAY));
        world.schedule(70 * DAY, Fault::RequestRotation);
        world.run(100 * DAY)?;
        check_rotations(&world, 100)
    });
}

/// One clock at a time is wrong by an hour for up to two days, in both directions, half of the time during a rotation. With the
/// difference that clocks have anyway, this is as far as they may differ.
#[test]
fn every_served_leaf_is_accepted_while_clocks_are_set_by_an_hour() {
    const DAYS: u64 = 200;
    in_worlds(30, |seed| {
        let mut world = World::new(FakeIssuer::default(), seed, REPLICAS, CONFIGURATIONS);
        let mut time = DAY;
        while time < (DAYS - 30) * DAY {
            if world.pick(0..=1) == 0 {
                world.schedule(time, Fault::RequestRotation);
            }
            let replica = world.pick(0..=REPLICAS - 1);
            let hour = 3_600 * [1, -1][world.pick(0..=1_usize)];
            time += world.pick(0..=20 * MINUTE);
            world.schedule(time, Fault::SetClock(replica, hour));
            time += world.pick(MINUTE..=2 * DAY);
            world.schedule(time, Fault::SetClock(replica, -hour));
            time += world.pick(MINUTE..=10 * DAY);
        }
        world.run(DAYS * DAY)?;
        check_rotations(&world, DAYS)
    });
}

#[test]
fn a_cluster_that_was_suspended_until_all_certificates_expired_recovers() {
    in_worlds(20, |seed| {
        let mut world = World::new(FakeIssuer::default(), seed, REPLICAS, CONFIGURATIONS);
        world.run(DAY)?;
        world.suspend_until(200 * DAY);
        world.run(202 * DAY)?;
        let signing = world.keyring().signing(world.time());
        let signing = signing.ok_or("no CA signs")?;
        let trusted = world.trusts_everywhere(signing.fingerprint());
        trusted.then_some(()).ok_or("not trusted".to_owned())
    });
}

/// The seeds of the worlds in which a run finds a planted fault.
fn found_in(count: u64, run: impl Fn(u64) -> Result<(), String>) -> Vec<u64> {
    (0..count).filter(|seed| run(*seed).is_err()).collect()
}

#[test]
fn a_planted_fault_of_the_rotation_is_found_in_every_world() {
    for flaw in [Flaw::SignsUnpublished, Flaw::RemovesRetiring] {
        let found = found_in(4, |seed| {
            let mut world = World::new(FakeIssuer::default(), seed, REPLICAS, CONFIGURATIONS);
            world.plant(flaw);
            world.schedule(10 * DAY, Fault::RequestRotation);
            world.run(20 * DAY)
        });
        assert_eq!(found, [0, 1, 2, 3], "{flaw:?}");
    }
}

/// Some months of mounted files, after which every replica has to serve their last leaf.
fn run_files(seed: u64, flaw: Option<FilesFlaw>) -> Result<(), String> {
    const MONTHS: u64 = 120 * DAY;
    let mut world = FilesWorld::new(seed, REPLICAS, CONFIGURATIONS, flaw);
    world.schedule_faults(MONTHS);
    world.run(MONTHS)?;
    world.end_renewals();
    world.run(MONTHS + 5 * DAY)?;
    let settled = world.is_settled();
    settled
        .then_some(())
        .ok_or("the last leaf is not served".to_owned())
}

#[test]
fn every_mounted_leaf_is_accepted_in_months_of_renewals_and_failing_leaders() {
    in_worlds(3, |seed| run_files(seed, None));
}

#[test]
fn a_planted_fault_of_mounted_files_is_found_in_every_world() {
    for flaw in [
        FilesFlaw::ServesAtOnce,
        FilesFlaw::ReplacesTrust,
        FilesFlaw::NoExceptionAtStart,
    ] {
        let found = found_in(2, |seed| run_files(seed, Some(flaw)));
        assert_eq!(found, [0, 1], "{flaw:?}");
    }
}
