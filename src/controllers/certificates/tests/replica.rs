//! Single decisions of a replica.

use std::time::{Duration, Instant, SystemTime};

use super::super::keyring::{Ca, Keyring, Lives, MOST};
use super::super::published::ReadBack;
use super::super::replica::{
    HOLDERS_FIRST, LEADER_FIRST, NotReady, Now, Reason, Replica, Served, Task,
};
use super::super::stored::Stored;
use super::craft::{Craft as _, Forger};
use crate::tls::trust::Bundle;

const LEADS: bool = true;
const FOLLOWS: bool = false;
const DAY: Duration = Duration::from_hours(24);

/// A replica with a clock and a source of CAs.
struct Scene {
    replica: Replica,
    forger: Forger,
    made: u64,
    began: Now,
    now: Now,
}

impl Scene {
    fn new() -> Self {
        let now = Now {
            wall: SystemTime::UNIX_EPOCH + 20_000 * DAY,
            steady: Instant::now(),
        };
        Self {
            replica: Replica::new(Lives::default()),
            forger: Forger::default(),
            made: 0,
            began: now,
            now,
        }
    }

    /// So long after the beginning.
    fn at(&mut self, time: Duration) -> &mut Self {
        self.now = Now {
            wall: self.began.wall + time,
            steady: self.began.steady + time,
        };
        self
    }

    /// A CA that ends a second after the one before.
    fn ca(&mut self, signs: bool) -> Ca {
        let end = self.now.wall + Lives::default().authority + Duration::from_secs(self.made);
        self.made += 1;
        let (anchor, key) = self.forger.mint(end, self.now.wall);
        Ca::new(anchor, key, signs.then_some(self.now.wall))
    }

    fn holds(&mut self, cas: &[Ca]) -> Keyring {
        let keyring = keyring(cas);
        self.stored(Stored::Keyring(keyring.clone()));
        keyring
    }

    fn stored(&mut self, stored: Stored) {
        self.replica.see_secret(stored, None, self.now);
    }

    fn trust(&mut self, bundles: &[&[&Ca]]) {
        let bundle = |cas: &&[&Ca]| Bundle::new(cas.iter().map(|ca| ca.anchor.clone()));
        let read_back = ReadBack::new(bundles.iter().map(bundle));
        self.replica.see_configurations(read_back, self.now);
    }

    fn confirmed(&mut self) {
        let stored = self.replica.stored().clone();
        self.replica.confirm(stored, None, self.now);
    }

    fn task(&self, leads: bool) -> Task {
        self.replica.task(leads, self.now)
    }
}

fn keyring(cas: &[Ca]) -> Keyring {
    Keyring::new(cas.iter().cloned(), None, serde_json::Map::new())
}

fn reason(task: &Task) -> Option<Reason> {
    match task {
        Task::Mint(mint) => Some(mint.reason),
        Task::Write(_, reason) => Some(*reason),
        Task::Confirm | Task::Wait(_) => None,
    }
}

#[test]
fn an_empty_secret_of_a_fresh_release_is_filled_by_anybody_with_a_ca_that_signs_at_once() {
    let mut scene = Scene::new();
    assert_eq!(scene.task(FOLLOWS), Task::Wait(None), "nothing was seen");
    scene.stored(Stored::Empty);
    assert_eq!(scene.task(FOLLOWS), Task::Wait(None), "who trusts what?");
    scene.trust(&[&[], &[]]);
    let Task::Mint(mint) = scene.task(FOLLOWS) else {
        panic!("{:?}", scene.task(FOLLOWS));
    };
    assert_eq!((mint.signs, mint.reason), (true, Reason::Filled));
    assert_eq!(scene.task(LEADS), Task::Confirm);
    scene.confirmed();
    assert_eq!(reason(&scene.task(LEADS)), Some(Reason::Filled));
}

#[test]
fn where_a_ca_is_trusted_those_that_may_hold_it_come_first_and_a_new_one_does_not_sign() {
    let mut scene = Scene::new();
    let lost = scene.ca(true);
    for stored in [Stored::Empty, Stored::Damaged("broken".to_owned())] {
        let mut scene = Scene::new();
        scene.stored(stored);
        scene.trust(&[&[&lost], &[]]);
        assert_eq!(scene.task(FOLLOWS), Task::Wait(Some(HOLDERS_FIRST)));
        let Task::Mint(mint) = scene.at(HOLDERS_FIRST).task(FOLLOWS) else {
            panic!("{:?}", scene.task(FOLLOWS));
        };
        assert_eq!((mint.signs, mint.reason), (false, Reason::Filled));
    }
}

#[test]
fn a_damaged_secret_is_not_replaced_at_once_even_if_nobody_seems_to_need_it() {
    let mut scene = Scene::new();
    scene.stored(Stored::Damaged("broken".to_owned()));
    scene.trust(&[&[]]);
    assert_eq!(scene.task(FOLLOWS), Task::Wait(Some(HOLDERS_FIRST)));
}

#[test]
fn what_another_release_wrote_or_nobody_installed_is_let_be() {
    for stored in [Stored::Missing, Stored::Newer(2), Stored::Unknown] {
        for held in [false, true] {
            let mut scene = Scene::new();
            let ca = scene.ca(true);
            if held {
                scene.holds(std::slice::from_ref(&ca));
            }
            scene.stored(stored.clone());
            scene.trust(&[&[]]);
            scene.confirmed();
            scene.at(DAY);
            assert_eq!(scene.task(LEADS), Task::Wait(None), "{stored:?}");
            assert_eq!(scene.task(FOLLOWS), Task::Wait(None), "{stored:?}");
        }
    }
}

#[test]
fn what_the_secret_has_lost_is_put_back_by_the_leader_at_once_and_by_others_soon() {
    let mut scene = Scene::new();
    let (old, new) = (scene.ca(true), scene.ca(true));
    let whole = scene.holds(&[old.clone(), new]);
    scene.confirmed();
    let lost = [
        Stored::Empty,
        Stored::Damaged("broken".to_owned()),
        Stored::Keyring(keyring(&[old])),
    ];
    for stored in lost {
        let mut scene = Scene {
            replica: scene.replica.clone(),
            forger: Forger::default(),
            ..scene
        };
        scene.stored(stored);
        let back = Task::Write(whole.clone(), Reason::PutBack);
        assert_eq!(scene.task(LEADS), back);
        assert_eq!(scene.task(FOLLOWS), Task::Wait(Some(LEADER_FIRST)));
        assert_eq!(scene.at(LEADER_FIRST).task(FOLLOWS), back);
        let later = scene.began.wall + Lives::default().authority + DAY;
        scene.now.wall = later;
        assert_ne!(scene.task(LEADS), back, "all have ended");
    }
}

#[test]
fn a_new_ca_signs_five_minutes_after_all_trust_it_and_not_if_one_ceases_to() {
    let mut scene = Scene::new();
    let (old, new) = (scene.ca(true), scene.ca(false));
    let whole = scene.holds(&[old.clone(), new.clone()]);
    scene.confirmed();
    assert_eq!(scene.task(LEADS), Task::Wait(None), "nobody was asked");
    scene.trust(&[&[&old, &new], &[&old]]);
    assert_eq!(scene.task(LEADS), Task::Wait(None), "one does not trust it");
    scene.trust(&[&[&old, &new], &[&new]]);
    let wait = Duration::from_mins(5);
    assert_eq!(scene.task(LEADS), Task::Wait(Some(wait)));
    assert_eq!(scene.at(wait).task(FOLLOWS), Task::Wait(None));
    let signs = Task::Write(
        whole.signing_with(new.fingerprint(), scene.now.wall),
        Reason::Signs,
    );
    assert_eq!(scene.task(LEADS), signs);
    scene.trust(&[&[&old, &new], &[]]);
    scene.trust(&[&[&old, &new], &[&new]]);
    assert_eq!(
        scene.task(LEADS),
        Task::Wait(Some(wait)),
        "it began to trust it again"
    );
    scene.trust(&[]);
    assert_eq!(scene.task(LEADS), Task::Wait(None), "nobody says so");
}

#[test]
fn a_new_ca_signs_at_once_where_nobody_can_serve_by_another() {
    let mut scene = Scene::new();
    let ca = scene.ca(false);
    scene.holds(std::slice::from_ref(&ca));
    scene.confirmed();
    scene.trust(&[&[&ca], &[]]);
    assert_eq!(reason(&scene.task(LEADS)), Some(Reason::Signs));
    let other = scene.ca(true);
    scene.trust(&[&[&ca], &[&other]]);
    assert_eq!(scene.task(LEADS), Task::Wait(None));
}

#[test]
fn the_leader_makes_a_ca_after_two_thirds_of_the_last_ones_life() {
    let mut scene = Scene::new();
    let ca = scene.ca(true);
    scene.holds(std::slice::from_ref(&ca));
    scene.confirmed();
    scene.trust(&[&[&ca]]);
    assert_eq!(scene.task(LEADS), Task::Wait(Some(60 * DAY)));
    let Task::Mint(mint) = scene.at(60 * DAY).task(LEADS) else {
        panic!("{:?}", scene.task(LEADS));
    };
    assert_eq!((mint.signs, mint.reason), (false, Reason::Due));
    assert_eq!(mint.end, scene.now.wall + 90 * DAY);
    assert_eq!(mint.beside.cas(), [ca]);
    assert_eq!(scene.task(FOLLOWS), Task::Wait(None));
}

#[test]
fn a_wish_is_fulfilled_once_and_never_takes_the_last_place() {
    let mut scene = Scene::new();
    let cas: Vec<_> = (0..3).map(|_| scene.ca(true)).collect();
    let wish = Some("please".to_owned());
    let ask = |scene: &mut Scene, cas: &[Ca], rotated: Option<String>| {
        let stored = Keyring::new(cas.iter().cloned(), rotated, serde_json::Map::new());
        scene.replica = Replica::new(Lives::default());
        let stored = Stored::Keyring(stored);
        scene.replica.confirm(stored, wish.clone(), scene.now);
        scene.task(LEADS)
    };
    let Task::Mint(mint) = ask(&mut scene, &cas[..2], Some("before".to_owned())) else {
        panic!("no CA is made");
    };
    assert_eq!((mint.signs, mint.reason), (false, Reason::Asked));
    assert_eq!(mint.wish, wish);
    assert!(!scene.replica.postpones());
    assert_eq!(reason(&ask(&mut scene, &cas[..2], wish.clone())), None);
    assert_eq!(reason(&ask(&mut scene, &cas, None)), None, "no room");
    assert!(scene.replica.postpones());
    scene.now.wall += 91 * DAY;
    assert_eq!(
        reason(&scene.task(LEADS)),
        Some(Reason::Due),
        "all have ended"
    );
}

#[test]
fn a_leaf_is_issued_at_first_when_it_is_old_and_when_another_ca_signs() {
    let mut scene = Scene::new();
    let (old, pending) = (scene.ca(true), scene.ca(false));
    let whole = scene.holds(&[old.clone(), pending.clone()]);
    let issue = |scene: &mut Scene| {
        let ca = scene.replica.issuer(scene.now.wall).cloned()?;
        let (_, life) = scene
            .forger
            .issue(&ca, Lives::default().leaf, scene.now.wall);
        let issuer = ca.fingerprint();
        scene.replica.see_served(Served { issuer, life });
        Some(issuer)
    };
    assert_eq!(
        scene.replica.ready(scene.now.wall),
        Err(NotReady::NoLeaf),
        "nothing is served"
    );
    assert_eq!(issue(&mut scene), Some(old.fingerprint()));
    assert_eq!(scene.replica.ready(scene.now.wall), Ok(()));
    assert_eq!(issue(&mut scene), None);
    scene.at(Duration::from_hours(16));
    assert_eq!(issue(&mut scene), Some(old.fingerprint()));
    let signing = whole.signing_with(pending.fingerprint(), scene.now.wall);
    scene.stored(Stored::Keyring(signing));
    assert_eq!(issue(&mut scene), Some(pending.fingerprint()));

    for stored in [Stored::Empty, Stored::Missing, Stored::Newer(2)] {
        scene.stored(stored);
        assert_eq!(
            scene.replica.ready(scene.now.wall),
            Ok(()),
            "the CA is held"
        );
    }
    scene.at(Duration::from_hours(16 + 25));
    let late = scene.replica.ready(scene.now.wall);
    assert_eq!(late, Err(NotReady::Invalid));
    scene.at(91 * DAY);
    let late = scene.replica.ready(scene.now.wall);
    assert_eq!(late, Err(NotReady::Untrusted));
}

#[test]
fn only_a_leader_that_has_asked_says_for_sure_what_is_to_be_trusted() {
    let mut scene = Scene::new();
    let wall = scene.now.wall;
    assert_eq!(scene.replica.target(LEADS, wall), None);
    let ca = scene.ca(true);
    scene.holds(std::slice::from_ref(&ca));
    let is_sure = |scene: &Scene, leads| scene.replica.target(leads, wall).unwrap().is_sure();
    assert!(!is_sure(&scene, LEADS), "it has not asked");
    scene.confirmed();
    assert!(is_sure(&scene, LEADS));
    assert!(!is_sure(&scene, FOLLOWS));
    scene.replica.see_no_leadership();
    assert!(!is_sure(&scene, LEADS), "it has to ask again");
    assert_eq!(scene.task(LEADS), Task::Confirm);
}

#[test]
fn a_target_keeps_our_cas_that_stand_and_says_the_same_again() {
    let mut scene = Scene::new();
    let (own, theirs) = (scene.ca(true), scene.ca(true));
    let mut foreign = scene.ca(true);
    foreign.anchor.ours = false;
    scene.holds(std::slice::from_ref(&own));
    let target = scene.replica.target(LEADS, scene.now.wall).unwrap();
    let bundle = |cas: &[&Ca]| Bundle::new(cas.iter().map(|ca| ca.anchor.clone()));
    let standing = bundle(&[&foreign, &theirs]);
    let written = target.over(&standing, scene.now.wall);
    assert_eq!(written, bundle(&[&own, &theirs]));
    assert_eq!(target.over(&written, scene.now.wall), written);
    let many: Vec<_> = (0..9).map(|_| scene.ca(true)).collect();
    let many = bundle(&many.iter().collect::<Vec<_>>());
    assert_eq!(target.over(&many, scene.now.wall).anchors().len(), MOST);
}
