//! The process: its tasks, its shutdown, HTTP listeners, the admin port, and the log. It knows nothing of the product.
//!
//! There is no global state besides the log and the counters of panics and dropped log records, so a server can be started
//! twice in one process.

pub mod admin;
pub mod error_text;
pub mod http;
pub mod published;
pub mod telemetry;

use std::collections::HashMap;
use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// An error of any task.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The two stages of a shutdown: on drain, work in flight is finished and no new work begins; on abort, work in flight is
/// dropped. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    abort: CancellationToken,
}

/// The tasks of the process. A task that ends early shuts down all others, and its error is the result of the process.
pub struct Tasks {
    shutdown: Shutdown,
    work: JoinSet<Result<(), BoxError>>,
    support: JoinSet<Result<(), BoxError>>,
    names: HashMap<Id, &'static str>,
}

/// Why the process did not shut down cleanly.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// A task ended with an error.
    #[error("{task} failed: {source}")]
    Failed {
        /// The task.
        task: &'static str,
        /// Its error.
        source: BoxError,
    },
    /// A task ended before the shutdown.
    #[error("{0} ended before the shutdown")]
    EndedEarly(&'static str),
    /// A task panicked.
    #[error("{0} panicked; the log has the source location")]
    Panicked(&'static str),
    /// The shutdown was aborted by a second signal.
    #[error("aborted by a second signal; work in flight was dropped")]
    Aborted,
}

tokio::task_local! {
    /// The shutdown of the [`Tasks`] that the running task belongs to.
    static SHUTDOWN: Shutdown;
}

// === Shutdown ===

impl Shutdown {
    /// A shutdown that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the drain.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Begins the drain, and aborts it at once.
    pub fn abort(&self) {
        self.drain.cancel();
        self.abort.cancel();
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Returns when the drain begins.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Returns when the shutdown is aborted.
    pub async fn aborted(&self) {
        self.abort.cancelled().await;
    }

    /// Handles SIGTERM, SIGINT and SIGHUP from this call on: the first begins the drain, the second aborts. The returned future handles
    /// them and never ends.
    ///
    /// # Errors
    /// If signal handlers cannot be installed.
    pub fn on_signals(&self) -> io::Result<impl Future<Output = Result<(), BoxError>> + use<>> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        // The end of a terminal: by default it would end the process without a drain.
        let mut hangup = signal(SignalKind::hangup())?;
        let shutdown = self.clone();
        Ok(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    _ = hangup.recv() => {}
                }
                if shutdown.is_draining() {
                    tracing::warn!("second signal; aborting");
                    shutdown.abort();
                } else {
                    tracing::info!("signal; draining, a second one aborts");
                    shutdown.drain();
                }
            }
        })
    }
}

/// Whether the drain of the running task's [`Tasks`] has begun. Failures are expected from then on: an uninstallation removes
/// permissions and objects before the process ends. False outside of such a task.
pub fn is_draining() -> bool {
    SHUTDOWN.try_with(Shutdown::is_draining).unwrap_or_default()
}

// === Tasks ===

/// Spawns a task that belongs to the same [`Tasks`] as the running one, for [`is_draining`].
pub fn spawn<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match SHUTDOWN.try_with(Clone::clone) {
        Ok(shutdown) => tokio::spawn(SHUTDOWN.scope(shutdown, task)),
        Err(_) => tokio::spawn(task),
    }
}

impl Tasks {
    /// No tasks. They end with `shutdown`, and a task that ends early begins its drain.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            work: JoinSet::new(),
            support: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// Starts a task that ends by itself after the drain has begun. The process waits for it.
    pub fn work<F, E>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let task = async { task.await.map_err(Into::into) };
        let task = SHUTDOWN.scope(self.shutdown.clone(), task);
        let id = self.work.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Starts a task that supports the others, such as the admin port. It is dropped when all work has ended.
    pub fn support<F, E>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let task = async { task.await.map_err(Into::into) };
        let task = SHUTDOWN.scope(self.shutdown.clone(), task);
        let id = self.support.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Runs until all work has ended.
    ///
    /// # Errors
    /// The first [`TaskError`]; later ones are logged.
    pub async fn run(mut self) -> Result<(), TaskError> {
        let mut first = None;
        let shutdown = self.shutdown.clone();
        while !self.work.is_empty() {
            let ended = tokio::select! {
                biased;
                () = shutdown.aborted() => {
                    keep_first(&mut first, TaskError::Aborted);
                    break;
                }
                Some(ended) = self.work.join_next_with_id() => ended,
                Some(ended) = self.support.join_next_with_id() => ended,
            };
            if let Some(error) = self.exit_error(ended) {
                keep_first(&mut first, error);
                shutdown.drain();
            }
        }
        self.work.shutdown().await;
        self.support.shutdown().await;
        first.map_or(Ok(()), Err)
    }

    /// The error of a task that ended; `None` if it ended as it should.
    fn exit_error(
        &self,
        ended: Result<(Id, Result<(), BoxError>), JoinError>,
    ) -> Option<TaskError> {
        let name = |id| self.names.get(&id).copied().unwrap_or("a task");
        match ended {
            Ok((id, Err(source))) => Some(TaskError::Failed {
                task: name(id),
                source,
            }),
            Ok((_, Ok(()))) if self.shutdown.is_draining() => None,
            Ok((id, Ok(()))) => Some(TaskError::EndedEarly(name(id))),
            Err(error) => Some(TaskError::Panicked(name(error.id()))),
        }
    }
}

fn keep_first(first: &mut Option<TaskError>, error: TaskError) {
    tracing::error!(%error, "shutting down");
    first.get_or_insert(error);
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::pending;

    use super::*;

    async fn until_drained(shutdown: Shutdown) -> Result<(), Infallible> {
        shutdown.draining().await;
        Ok(())
    }

    #[tokio::test]
    async fn tasks_end_without_an_error_after_a_drain() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.work("server", until_drained(shutdown.clone()));
        tasks.support("admin", pending::<Result<(), Infallible>>());
        shutdown.drain();
        tasks.run().await.unwrap();
    }

    #[tokio::test]
    async fn an_error_of_one_task_ends_the_others_and_is_the_result() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.work("server", until_drained(shutdown.clone()));
        tasks.support("admin", async { Err("port taken") });
        let error = tasks.run().await.unwrap_err();
        assert_eq!(error.to_string(), "admin failed: port taken");
        assert!(shutdown.is_draining());
    }

    #[tokio::test]
    async fn a_task_that_ends_early_or_panics_is_an_error() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.work("server", until_drained(shutdown.clone()));
        tasks.work("watch", async { Ok::<(), Infallible>(()) });
        assert!(matches!(
            tasks.run().await,
            Err(TaskError::EndedEarly("watch"))
        ));

        let mut tasks = Tasks::new(Shutdown::new());
        tasks.work("watch", async {
            assert!(std::hint::black_box(false), "intended");
            Ok::<(), Infallible>(())
        });
        assert!(matches!(
            tasks.run().await,
            Err(TaskError::Panicked("watch"))
        ));
    }

    #[tokio::test]
    async fn tasks_and_what_they_spawn_observe_the_drain() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        let observed = shutdown.clone();
        tasks.work("server", async move {
            let before = (is_draining(), spawn(async { is_draining() }).await.unwrap());
            observed.drain();
            let after = (is_draining(), spawn(async { is_draining() }).await.unwrap());
            assert_eq!((before, after), ((false, false), (true, true)));
            Ok::<(), Infallible>(())
        });
        tasks.run().await.unwrap();
        assert!(!is_draining(), "no task of the process");
    }

    #[tokio::test]
    async fn an_abort_does_not_wait_for_work() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.work("server", pending::<Result<(), Infallible>>());
        shutdown.abort();
        assert!(matches!(tasks.run().await, Err(TaskError::Aborted)));
    }
}
