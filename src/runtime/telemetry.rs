//! The log: its destination, format and filter. It is written to standard error; standard output is for results.
//!
//! Objects, env values, request bodies and panic messages are never logged, because they may hold secrets: the message of a panic
//! can quote the string that it failed to slice.

mod log_writer;

use std::io::{self, IsTerminal as _};
use std::panic::PanicHookInfo;
use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{fmt, registry};

use log_writer::LogWriter;

/// Panics since the process started. It is global like the panic hook that counts them.
static PANICS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Log records since the process started that were lost.
static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// How long the end of the process waits for the reader of the log.
const FLUSH: Duration = Duration::from_secs(1);

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogEncoding {
    /// For people.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// Writes the rest of the log when it is dropped, for at most [`FLUSH`].
#[must_use = "the last lines of the log are lost if it is dropped early"]
#[derive(Debug)]
pub struct LogGuard(LogWriter);

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is invalid.
    #[error("invalid log filter `{filter}`: {source}; use for example `info` or `info,kube=debug`")]
    Filter {
        /// The filter.
        filter: String,
        /// The cause.
        source: ParseError,
    },
    /// The thread of the log cannot be started.
    #[error("cannot start the thread of the log: {0}")]
    Thread(#[from] io::Error),
    /// The process already has a log.
    #[error("the log of this process is already set up")]
    Installed,
}

/// Sets up the log of the process, once: events that pass `filter` (levels by target, as in `RUST_LOG`), in `format`. No event waits until it
/// is written; those that are not written when the guard is dropped may be lost.
///
/// # Errors
/// [`TelemetryError`] if the filter is invalid, or the log is already set up.
pub fn install(format: LogEncoding, filter: &str) -> Result<LogGuard, TelemetryError> {
    let levels: Targets = filter.parse().map_err(|source| TelemetryError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let writer = LogWriter::start(io::stderr(), DROPPED.clone())?;
    let guard = LogGuard(writer.clone());
    let mut lines = fmt::layer()
        // The layer would report its own errors to standard error by a macro that panics if that is closed.
        .log_internal_errors(false)
        .with_writer(move || writer.clone());
    if !io::stderr().is_terminal() {
        lines = lines.with_ansi(false); // colours are for terminals; there, NO_COLOR switches them off
    }
    let events = registry().with(levels);
    match format {
        LogEncoding::Text => events.with(lines).try_init(),
        LogEncoding::Json => events.with(lines.json().flatten_event(true)).try_init(),
    }
    .map_err(|_| TelemetryError::Installed)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(guard)
}

/// Registers the metrics of the process.
pub fn register(registry: &mut Registry) {
    registry.register(
        "panics",
        "Panics of the process; each ended one request or one task, and the log has its source location",
        PANICS.clone(),
    );
    registry.register(
        "log_records_dropped",
        "Log records that were lost: standard error was not read in time, or is closed",
        DROPPED.clone(),
    );
    registry.register(
        "build",
        "Version of the running program",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        self.0.flush(FLUSH);
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    PANICS.inc();
    let location = panic
        .location()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string);
    tracing::error!(%location, "panic; please report it with this location");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted() {
        let (before, hook) = (PANICS.get(), std::panic::take_hook());
        std::panic::set_hook(Box::new(log_panic));
        let caught = std::panic::catch_unwind(|| panic!("intended"));
        std::panic::set_hook(hook);
        assert!(caught.is_err());
        assert!(PANICS.get() > before);
    }

    #[test]
    fn an_invalid_filter_is_an_error() {
        let error = install(LogEncoding::Json, "info,kube=loud").unwrap_err();
        assert!(
            error
                .to_string()
                .contains("invalid log filter `info,kube=loud`"),
            "{error}"
        );
    }
}
