//! Standard output and standard error of the commands: results go to the first, everything else to the second.

use std::fmt::Arguments;
use std::io::Write as _;

use anyhow::Context as _;

use crate::report::printable::printable;

/// When output has colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set; elsewhere if `FORCE_COLOR` or `CLICOLOR_FORCE` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The width of a line where the output is no terminal, in columns.
pub const DEFAULT_WIDTH: usize = 80;

/// The narrowest lines that are wrapped, in columns.
const LEAST_WIDTH: usize = 40;

/// Decides when output has colours, for the whole process.
pub fn set_color(color: Color) {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
        Color::Auto if is_set("FORCE_COLOR") && !is_set("NO_COLOR") => {
            anstream::ColorChoice::Always
        }
        Color::Auto => anstream::ColorChoice::Auto,
    }
    .write_global();
}

/// Prints a result for people, with its colours where they are wanted.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print(text: &str) -> anyhow::Result<()> {
    write(&mut anstream::stdout(), text.as_bytes())
}

/// Prints a result that programs read: without a search for colours, which copies the text many times.
///
/// # Errors
/// Standard output cannot be written to.
pub fn print_document(text: &[u8]) -> anyhow::Result<()> {
    write(&mut std::io::stdout().lock(), text)
}

fn write(stdout: &mut impl std::io::Write, text: &[u8]) -> anyhow::Result<()> {
    stdout
        .write_all(text)
        .and_then(|()| stdout.flush())
        .context("cannot write to standard output")
}

/// Prints a line to standard error. A failure is ignored: the result and the exit code go elsewhere.
macro_rules! message {
    ($($text:tt)*) => {
        $crate::cli::console::print_message(format_args!($($text)*))
    };
}
pub(crate) use message;

/// See [`message!`]. Names of files and objects in the text may contain anything, so control characters are escaped.
pub fn print_message(text: Arguments<'_>) {
    let text = text.to_string();
    for line in text.split('\n') {
        // One write, so that the output of another process does not come between.
        let line = format!("{}\n", printable(line));
        let _ = anstream::stderr().write_all(line.as_bytes());
    }
}

/// Prints to standard error, with colours where they are wanted. A failure is ignored.
pub fn print_message_text(text: &str) {
    let _ = write!(anstream::stderr(), "{text}");
}

/// The width of a line of the terminal of standard output, in columns.
pub fn width() -> usize {
    let columns = terminal_size::terminal_size_of(std::io::stdout())
        .map(|(terminal_size::Width(columns), _)| usize::from(columns));
    columns.unwrap_or(DEFAULT_WIDTH).max(LEAST_WIDTH)
}
