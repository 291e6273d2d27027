//! Candidates against one Lease, in whatever order things happen: every message may be late, lost or never answered, a
//! process may stand still for any time, clocks run at different speeds and show times that are hours apart.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const CANDIDATES: usize = 4;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Milliseconds pass.
    Pass(u64),
    /// A candidate reads the Lease and decides.
    Look(usize),
    /// Its write, which was on its way, reaches the API server, or is read again where it did already.
    Deliver(usize),
    /// It hears what became of the write.
    Hear(usize),
    /// It will never hear of the write, which may still be delivered.
    GiveUp(usize),
    /// It lets go.
    Release(usize),
    /// Its process is ended and started again, under another name.
    Restart(usize),
    /// Somebody takes the holder out of the Lease, or all that it says.
    Empty(bool),
    /// A candidate's time of day is set, to this many seconds off.
    SetClock(usize, i64),
}

struct Cluster {
    start: Instant,
    passed: Duration,
    lease: Option<LeaseSpec>,
    version: u64,
    candidates: Vec<Candidate>,
    /// Writes of nobody who would hear of them.
    astray: Vec<Write>,
    restarts: usize,
}

struct Candidate {
    election: Election,
    clock: Clock,
    write: Option<Write>,
}

#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Thousandths of real time's speed.
    speed: u32,
    /// How far the time of day is off, in seconds.
    off: i64,
}

#[derive(Clone)]
struct Write {
    spec: LeaseSpec,
    over: u64,
    sent: Instant,
    /// Whether it was stored, once it has reached the API server.
    stored: Option<bool>,
}

impl Cluster {
    fn new(clocks: &[Clock]) -> Self {
        let candidate = |(index, clock): (usize, &Clock)| Candidate {
            election: Election::new(format!("candidate-{index}")),
            clock: *clock,
            write: None,
        };
        Self {
            start: Instant::now(),
            passed: Duration::ZERO,
            lease: None,
            version: 1,
            candidates: clocks.iter().enumerate().map(candidate).collect(),
            astray: Vec::new(),
            restarts: 0,
        }
    }

    fn now(&self, index: usize) -> (Instant, Timestamp) {
        let clock = self.candidates[index].clock;
        let passed = i64::try_from(self.passed.as_micros()).unwrap();
        let off = (1_793_000_000 + clock.off) * 1_000_000;
        let wall = Timestamp::from_microsecond(off + passed).unwrap();
        (self.start + self.passed * clock.speed / 1000, wall)
    }

    fn happen(&mut self, event: Event) {
        match event {
            // Who is new cannot tell a Lease that was emptied from a new one; the rule that it breaks is told in the election.
            Event::Release(_) | Event::Restart(_) if self.is_emptied() => {}
            Event::Empty(_) if self.is_anyone_new() => {}
            Event::Empty(all) => self.empty(all),
            Event::SetClock(index, off) => self.candidates[index].clock.off = off,
            Event::Pass(milliseconds) => self.passed += Duration::from_millis(milliseconds),
            Event::Look(index) => self.look(index),
            Event::Deliver(index) => self.deliver(index),
            Event::Hear(index) => self.hear(index),
            Event::GiveUp(index) => self.astray.extend(self.candidates[index].write.take()),
            Event::Release(index) => self.release(index),
            Event::Restart(index) => {
                self.astray.extend(self.candidates[index].write.take());
                self.restarts += 1;
                let name = format!("candidate-{index}-{}", self.restarts);
                self.candidates[index].election = Election::new(name);
            }
        }
    }

    fn look(&mut self, index: usize) {
        if self.candidates[index].write.is_some() {
            return;
        }
        let (now, wall) = self.now(index);
        let version = self.version.to_string();
        let candidate = &mut self.candidates[index];
        let step = candidate
            .election
            .look(self.lease.as_ref(), Some(&version), now, wall);
        if let Step::Write(spec) = step {
            candidate.write = Some(Write {
                spec,
                over: self.version,
                sent: now,
                stored: None,
            });
        }
    }

    /// A write of the candidate arrives, and one that went astray.
    fn deliver(&mut self, index: usize) {
        if let Some(mut write) = self.astray.pop() {
            self.store(&mut write);
        }
        if let Some(mut write) = self.candidates[index].write.take() {
            self.store(&mut write);
            self.candidates[index].write = Some(write);
        }
    }

    fn store(&mut self, write: &mut Write) {
        if write.stored.is_none() {
            let is_current = write.over == self.version;
            if is_current {
                self.lease = Some(write.spec.clone());
                self.version += 1;
            }
            write.stored = Some(is_current);
        }
    }

    fn hear(&mut self, index: usize) {
        let (now, _) = self.now(index);
        let candidate = &mut self.candidates[index];
        let answered = |write: &mut Write| write.stored.is_some();
        if let Some(write) = candidate.write.take_if(answered)
            && write.stored == Some(true)
        {
            candidate
                .election
                .stored(Some(&write.spec), write.sent, now);
        }
    }

    /// The process of the candidate ends in good order: as it stops to lead before it lets go, it is another one after.
    fn release(&mut self, index: usize) {
        let (_, wall) = self.now(index);
        let released = self.candidates[index]
            .election
            .released(self.lease.as_ref(), wall);
        self.happen(Event::Restart(index));
        if let Some(spec) = released {
            self.lease = Some(spec);
            self.version += 1;
        }
    }

    fn empty(&mut self, all: bool) {
        self.lease = self.lease.take().filter(|_| !all).map(|spec| LeaseSpec {
            holder_identity: None,
            ..spec
        });
        self.version += 1;
    }

    fn is_emptied(&self) -> bool {
        let lease = self.lease.as_ref();
        holder(lease).is_none() && !is_released(lease) && self.version > 1
    }

    fn is_anyone_new(&self) -> bool {
        let mut all = self.candidates.iter();
        all.any(|candidate| candidate.election.seen.is_none())
    }

    fn leaders(&self) -> Vec<usize> {
        let leads = |index: &usize| {
            let (now, _) = self.now(*index);
            self.candidates[*index].election.until(now).is_some()
        };
        (0..self.candidates.len()).filter(leads).collect()
    }
}

fn clocks() -> impl Strategy<Value = Vec<Clock>> {
    let clock = (830_u32..1200, -7200_i64..7200).prop_map(|(speed, off)| Clock { speed, off });
    vec(clock, CANDIDATES)
}

fn event() -> impl Strategy<Value = Event> {
    let who = 0..CANDIDATES;
    prop_oneof![
        4 => (1_u64..6000).prop_map(Event::Pass),
        1 => (6000_u64..60_000).prop_map(Event::Pass),
        8 => who.clone().prop_map(Event::Look),
        8 => who.clone().prop_map(Event::Deliver),
        8 => who.clone().prop_map(Event::Hear),
        2 => who.clone().prop_map(Event::GiveUp),
        1 => who.clone().prop_map(Event::Release),
        1 => who.clone().prop_map(Event::Restart),
        1 => any::<bool>().prop_map(Event::Empty),
        1 => (who, -3600_i64..3600).prop_map(|(who, off)| Event::SetClock(who, off)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_do_two_lead_and_somebody_does_in_the_end(clocks in clocks(), events in vec(event(), 1..300)) {
        let mut cluster = Cluster::new(&clocks);
        for event in events {
            cluster.happen(event);
            prop_assert!(cluster.leaders().len() <= 1, "{:?} lead after {event:?}", cluster.leaders());
        }
        for _ in 0..20 {
            for index in 0..CANDIDATES {
                for event in [Event::Look(index), Event::Deliver(index), Event::Hear(index)] {
                    cluster.happen(event);
                    prop_assert!(cluster.leaders().len() <= 1, "{:?} lead", cluster.leaders());
                }
            }
            cluster.happen(Event::Pass(2000));
        }
        prop_assert_eq!(cluster.leaders().len(), 1);
    }
}
