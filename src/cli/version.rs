//! `version`: the version of the command and of its catalog, and with a cluster those that are installed there.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde::Serialize;

use crate::catalog;
use crate::report::printable::printable;

use super::cluster_args::{ClusterArgs, block_on};
use super::console;
use super::tally::Tally;
use super::yaml;

pub(super) mod installed;

use installed::Installed;

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: VersionFormat,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles version             this command
  bedrock-profiles version --cluster   and what is installed in the cluster of the current context

Exit codes: 0 done, 1 the cluster has other versions or lacks definitions, 2 no connection.";

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum VersionFormat {
    /// Lines of text.
    Text,
    /// One JSON object.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Versions, as JSON prints them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    version: &'static str,
    catalog_date: Option<String>,
    models: usize,
    cluster: Option<Installed>,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let shipped = catalog::builtin()?.spec;
    let cluster = if args.cluster.is_selected() {
        let own_date = shipped.catalog_date.as_deref();
        Some(block_on(async {
            Ok(Installed::read(&args.cluster.connect().await?, own_date).await?)
        })?)
    } else {
        None
    };
    let fits = cluster.as_ref().is_none_or(Installed::fits);
    let versions = Versions {
        version: env!("CARGO_PKG_VERSION"),
        catalog_date: shipped.catalog_date,
        models: shipped.models.len(),
        cluster,
    };
    match args.output {
        VersionFormat::Text => console::print(&text(&versions))?,
        VersionFormat::Json => {
            console::print(&(serde_json::to_string_pretty(&versions)? + "\n"))?;
        }
        VersionFormat::Yaml => console::print(&yaml::to_string(&versions)?)?,
    }
    Ok(Tally::default().exit_code(!fits))
}

fn text(versions: &Versions) -> String {
    let date = versions.catalog_date.as_deref().unwrap_or("unknown date");
    let mut text = format!(
        "bedrock-profiles {}\ncatalog of {date}, {} models\n",
        versions.version, versions.models
    );
    let Some(cluster) = &versions.cluster else {
        return text;
    };
    let _ = writeln!(text, "cluster {}", cluster.server);
    let unknown = || "unknown: no right to read it".to_owned();
    let releases = cluster.releases.as_ref().map(|releases| {
        let named =
            |one: &installed::Release| format!("{}/{} {}", one.namespace, one.name, one.version);
        match releases.as_slice() {
            [] => "none".to_owned(),
            found => found.iter().map(named).collect::<Vec<_>>().join(", "),
        }
    });
    for (name, value) in [
        ("Kubernetes", cluster.kubernetes.clone()),
        ("release", releases),
        (
            "definitions",
            cluster.definitions.map(|state| state.as_str().to_owned()),
        ),
        (
            "catalog",
            cluster
                .catalog
                .as_ref()
                .map(|one| one.date.clone().unwrap_or_else(|| "none".to_owned())),
        ),
    ] {
        let value = value.unwrap_or_else(unknown);
        let _ = writeln!(text, "  {name:<12} {}", printable(&value));
    }
    if cluster.fits() {
        text.push_str("  fits this command\n");
    }
    for problem in &cluster.problems {
        let _ = writeln!(text, "  differs: {}", printable(problem));
    }
    text
}
