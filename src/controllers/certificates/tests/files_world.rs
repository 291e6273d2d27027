//! Discrete-event simulation of mounted certificate files: another program renews them, each replica observes the files and the
//! configurations late, and the leader dies after its writes. Keys and certificates are real.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls::sign::CertifiedKey;

use super::issuers::{CA_NAME, SERVER, names};
use super::world::{DAY, HOUR, MAX_SKEW, MAX_WATCH_DELAY, MINUTE, Object};
use crate::controllers::certificates::from_files::LeafSelection;
use crate::controllers::certificates::rotation::Now;
use crate::tls::authority::Authority;
use crate::tls::files::Content;
use crate::tls::trust::Bundle;

mod replicas;

/// The longest time until the files of a replica change after the object they are mounted from, in seconds.
const MAX_MOUNT_DELAY: u64 = 2 * MINUTE;
/// The longest time that the files of one replica do not change at all.
const MAX_MOUNT_STALL: u64 = 3 * DAY;
/// The time between two renewals, in days. A leaf is valid for longer than two of them.
const RENEWAL_DAYS: RangeInclusive<u64> = 5..=12;
const LEAF_LIFETIME: Duration = Duration::from_hours(30 * 24);
const CA_LIFETIME: Duration = Duration::from_hours(75 * 24);
/// After how many days a CA is replaced at the latest.
const MAX_CA_AGE: u64 = 30 * DAY;

/// A fault that is planted into every replica, which the invariant has to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilesFlaw {
    /// A replica serves the leaf of its files at once.
    ServesAtOnce,
    /// The leader replaces the CAs that clients trust by those of its files.
    ReplacesTrust,
    /// The first leaf of a process must be accepted at once: no fault, but the exception of the promise.
    NoExceptionAtStart,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Start(usize),
    /// A replica, in this run of its process, observes a version of the files.
    Files(usize, u32, usize),
    /// A replica, in this run of its process, observes a version of a configuration.
    Configuration(usize, u32, usize, usize),
    /// A replica looks again.
    Poll(usize, u32),
    Elect,
    Kill(usize),
    Reset(usize),
    Renew,
}

struct Replica {
    skew: i64,
    /// How often its process was started or killed.
    run: u32,
    /// The version of the files that are mounted.
    mounted: usize,
    running: Option<Running>,
}

struct Running {
    selection: LeafSelection,
    served: Arc<CertifiedKey>,
    configurations: Vec<Option<usize>>,
    /// It has started with a leaf that not all clients accepted, and they did not accept it since.
    is_early: bool,
}

/// Certificate files, replicas that serve them, and the configurations of clients.
pub(super) struct FilesWorld {
    random: fastrand::Rng,
    flaw: Option<FilesFlaw>,
    epoch: (SystemTime, Instant),
    now: u64,
    number: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    issuer: Authority,
    issuer_since: u64,
    files: Object<Content>,
    /// The bundle of each configuration; `None` while it calls no webhook.
    configurations: Vec<Object<Option<Bundle>>>,
    replicas: Vec<Replica>,
    leader: Option<usize>,
    api_server_skew: i64,
}

impl FilesWorld {
    /// A fresh installation, whose replicas are about to start.
    pub(super) fn new(
        seed: u64,
        replicas: usize,
        configurations: usize,
        flaw: Option<FilesFlaw>,
    ) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let start = epoch + Duration::from_hours(24);
        let issuer = Authority::valid_until(start + CA_LIFETIME, CA_NAME, start).unwrap();
        let content = content(&issuer, start, &Bundle::default());
        let limit = i64::try_from(MAX_SKEW).unwrap();
        let replica = |skew| Replica {
            skew,
            run: 0,
            mounted: 0,
            running: None,
        };
        let mut world = Self {
            flaw,
            epoch: (epoch, Instant::now()),
            now: 0,
            number: 0,
            events: BinaryHeap::new(),
            issuer,
            issuer_since: 0,
            files: Object(vec![(0, content)]),
            configurations: (0..configurations)
                .map(|_| Object(vec![(0, None)]))
                .collect(),
            replicas: (0..replicas)
                .map(|_| replica(random.i64(-limit..=limit)))
                .collect(),
            leader: None,
            api_server_skew: random.i64(-limit..=limit),
            random,
        };
        for index in 0..replicas {
            world.soon(0..=MINUTE, Event::Start(index));
        }
        world.at(0, Event::Elect);
        world.renew_later();
        world
    }

    /// Kills replicas and resets configurations until this second, many of them soon after a renewal.
    pub(super) fn schedule_faults(&mut self, until: u64) {
        let mut time = 0;
        while time < until {
            time += self.random.u64(HOUR..=4 * DAY);
            let event = if self.random.u8(..4) > 0 {
                Event::Kill(self.random.usize(..self.replicas.len()))
            } else {
                Event::Reset(self.random.usize(..self.configurations.len()))
            };
            self.at(time, event);
        }
    }

    /// Runs the world up to this second. An error describes the call that failed.
    pub(super) fn run(&mut self, until: u64) -> Result<(), String> {
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            if time > until {
                self.at(time, event);
                break;
            }
            self.now = time;
            self.process(event);
            self.check(event)?;
        }
        self.now = until;
        self.check(Event::Elect)
    }

    /// Ends the renewals, so that replicas can settle.
    pub(super) fn end_renewals(&mut self) {
        self.events
            .retain(|Reverse((.., event))| *event != Event::Renew);
    }

    /// Whether every replica serves the leaf of the files, and every client trusts its CA.
    pub(super) fn is_settled(&self) -> bool {
        let content = self.files.last();
        let is_served = |replica: &Replica| {
            let running = replica.running.as_ref();
            running.is_some_and(|running| running.served.cert == content.pair.cert)
        };
        let trusts = |bundle: &Object<Option<Bundle>>| {
            let bundle = bundle.last().as_ref();
            bundle.is_some_and(|bundle| bundle.contains(self.issuer.anchor().fingerprint))
        };
        self.replicas.iter().all(is_served) && self.configurations.iter().all(trusts)
    }

    // --- events

    fn process(&mut self, event: Event) {
        match event {
            Event::Start(index) => self.start(index),
            Event::Elect => self.elect(),
            Event::Kill(index) => self.kill(index),
            Event::Reset(which) => self.store_configuration(which, None),
            Event::Renew => self.renew(),
            Event::Files(index, run, version) => self.observe_files(index, run, version),
            Event::Configuration(index, run, which, version) => {
                let Some(running) = self.running(index, run) else {
                    return;
                };
                if running.configurations[which].is_none_or(|observed| observed < version) {
                    running.configurations[which] = Some(version);
                    self.observe_trust(index);
                    self.act(index);
                }
            }
            Event::Poll(index, run) => {
                if self.running(index, run).is_some() {
                    self.act(index);
                }
            }
        }
    }

    /// The other program writes another leaf, mostly of another CA, with that CA alone or with the one before beside it.
    fn renew(&mut self) {
        let now = self.wall(0);
        let is_old = self.now - self.issuer_since > MAX_CA_AGE;
        let mut beside = Bundle::default();
        if is_old || self.random.u8(..3) > 0 {
            if self.random.bool() {
                beside = Bundle::new([self.issuer.anchor().clone()]);
            }
            self.issuer = Authority::valid_until(now + CA_LIFETIME, CA_NAME, now).unwrap();
            self.issuer_since = self.now;
        }
        let content = content(&self.issuer, now, &beside);
        self.files.0.push((self.now, content));
        let stalled = self.random.usize(..self.replicas.len() * 3);
        for index in 0..self.replicas.len() {
            let longest = if index == stalled {
                MAX_MOUNT_STALL
            } else {
                MAX_MOUNT_DELAY
            };
            self.send_files(index, self.files.0.len() - 1, longest);
        }
        // Replicas that start now have no older leaf.
        if self.random.bool() {
            let index = self.random.usize(..self.replicas.len());
            self.soon(0..=10 * MINUTE, Event::Kill(index));
        }
        self.renew_later();
    }

    fn renew_later(&mut self) {
        let days = self.random.u64(RENEWAL_DAYS);
        self.at(self.now + days * DAY, Event::Renew);
    }

    fn kill(&mut self, index: usize) {
        self.replicas[index].running = None;
        self.replicas[index].run += 1;
        if self.leader == Some(index) {
            self.leader = None;
            self.soon(1..=20, Event::Elect);
        }
        self.soon(5..=120, Event::Start(index));
    }

    fn elect(&mut self) {
        let running: Vec<_> = (0..self.replicas.len())
            .filter(|index| self.replicas[*index].running.is_some())
            .collect();
        if self.leader.is_some() {
            return;
        }
        if running.is_empty() {
            self.soon(1..=20, Event::Elect);
            return;
        }
        let index = running[self.random.usize(..running.len())];
        self.leader = Some(index);
        self.act(index);
    }

    fn observe_files(&mut self, index: usize, run: u32, version: usize) {
        let now = self.clock(index).wall;
        let content = self.files.0[version].1.clone();
        // The kubelet mounts the newest version, also while the container restarts.
        let replica = &mut self.replicas[index];
        if version <= replica.mounted {
            return;
        }
        replica.mounted = version;
        let at_once = self.flaw == Some(FilesFlaw::ServesAtOnce);
        let Some(running) = self.running(index, run) else {
            return;
        };
        if at_once {
            running.served = Arc::clone(&content.pair);
        }
        running.selection.observe_files(content, now);
        self.act(index);
    }

    fn send_files(&mut self, index: usize, version: usize, longest: u64) {
        let run = self.replicas[index].run;
        self.soon(0..=longest, Event::Files(index, run, version));
    }

    fn store_configuration(&mut self, which: usize, bundle: Option<Bundle>) {
        self.configurations[which].0.push((self.now, bundle));
        let version = self.configurations[which].0.len() - 1;
        for index in 0..self.replicas.len() {
            let longest = if self.random.bool() {
                2
            } else {
                MAX_WATCH_DELAY
            };
            let run = self.replicas[index].run;
            self.soon(
                0..=longest,
                Event::Configuration(index, run, which, version),
            );
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

    fn wall(&self, skew: i64) -> SystemTime {
        let moved = self.now.checked_add_signed(skew + 24 * 3600).unwrap();
        self.epoch.0 + Duration::from_secs(moved)
    }

    fn clock(&self, index: usize) -> Now {
        Now {
            wall: self.wall(self.replicas[index].skew),
            monotonic: self.epoch.1 + Duration::from_secs(self.now),
        }
    }
}

/// The files with a new leaf of this CA, the CA and others beside it.
fn content(issuer: &Authority, now: SystemTime, beside: &Bundle) -> Content {
    let leaf = issuer
        .issue_for(LEAF_LIFETIME, &names(SERVER), now)
        .unwrap();
    let own = [issuer.anchor().clone()];
    Content {
        pair: leaf.pair,
        authorities: Bundle::new(own.into_iter().chain(beside.anchors().iter().cloned())),
    }
}
