//! Simulation of replicas that compete for one Lease, in random orders of events: every request and response may be late or lost,
//! a process may be paused for any time, monotonic clocks run at different speeds, and wall clocks are hours apart.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const REPLICAS: usize = 4;

/// An event of the simulation.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Milliseconds pass.
    Advance(u64),
    /// A replica reads the Lease and decides.
    Attempt(usize),
    /// The API server processes its write.
    Deliver(usize),
    /// It receives the response.
    Respond(usize),
    /// The response is lost; the write may still be processed.
    LoseResponse(usize),
    /// It releases the Lease.
    Release(usize),
    /// Its process restarts, with another identity.
    Restart(usize),
    /// A user removes the holder from the Lease, or the whole spec.
    Empty(bool),
    /// The wall clock of a replica is set, to this offset in seconds.
    SetClock(usize, i64),
}

struct Cluster {
    start: Instant,
    elapsed: Duration,
    lease: Option<LeaseSpec>,
    version: u64,
    replicas: Vec<Replica>,
    /// Writes whose responses are lost.
    orphaned: Vec<Write>,
    restarts: usize,
}

struct Replica {
    election: Election,
    clock: Clock,
    write: Option<Write>,
}

#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Speed of the monotonic clock, in thousandths of true time.
    speed: u32,
    /// Offset of the wall clock, in seconds.
    offset: i64,
}

#[derive(Clone)]
struct Write {
    spec: LeaseSpec,
    over: u64,
    sent: Instant,
    /// Whether it was stored, once the API server has processed it.
    stored: Option<bool>,
}

impl Cluster {
    fn new(clocks: &[Clock]) -> Self {
        let replica = |(index, clock): (usize, &Clock)| Replica {
            election: Election::new(format!("replica-{index}")),
            clock: *clock,
            write: None,
        };
        Self {
            start: Instant::now(),
            elapsed: Duration::ZERO,
            lease: None,
            version: 1,
            replicas: clocks.iter().enumerate().map(replica).collect(),
            orphaned: Vec::new(),
            restarts: 0,
        }
    }

    fn now(&self, index: usize) -> (Instant, Timestamp) {
        let clock = self.replicas[index].clock;
        let elapsed = i64::try_from(self.elapsed.as_micros()).unwrap();
        let offset = (1_793_000_000 + clock.offset) * 1_000_000;
        let wall = Timestamp::from_microsecond(offset + elapsed).unwrap();
        (self.start + self.elapsed * clock.speed / 1000, wall)
    }

    fn process(&mut self, event: Event) {
        match event {
            // A new replica cannot distinguish an emptied Lease from a new one: the exception of the module page.
            Event::Release(_) | Event::Restart(_) if self.is_emptied() => {}
            Event::Empty(_) if self.has_new_replica() => {}
            Event::Empty(all) => self.empty(all),
            Event::SetClock(index, offset) => self.replicas[index].clock.offset = offset,
            Event::Advance(milliseconds) => self.elapsed += Duration::from_millis(milliseconds),
            Event::Attempt(index) => self.attempt(index),
            Event::Deliver(index) => self.deliver(index),
            Event::Respond(index) => self.respond(index),
            Event::LoseResponse(index) => self.orphaned.extend(self.replicas[index].write.take()),
            Event::Release(index) => self.release(index),
            Event::Restart(index) => {
                self.orphaned.extend(self.replicas[index].write.take());
                self.restarts += 1;
                let name = format!("replica-{index}-{}", self.restarts);
                self.replicas[index].election = Election::new(name);
            }
        }
    }

    fn attempt(&mut self, index: usize) {
        if self.replicas[index].write.is_some() {
            return;
        }
        let (now, wall) = self.now(index);
        let version = self.version.to_string();
        let replica = &mut self.replicas[index];
        let step = replica
            .election
            .observe(self.lease.as_ref(), Some(&version), now, wall);
        if let ElectionStep::Write(spec) = step {
            replica.write = Some(Write {
                spec,
                over: self.version,
                sent: now,
                stored: None,
            });
        }
    }

    /// Processes the write of the replica, and one whose response is lost.
    fn deliver(&mut self, index: usize) {
        if let Some(mut write) = self.orphaned.pop() {
            self.store(&mut write);
        }
        if let Some(mut write) = self.replicas[index].write.take() {
            self.store(&mut write);
            self.replicas[index].write = Some(write);
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

    fn respond(&mut self, index: usize) {
        let (now, _) = self.now(index);
        let replica = &mut self.replicas[index];
        let is_processed = |write: &mut Write| write.stored.is_some();
        if let Some(write) = replica.write.take_if(is_processed)
            && write.stored == Some(true)
        {
            replica
                .election
                .record_stored(Some(&write.spec), write.sent, now);
        }
    }

    /// The process shuts down cleanly: it ceases to lead before it releases, so the replica restarts first.
    fn release(&mut self, index: usize) {
        let (_, wall) = self.now(index);
        let released = self.replicas[index]
            .election
            .released(self.lease.as_ref(), wall);
        self.process(Event::Restart(index));
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

    fn has_new_replica(&self) -> bool {
        let mut all = self.replicas.iter();
        all.any(|replica| replica.election.observed.is_none())
    }

    fn leaders(&self) -> Vec<usize> {
        let leads = |index: &usize| {
            let (now, _) = self.now(*index);
            self.replicas[*index].election.leads_until(now).is_some()
        };
        (0..self.replicas.len()).filter(leads).collect()
    }
}

fn clocks() -> impl Strategy<Value = Vec<Clock>> {
    let clock =
        (830_u32..1200, -7200_i64..7200).prop_map(|(speed, offset)| Clock { speed, offset });
    vec(clock, REPLICAS)
}

fn event() -> impl Strategy<Value = Event> {
    let index = 0..REPLICAS;
    prop_oneof![
        4 => (1_u64..6000).prop_map(Event::Advance),
        1 => (6000_u64..60_000).prop_map(Event::Advance),
        8 => index.clone().prop_map(Event::Attempt),
        8 => index.clone().prop_map(Event::Deliver),
        8 => index.clone().prop_map(Event::Respond),
        2 => index.clone().prop_map(Event::LoseResponse),
        1 => index.clone().prop_map(Event::Release),
        1 => index.clone().prop_map(Event::Restart),
        1 => any::<bool>().prop_map(Event::Empty),
        1 => (index, -3600_i64..3600).prop_map(|(index, offset)| Event::SetClock(index, offset)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn at_most_one_replica_leads_and_one_leads_in_the_end(clocks in clocks(), events in vec(event(), 1..300)) {
        let mut cluster = Cluster::new(&clocks);
        for event in events {
            cluster.process(event);
            prop_assert!(cluster.leaders().len() <= 1, "{:?} lead after {event:?}", cluster.leaders());
        }
        for _ in 0..20 {
            for index in 0..REPLICAS {
                for event in [Event::Attempt(index), Event::Deliver(index), Event::Respond(index)] {
                    cluster.process(event);
                    prop_assert!(cluster.leaders().len() <= 1, "{:?} lead", cluster.leaders());
                }
            }
            cluster.process(Event::Advance(2000));
        }
        prop_assert_eq!(cluster.leaders().len(), 1);
    }
}
