//! Candidates as they run, against an API server of one Lease; time is simulated.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::ResourceExt as _;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tower::service_fn;

use super::*;
use crate::controllers::memory::{Memory, Thing};

const SECOND: Duration = Duration::from_secs(1);

/// How the API server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weather {
    Fair,
    /// Nobody ever hears of it.
    Silent,
    /// Requests and answers are late or lost, and some are refused.
    Rough,
    /// A write takes half a second to arrive.
    SlowWrites,
}

#[derive(Clone)]
struct Server(Arc<Mutex<State>>);

struct State {
    lease: Option<Lease>,
    version: u64,
    weather: Weather,
    /// Slow writes that have not arrived yet.
    on_their_way: u32,
    random: fastrand::Rng,
}

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
    fn new(seed: u64) -> Self {
        let server = Self(Arc::new(Mutex::new(State {
            lease: None,
            version: 0,
            weather: Weather::Fair,
            on_their_way: 0,
            random: fastrand::Rng::with_seed(seed),
        })));
        server.ship();
        server
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the Lease as the chart ships it.
    fn ship(&self) {
        let mut state = self.state();
        state.lease = Some(Lease::default());
        state.stamp();
    }

    fn set(&self, weather: Weather) {
        self.state().weather = weather;
    }

    fn lease(&self) -> Lease {
        self.state().lease.clone().unwrap()
    }

    fn holder(&self) -> String {
        let spec = self.lease().spec.unwrap_or_default();
        spec.holder_identity.unwrap_or_default()
    }

    fn version(&self) -> u64 {
        self.state().version
    }

    /// Waits until a slow write is on its way, and writes something before it arrives.
    async fn overtake(&self) {
        while self.state().on_their_way == 0 {
            sleep(SECOND / 100).await;
        }
        self.state().stamp();
    }

    fn clients(&self) -> Clients {
        let server = self.clone();
        let service = service_fn(move |request: Request<kube::client::Body>| {
            let server = server.clone();
            // What was sent arrives, also where the sender has given up.
            tokio::spawn(async move { server.answer(request).await })
        });
        let client = kube::Client::new(service, "bedrock");
        Clients {
            reading: client.clone(),
            writing: client,
            namespace: "bedrock".to_owned(),
        }
    }

    async fn answer(&self, request: Request<kube::client::Body>) -> Response<Body> {
        self.travel().await;
        if self.state().weather == Weather::SlowWrites && request.method() == Method::PUT {
            self.state().on_their_way += 1;
            sleep(SECOND / 2).await;
            self.state().on_their_way -= 1;
        }
        if self.is_refused() {
            return failure(StatusCode::INTERNAL_SERVER_ERROR);
        }
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = match head.method {
            Method::GET => self.state().read(),
            _ => self.state().replace(serde_json::from_slice(&body).unwrap()),
        };
        self.travel().await;
        answer.map_or_else(failure, |lease| respond(StatusCode::OK, &json!(lease)))
    }

    async fn travel(&self) {
        let delay = {
            let State {
                weather, random, ..
            } = &mut *self.state();
            match (*weather, random.u8(..20)) {
                (Weather::Fair | Weather::SlowWrites, _) => Some(0),
                (Weather::Rough, 1..12) => Some(random.u64(..500)),
                (Weather::Rough, 12..) => Some(random.u64(..12_000)),
                (Weather::Silent, _) | (Weather::Rough, 0) => None,
            }
        };
        match delay {
            Some(milliseconds) => sleep(Duration::from_millis(milliseconds)).await,
            None => std::future::pending().await,
        }
    }

    fn is_refused(&self) -> bool {
        let state = &mut *self.state();
        state.weather == Weather::Rough && state.random.u8(..10) == 0
    }

    fn start(&self, name: &str) -> Process {
        let installation = Installation {
            namespace: "bedrock".to_owned(),
            name: "bedrock-profiles".to_owned(),
        };
        let metrics = Metrics::default();
        let (candidate, leadership) = Candidate::new(
            &self.clients(),
            &installation,
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
        let installation = Installation {
            namespace: "bedrock".to_owned(),
            name: "bedrock-profiles".to_owned(),
        };
        Memory::of(&self.clients(), &installation)
    }
}

impl State {
    fn stamp(&mut self) {
        self.version += 1;
        if let Some(lease) = &mut self.lease {
            lease.metadata.resource_version = Some(self.version.to_string());
        }
    }

    fn read(&self) -> Result<Lease, StatusCode> {
        self.lease.clone().ok_or(StatusCode::NOT_FOUND)
    }

    fn replace(&mut self, lease: Lease) -> Result<Lease, StatusCode> {
        if self.read()?.metadata.resource_version != lease.metadata.resource_version {
            return Err(StatusCode::CONFLICT);
        }
        self.lease = Some(lease);
        self.stamp();
        self.read()
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

    /// Waits until it leads no more, and says how long that took.
    async fn lose(&mut self) -> Duration {
        let start = Instant::now();
        while self.leadership.is_leader() {
            let news = timeout(60 * SECOND, self.leadership.changed()).await;
            assert!(news.is_ok(), "{} leads for ever", self.name);
        }
        start.elapsed()
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

fn respond(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
}

/// A refusal in the API server's words.
fn failure(status: StatusCode) -> Response<Body> {
    let reason = match status {
        StatusCode::CONFLICT => "Conflict",
        StatusCode::NOT_FOUND => "NotFound",
        _ => "InternalError",
    };
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": status.as_u16(), "reason": reason, "message": status.to_string()});
    respond(status, &body)
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

/// Checks for a while, twice a second, that no two lead.
async fn watch_over(processes: &[Process], span: Duration) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        let leaders: Vec<&str> = processes
            .iter()
            .filter(|process| process.leadership.is_leader())
            .map(|process| process.name.as_str())
            .collect();
        assert!(leaders.len() <= 1, "{leaders:?}");
        sleep(SECOND / 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn never_do_two_lead_and_somebody_does_in_the_end() {
    let mut terms = 0;
    for seed in 0..12 {
        fastrand::seed(seed);
        let server = Server::new(seed);
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
            watch_over(&processes, random.u32(1..15) * SECOND).await;
        }
        server.set(Weather::Fair);
        for process in &processes {
            process.stopped.send_replace(false);
        }
        watch_over(&processes, 60 * SECOND).await;
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
            assert_eq!(leaders, [&holder], "seed {seed}");
        }
        terms += server.lease().spec.unwrap().lease_transitions.unwrap();
    }
    assert!(terms > 30, "the Lease has hardly ever gone over: {terms}");
}
