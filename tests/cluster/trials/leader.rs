//! Leader election on a real API server: electors in the process of the test, with an account that may get and update one Lease
//! only, and replicas whose process is paused.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Result, ensure};
use bedrock_profiles::{
    cluster::{
        client::Clients,
        leader_election::{LeaderElector, Leadership, Metrics, Term},
        release::ReleaseNames,
    },
    controllers::applied_hashes::{Applied, AppliedHashes},
    runtime::Shutdown,
};
use prometheus_client::registry::Registry;
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
        plane("one_replica_leads_at_a_time", one_leads_at_a_time),
        plane(
            "a_leader_without_a_network_is_replaced",
            a_leader_without_a_network,
        ),
        alone(
            "one_replica_leads_through_api_server_failures",
            one_leads_through_failures,
        ),
        alone("a_paused_leader_loses_its_leadership", a_paused_leader),
    ]
}

/// Appoints or dismisses a replica without an election as leader.
pub(super) fn appoint(term: &Term, leads: bool) {
    let far_future = Instant::now() + Duration::from_hours(24);
    term.set(leads.then_some(far_future));
}

/// How often the number of leaders is checked.
const INTERVAL: Duration = Duration::from_millis(5);

/// How long etcd is frozen: twice the duration of a Lease.
const FROZEN: Duration = Duration::from_secs(30);

/// An election, whose number of leaders is checked in the background.
struct Election<'w> {
    world: &'w World,
    release: ReleaseNames,
    observed: Arc<Mutex<Observed>>,
    runtime: Runtime,
}

/// All electors, and those that led at the same time.
#[derive(Default)]
struct Observed {
    participants: Vec<(&'static str, Leadership)>,
    simultaneous: Option<Vec<&'static str>>,
}

/// An elector. Dropping it is a crash: the Lease is not released.
struct Participant {
    name: &'static str,
    leadership: Leadership,
    clients: Clients,
    shutdown: Shutdown,
    task: AbortHandle,
}

impl<'w> Election<'w> {
    /// Installs a Lease, and an account that may use it.
    fn install(world: &'w World) -> Result<Self> {
        let rules = json!([{"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [NAME], "verbs": ["get", "update"]}]);
        world.account(NAME, &rules)?;
        install_lease(world)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let observed = Arc::<Mutex<Observed>>::default();
        runtime.spawn(observe(Arc::clone(&observed)));
        Ok(Self {
            world,
            release: ReleaseNames {
                namespace: world.namespace().to_owned(),
                name: NAME.to_owned(),
            },
            observed,
            runtime,
        })
    }

    /// Starts an elector, through a proxy if one is given.
    fn start(&self, name: &'static str, by: Option<SocketAddr>) -> Result<Participant> {
        let account = self.world.account_config(NAME, by)?;
        let clients = self
            .runtime
            .block_on(async { anyhow::Ok(Clients::of(&config(&account).await?)?) })?;
        let (elector, leadership) = LeaderElector::new(
            clients.writing.clone(),
            &self.release.namespace,
            self.release.lease(),
            name.to_owned(),
            Metrics::register(&mut Registry::default()),
        );
        lock(&self.observed)
            .participants
            .push((name, leadership.clone()));
        let shutdown = Shutdown::new();
        let task = self.runtime.spawn(elector.run(shutdown.clone()));
        Ok(Participant {
            name,
            leadership,
            clients,
            shutdown,
            task: task.abort_handle(),
        })
    }

    /// Waits until one of them leads, and removes it.
    fn leader(&self, of: &mut Vec<Participant>) -> Result<Participant> {
        let at = wait_for("a leader", || {
            self.check()?;
            Ok(of.iter().position(|one| one.leadership.is_leader()))
        })?;
        Ok(of.swap_remove(at))
    }

    /// Fails if two led at the same time.
    fn check(&self) -> Result<()> {
        let simultaneous = &lock(&self.observed).simultaneous;
        ensure!(
            simultaneous.is_none(),
            "led at the same time: {simultaneous:?}"
        );
        Ok(())
    }

    fn spec(&self) -> Result<Value> {
        Ok(self.world.get("lease", NAME)?["spec"].clone())
    }

    fn remember(&self, by: &Participant, value: &str) -> Result<()> {
        let memory = AppliedHashes::of(&by.clients, &self.release);
        Ok(self
            .runtime
            .block_on(memory.store(Applied::Policy, value))?)
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(observed: &Mutex<Observed>) -> MutexGuard<'_, Observed> {
    observed.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn observe(observed: Arc<Mutex<Observed>>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let mut observed = lock(&observed);
        let leaders = observed
            .participants
            .iter()
            .filter(|(_, one)| one.is_leader());
        let leaders: Vec<_> = leaders.map(|(name, _)| *name).collect();
        if leaders.len() > 1 {
            observed.simultaneous.get_or_insert(leaders);
        }
    }
}

/// The Lease as the chart installs it.
fn lease() -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}})
}

fn install_lease(world: &World) -> Result<()> {
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
    assert!(first.leadership.is_leader(), "annotations do not end it");

    // The first shuts down cleanly and releases the Lease; the second crashes, and its Lease expires.
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
    assert_eq!(remembered, "19", "annotations are preserved");

    // No replica leads without a Lease. A recreated Lease is taken when no replica can lead by the old one any more.
    world
        .kubectl(&["delete", "lease", NAME], None)?
        .success("kubectl delete")?;
    wait_for("the end of a leader without a Lease", || {
        Ok((!last[0].leadership.is_leader()).then_some(()))
    })?;
    install_lease(world)?;
    election.leader(&mut last)?;
    election.check()
}

fn a_leader_without_a_network(world: &World) -> Result<()> {
    let election = Election::install(world)?;
    let proxy = Proxy::start(world.next_address(), world.plane().api_server())?;
    let mut one = vec![election.start("one", Some(proxy.address()))?];
    let one = election.leader(&mut one)?;

    // All open connections are dead without notice: the leader continues over a new connection.
    proxy.silence_open_connections();
    let before = election.spec()?["renewTime"].clone();
    wait_for("a Lease that is renewed again", || {
        let renewed = election.spec()?["renewTime"] != before;
        Ok((renewed && one.leadership.is_leader()).then_some(()))
    })?;

    let mut others = vec![election.start("two", None)?];
    proxy.silence_all_connections();
    let two = election.leader(&mut others)?;
    assert!(!one.leadership.is_leader(), "it has no connection");
    assert_eq!(election.spec()?["holderIdentity"], two.name);
    election.check()
}

fn one_leads_through_failures(world: &World) -> Result<()> {
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

    // A Lease that a tool replaces by an empty one stays with its leader.
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

fn a_paused_leader(world: &World) -> Result<()> {
    let release = Release::install(world, &Chart::default())?;
    let one = release.start_ready("one", &[])?;
    one.wait_until_leader()?;
    let two = release.start("two", &[])?;
    two.wait_until_ready()?;
    one.signal("STOP")?;
    two.wait_until_leader()?;
    one.signal("CONT")?;
    wait_for("a leader that knows that it lost its leadership", || {
        Ok((one.metric(LEADER)? == Some(0.0)).then_some(()))
    })?;
    assert!(one.log()?.contains("lost leadership"));
    assert_eq!(two.metric(LEADER)?, Some(1.0));
    let spec = &world.get("lease", NAME)?["spec"];
    let holder = spec["holderIdentity"].as_str().unwrap_or_default();
    assert!(holder.starts_with("two_"), "{holder}");
    assert_eq!(
        spec["leaseTransitions"], 2,
        "it did not take the Lease back"
    );
    one.wait_until_ready()
}
