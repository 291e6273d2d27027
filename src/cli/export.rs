//! `export`: prints manifests for `kubectl apply` or for a repository of manifests.

use std::process::ExitCode;

use super::catalog::mapping_args::{MappingArgs, merged};
use super::{console, yaml};
use crate::catalog::merged::merged_mapping;
use crate::validate;

pub mod admission_policies;

use admission_policies::{MapArgs, VapArgs};

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
  bedrock-profiles export crds | kubectl apply --server-side -f -
  bedrock-profiles export mapping --cluster >mapping.yaml
  bedrock-profiles export vap --action Warn | kubectl apply --server-side -f -";

/// The manifests that can be printed.
#[derive(Debug, clap::Subcommand)]
pub enum Manifests {
    /// The CRDs, as YAML.
    #[command(after_help = CRDS_EXAMPLES)]
    Crds,
    /// All mappings as one mapping, as YAML.
    #[command(after_help = MAPPING_EXAMPLES)]
    Mapping(Box<MappingExportArgs>),
    /// A `ValidatingAdmissionPolicy` with its binding.
    #[command(
        about = "A ValidatingAdmissionPolicy that reports direct IDs that cannot work, with its binding, as YAML"
    )]
    Vap(Box<VapArgs>),
    /// A `MutatingAdmissionPolicy` with its binding.
    #[command(
        about = "A MutatingAdmissionPolicy that replaces direct IDs in variables of Pods, with its binding, as YAML"
    )]
    Map(Box<MapArgs>),
}

const CRDS_EXAMPLES: &str = "\
Examples:
  bedrock-profiles export crds | kubectl apply --server-side -f -";

/// Arguments of `export mapping`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("today", |arg| arg.hide(true)))]
pub struct MappingExportArgs {
    /// Name of the mapping.
    #[arg(long, value_name = "NAME", default_value = "merged")]
    pub name: String,
    /// The mappings to merge.
    #[command(flatten)]
    pub mappings: MappingArgs,
}

const MAPPING_EXAMPLES: &str = "\
Examples:
  bedrock-profiles export mapping >mapping.yaml
  bedrock-profiles export mapping --mapping corrections.yaml >mapping.yaml
  bedrock-profiles export mapping --cluster >mapping.yaml

The mapping has every row, and a priority above those of the mappings that it merges, so that what you edit in it takes precedence. Apply
it with `kubectl apply --server-side`: a client-side apply would store a second copy, for which an object has no room.";

/// The files of `manifests/crds/`, which a test generates from [`api::definitions`](crate::api::definitions). They are embedded, so that
/// the binary has no code that describes its types.
pub(super) const CRDS: [&str; 2] = [
    include_str!("../../manifests/crds/inferenceprofilemappings.yaml"),
    include_str!("../../manifests/crds/inferenceprofilepolicies.yaml"),
];

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = match &args.manifests {
        Manifests::Crds => CRDS.map(|definition| format!("---\n{definition}")).concat(),
        Manifests::Mapping(args) => mapping(args)?,
        Manifests::Vap(args) => admission_policies::vap(args)?,
        Manifests::Map(args) => admission_policies::map(args)?,
    };
    console::print_document(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn mapping(args: &MappingExportArgs) -> anyhow::Result<String> {
    let mappings = args.mappings.mappings(None)?;
    let mapping = merged_mapping(&args.name, &mappings, &merged(&mappings)?);
    validate::mapping(&mapping)?;
    Ok(yaml::to_string(&mapping)?)
}
