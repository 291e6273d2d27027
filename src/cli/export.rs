//! `export`: prints manifests for `kubectl apply` or for a repository of manifests.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::api;
use crate::cli::yaml;

/// Prints manifests.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The manifests to print.
    #[command(subcommand)]
    pub manifests: Manifests,
}

/// The manifests that can be printed.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub enum Manifests {
    /// The CRDs, as YAML.
    Crds,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = match args.manifests {
        Manifests::Crds => api::definitions()
            .iter()
            .map(|definition| Ok(format!("---\n{}", manifest(definition)?)))
            .collect::<Result<String, serde_saphyr::ser::Error>>()
            .context("cannot write the CustomResourceDefinitions as YAML")?,
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// The YAML of a definition, equal to its file in `manifests/crds/`.
pub fn manifest(definition: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    yaml::to_string(definition)
}
