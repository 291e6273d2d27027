//! The log: where it goes, in which form, and how much of it. It writes to standard error, so that results have
//! standard output for themselves.
//!
//! What must never be logged, because it may hold secrets: objects, env values, bodies, and the text of a panic,
//! which quotes the slice that it could not cut.

use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

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
        // What cannot be logged cannot be told on the same standard error either: the attempt would panic, in a review.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    match format {
        Format::Text => builder.try_init(),
        Format::Json => builder.json().flatten_event(true).try_init(),
    }
    .map_err(|_| TelemetryError::Installed)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map_or_else(|| "unknown".to_owned(), ToString::to_string);
    tracing::error!(%place, "panic; please report it with this place");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_filter() {
        let error = install(Format::Json, "info,=,=").unwrap_err();
        assert!(
            error.to_string().contains("`info,=,=` is no log filter"),
            "{error}"
        );
    }
}
