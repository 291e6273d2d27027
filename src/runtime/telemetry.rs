//! The log: where it goes, in which form, and how much of it. It writes to standard error, so that results have
//! standard output for themselves.
//!
//! What must never be logged, because it may hold secrets: objects, env values, bodies, and the text of a panic,
//! which quotes the slice that it could not cut.

use std::io;
use std::panic::PanicHookInfo;
use std::sync::LazyLock;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Panics since the process began: like the hook that counts them, the process has one.
static PANICS: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Log records since the process began that nobody took.
static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object for each line.
    Json,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is none.
    #[error(
        "`{filter}` is no log filter: {source}; write for example `info` or `info,bedrock_profiles=debug`"
    )]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: ParseError,
    },
    /// The process has a log already.
    #[error("the log of this process is set up already")]
    Installed,
}

/// Sets the log of the process up, once: events that pass `filter` (directives as in `RUST_LOG`), in `format`.
///
/// # Errors
/// [`TelemetryError`] where the filter is none, or a log is set up already.
pub fn install(format: Format, filter: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(filter).map_err(|source| TelemetryError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would be told on the same standard error, by a macro that panics where that is closed: in a review.
        .log_internal_errors(false)
        .with_writer(|| Lossy(io::stderr()));
    match format {
        Format::Text => builder.try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|_| TelemetryError::Installed)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Makes known to `registry` what is counted of the process, and which program it is.
pub fn register(registry: &mut Registry) {
    registry.register(
        "panics",
        "Panics, each of which ended one review or one task; the log has their places",
        PANICS.clone(),
    );
    registry.register(
        "log_records_dropped",
        "Log records that could not be written to the standard error",
        DROPPED.clone(),
    );
    registry.register(
        "build",
        "The program that is running",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
}

/// A writer that counts what it cannot write, and goes on.
struct Lossy<W>(W);

impl<W: io::Write> io::Write for Lossy<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        match self.0.write(record) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                DROPPED.inc();
                Ok(record.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    PANICS.inc();
    let place = panic
        .location()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string);
    tracing::error!(%place, "panic; please report it with this place");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_counted() {
        let (before, hook) = (PANICS.get(), std::panic::take_hook());
        std::panic::set_hook(Box::new(log_panic));
        let caught = std::panic::catch_unwind(|| panic!("of a test"));
        std::panic::set_hook(hook);
        assert!(caught.is_err());
        assert!(PANICS.get() > before);
    }

    #[test]
    fn refuses_what_is_no_filter() {
        let error = install(Format::Json, "info,=,=").unwrap_err();
        assert!(
            error.to_string().contains("`info,=,=` is no log filter"),
            "{error}"
        );
    }
}
