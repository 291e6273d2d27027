//! The command `bedrock-profiles`.

use std::process::ExitCode;

use bedrock_profiles::cli::{self, Cli};
use bedrock_profiles::runtime::error_text::error_text;

/// What a usage or input error ends with.
const ERROR: u8 = 2;

fn main() -> ExitCode {
    cli::run(Cli::parse_or_exit()).unwrap_or_else(|error| {
        cli::console::print_message(format_args!("error: {}", error_text(error.as_ref())));
        ExitCode::from(ERROR)
    })
}
