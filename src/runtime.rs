//! The process: what runs in it, how it ends, and the listeners' common rules. It knows nothing of the product.
//!
//! Everything hangs on values that are handed around, so that a server can be started twice in one process.

pub mod admin;
pub mod http;
pub mod published;
pub mod telemetry;

use std::collections::HashMap;
use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// An error of any task.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The two moments at which a process ends: drain, when no new work shall be begun, and abort, when what is left is
/// dropped. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    abort: CancellationToken,
}

/// All that runs. Whatever ends early ends everything, and its error becomes the process's.
pub struct Tasks {
    shutdown: Shutdown,
    work: JoinSet<Result<(), BoxError>>,
    support: JoinSet<Result<(), BoxError>>,
    names: HashMap<Id, &'static str>,
}

/// Why a process did not end as it was told to.
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
    /// A task ended before it was asked to.
    #[error("{0} ended before it was asked to")]
    EndedEarly(&'static str),
    /// A task panicked.
    #[error("{0} panicked; the log names the place")]
    Panicked(&'static str),
    /// The end was ordered a second time, and work in flight was dropped.
    #[error("ended at once, work in flight was dropped")]
    Aborted,
}

// === Shutdown ===

impl Shutdown {
    /// Neither moment has come.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the drain.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Ends at once.
    pub fn abort(&self) {
        self.drain.cancel();
        self.abort.cancel();
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Comes when the drain begins.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Comes when all is to end at once.
    pub async fn aborted(&self) {
        self.abort.cancelled().await;
    }

    /// Listens to SIGTERM and SIGINT from this call on: the first begins the drain, the second ends at once. The
    /// future that does so never ends.
    ///
    /// # Errors
    /// Where the system does not let signals be caught.
    pub fn on_signals(&self) -> io::Result<impl Future<Output = Result<(), BoxError>> + use<>> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        Ok(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if shutdown.is_draining() {
                    tracing::warn!("second signal: ending at once");
                    shutdown.abort();
                } else {
                    tracing::info!("signal: draining; a second one ends at once");
                    shutdown.drain();
                }
            }
        })
    }
}

// === Tasks ===

impl Tasks {
    /// No tasks yet. They end with `shutdown`, and begin it where one of them ends early.
    pub fn new(shutdown: Shutdown) -> Self {
        Self {
            shutdown,
            work: JoinSet::new(),
            support: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// Starts a task that ends by itself once the drain has begun, and is waited for.
    pub fn work<F, E>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let id = self
            .work
            .spawn(async { task.await.map_err(Into::into) })
            .id();
        self.names.insert(id, name);
    }

    /// Starts a task that serves the others, such as the admin port: it is dropped when the last of them has ended.
    pub fn support<F, E>(&mut self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let id = self
            .support
            .spawn(async { task.await.map_err(Into::into) })
            .id();
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
            if let Some(error) = self.judge(ended) {
                keep_first(&mut first, error);
                shutdown.drain();
            }
        }
        self.work.shutdown().await;
        self.support.shutdown().await;
        first.map_or(Ok(()), Err)
    }

    /// What the end of a task means.
    fn judge(&self, ended: Result<(Id, Result<(), BoxError>), JoinError>) -> Option<TaskError> {
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
    async fn ends_without_an_error_when_told_to() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.work("server", until_drained(shutdown.clone()));
        tasks.support("admin", pending::<Result<(), Infallible>>());
        shutdown.drain();
        tasks.run().await.unwrap();
    }

    #[tokio::test]
    async fn an_error_of_one_task_ends_the_others_and_is_the_answer() {
        let shutdown = Shutdown::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.work("server", until_drained(shutdown.clone()));
        tasks.support("admin", async { Err("port taken") });
        let error = tasks.run().await.unwrap_err();
        assert_eq!(error.to_string(), "admin failed: port taken");
        assert!(shutdown.is_draining());
    }

    #[tokio::test]
    async fn an_early_end_and_a_panic_are_errors() {
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
            assert!(std::hint::black_box(false), "on purpose");
            Ok::<(), Infallible>(())
        });
        assert!(matches!(
            tasks.run().await,
            Err(TaskError::Panicked("watch"))
        ));
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
