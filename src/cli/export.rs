//! `export`: what a cluster is given besides the webhook, printed for `kubectl apply` or a repository of manifests.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use crate::api;
use crate::cli::yaml;

/// Prints manifests.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to print.
    #[command(subcommand)]
    pub what: What,
}

/// What can be printed.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub enum What {
    /// The definitions of the custom resources, as YAML.
    Crds,
}

/// Prints what was asked for.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = match args.what {
        What::Crds => api::definitions()
            .iter()
            .map(|definition| Ok(format!("---\n{}", manifest(definition)?)))
            .collect::<Result<String, serde_saphyr::ser::Error>>()
            .context("cannot write the definitions as YAML")?,
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to the standard output")?;
    Ok(ExitCode::SUCCESS)
}

/// A definition as its file in `manifests/crds/` has it.
pub fn manifest(definition: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    yaml::to_string(definition)
}
