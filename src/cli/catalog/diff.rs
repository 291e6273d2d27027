//! `catalog diff`: the rows that differ between two catalogs.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use serde::Serialize;

use super::CatalogFormat;
use super::mapping_args::{merged, of_cluster};
use super::print::catalog_differences;
use super::record::DifferenceRecord;
use crate::catalog::{self, rows};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::console;
use crate::cli::evaluation_args::mappings_of_file;
use crate::cli::tally::Tally;
use crate::domain::catalog::Catalog;

/// The operand for the mappings of a cluster.
const CLUSTER: &str = "cluster";

/// Arguments of `catalog diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct DiffArgs {
    /// The first catalog: `builtin`, `cluster`, a file with mappings, or several of these, merged, with `+` between them.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub before: String,
    /// The second catalog.
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub after: String,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: CatalogFormat,
    /// The cluster that `cluster` is.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles catalog diff builtin builtin+corrections.yaml   what corrections change
  bedrock-profiles catalog diff old.yaml new.yaml                  two files
  bedrock-profiles catalog diff cluster builtin                    what this version would change

+ only the second has the row, - only the first, ~ they differ.

Exit codes: 0 equal, 1 different, 2 wrong usage, an unreadable file or no connection.";

/// The rows that differ between two catalogs.
#[derive(Serialize)]
struct CatalogDiff {
    differences: Vec<DifferenceRecord>,
}

/// Runs the command.
pub(super) fn run(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let before = read(&args.before, &args.cluster)?;
    let after = read(&args.after, &args.cluster)?;
    let differences = rows::differences(&before, &after);
    match args.output {
        CatalogFormat::Text => console::print(&catalog_differences(&differences))?,
        CatalogFormat::Json => {
            let differences = differences.iter().map(Into::into).collect();
            let text = serde_json::to_string_pretty(&CatalogDiff { differences })? + "\n";
            console::print_document(text.as_bytes())?;
        }
    }
    Ok(Tally::default().exit_code(!differences.is_empty()))
}

/// The merge of the mappings that an operand names.
fn read(operand: &str, cluster: &ClusterArgs) -> anyhow::Result<Catalog> {
    let parts: Vec<_> = if Path::new(operand).exists() {
        vec![operand]
    } else {
        operand.split('+').collect()
    };
    let mut mappings = Vec::new();
    for part in parts {
        match part {
            catalog::NAME => mappings.push(catalog::builtin()?),
            CLUSTER => {
                let found = of_cluster(cluster, None)?;
                ensure!(!found.is_empty(), "the cluster has no mapping");
                mappings.extend(found);
            }
            file => mappings.extend(mappings_of_file(Path::new(file), "the operand")?),
        }
    }
    merged(&mappings)
}
