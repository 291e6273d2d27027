//! What a command has read, and the exit code that follows.

use std::process::ExitCode;

/// Exit code for findings at or above `--fail-on`.
const EXIT_FINDINGS: u8 = 1;

/// Exit code for input that could not be read.
const EXIT_INPUT_ERROR: u8 = 2;

/// The number of objects, and whether every input could be read.
#[derive(Debug, Default)]
pub struct Tally {
    /// Objects that were evaluated.
    pub objects: usize,
    failed: bool,
}

impl Tally {
    /// Prints an error that does not stop the command, but decides its exit code.
    pub fn error(&mut self, error: &dyn std::fmt::Display) {
        self.failed = true;
        anstream::eprintln!("error: {error}");
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
