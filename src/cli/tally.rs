//! What a command has read, and the exit code that follows.

use std::collections::BTreeSet;
use std::process::ExitCode;

use jiff::civil::Date;

use crate::audit::RestartPlan;
use crate::catalog::{self, CatalogError};
use crate::domain::workload_role::WorkloadRoles;
use crate::report::{AuditSubject, ToolVersion, UnreadDocument, UnreadFile};
use crate::scan::EvaluatedObjects;
use crate::scan::files::FileError;

use super::console::message;
use super::interruption::StopSignal;

/// Exit code for findings at or above `--fail-on`.
const EXIT_FINDINGS: u8 = 1;

/// Exit code for input that could not be read.
const EXIT_INPUT_ERROR: u8 = 2;

/// The number of objects, and whether every input could be read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Documents that could not be parsed.
    pub unread: Vec<UnreadDocument>,
    /// Files that could not be read, or were skipped.
    pub unread_files: Vec<UnreadFile>,
    /// Files that were read.
    pub files: usize,
    /// Of these, those that are not empty.
    pub texts: usize,
    /// Files that were skipped, because they are no text.
    pub skipped: usize,
    /// Objects that were evaluated.
    pub objects: usize,
    /// What the policies may select.
    pub evaluated: EvaluatedObjects,
    /// Findings that comments exempt.
    pub exempt_by_comment: usize,
    /// Objects and namespaces whose opt-out has ended, and its last day.
    pub ended_opt_outs: BTreeSet<(String, Date)>,
    /// The roles of ServiceAccounts, by namespace and name.
    pub roles: WorkloadRoles,
    /// The restarts that replace IDs, if they were asked for.
    pub restart_plan: Option<RestartPlan>,
    is_silent: bool,
    failed: bool,
    stopped_by: Option<StopSignal>,
}

impl Tally {
    /// A tally that prints nothing, for what has been read and reported before.
    pub fn silent() -> Self {
        Self {
            is_silent: true,
            ..Self::default()
        }
    }

    /// Prints a line about an input.
    pub fn print(&self, line: std::fmt::Arguments<'_>) {
        if !self.is_silent {
            message!("{line}");
        }
    }

    /// Prints an error that does not stop the command, but decides its exit code.
    pub fn error(&mut self, error: &dyn std::fmt::Display) {
        self.failed = true;
        self.print(format_args!("error: {error}"));
    }

    /// Prints why a file is not evaluated: an error, or a note if it is no text.
    pub fn unread_file(&mut self, error: &FileError) {
        let is_error = !matches!(error, FileError::NotText { .. });
        if is_error {
            self.error(error);
        } else {
            self.skipped += 1;
            self.print(format_args!(
                "note: {error}; --exclude skips it without this note"
            ));
        }
        self.unread_files.push(UnreadFile {
            file: error.name().to_owned(),
            problem: error.to_string(),
            is_error,
        });
    }

    /// What a report about the files that were read is about. Takes what could not be read.
    ///
    /// # Errors
    /// See [`subject`].
    pub fn subject(&mut self, today: Date) -> Result<AuditSubject, CatalogError> {
        Ok(AuditSubject {
            files: Some(self.files),
            incomplete: self
                .stopped_by
                .map(|signal| format!("files: {signal}"))
                .into_iter()
                .collect(),
            unread_files: std::mem::take(&mut self.unread_files),
            unread: std::mem::take(&mut self.unread),
            ..subject(today, self.objects)?
        })
    }

    /// A signal has stopped the work, which decides the exit code.
    pub const fn stop(&mut self, signal: Option<StopSignal>) {
        self.stopped_by = signal;
    }

    /// Whether an input could not be read.
    pub const fn has_failed(&self) -> bool {
        self.failed
    }

    /// The exit code.
    pub fn exit_code(&self, found: bool) -> ExitCode {
        if let Some(signal) = self.stopped_by {
            return ExitCode::from(signal.exit_code());
        }
        match (self.failed, found) {
            (true, _) => ExitCode::from(EXIT_INPUT_ERROR),
            (false, true) => ExitCode::from(EXIT_FINDINGS),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}

/// What a report about a cluster is about, by this program, with the number of objects that were evaluated.
///
/// # Errors
/// The embedded catalog is not valid, which a test excludes.
pub fn subject(today: Date, objects: usize) -> Result<AuditSubject, CatalogError> {
    Ok(AuditSubject {
        tool: ToolVersion::current(catalog::date()?),
        today,
        files: None,
        objects,
        incomplete: Vec::new(),
        unread_files: Vec::new(),
        unread: Vec::new(),
    })
}
