//! The election on a real API server: candidates in the test's own process, with an account that may read and update the one
//! Lease and nothing else, and replicas that are stopped.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use bedrock_profiles::{
    cluster::{client::Clients, release::ReleaseNames},
    controllers::{
        leader::{Candidate, Leadership, Metrics, Term},
        memory::{Memory, Thing},
    },
    runtime::Shutdown,
};
use serde_json::{Value, json};
use tokio::{
    runtime::{Builder, Runtime},
    task::AbortHandle,
    time::Instant,
};

use crate::{
    accounts::config,
    process::wait_for,
    proxy::Proxy,
    release::{Chart, LEADER, NAME, Release},
    trial::{Trial, alone, plane},
    world::World,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        plane("one_candidate_leads_at_a_time", one_leads_at_a_time),
        plane("a_leader_that_is_cut_off_is_replaced", a_leader_is_cut_off),
        alone("one_leads_whatever_fails", one_leads_whatever_fails),
        alone("a_stopped_leader_leads_no_more", a_stopped_leader),
    ]
}

/// Makes a writer that takes part in no election the leader, or no longer.
pub(super) fn appoint(term: &Term, leads: bool) {
    let for_ever = Instant::now() + Duration::from_hours(24);
    term.set(leads.then_some(for_ever));
}

/// How often it is looked who leads.
const LOOK: Duration = Duration::from_millis(5);

/// How long etcd answers nobody: twice as long as a Lease is held.
const FROZEN: Duration = Duration::from_secs(30);

/// An election, with somebody who looks that no two lead.
struct Election<'w> {
    world: &'w World,
    installation: ReleaseNames,
    roll: Arc<Mutex<Roll>>,
    runtime: Runtime,
}

/// Who takes part, and who was seen to lead at once.
#[derive(Default)]
struct Roll {
    candidates: Vec<(&'static str, Leadership)>,
    together: Option<Vec<&'static str>>,
}

/// One that takes part; it ends with the value, without a word.
struct Participant {
    name: &'static str,
    leadership: Leadership,
    clients: Clients,
    shutdown: Shutdown,
    task: AbortHandle,
}

impl<'w> Election<'w> {
    /// Ships a Lease, and an account that may use it.
    fn install(world: &'w World) -> Result<Self> {
        let rules = json!([{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [NAME], "verbs": ["get", "update"]}]);
        world.account(NAME, &rules)?;
        ship(world)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let roll = Arc::<Mutex<Roll>>::default();
        runtime.spawn(look(Arc::clone(&roll)));
        Ok(Self {
            world,
            installation: ReleaseNames {
                namespace: world.namespace().to_owned(),
                name: NAME.to_owned(),
            },
            roll,
            runtime,
        })
    }

    /// Starts a candidate, by way of a proxy where one is given.
    fn start(&self, name: &'static str, by: Option<SocketAddr>) -> Result<Participant> {
        let account = self.world.account_config(NAME, by)?;
        let clients = self
            .runtime
            .block_on(async { anyhow::Ok(Clients::of(&config(&account).await?)?) })?;
        let (candidate, leadership) = Candidate::new(
            &clients,
            &self.installation,
            name.to_owned(),
            Metrics::default(),
        );
        lock(&self.roll).candidates.push((name, leadership.clone()));
        let shutdown = Shutdown::new();
        let task = self.runtime.spawn(candidate.run(shutdown.clone()));
        Ok(Participant {
            name,
            leadership,
            clients,
            shutdown,
            task: task.abort_handle(),
        })
    }

    /// Waits until one of them leads, and takes it out.
    fn leader(&self, of: &mut Vec<Participant>) -> Result<Participant> {
        let at = wait_for("a leader", || {
            self.check()?;
            Ok(of.iter().position(|one| one.leadership.is_leader()))
        })?;
        Ok(of.swap_remove(at))
    }

    /// An error where two led at once.
    fn check(&self) -> Result<()> {
        let together = &lock(&self.roll).together;
        ensure!(together.is_none(), "led at once: {together:?}");
        Ok(())
    }

    fn spec(&self) -> Result<Value> {
        Ok(self.world.get("lease", NAME)?["spec"].clone())
    }

    fn remember(&self, by: &Participant, value: &str) -> Result<()> {
        let memory = Memory::of(&by.clients, &self.installation);
        Ok(self
            .runtime
            .block_on(memory.remember(Thing::Policy, value))?)
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(roll: &Mutex<Roll>) -> MutexGuard<'_, Roll> {
    roll.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn look(roll: Arc<Mutex<Roll>>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let mut roll = lock(&roll);
        let leaders = roll.candidates.iter().filter(|(_, one)| one.is_leader());
        let leaders: Vec<_> = leaders.map(|(name, _)| *name).collect();
        if leaders.len() > 1 {
            roll.together.get_or_insert(leaders);
        }
    }
}

/// The Lease as the chart ships it.
fn lease() -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}})
}

fn ship(world: &World) -> Result<()> {
    world.apply(&lease().to_string()).map(|_| ())
}

fn one_leads_at_a_time(world: &World) -> Result<()> {
    let election = Election::install(world)?;
    let mut others = Vec::new();
    for name in ["one", "two", "three"] {
        others.push(election.start(name, None)?);
    }
    let first = election.leader(&mut others)?;
    assert_eq!(election.spec()?["leaseTransitions"], 1);
    for round in 0..20 {
        election.remember(&first, &round.to_string())?;
    }
    assert!(first.leadership.is_leader(), "others may write beside it");

    // Told to end, it lets go; the next ends without a word, and is waited for.
    first.shutdown.drain();
    wait_for("the end of the first", || {
        Ok(first.task.is_finished().then_some(()))
    })?;
    let second = election.leader(&mut others)?;
    assert_eq!(election.spec()?["holderIdentity"], second.name);
    drop(second);
    let mut last = vec![election.leader(&mut others)?];
    let lease = world.get("lease", NAME)?;
    assert_eq!(lease["spec"]["holderIdentity"], last[0].name);
    assert_eq!(lease["spec"]["leaseTransitions"], 3);
    let remembered = &lease["metadata"]["annotations"]["bedrock-profiles.dev/applied-policy"];
    assert_eq!(remembered, "19", "through all of this");

    // Nobody leads without a Lease; one that is made anew is taken when nobody can lead by the old one any more.
    world
        .kubectl(&["delete", "lease", NAME], None)?
        .success("kubectl delete")?;
    wait_for("the end of a leader without a Lease", || {
        Ok((!last[0].leadership.is_leader()).then_some(()))
    })?;
    ship(world)?;
    election.leader(&mut last)?;
    election.check()
}

fn a_leader_is_cut_off(world: &World) -> Result<()> {
    let election = Election::install(world)?;
    let proxy = Proxy::start(world.next_address(), world.plane().api_server())?;
    let mut one = vec![election.start("one", Some(proxy.address()))?];
    let one = election.leader(&mut one)?;

    // Nobody is told, but what is open is as good as dead: it goes on by a new connection.
    proxy.swallow_all();
    let before = election.spec()?["renewTime"].clone();
    wait_for("a Lease that is renewed again", || {
        let renewed = election.spec()?["renewTime"] != before;
        Ok((renewed && one.leadership.is_leader()).then_some(()))
    })?;

    let mut others = vec![election.start("two", None)?];
    proxy.swallow_for_ever();
    let two = election.leader(&mut others)?;
    assert!(!one.leadership.is_leader(), "it hears nothing");
    assert_eq!(election.spec()?["holderIdentity"], two.name);
    election.check()
}

fn one_leads_whatever_fails(world: &World) -> Result<()> {
    let election = Election::install(world)?;
    let mut all = Vec::new();
    for name in ["one", "two", "three"] {
        all.push(election.start(name, None)?);
    }
    let leader = election.leader(&mut all)?;
    all.push(leader);
    world.plane().restart_api_server(Duration::from_secs(2))?;
    let leader = election.leader(&mut all)?;
    all.push(leader);
    world.plane().freeze_etcd(FROZEN)?;
    let leader = election.leader(&mut all)?;
    assert_eq!(election.spec()?["holderIdentity"], leader.name);

    // Emptied as by tools that replace what they find, it stays with who leads.
    let manifest = lease().to_string();
    world
        .kubectl(&["replace", "-f", "-"], Some(&manifest))?
        .success("kubectl replace")?;
    let holder = wait_for("a Lease that is held again", || {
        election.check()?;
        Ok(election.spec()?["holderIdentity"]
            .as_str()
            .map(str::to_owned))
    })?;
    assert_eq!(holder, leader.name);
    election.check()
}

fn a_stopped_leader(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let one = release.start_ready("one", &[])?;
    one.wait_until_leader()?;
    let two = release.start("two", &[])?;
    two.wait_until_ready()?;
    one.signal("STOP")?;
    two.wait_until_leader()?;
    one.signal("CONT")?;
    wait_for("a leader that knows that it leads no more", || {
        Ok((one.metric(LEADER)? == Some(0.0)).then_some(()))
    })?;
    assert!(one.log()?.contains("writes no longer"));
    assert_eq!(two.metric(LEADER)?, Some(1.0));
    let spec = &world.get("lease", NAME)?["spec"];
    let holder = spec["holderIdentity"].as_str().unwrap_or_default();
    assert!(holder.starts_with("two_"), "{holder}");
    assert_eq!(spec["leaseTransitions"], 2, "it has not come back");
    one.wait_until_ready()
}
