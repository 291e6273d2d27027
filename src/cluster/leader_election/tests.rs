//! Whole electors against an API server with one Lease, in virtual time.

mod server;

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use kube::{Api, ResourceExt as _};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;

use server::{Network, Server};

const SECOND: Duration = Duration::from_secs(1);
const NAMESPACE: &str = "system";
const NAME: &str = "leader";

/// An elector in a process that can be paused.
struct Process {
    name: String,
    leadership: Leadership,
    metrics: Metrics,
    shutdown: Shutdown,
    paused: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    fn start(&self, name: &str) -> Process {
        let metrics = Metrics::register(&mut Registry::default());
        let (elector, leadership) = LeaderElector::new(
            self.client(),
            NAMESPACE,
            NAME,
            name.to_owned(),
            metrics.clone(),
        );
        let (shutdown, paused) = (Shutdown::new(), watch::Sender::new(false));
        let run = pausable(elector.run(shutdown.clone()), paused.subscribe());
        Process {
            name: name.to_owned(),
            leadership,
            metrics,
            shutdown,
            paused,
            task: tokio::spawn(run),
        }
    }

    /// Writes an annotation of the Lease, repeated on conflicts.
    async fn annotate(&self, value: &str) {
        let api = Api::<Lease>::namespaced(self.client(), NAMESPACE);
        loop {
            let mut lease = api.get(NAME).await.unwrap();
            let annotations = lease.annotations_mut();
            annotations.insert("example.com/value".into(), value.to_owned());
            match api.replace(NAME, &PostParams::default(), &lease).await {
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                result => return drop(result.unwrap()),
            }
        }
    }
}

impl Process {
    /// Waits until it leads, and returns how long that took.
    async fn lead(&mut self) -> Duration {
        let start = Instant::now();
        let leads = timeout(60 * SECOND, self.leadership.leading()).await;
        assert!(leads.is_ok(), "{} does not lead", self.name);
        start.elapsed()
    }

    /// Waits until it does not lead any more.
    async fn lose_leadership(&mut self) {
        while self.leadership.is_leader() {
            let news = timeout(60 * SECOND, self.leadership.changed()).await;
            assert!(news.is_ok(), "{} leads forever", self.name);
        }
    }

    async fn end(self) {
        self.shutdown.drain();
        self.task.await.unwrap();
        assert!(!self.leadership.is_leader());
    }
}

async fn pausable(task: impl Future<Output = ()>, mut paused: watch::Receiver<bool>) {
    let mut task = std::pin::pin!(task);
    loop {
        let _ = paused.wait_for(|paused| !paused).await;
        tokio::select! {
            biased;
            Ok(_) = paused.wait_for(|paused| *paused) => {}
            () = &mut task => return,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_clean_shutdown_hands_over_at_once() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    let mut two = server.start("two");
    sleep(60 * SECOND).await;
    assert!(one.leadership.is_leader() && !two.leadership.is_leader());
    assert_eq!(
        (one.metrics.acquired.get(), one.metrics.leads.get()),
        (1, 1)
    );
    assert!(one.metrics.renewed.get() > 0);
    let metrics = one.metrics.clone();
    one.end().await;
    assert_eq!(metrics.leads.get(), 0);
    assert_eq!(server.holder(), "");
    assert!(two.lead().await < 3 * SECOND);
    assert_eq!(server.lease().spec.unwrap().lease_transitions, Some(2));
    assert_eq!(two.metrics.failures.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_crashed_leader_is_replaced_when_its_lease_expires() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    let mut two = server.start("two");
    sleep(60 * SECOND).await;
    one.task.abort();
    let waited = two.lead().await;
    assert!((10 * SECOND..20 * SECOND).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn leadership_ends_on_time_while_a_request_is_outstanding() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    sleep(60 * SECOND).await;
    server.set(Network::Down);
    let work = one.leadership.run(std::future::pending::<()>).await;
    assert_eq!(work, None);
    sleep(SECOND / 100).await;
    assert_eq!(one.metrics.leads.get(), 0, "the metric follows");
    server.set(Network::Reliable);
    one.lead().await;
    assert_eq!(one.metrics.acquired.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_was_paused_does_not_lead_when_it_continues() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    let mut two = server.start("two");
    sleep(60 * SECOND).await;
    one.paused.send_replace(true);
    two.lead().await;
    assert!(!one.leadership.is_leader());
    one.paused.send_replace(false);
    sleep(60 * SECOND).await;
    assert!(!one.leadership.is_leader() && two.leadership.is_leader());
    assert_eq!(one.metrics.leads.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_replica_leads_without_a_lease() {
    let server = Server::new(0);
    server.state().lease = None;
    let mut one = server.start("one");
    sleep(60 * SECOND).await;
    assert!(!one.leadership.is_leader());
    assert!(one.metrics.failures.get() > 20);
    server.install();
    one.lead().await;
    server.state().lease = None;
    one.lose_leadership().await;
    server.install();
    one.lead().await;
}

#[tokio::test(start_paused = true)]
async fn annotations_of_the_lease_are_preserved() {
    let server = Server::new(0);
    let other = ("example.com/other".to_owned(), "x".to_owned());
    let mut installed = server.lease();
    installed.annotations_mut().extend([other]);
    server.state().lease = Some(installed);
    let mut one = server.start("one");
    one.lead().await;
    for round in 0..40 {
        let value = round.to_string();
        server.annotate(&value).await;
        sleep(SECOND / 3).await;
        let lease = server.lease();
        assert_eq!(lease.annotations()["example.com/value"], value);
        assert!(one.leadership.is_leader());
    }
    let held_by = server.holder();
    one.end().await;
    assert_eq!((held_by.as_str(), server.holder().as_str()), ("one", ""));
    assert_eq!(server.lease().annotations().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_in_flight_at_shutdown_does_not_keep_the_lease() {
    for delay in [SECOND / 4, 60 * SECOND] {
        let server = Server::new(0);
        server.set(Network::SlowWrites);
        let one = server.start("one");
        sleep(delay).await;
        while server.state().in_flight == 0 {
            sleep(SECOND / 10).await;
        }
        one.end().await;
        sleep(SECOND).await;
        assert_eq!(server.holder(), "", "shut down after {delay:?}");
        let spec = server.lease().spec.unwrap();
        assert_eq!(spec.lease_transitions, Some(1), "it was stored: {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_conflicts_with_an_annotation_is_repeated_at_once() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    server.set(Network::SlowWrites);
    server.overtake().await;
    sleep(SECOND).await;
    assert_eq!(one.metrics.failures.get(), 0);

    let before = server.version();
    while server.version() == before {
        sleep(SECOND / 100).await;
    }
    one.shutdown.drain();
    server.overtake().await;
    one.end().await;
    assert_eq!(server.holder(), "");
}

#[tokio::test(start_paused = true)]
async fn an_emptied_lease_stays_with_its_leader() {
    for seed in 0..12 {
        fastrand::seed(seed);
        let server = Server::new(seed);
        let mut one = server.start("one");
        one.lead().await;
        let processes = vec![one, server.start("two"), server.start("three")];
        sleep(60 * SECOND).await;
        let context = format!("seed {seed}");
        server.install();
        check_leaders(&processes, 30 * SECOND, &context).await;
        assert_eq!(server.holder(), "one", "{context}");

        // While its leader is paused, the others wait.
        server.install();
        processes[0].paused.send_replace(true);
        check_leaders(&processes, 30 * SECOND, &context).await;
        processes[0].paused.send_replace(false);
        check_leaders(&processes, 5 * SECOND, &context).await;
        assert_ne!(server.holder(), "one", "{context}");
        assert!(!processes[0].leadership.is_leader(), "{context}");
        let led = processes.iter().filter(|one| one.leadership.is_leader());
        assert_eq!(led.count(), 1, "{context}");
    }
}

/// Checks for a while, fifty times a second, that no two lead.
async fn check_leaders(processes: &[Process], span: Duration, context: &str) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        let leaders: Vec<&str> = processes
            .iter()
            .filter(|process| process.leadership.is_leader())
            .map(|process| process.name.as_str())
            .collect();
        assert!(leaders.len() <= 1, "{context}: {leaders:?} lead");
        sleep(SECOND / 50).await;
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_one_elector_leads_and_one_leads_in_the_end() {
    let mut terms = 0;
    for seed in 0..12 {
        fastrand::seed(seed);
        let server = Server::new(seed);
        let context = format!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let mut processes: Vec<Process> = ["one", "two", "three"]
            .iter()
            .map(|name| server.start(name))
            .collect();
        server.set(Network::Unreliable);
        for restart in 0..20 {
            let index = random.usize(..processes.len());
            match random.u8(..6) {
                0 => processes[index].task.abort(),
                1 => processes[index].shutdown.drain(),
                2..4 => {
                    processes[index]
                        .paused
                        .send_modify(|paused| *paused = !*paused);
                }
                _ => {}
            }
            if processes[index].task.is_finished() {
                processes[index] = server.start(&format!("restart-{restart}"));
            }
            check_leaders(&processes, random.u32(1..15) * SECOND, &context).await;
        }
        server.set(Network::Reliable);
        for process in &processes {
            process.paused.send_replace(false);
        }
        check_leaders(&processes, 60 * SECOND, &context).await;
        let holder = server.holder();
        let leaders = processes
            .iter()
            .filter(|process| process.leadership.is_leader());
        let leaders: Vec<&String> = leaders.map(|process| &process.name).collect();
        let ended = processes
            .iter()
            .filter(|process| process.task.is_finished())
            .count();
        if ended < processes.len() {
            assert_eq!(leaders, [&holder], "{context}");
        }
        terms += server.lease().spec.unwrap().lease_transitions.unwrap();
    }
    assert!(terms > 30, "the Lease has hardly ever gone over: {terms}");
}
