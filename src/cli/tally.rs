//! What a command has read, and the exit code that follows.

use std::process::ExitCode;

use crate::report::UnreadDocument;

use super::console::message;

/// Exit code for findings at or above `--fail-on`.
const EXIT_FINDINGS: u8 = 1;

/// Exit code for input that could not be read.
const EXIT_INPUT_ERROR: u8 = 2;

/// The number of objects, and whether every input could be read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Documents that could not be parsed.
    pub unread: Vec<UnreadDocument>,
    /// Files that were read.
    pub files: usize,
    /// Of these, those that are not empty.
    pub texts: usize,
    /// Files that were skipped, because they are no text.
    pub skipped: usize,
    /// Objects that were evaluated.
    pub objects: usize,
    failed: bool,
}

impl Tally {
    /// Prints an error that does not stop the command, but decides its exit code.
    pub fn error(&mut self, error: &dyn std::fmt::Display) {
        self.failed = true;
        message!("error: {error}");
    }

    /// Whether an input could not be read.
    pub const fn has_failed(&self) -> bool {
        self.failed
    }

    /// The exit code.
    pub fn exit_code(&self, found: bool) -> ExitCode {
        match (self.failed, found) {
            (true, _) => ExitCode::from(EXIT_INPUT_ERROR),
            (false, true) => ExitCode::from(EXIT_FINDINGS),
            (false, false) => ExitCode::SUCCESS,
        }
    }
}
