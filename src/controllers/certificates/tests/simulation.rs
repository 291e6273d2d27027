//! Two years of renewals and rotations, in which everybody hears of everything late and every leader dies of its steps: no
//! served leaf ever fails.
//!
//! Each world comes from a seed, which a failure prints; `SEED` runs that one alone, and `WORLDS` more of them.

use super::super::keyring::Lives;
use super::super::replica::Reason;
use super::craft::{Craft, Forger, Smith};
use super::world::{DAY, Fate, HOUR, MINUTE, World};

const YEARS: u64 = 2 * 365 * DAY;
/// At the end nothing happens any more, so that everybody has heard of everything.
const CALM: u64 = 30 * DAY;
const REPLICAS: usize = 3;
const CONFIGURATIONS: usize = 2;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs a test on many worlds, each from its seed.
fn in_worlds(count: u64, test: impl Fn(u64) -> Result<(), String>) {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WORLDS").unwrap_or(count),
    };
    for seed in seeds {
        if let Err(why) = test(seed) {
            panic!("SEED={seed}: {why}");
        }
    }
}

/// Lets things happen to a world: mostly one at a time, and half of the time in the middle of a rotation.
fn plan<C: Craft>(world: &mut World<C>, until: u64) {
    let mut time = DAY;
    loop {
        time += world.pick(HOUR..=20 * DAY);
        if time > until {
            return;
        }
        if world.pick(0..=1) == 0 {
            world.plan(time, Fate::Wish);
            time += world.pick(0..=20 * MINUTE);
        }
        let fate = fate(world);
        world.plan(time, fate);
    }
}

fn fate<C: Craft>(world: &mut World<C>) -> Fate {
    let replica = world.pick(0..=REPLICAS - 1);
    match world.pick(0..=9) {
        0 | 1 => Fate::EmptySecret,
        2 | 3 => Fate::Disarm(world.pick(0..=CONFIGURATIONS - 1)),
        4 | 5 => Fate::Kill(replica),
        // Longer than any rotation takes, and shorter than the old CA lives on.
        _ => Fate::Stall(replica, world.pick(HOUR..=28 * DAY)),
    }
}

/// What must be so after a long time: CAs came in their turn, nobody had to begin anew, and the one that signs is young.
fn judge<C: Craft>(world: &World<C>, days: u64) -> Result<(), String> {
    let written = |reason| u64::from(world.written(reason));
    let life = Lives::default().authority.as_secs() / DAY;
    let turns = days / (life * 2 / 3 + 1);
    let (due, asked) = (written(Reason::Due), written(Reason::Asked));
    if due + asked + 1 < turns || due > turns + 2 {
        return Err(format!(
            "{due} rotations in {turns} turns, and {asked} asked for"
        ));
    }
    // Where those that hold the CAs hear of the loss last, one that knows of none may begin anew; theirs come back beside it.
    if written(Reason::Filled) > 1 + u64::from(world.emptied()) {
        return Err(format!("filled {} times", written(Reason::Filled)));
    }
    let signing = world.keyring().signing(world.time()).ok_or("none signs")?;
    if !world.trusts_everywhere(signing.fingerprint()) {
        return Err("a configuration does not trust the CA that signs".to_owned());
    }
    let late = world.time() > signing.renewal() + std::time::Duration::from_hours(24);
    if late {
        return Err("the CA that signs is old".to_owned());
    }
    Ok(())
}

#[test]
fn no_served_leaf_fails_in_two_years_of_late_news_and_dying_leaders() {
    in_worlds(60, |seed| {
        let mut world = World::new(Forger::default(), seed, REPLICAS, CONFIGURATIONS);
        plan(&mut world, YEARS - CALM);
        world.run(YEARS)?;
        judge(&world, YEARS / DAY)
    });
}

#[test]
fn no_real_leaf_fails_in_a_season_of_late_news_and_dying_leaders() {
    in_worlds(2, |seed| {
        let mut world = World::new(Smith::default(), seed, 2, 1);
        world.plan(10 * DAY, Fate::Wish);
        world.plan(10 * DAY + 3 * MINUTE, Fate::Kill(0));
        world.plan(20 * DAY, Fate::EmptySecret);
        world.plan(55 * DAY, Fate::Stall(1, 20 * DAY));
        world.plan(70 * DAY, Fate::Wish);
        world.run(100 * DAY)?;
        judge(&world, 100)
    });
}

#[test]
fn a_cluster_that_slept_until_all_had_ended_heals_by_itself() {
    in_worlds(20, |seed| {
        let mut world = World::new(Forger::default(), seed, REPLICAS, CONFIGURATIONS);
        world.run(DAY)?;
        world.sleep_through(200 * DAY);
        world.run(202 * DAY)?;
        let signing = world.keyring().signing(world.time()).ok_or("none signs")?;
        let trusted = world.trusts_everywhere(signing.fingerprint());
        trusted.then_some(()).ok_or("not trusted".to_owned())
    });
}
