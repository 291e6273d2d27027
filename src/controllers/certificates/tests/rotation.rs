//! Single decisions of the rotation state machine.

use std::time::{Duration, Instant, SystemTime};

use super::issuers::{CA_NAME, FakeIssuer, Issuer as _};
use crate::controllers::certificates::keyring::{Ca, Keyring, Lifetimes, MAX_CAS};
use crate::controllers::certificates::rotation::{
    CaRotation, HOLDERS_FIRST, LEADER_FIRST, NotReady, Now, ServedLeaf, Task, WriteReason,
};
use crate::controllers::certificates::secret::SecretContent;
use crate::controllers::certificates::trust::ObservedTrust;
use crate::tls::trust::Bundle;

const LEADER: bool = true;
const FOLLOWER: bool = false;
const DAY: Duration = Duration::from_hours(24);

/// A replica with a clock and an issuer of CAs.
struct Fixture {
    rotation: CaRotation,
    issuer: FakeIssuer,
    created: u64,
    start: Now,
    now: Now,
}

impl Fixture {
    fn new() -> Self {
        let now = Now {
            wall: SystemTime::UNIX_EPOCH + 20_000 * DAY,
            monotonic: Instant::now(),
        };
        Self {
            rotation: CaRotation::new(CA_NAME, Lifetimes::default()),
            issuer: FakeIssuer::default(),
            created: 0,
            start: now,
            now,
        }
    }

    /// Sets the clocks to this long after the start.
    fn at(&mut self, time: Duration) -> &mut Self {
        self.now = Now {
            wall: self.start.wall + time,
            monotonic: self.start.monotonic + time,
        };
        self
    }

    /// A CA that expires a second after the one before.
    fn ca(&mut self, signs: bool) -> Ca {
        let end = self.now.wall + Lifetimes::default().ca + Duration::from_secs(self.created);
        self.created += 1;
        let (anchor, key) = self.issuer.create(end, self.now.wall);
        Ca::new(anchor, key, signs.then_some(self.now.wall))
    }

    fn observe_keyring(&mut self, cas: &[Ca]) -> Keyring {
        let keyring = keyring(cas);
        self.observe_secret(SecretContent::Keyring(keyring.clone()));
        keyring
    }

    fn observe_secret(&mut self, content: SecretContent) {
        self.rotation.observe_secret(content, None, self.now);
    }

    fn observe_trust(&mut self, bundles: &[&[&Ca]]) {
        let bundle = |cas: &&[&Ca]| Bundle::new(cas.iter().map(|ca| ca.anchor.clone()));
        let observed = ObservedTrust::new(bundles.iter().map(bundle));
        self.rotation.observe_trust(observed, self.now);
    }

    fn confirm(&mut self) {
        let stored = self.rotation.secret().clone();
        self.rotation.confirm(stored, None, self.now);
    }

    fn task(&self, is_leader: bool) -> Task {
        self.rotation.task(is_leader, self.now)
    }
}

fn keyring(cas: &[Ca]) -> Keyring {
    Keyring::new(cas.iter().cloned(), None, serde_json::Map::new())
}

fn reason(task: &Task) -> Option<WriteReason> {
    match task {
        Task::Create(new) => Some(new.reason),
        Task::Write(_, reason) => Some(*reason),
        Task::Confirm | Task::Wait(_) => None,
    }
}

#[test]
fn an_empty_secret_of_a_fresh_release_is_initialized_by_any_replica_with_a_ca_that_signs_at_once() {
    let mut fixture = Fixture::new();
    assert_eq!(
        fixture.task(FOLLOWER),
        Task::Wait(None),
        "nothing was observed"
    );
    fixture.observe_secret(SecretContent::Empty);
    assert_eq!(
        fixture.task(FOLLOWER),
        Task::Wait(None),
        "the clients are unknown"
    );
    fixture.observe_trust(&[&[], &[]]);
    let Task::Create(new) = fixture.task(FOLLOWER) else {
        panic!("{:?}", fixture.task(FOLLOWER));
    };
    assert_eq!((new.signs, new.reason), (true, WriteReason::Initial));
    assert_eq!(fixture.task(LEADER), Task::Confirm);
    fixture.confirm();
    assert_eq!(reason(&fixture.task(LEADER)), Some(WriteReason::Initial));
}

#[test]
fn a_secret_that_lost_a_trusted_ca_is_left_to_its_holders_first_and_a_new_ca_does_not_sign() {
    let mut fixture = Fixture::new();
    let lost = fixture.ca(true);
    for stored in [
        SecretContent::Empty,
        SecretContent::Invalid("broken".to_owned()),
    ] {
        let mut fixture = Fixture::new();
        fixture.observe_secret(stored);
        fixture.observe_trust(&[&[&lost], &[]]);
        assert_eq!(fixture.task(FOLLOWER), Task::Wait(Some(HOLDERS_FIRST)));
        let Task::Create(new) = fixture.at(HOLDERS_FIRST).task(FOLLOWER) else {
            panic!("{:?}", fixture.task(FOLLOWER));
        };
        assert_eq!((new.signs, new.reason), (false, WriteReason::Initial));
    }
}

#[test]
fn an_invalid_secret_is_not_replaced_at_once_even_if_no_client_trusts_a_ca() {
    let mut fixture = Fixture::new();
    fixture.observe_secret(SecretContent::Invalid("broken".to_owned()));
    fixture.observe_trust(&[&[]]);
    assert_eq!(fixture.task(FOLLOWER), Task::Wait(Some(HOLDERS_FIRST)));
}

#[test]
fn a_missing_secret_or_one_of_a_later_version_is_never_written() {
    for stored in [
        SecretContent::Missing,
        SecretContent::NewerVersion(2),
        SecretContent::Unread,
    ] {
        for held in [false, true] {
            let mut fixture = Fixture::new();
            let ca = fixture.ca(true);
            if held {
                fixture.observe_keyring(std::slice::from_ref(&ca));
            }
            fixture.observe_secret(stored.clone());
            fixture.observe_trust(&[&[]]);
            fixture.confirm();
            fixture.at(DAY);
            assert_eq!(fixture.task(LEADER), Task::Wait(None), "{stored:?}");
            assert_eq!(fixture.task(FOLLOWER), Task::Wait(None), "{stored:?}");
        }
    }
}

#[test]
fn lost_cas_are_restored_by_the_leader_at_once_and_by_followers_after_a_delay() {
    let mut fixture = Fixture::new();
    let (old, new) = (fixture.ca(true), fixture.ca(true));
    let whole = fixture.observe_keyring(&[old.clone(), new]);
    fixture.confirm();
    let lost = [
        SecretContent::Empty,
        SecretContent::Invalid("broken".to_owned()),
        SecretContent::Keyring(keyring(&[old])),
    ];
    for stored in lost {
        let mut fixture = Fixture {
            rotation: fixture.rotation.clone(),
            issuer: FakeIssuer::default(),
            ..fixture
        };
        fixture.observe_secret(stored);
        let back = Task::Write(whole.clone(), WriteReason::Restored);
        assert_eq!(fixture.task(LEADER), back);
        assert_eq!(fixture.task(FOLLOWER), Task::Wait(Some(LEADER_FIRST)));
        assert_eq!(fixture.at(LEADER_FIRST).task(FOLLOWER), back);
        let later = fixture.start.wall + Lifetimes::default().ca + DAY;
        fixture.now.wall = later;
        assert_ne!(fixture.task(LEADER), back, "all have expired");
    }
}

#[test]
fn a_new_ca_signs_five_minutes_after_all_clients_trust_it_and_not_if_one_ceases_to() {
    let mut fixture = Fixture::new();
    let (old, new) = (fixture.ca(true), fixture.ca(false));
    let whole = fixture.observe_keyring(&[old.clone(), new.clone()]);
    fixture.confirm();
    assert_eq!(
        fixture.task(LEADER),
        Task::Wait(None),
        "the clients are unknown"
    );
    fixture.observe_trust(&[&[&old, &new], &[&old]]);
    assert_eq!(
        fixture.task(LEADER),
        Task::Wait(None),
        "one does not trust it"
    );
    fixture.observe_trust(&[&[&old, &new], &[&new]]);
    let wait = Duration::from_mins(5);
    assert_eq!(fixture.task(LEADER), Task::Wait(Some(wait)));
    assert_eq!(fixture.at(wait).task(FOLLOWER), Task::Wait(None));
    let signs = Task::Write(
        whole.with_signing(new.fingerprint(), fixture.now.wall),
        WriteReason::Activated,
    );
    assert_eq!(fixture.task(LEADER), signs);
    fixture.observe_trust(&[&[&old, &new], &[]]);
    fixture.observe_trust(&[&[&old, &new], &[&new]]);
    assert_eq!(
        fixture.task(LEADER),
        Task::Wait(Some(wait)),
        "it start to trust it again"
    );
    fixture.observe_trust(&[]);
    assert_eq!(fixture.task(LEADER), Task::Wait(None), "there is no client");
}

#[test]
fn a_new_ca_signs_at_once_if_no_replica_can_serve_by_another() {
    let mut fixture = Fixture::new();
    let ca = fixture.ca(false);
    fixture.observe_keyring(std::slice::from_ref(&ca));
    fixture.confirm();
    fixture.observe_trust(&[&[&ca], &[]]);
    assert_eq!(reason(&fixture.task(LEADER)), Some(WriteReason::Activated));
    let other = fixture.ca(true);
    fixture.observe_trust(&[&[&ca], &[&other]]);
    assert_eq!(fixture.task(LEADER), Task::Wait(None));
}

#[test]
fn the_leader_creates_a_ca_after_two_thirds_of_the_last_ones_lifetime() {
    let mut fixture = Fixture::new();
    let ca = fixture.ca(true);
    fixture.observe_keyring(std::slice::from_ref(&ca));
    fixture.confirm();
    fixture.observe_trust(&[&[&ca]]);
    assert_eq!(fixture.task(LEADER), Task::Wait(Some(60 * DAY)));
    let Task::Create(new) = fixture.at(60 * DAY).task(LEADER) else {
        panic!("{:?}", fixture.task(LEADER));
    };
    assert_eq!((new.signs, new.reason), (false, WriteReason::Scheduled));
    assert_eq!(new.not_after, fixture.now.wall + 90 * DAY);
    assert_eq!(new.beside.cas(), [ca]);
    assert_eq!(fixture.task(FOLLOWER), Task::Wait(None));
}

#[test]
fn a_rotation_request_is_fulfilled_once_and_never_takes_the_last_place() {
    let mut fixture = Fixture::new();
    let cas: Vec<_> = (0..3).map(|_| fixture.ca(true)).collect();
    let request = Some("request".to_owned());
    let open = |fixture: &mut Fixture, cas: &[Ca], rotated: Option<String>| {
        let stored = Keyring::new(cas.iter().cloned(), rotated, serde_json::Map::new());
        fixture.rotation = CaRotation::new(CA_NAME, Lifetimes::default());
        let stored = SecretContent::Keyring(stored);
        fixture
            .rotation
            .confirm(stored, request.clone(), fixture.now);
        fixture.task(LEADER)
    };
    let Task::Create(new) = open(&mut fixture, &cas[..2], Some("before".to_owned())) else {
        panic!("no CA is created");
    };
    assert_eq!((new.signs, new.reason), (false, WriteReason::Requested));
    assert_eq!(new.request, request);
    assert!(!fixture.rotation.delays_request());
    assert_eq!(
        reason(&open(&mut fixture, &cas[..2], request.clone())),
        None
    );
    assert_eq!(reason(&open(&mut fixture, &cas, None)), None, "no room");
    assert!(fixture.rotation.delays_request());
    fixture.now.wall += 91 * DAY;
    assert_eq!(
        reason(&fixture.task(LEADER)),
        Some(WriteReason::Scheduled),
        "all have expired"
    );
}

#[test]
fn a_leaf_is_issued_first_when_it_is_due_and_when_another_ca_signs() {
    let mut fixture = Fixture::new();
    let (old, pending) = (fixture.ca(true), fixture.ca(false));
    let whole = fixture.observe_keyring(&[old.clone(), pending.clone()]);
    let issue = |fixture: &mut Fixture| {
        let ca = fixture.rotation.issuer(fixture.now.wall).cloned()?;
        let (_, validity) = fixture
            .issuer
            .issue(&ca, Lifetimes::default().leaf, fixture.now.wall);
        let issuer = ca.fingerprint();
        fixture
            .rotation
            .record_served(ServedLeaf { issuer, validity });
        Some(issuer)
    };
    assert_eq!(
        fixture.rotation.ready(fixture.now.wall),
        Err(NotReady::NoLeaf),
        "nothing is served"
    );
    assert_eq!(issue(&mut fixture), Some(old.fingerprint()));
    assert_eq!(fixture.rotation.ready(fixture.now.wall), Ok(()));
    assert_eq!(issue(&mut fixture), None);
    fixture.at(Duration::from_hours(16));
    assert_eq!(issue(&mut fixture), Some(old.fingerprint()));
    let signing = whole.with_signing(pending.fingerprint(), fixture.now.wall);
    fixture.observe_secret(SecretContent::Keyring(signing));
    assert_eq!(issue(&mut fixture), Some(pending.fingerprint()));

    for stored in [
        SecretContent::Empty,
        SecretContent::Missing,
        SecretContent::NewerVersion(2),
    ] {
        fixture.observe_secret(stored);
        assert_eq!(
            fixture.rotation.ready(fixture.now.wall),
            Ok(()),
            "the CA is known"
        );
    }
    fixture.at(Duration::from_hours(16 + 25));
    let late = fixture.rotation.ready(fixture.now.wall);
    assert_eq!(late, Err(NotReady::Invalid));
    fixture.at(91 * DAY);
    let late = fixture.rotation.ready(fixture.now.wall);
    assert_eq!(late, Err(NotReady::Untrusted));
}

#[test]
fn the_desired_trust_may_be_written_only_by_a_leader_that_has_read_the_secret() {
    let mut fixture = Fixture::new();
    let wall = fixture.now.wall;
    assert_eq!(fixture.rotation.desired_trust(LEADER, wall), None);
    let ca = fixture.ca(true);
    fixture.observe_keyring(std::slice::from_ref(&ca));
    let may_be_written = |fixture: &Fixture, is_leader| {
        fixture
            .rotation
            .desired_trust(is_leader, wall)
            .unwrap()
            .may_be_written()
    };
    assert!(
        !may_be_written(&fixture, LEADER),
        "it has not read the Secret"
    );
    fixture.confirm();
    assert!(may_be_written(&fixture, LEADER));
    assert!(!may_be_written(&fixture, FOLLOWER));
    fixture.rotation.observe_no_leadership();
    assert!(
        !may_be_written(&fixture, LEADER),
        "it has to read the Secret again"
    );
    assert_eq!(fixture.task(LEADER), Task::Confirm);
}

#[test]
fn the_desired_trust_retains_cas_of_the_same_name_and_is_stable() {
    let mut fixture = Fixture::new();
    let (own, theirs) = (fixture.ca(true), fixture.ca(true));
    let mut foreign = fixture.ca(true);
    foreign.anchor.common_name = "another CA".into();
    fixture.observe_keyring(std::slice::from_ref(&own));
    let desired = fixture
        .rotation
        .desired_trust(LEADER, fixture.now.wall)
        .unwrap();
    let bundle = |cas: &[&Ca]| Bundle::new(cas.iter().map(|ca| ca.anchor.clone()));
    let current = bundle(&[&foreign, &theirs]);
    let written = desired.merged_into(&current, fixture.now.wall);
    assert_eq!(written, bundle(&[&own, &theirs]));
    assert_eq!(desired.merged_into(&written, fixture.now.wall), written);
    let many: Vec<_> = (0..9).map(|_| fixture.ca(true)).collect();
    let many = bundle(&many.iter().collect::<Vec<_>>());
    assert_eq!(
        desired.merged_into(&many, fixture.now.wall).anchors().len(),
        MAX_CAS
    );
}
