//! Signals that end a command early. During [`StoppableWork`], the first one stops the work, so that the command reports what it has done
//! until then, and the second one ends the command. At other times the first one ends it. None leaves a temporary file behind.

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use super::console::message;

/// A signal that ends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGHUP, the end of a terminal.
    Hangup,
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// The signals that a command has received.
#[derive(Debug, Clone)]
pub(super) struct Interruption(Arc<State>);

#[derive(Debug)]
struct State {
    received: watch::Sender<Option<StopSignal>>,
    /// Whether there is [`StoppableWork`].
    is_stoppable: AtomicBool,
    /// Locked while a temporary file exists.
    writing: Mutex<()>,
}

/// Work that looks for signals. While this lives, the first signal does not end the command.
#[must_use]
pub(super) struct StoppableWork<'a>(&'a Interruption);

impl StopSignal {
    const ALL: [Self; 3] = [Self::Hangup, Self::Interrupt, Self::Terminate];

    /// The exit code of a command that the signal ended, as shells have it.
    pub const fn exit_code(self) -> u8 {
        128 + self.number()
    }

    const fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    fn kind(self) -> SignalKind {
        SignalKind::from_raw(self.number().into())
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        })
    }
}

impl Interruption {
    /// Handles signals from this call on, on a thread of its own. A signal that the process was started to ignore stays ignored, as
    /// `nohup` and shells want it.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let this = Self(Arc::new(State {
            received: watch::Sender::new(None),
            is_stoppable: AtomicBool::new(false),
            writing: Mutex::new(()),
        }));
        let (runtime, signals) = handlers().context("cannot handle signals")?;
        let own = this.clone();
        std::thread::spawn(move || runtime.block_on(own.handle(signals)));
        Ok(this)
    }

    async fn handle(self, mut signals: Vec<(StopSignal, Signal)>) {
        loop {
            let received = next(&mut signals).await;
            let is_first = self.received().is_none();
            if !is_first || !self.0.is_stoppable.load(Ordering::SeqCst) {
                let _no_temporary_file = self.0.writing.lock();
                std::process::exit(received.exit_code().into());
            }
            self.0.received.send_modify(|stored| {
                // Before the command can see the signal, and end.
                message!("note: {received}: the work stops here; a second signal ends the command");
                *stored = Some(received);
            });
        }
    }

    /// The signal that stops the work.
    pub(super) fn received(&self) -> Option<StopSignal> {
        *self.0.received.borrow()
    }

    /// Ends when a signal stops the work.
    pub(super) async fn stopped(&self) {
        // The sender lives as long as `self`.
        let mut received = self.0.received.subscribe();
        let _ = received.wait_for(Option::is_some).await;
    }

    /// The result of what may wait without end, such as for a pipe; `None` if a signal stops the work before. The thread that waits is then
    /// left to the end of the process.
    pub(super) fn unless_stopped<T: Send + 'static>(
        &self,
        wait: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let Ok(runtime) = runtime else {
            return Some(wait());
        };
        let (sender, result) = oneshot::channel();
        std::thread::spawn(move || sender.send(wait()));
        runtime.block_on(async {
            tokio::select! {
                biased;
                result = result => result.ok(),
                () = self.stopped() => None,
            }
        })
    }

    /// Runs what has a temporary file. No signal ends the command meanwhile, so `write` must not wait for another program.
    pub(super) fn hold<T>(&self, write: impl FnOnce() -> T) -> T {
        let _held = self
            .0
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        write()
    }

    /// Begins work that looks for signals.
    pub(super) fn begin(&self) -> StoppableWork<'_> {
        self.0.is_stoppable.store(true, Ordering::SeqCst);
        StoppableWork(self)
    }
}

impl Drop for StoppableWork<'_> {
    fn drop(&mut self) {
        let Interruption(state) = self.0;
        state.is_stoppable.store(false, Ordering::SeqCst);
    }
}

/// The handlers of the signals that are not ignored, and the runtime that they belong to.
fn handlers() -> std::io::Result<(Runtime, Vec<(StopSignal, Signal)>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let entered = runtime.enter();
    let ignored = ignored();
    let handled = StopSignal::ALL
        .into_iter()
        .filter(|one| ignored & (1 << (one.number() - 1)) == 0);
    let signals = handled
        .map(|one| Ok((one, signal(one.kind())?)))
        .collect::<std::io::Result<_>>()?;
    drop(entered);
    Ok((runtime, signals))
}

/// The signals that the process ignores, a bit each, from SIGHUP; none where the system does not list them in `/proc`.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}

async fn next(signals: &mut [(StopSignal, Signal)]) -> StopSignal {
    poll_fn(|context| {
        let mut signals = signals.iter_mut();
        let received = signals.find_map(|(one, signal)| {
            let is_received = signal.poll_recv(context).is_ready();
            is_received.then_some(*one)
        });
        received.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
