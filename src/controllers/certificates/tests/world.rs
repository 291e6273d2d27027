//! Discrete-event simulation: virtual time advances to the next event.
//!
//! The world is a Secret and the configurations of clients, replicas that observe both late and whose clocks differ, a leader
//! that dies after its writes, and API servers that lag behind.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime};

use super::issuers::{CA_NAME, Issuer};
use crate::controllers::certificates::keyring::{Keyring, Lifetimes, MAX_CAS};
use crate::controllers::certificates::rotation::{CaRotation, Now, WriteReason};
use crate::controllers::certificates::secret::SecretContent;
use crate::tls::trust::{Bundle, Fingerprint};

mod faults;
mod invariant;
mod replicas;
mod watches;

pub(super) use faults::{Fault, Flaw};

pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

/// The longest delay of a watch, in seconds.
pub(super) const MAX_WATCH_DELAY: u64 = 10 * MINUTE;
/// How far an API server may lag behind, in seconds.
pub(super) const MAX_STALENESS: u64 = 60;
/// How far a clock may be from the true time, in seconds.
pub(super) const MAX_SKEW: u64 = 30 * MINUTE;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A replica, in this run of its process, observes a version of the Secret.
    Secret(usize, u32, usize),
    /// A replica, in this run of its process, observes a version of a configuration.
    Configuration(usize, u32, usize, usize),
    Wake(usize, u32),
    Start(usize),
    Elect,
    Fault(Fault),
}

/// All versions of an object, with the time at which each was stored. The index is the version.
pub(super) struct Object<T>(pub(super) Vec<(u64, T)>);

struct Replica<L> {
    skew: i64,
    /// How often its process was started or killed.
    run: u32,
    running: Option<Running<L>>,
    stalled_until: u64,
    alarm: u64,
}

struct Running<L> {
    rotation: CaRotation,
    leaf: Option<L>,
    secret: Option<usize>,
    configurations: Vec<Option<usize>>,
}

#[derive(Clone)]
struct Secret {
    content: SecretContent,
    request: Option<String>,
}

pub(super) struct World<I: Issuer> {
    issuer: I,
    random: fastrand::Rng,
    lifetimes: Lifetimes,
    now: u64,
    number: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    secret: Object<Secret>,
    /// The bundle of each configuration; `None` while it calls no webhook.
    configurations: Vec<Object<Option<Bundle>>>,
    replicas: Vec<Replica<I::Leaf>>,
    leader: Option<usize>,
    /// A replica that still believes until this second that it leads.
    former: Option<(usize, u64)>,
    flaw: Option<Flaw>,
    api_server_skew: i64,
    epoch: (SystemTime, Instant),
    writes: BTreeMap<&'static str, u32>,
    requests: u32,
    emptied: u32,
    /// Whether a leader dies after each write, or after most of them.
    deadly: bool,
    /// Since when calls must succeed.
    checked_from: u64,
}

impl<T> Object<T> {
    fn times(&self) -> Vec<u64> {
        self.0.iter().map(|(time, _)| *time).collect()
    }

    pub(super) fn last(&self) -> &T {
        &self.0.last().unwrap().1
    }

    /// The versions that a reader may see whose cache is of `from` or later.
    pub(super) fn since(&self, from: u64) -> impl Iterator<Item = &T> {
        let first = self.0.iter().rposition(|(time, _)| *time <= from);
        self.0[first.unwrap_or(0)..].iter().map(|(_, state)| state)
    }
}

impl<I: Issuer> World<I> {
    /// A fresh installation, whose replicas are about to start.
    pub(super) fn new(issuer: I, seed: u64, replicas: usize, configurations: usize) -> Self {
        let secret = Secret {
            content: SecretContent::Empty,
            request: None,
        };
        let mut world = Self {
            issuer,
            random: fastrand::Rng::with_seed(seed),
            lifetimes: Lifetimes::default(),
            now: 0,
            number: 0,
            events: BinaryHeap::new(),
            secret: Object(vec![(0, secret)]),
            configurations: (0..configurations)
                .map(|_| Object(vec![(0, None)]))
                .collect(),
            replicas: Vec::new(),
            leader: None,
            former: None,
            flaw: None,
            api_server_skew: 0,
            epoch: (
                SystemTime::UNIX_EPOCH + Duration::from_hours(500_000),
                Instant::now(),
            ),
            writes: BTreeMap::new(),
            requests: 0,
            emptied: 0,
            deadly: seed.is_multiple_of(2),
            checked_from: 0,
        };
        world.api_server_skew = world.random_skew();
        for index in 0..replicas {
            let skew = world.random_skew();
            world.replicas.push(Replica {
                skew,
                run: 0,
                running: None,
                stalled_until: 0,
                alarm: u64::MAX,
            });
            let start = world.random.u64(0..MINUTE);
            world.at(start, Event::Start(index));
        }
        world.at(0, Event::Elect);
        world
    }

    /// Plants a fault into every replica.
    pub(super) fn plant(&mut self, flaw: Flaw) {
        self.flaw = Some(flaw);
    }

    /// Schedules a fault, in seconds after the installation.
    pub(super) fn schedule(&mut self, time: u64, fault: Fault) {
        self.at(time, Event::Fault(fault));
    }

    /// A random number of a range.
    pub(super) fn pick<N: TryInto<u64> + TryFrom<u64>>(&mut self, range: RangeInclusive<N>) -> N {
        let (first, last) = range.into_inner();
        let [first, last] = [first, last].map(|number| number.try_into().ok().unwrap());
        N::try_from(self.random.u64(first..=last)).ok().unwrap()
    }

    /// How often the Secret was written for this reason.
    pub(super) fn writes(&self, reason: WriteReason) -> u32 {
        *self.writes.get(reason.as_str()).unwrap_or(&0)
    }

    /// How often the Secret was emptied.
    pub(super) fn emptied(&self) -> u32 {
        self.emptied
    }

    /// Whether all configurations call the webhook and trust this CA.
    pub(super) fn trusts_everywhere(&self, fingerprint: Fingerprint) -> bool {
        let mut bundles = self.configurations.iter().map(Object::last);
        bundles.all(|bundle| {
            bundle
                .as_ref()
                .is_some_and(|bundle| bundle.contains(fingerprint))
        })
    }

    /// The CAs in the Secret.
    pub(super) fn keyring(&self) -> &Keyring {
        self.secret.last().content.keyring().unwrap()
    }

    /// The true time.
    pub(super) fn time(&self) -> SystemTime {
        self.wall(0)
    }

    /// Runs the world up to this second. An error describes the call that failed.
    pub(super) fn run(&mut self, until: u64) -> Result<(), String> {
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            if time > until {
                self.at(time, event);
                break;
            }
            self.now = time;
            // The passing of time alone must not break the invariant.
            self.check("before", event)?;
            self.process(event);
            self.check("after", event)?;
        }
        self.now = until;
        Ok(())
    }

    /// Suspends all machines, and restarts all replicas at this second. They have an hour to recover: no call can succeed until
    /// all clients trust a new CA.
    pub(super) fn suspend_until(&mut self, until: u64) {
        self.events.clear();
        self.leader = None;
        self.now = until;
        self.checked_from = until + HOUR;
        for index in 0..self.replicas.len() {
            self.replicas[index].running = None;
            self.soon(0..=MINUTE, Event::Start(index));
        }
        self.soon(0..=MINUTE, Event::Elect);
    }

    // --- events

    fn process(&mut self, event: Event) {
        match event {
            Event::Start(index) => self.start(index),
            Event::Elect => self.elect(),
            Event::Fault(fault) => self.inject(fault),
            Event::Secret(index, run, _) | Event::Configuration(index, run, ..)
                if self.replicas[index].run == run
                    && self.replicas[index].stalled_until > self.now =>
            {
                self.at(self.replicas[index].stalled_until, event);
            }
            Event::Secret(index, run, version) => self.receive_secret(index, run, version),
            Event::Configuration(index, run, which, version) => {
                self.receive_configuration(index, run, which, version);
            }
            Event::Wake(index, run) => {
                if self.replicas[index].run == run && self.replicas[index].alarm <= self.now {
                    self.act(index);
                }
            }
        }
    }

    fn start(&mut self, index: usize) {
        let configurations = self.configurations.len();
        let replica = &mut self.replicas[index];
        if replica.running.is_some() {
            return;
        }
        replica.run += 1;
        replica.stalled_until = 0;
        replica.running = Some(Running {
            rotation: CaRotation::new(CA_NAME, self.lifetimes),
            leaf: None,
            secret: None,
            configurations: vec![None; configurations],
        });
        replica.alarm = u64::MAX;
        let run = replica.run;
        let times = self.secret.times();
        for (version, time) in self.initial_list(&times) {
            self.at(time, Event::Secret(index, run, version));
        }
        for which in 0..configurations {
            let times = self.configurations[which].times();
            for (version, time) in self.initial_list(&times) {
                self.at(time, Event::Configuration(index, run, which, version));
            }
        }
    }

    fn kill(&mut self, index: usize) {
        self.replicas[index].running = None;
        self.replicas[index].run += 1;
        self.former = self.former.filter(|(former, _)| *former != index);
        if self.leader == Some(index) {
            self.leader = None;
            self.soon(1..=20, Event::Elect);
        }
        self.soon(5..=120, Event::Start(index));
    }

    fn elect(&mut self) {
        if self.leader.is_some() {
            return;
        }
        let running: Vec<_> = (0..self.replicas.len())
            .filter(|index| self.replicas[*index].running.is_some())
            .collect();
        if running.is_empty() {
            self.soon(1..=20, Event::Elect);
            return;
        }
        let index = running[self.random.usize(..running.len())];
        self.leader = Some(index);
        self.act(index);
    }

    fn inject(&mut self, fault: Fault) {
        match fault {
            Fault::RequestRotation => {
                self.requests += 1;
                let mut secret = self.secret.last().clone();
                secret.request = Some(format!("request {}", self.requests));
                self.store_secret(secret);
            }
            Fault::EmptySecret => {
                self.emptied += 1;
                let mut secret = self.secret.last().clone();
                secret.content = SecretContent::Empty;
                self.store_secret(secret);
            }
            Fault::ResetConfiguration(which) => self.store_configuration(which, None),
            Fault::Kill(index) => self.kill(index),
            Fault::Overlap(seconds) => {
                if let Some(leader) = self.leader.take() {
                    self.former = Some((leader, self.now + seconds));
                    self.elect();
                }
            }
            Fault::Stall(index, seconds) => {
                self.replicas[index].stalled_until = self.now + seconds;
            }
            Fault::SetClock(index, seconds) => self.replicas[index].skew += seconds,
        }
    }

    fn store_secret(&mut self, secret: Secret) {
        if let Some(keyring) = secret.content.keyring() {
            assert!((1..=MAX_CAS).contains(&keyring.cas().len()), "{keyring:?}");
        }
        self.secret.0.push((self.now, secret));
        for index in 0..self.replicas.len() {
            self.send_secret(index);
        }
    }

    fn store_configuration(&mut self, which: usize, bundle: Option<Bundle>) {
        self.configurations[which].0.push((self.now, bundle));
        for index in 0..self.replicas.len() {
            self.send_configuration(index, which);
        }
    }

    // --- time and randomness

    fn at(&mut self, time: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((time, self.number, event)));
    }

    fn soon(&mut self, seconds: RangeInclusive<u64>, event: Event) {
        let wait = self.random.u64(seconds);
        self.at(self.now + wait, event);
    }

    fn random_skew(&mut self) -> i64 {
        let most = i64::try_from(MAX_SKEW).unwrap();
        self.random.i64(-most..=most)
    }

    fn wall(&self, skew: i64) -> SystemTime {
        let moved = self.now.checked_add_signed(skew + 24 * 3_600).unwrap();
        self.epoch.0 + Duration::from_secs(moved)
    }

    fn clock(&self, index: usize) -> Now {
        Now {
            wall: self.wall(self.replicas[index].skew),
            monotonic: self.epoch.1 + Duration::from_secs(self.now),
        }
    }
}
