//! A cluster as certificates see it: a Secret and configurations, replicas that learn of both late and whose clocks differ,
//! a leader that dies after each step, API servers that lag. Time passes from event to event, by nobody's watch.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime};

use super::super::keyring::{Keyring, Lives, MOST};
use super::super::replica::{Now, Reason, Replica};
use super::super::stored::Stored;
use super::craft::Craft;
use crate::tls::trust::{Bundle, Fingerprint};

mod acts;
mod check;
mod news;

pub(super) const MINUTE: u64 = 60;
pub(super) const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;

/// How late news may be, in seconds.
const LATE: u64 = 10 * MINUTE;
/// How far behind an API server may be, in seconds.
const STALE: u64 = 60;
/// How far a clock may be from the true time, in seconds.
const ASKEW: u64 = 30 * MINUTE;

/// What befalls the cluster, beside the passing of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Somebody asks for a new CA.
    Wish,
    /// The Secret is emptied.
    EmptySecret,
    /// A configuration is replaced by the chart's, which calls nobody.
    Disarm(usize),
    /// A replica dies.
    Kill(usize),
    /// A replica hears nothing for so many seconds.
    Stall(usize, u64),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A replica, in this one of its lives, hears of a version of the Secret.
    Secret(usize, u32, usize),
    /// It hears of a version of a configuration.
    Configuration(usize, u32, usize, usize),
    Wake(usize, u32),
    Start(usize),
    Elect,
    Fate(Fate),
}

/// An object and when each of its states was stored; its version is its place.
struct Object<T>(Vec<(u64, T)>);

struct Seat<L> {
    skew: i64,
    life: u32,
    up: Option<Up<L>>,
    stalled_until: u64,
    wishes_to_wake: u64,
}

struct Up<L> {
    replica: Replica,
    leaf: Option<L>,
    secret: Option<usize>,
    configurations: Vec<Option<usize>>,
}

#[derive(Clone)]
struct Secret {
    stored: Stored,
    wish: Option<String>,
}

pub(super) struct World<C: Craft> {
    craft: C,
    random: fastrand::Rng,
    lives: Lives,
    now: u64,
    number: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    secret: Object<Secret>,
    /// What each configuration trusts; none where it is not armed.
    configurations: Vec<Object<Option<Bundle>>>,
    seats: Vec<Seat<C::Leaf>>,
    leader: Option<usize>,
    askew: i64,
    epoch: (SystemTime, Instant),
    written: BTreeMap<&'static str, u32>,
    wishes: u32,
    emptied: u32,
    /// Whether a leader dies after each step, or only mostly.
    deadly: bool,
    /// From when on calls must succeed.
    checked_from: u64,
}

impl<T> Object<T> {
    fn times(&self) -> Vec<u64> {
        self.0.iter().map(|(time, _)| *time).collect()
    }

    fn last(&self) -> &T {
        &self.0.last().unwrap().1
    }

    /// What a reader may still see who is at most so many seconds behind.
    fn since(&self, from: u64) -> impl Iterator<Item = &T> {
        let first = self.0.iter().rposition(|(time, _)| *time <= from);
        self.0[first.unwrap_or(0)..].iter().map(|(_, state)| state)
    }
}

impl<C: Craft> World<C> {
    /// An installed chart, and replicas that are about to start.
    pub(super) fn new(craft: C, seed: u64, replicas: usize, configurations: usize) -> Self {
        let mut world = Self {
            craft,
            random: fastrand::Rng::with_seed(seed),
            lives: Lives::default(),
            now: 0,
            number: 0,
            events: BinaryHeap::new(),
            secret: Object(vec![(
                0,
                Secret {
                    stored: Stored::Empty,
                    wish: None,
                },
            )]),
            configurations: (0..configurations)
                .map(|_| Object(vec![(0, None)]))
                .collect(),
            seats: Vec::new(),
            leader: None,
            askew: 0,
            epoch: (
                SystemTime::UNIX_EPOCH + Duration::from_hours(500_000),
                Instant::now(),
            ),
            written: BTreeMap::new(),
            wishes: 0,
            emptied: 0,
            deadly: seed.is_multiple_of(2),
            checked_from: 0,
        };
        world.askew = world.skew();
        for seat in 0..replicas {
            let skew = world.skew();
            world.seats.push(Seat {
                skew,
                life: 0,
                up: None,
                stalled_until: 0,
                wishes_to_wake: u64::MAX,
            });
            let start = world.random.u64(0..MINUTE);
            world.at(start, Event::Start(seat));
        }
        world.at(0, Event::Elect);
        world
    }

    /// Has something happen at a moment, in seconds from the installation.
    pub(super) fn plan(&mut self, time: u64, fate: Fate) {
        self.at(time, Event::Fate(fate));
    }

    /// A number from a range.
    pub(super) fn pick<N: TryInto<u64> + TryFrom<u64>>(&mut self, range: RangeInclusive<N>) -> N {
        let (first, last) = range.into_inner();
        let [first, last] = [first, last].map(|number| number.try_into().ok().unwrap());
        N::try_from(self.random.u64(first..=last)).ok().unwrap()
    }

    /// How often the Secret was written, by reason.
    pub(super) fn written(&self, reason: Reason) -> u32 {
        *self.written.get(reason.as_str()).unwrap_or(&0)
    }

    /// How often the Secret was emptied.
    pub(super) fn emptied(&self) -> u32 {
        self.emptied
    }

    /// Whether all configurations are armed and trust this CA.
    pub(super) fn trusts_everywhere(&self, fingerprint: Fingerprint) -> bool {
        let mut bundles = self.configurations.iter().map(Object::last);
        bundles.all(|bundle| {
            bundle
                .as_ref()
                .is_some_and(|bundle| bundle.has(fingerprint))
        })
    }

    /// The CAs that the Secret holds.
    pub(super) fn keyring(&self) -> &Keyring {
        self.secret.last().stored.keyring().unwrap()
    }

    /// The true time.
    pub(super) fn time(&self) -> SystemTime {
        self.wall(0)
    }

    /// Lets time pass up to this second. An error says when a call failed, and whose.
    pub(super) fn run(&mut self, until: u64) -> Result<(), String> {
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            if time > until {
                self.at(time, event);
                break;
            }
            self.now = time;
            // What was right up to now must not have become wrong by the passing of time.
            self.check("before", event)?;
            self.happen(event);
            self.check("after", event)?;
        }
        self.now = until;
        Ok(())
    }

    /// All machines stand still, and all replicas start anew at this second. They have an hour to recover: until a new CA is
    /// trusted everywhere, no call can succeed.
    pub(super) fn sleep_through(&mut self, until: u64) {
        self.events.clear();
        self.leader = None;
        self.now = until;
        self.checked_from = until + HOUR;
        for seat in 0..self.seats.len() {
            self.seats[seat].up = None;
            self.soon(0..=MINUTE, Event::Start(seat));
        }
        self.soon(0..=MINUTE, Event::Elect);
    }

    // --- what happens

    fn happen(&mut self, event: Event) {
        match event {
            Event::Start(seat) => self.start(seat),
            Event::Elect => self.elect(),
            Event::Fate(fate) => self.befall(fate),
            Event::Secret(seat, life, _) | Event::Configuration(seat, life, ..)
                if self.seats[seat].life == life && self.seats[seat].stalled_until > self.now =>
            {
                self.at(self.seats[seat].stalled_until, event);
            }
            Event::Secret(seat, life, version) => self.hear_secret(seat, life, version),
            Event::Configuration(seat, life, which, version) => {
                self.hear_configuration(seat, life, which, version);
            }
            Event::Wake(seat, life) => {
                if self.seats[seat].life == life && self.seats[seat].wishes_to_wake <= self.now {
                    self.act(seat);
                }
            }
        }
    }

    fn start(&mut self, seat: usize) {
        let configurations = self.configurations.len();
        let place = &mut self.seats[seat];
        if place.up.is_some() {
            return;
        }
        place.life += 1;
        place.stalled_until = 0;
        place.up = Some(Up {
            replica: Replica::new(self.lives),
            leaf: None,
            secret: None,
            configurations: vec![None; configurations],
        });
        place.wishes_to_wake = u64::MAX;
        let life = place.life;
        let times = self.secret.times();
        for (version, time) in self.first_news(&times) {
            self.at(time, Event::Secret(seat, life, version));
        }
        for which in 0..configurations {
            let times = self.configurations[which].times();
            for (version, time) in self.first_news(&times) {
                self.at(time, Event::Configuration(seat, life, which, version));
            }
        }
    }

    fn kill(&mut self, seat: usize) {
        self.seats[seat].up = None;
        self.seats[seat].life += 1;
        if self.leader == Some(seat) {
            self.leader = None;
            self.soon(1..=20, Event::Elect);
        }
        self.soon(5..=120, Event::Start(seat));
    }

    fn elect(&mut self) {
        if self.leader.is_some() {
            return;
        }
        let up: Vec<_> = (0..self.seats.len())
            .filter(|seat| self.seats[*seat].up.is_some())
            .collect();
        if up.is_empty() {
            self.soon(1..=20, Event::Elect);
            return;
        }
        let seat = up[self.random.usize(..up.len())];
        self.leader = Some(seat);
        self.act(seat);
    }

    fn befall(&mut self, fate: Fate) {
        match fate {
            Fate::Wish => {
                self.wishes += 1;
                let mut secret = self.secret.last().clone();
                secret.wish = Some(format!("wish {}", self.wishes));
                self.store_secret(secret);
            }
            Fate::EmptySecret => {
                self.emptied += 1;
                let mut secret = self.secret.last().clone();
                secret.stored = Stored::Empty;
                self.store_secret(secret);
            }
            Fate::Disarm(which) => self.store_configuration(which, None),
            Fate::Kill(seat) => self.kill(seat),
            Fate::Stall(seat, seconds) => {
                self.seats[seat].stalled_until = self.now + seconds;
            }
        }
    }

    fn store_secret(&mut self, secret: Secret) {
        if let Some(keyring) = secret.stored.keyring() {
            assert!((1..=MOST).contains(&keyring.cas().len()), "{keyring:?}");
        }
        self.secret.0.push((self.now, secret));
        for seat in 0..self.seats.len() {
            self.tell_secret(seat);
        }
    }

    fn store_configuration(&mut self, which: usize, bundle: Option<Bundle>) {
        self.configurations[which].0.push((self.now, bundle));
        for seat in 0..self.seats.len() {
            self.tell_configuration(seat, which);
        }
    }

    // --- clocks and dice

    fn at(&mut self, time: u64, event: Event) {
        self.number += 1;
        self.events.push(Reverse((time, self.number, event)));
    }

    fn soon(&mut self, seconds: RangeInclusive<u64>, event: Event) {
        let wait = self.random.u64(seconds);
        self.at(self.now + wait, event);
    }

    fn skew(&mut self) -> i64 {
        let askew = i64::try_from(ASKEW).unwrap();
        self.random.i64(-askew..=askew)
    }

    fn wall(&self, skew: i64) -> SystemTime {
        let moved = self.now.checked_add_signed(skew + 24 * 3_600).unwrap();
        self.epoch.0 + Duration::from_secs(moved)
    }

    fn clock(&self, seat: usize) -> Now {
        Now {
            wall: self.wall(self.seats[seat].skew),
            steady: self.epoch.1 + Duration::from_secs(self.now),
        }
    }
}
