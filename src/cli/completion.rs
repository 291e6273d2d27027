//! `completion`: prints the script that completes command lines in a shell. The scripts call the hidden command `__complete`, which
//! prints candidates in the protocol of kubectl's plugins, so that `kubectl bedrock-profiles` completes with the same answers.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::CommandFactory as _;

use super::{Cli, console};

mod candidates;

/// Arguments of `completion`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  source <(bedrock-profiles completion bash)
  source <(bedrock-profiles completion zsh)
  bedrock-profiles completion fish | source
  bedrock-profiles completion kubectl >~/.local/bin/kubectl_complete-bedrock_profiles";

/// The shells with a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// Bash 4 or later.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
    /// The program that kubectl calls for its plugin `bedrock-profiles`: an executable file
    /// `kubectl_complete-bedrock_profiles` in the PATH.
    Kubectl,
}

/// Arguments of `__complete`.
#[derive(Debug, clap::Args)]
pub struct CompleteArgs {
    /// The words after the command; the last one is completed.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, num_args = 0..)]
    pub words: Vec<String>,
}

/// Prints the script.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let script = match args.shell {
        Shell::Bash => include_str!("completion/bash.sh"),
        Shell::Zsh => include_str!("completion/zsh.sh"),
        Shell::Fish => include_str!("completion/fish.fish"),
        Shell::Kubectl => include_str!("completion/kubectl.sh"),
    };
    console::print_document(script.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the candidates for the last word, a line each with its description, and a last line that says whether names of files are
/// candidates too.
pub fn complete(args: &CompleteArgs) -> anyhow::Result<ExitCode> {
    let mut command = Cli::command();
    command.build();
    let found = candidates::complete(&command, &args.words);
    let mut text = String::new();
    for (candidate, description) in &found.candidates {
        text.push_str(candidate);
        if !description.is_empty() {
            text.extend(["\t", description]);
        }
        text.push('\n');
    }
    let _ = writeln!(text, ":{}", found.directive());
    console::print_document(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
