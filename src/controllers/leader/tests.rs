//! Candidates as they run, against an API server of one Lease; time is simulated.

mod server;

use std::time::Duration;

use kube::ResourceExt as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::controllers::memory::{Memory, Thing};
use server::{Server, Weather};

const SECOND: Duration = Duration::from_secs(1);

/// A candidate in a process that can be stopped.
struct Process {
    name: String,
    leadership: Leadership,
    metrics: Metrics,
    shutdown: Shutdown,
    stopped: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    fn start(&self, name: &str) -> Process {
        let metrics = Metrics::default();
        let (candidate, leadership) = Candidate::new(
            &self.clients(),
            &release(),
            name.to_owned(),
            metrics.clone(),
        );
        let (shutdown, stopped) = (Shutdown::new(), watch::Sender::new(false));
        let run = stoppable(candidate.run(shutdown.clone()), stopped.subscribe());
        Process {
            name: name.to_owned(),
            leadership,
            metrics,
            shutdown,
            stopped,
            task: tokio::spawn(run),
        }
    }

    fn memory(&self) -> Memory {
        Memory::of(&self.clients(), &release())
    }
}

fn release() -> ReleaseNames {
    ReleaseNames {
        namespace: "bedrock".to_owned(),
        name: "bedrock-profiles".to_owned(),
    }
}

impl Process {
    /// Waits until it leads, and says how long that took.
    async fn lead(&mut self) -> Duration {
        let start = Instant::now();
        let leads = timeout(60 * SECOND, self.leadership.leading()).await;
        assert!(leads.is_ok(), "{} does not lead", self.name);
        start.elapsed()
    }

    /// Waits until it leads no more.
    async fn lose(&mut self) {
        while self.leadership.is_leader() {
            let news = timeout(60 * SECOND, self.leadership.changed()).await;
            assert!(news.is_ok(), "{} leads for ever", self.name);
        }
    }

    async fn end(self) {
        self.shutdown.drain();
        self.task.await.unwrap();
        assert!(!self.leadership.is_leader());
    }
}

async fn stoppable(task: impl Future<Output = ()>, mut stopped: watch::Receiver<bool>) {
    let mut task = std::pin::pin!(task);
    loop {
        let _ = stopped.wait_for(|stopped| !stopped).await;
        tokio::select! {
            biased;
            Ok(_) = stopped.wait_for(|stopped| *stopped) => {}
            () = &mut task => return,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_told_to_end_hands_over_at_once() {
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
async fn who_ends_without_a_word_is_waited_for() {
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
async fn leadership_ends_in_time_whatever_is_outstanding() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    sleep(60 * SECOND).await;
    server.set(Weather::Silent);
    let work = one.leadership.run(std::future::pending::<()>).await;
    assert_eq!(work, None);
    sleep(SECOND / 100).await;
    assert_eq!(one.metrics.leads.get(), 0, "it is told, too");
    server.set(Weather::Fair);
    one.lead().await;
    assert_eq!(one.metrics.acquired.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_is_stopped_for_long_leads_no_more_when_it_goes_on() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    let mut two = server.start("two");
    sleep(60 * SECOND).await;
    one.stopped.send_replace(true);
    two.lead().await;
    assert!(!one.leadership.is_leader());
    one.stopped.send_replace(false);
    sleep(60 * SECOND).await;
    assert!(!one.leadership.is_leader() && two.leadership.is_leader());
    assert_eq!(one.metrics.leads.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_leads_without_a_lease() {
    let server = Server::new(0);
    server.state().lease = None;
    let mut one = server.start("one");
    sleep(60 * SECOND).await;
    assert!(!one.leadership.is_leader());
    assert!(one.metrics.failures.get() > 20);
    server.ship();
    one.lead().await;
    server.state().lease = None;
    one.lose().await;
    server.ship();
    one.lead().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_beside_it_stays() {
    let server = Server::new(0);
    server
        .state()
        .lease
        .as_mut()
        .unwrap()
        .annotations_mut()
        .insert("of/others".into(), "x".into());
    let mut one = server.start("one");
    one.lead().await;
    for round in 0..40 {
        let value = round.to_string();
        server
            .memory()
            .remember(Thing::Policy, &value)
            .await
            .unwrap();
        sleep(SECOND / 3).await;
        let recalled = server.memory().recall([Thing::Policy]).await.unwrap();
        assert_eq!(recalled, [Some(value)]);
        assert!(one.leadership.is_leader());
    }
    let held_by = server.holder();
    one.end().await;
    assert_eq!((held_by.as_str(), server.holder().as_str()), ("one", ""));
    assert_eq!(server.lease().annotations().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_on_its_way_is_no_reason_to_keep_the_lease() {
    for delay in [SECOND / 4, 60 * SECOND] {
        let server = Server::new(0);
        server.set(Weather::SlowWrites);
        let one = server.start("one");
        sleep(delay).await;
        while server.state().on_their_way == 0 {
            sleep(SECOND / 10).await;
        }
        one.end().await;
        sleep(SECOND).await;
        assert_eq!(server.holder(), "", "told to end after {delay:?}");
        let spec = server.lease().spec.unwrap();
        assert_eq!(spec.lease_transitions, Some(1), "it was stored: {delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_overtaken_by_one_who_remembers_tries_again_at_once() {
    let server = Server::new(0);
    let mut one = server.start("one");
    one.lead().await;
    server.set(Weather::SlowWrites);
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
async fn a_lease_that_is_emptied_stays_with_who_leads() {
    for seed in 0..12 {
        fastrand::seed(seed);
        let server = Server::new(seed);
        let mut one = server.start("one");
        one.lead().await;
        let processes = vec![one, server.start("two"), server.start("three")];
        sleep(60 * SECOND).await;
        let what = format!("seed {seed}");
        server.ship();
        watch_over(&processes, 30 * SECOND, &what).await;
        assert_eq!(server.holder(), "one", "{what}");

        // Where its leader stands still, the others wait.
        server.ship();
        processes[0].stopped.send_replace(true);
        watch_over(&processes, 30 * SECOND, &what).await;
        processes[0].stopped.send_replace(false);
        watch_over(&processes, 5 * SECOND, &what).await;
        assert_ne!(server.holder(), "one", "{what}");
        assert!(!processes[0].leadership.is_leader(), "{what}");
        let led = processes.iter().filter(|one| one.leadership.is_leader());
        assert_eq!(led.count(), 1, "{what}");
    }
}

/// Checks for a while, fifty times a second, that no two lead.
async fn watch_over(processes: &[Process], span: Duration, what: &str) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        let leaders: Vec<&str> = processes
            .iter()
            .filter(|process| process.leadership.is_leader())
            .map(|process| process.name.as_str())
            .collect();
        assert!(leaders.len() <= 1, "{what}: {leaders:?} lead");
        sleep(SECOND / 50).await;
    }
}

#[tokio::test(start_paused = true)]
async fn never_do_two_lead_and_somebody_does_in_the_end() {
    let mut terms = 0;
    for seed in 0..12 {
        fastrand::seed(seed);
        let server = Server::new(seed);
        let what = format!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let mut processes: Vec<Process> = ["one", "two", "three"]
            .iter()
            .map(|name| server.start(name))
            .collect();
        server.set(Weather::Rough);
        for restart in 0..20 {
            let index = random.usize(..processes.len());
            match random.u8(..6) {
                0 => processes[index].task.abort(),
                1 => processes[index].shutdown.drain(),
                2..4 => {
                    processes[index]
                        .stopped
                        .send_modify(|stopped| *stopped = !*stopped);
                }
                _ => {}
            }
            if processes[index].task.is_finished() {
                processes[index] = server.start(&format!("restart-{restart}"));
            }
            watch_over(&processes, random.u32(1..15) * SECOND, &what).await;
        }
        server.set(Weather::Fair);
        for process in &processes {
            process.stopped.send_replace(false);
        }
        watch_over(&processes, 60 * SECOND, &what).await;
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
            assert_eq!(leaders, [&holder], "{what}");
        }
        terms += server.lease().spec.unwrap().lease_transitions.unwrap();
    }
    assert!(terms > 30, "the Lease has hardly ever gone over: {terms}");
}
