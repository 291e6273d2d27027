//! `export`: prints manifests for `kubectl apply` or for a repository of manifests.

use std::process::ExitCode;

use super::console;

/// Prints manifests.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The manifests to print.
    #[command(subcommand)]
    pub manifests: Manifests,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles export crds | kubectl apply --server-side -f -";

/// The manifests that can be printed.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub enum Manifests {
    /// The CRDs, as YAML.
    #[command(after_help = EXAMPLES)]
    Crds,
}

/// The files of `manifests/crds/`, which a test generates from [`api::definitions`](crate::api::definitions). They are embedded, so that
/// the binary has no code that describes its types.
pub(super) const CRDS: [&str; 2] = [
    include_str!("../../manifests/crds/inferenceprofilemappings.yaml"),
    include_str!("../../manifests/crds/inferenceprofilepolicies.yaml"),
];

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = match args.manifests {
        Manifests::Crds => CRDS.map(|definition| format!("---\n{definition}")).concat(),
    };
    console::print_document(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
