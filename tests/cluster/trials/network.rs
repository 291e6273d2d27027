//! A network between the API server and the replicas that is slow, loses packets, or passes on nothing.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::Result;

use crate::{
    creates::{Creates, Which},
    proxy::Quality,
    trial::{Trial, alone},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![alone(
        "the_network_of_replicas_is_disturbed",
        the_network_of_replicas_is_disturbed,
    )]
}

/// Between two continents; the round trip takes twice as long.
const DELAY: Duration = Duration::from_millis(75);

/// One chunk of so many is lost: 10 %.
const LOST_OF: u64 = 10;

/// How long a replica and the API server do not reach each other.
const CUT: Duration = Duration::from_secs(10);

/// Pods that a trial stores at least, of three clients.
const AT_LEAST: u32 = 150;

fn the_network_of_replicas_is_disturbed(world: &World) -> Result<()> {
    let mut creates = Creates::start_linked(world, Which::Follower)?;
    let slow = Quality {
        delay: DELAY,
        lost_of: 0,
    };
    let lossy = Quality {
        lost_of: LOST_OF,
        ..slow
    };
    for (name, quality) in [
        ("150 ms round trip to every replica", slow),
        ("the same, and 10 % of packets lost", lossy),
    ] {
        let observed = creates.fault(name, |creates| {
            creates.links.iter().for_each(|link| link.set(quality));
            creates.change_policy()?;
            creates.store(15)?;
            creates
                .links
                .iter()
                .for_each(|link| link.set(Quality::default()));
            Ok(())
        })?;
        assert_eq!(observed.failed, BTreeMap::new(), "{name}");
    }

    // The endpoint stays, as a kubelet on the same machine still reaches the replica.
    creates.fault("one replica cut off for 10 s", |creates| {
        creates.first_link()?.cut();
        creates.change_policy()?;
        thread::sleep(CUT);
        creates.first_link()?.resume();
        Ok(())
    })?;
    creates.end(AT_LEAST, true)
}
