//! The mappings that the commands of `catalog` read: of the binary, of files or of a cluster.

use std::path::PathBuf;

use anyhow::ensure;
use jiff::civil::Date;

use crate::api::InferenceProfileMapping;
use crate::catalog;
use crate::cli::cluster_args::{ClusterArgs, block_on};
use crate::cli::cluster_view;
use crate::cli::console::message;
use crate::cli::evaluation_args::{
    EvaluationArgsError, current_date, mappings_of_file, retain_valid,
};
use crate::cli::tally::Tally;
use crate::domain::catalog::{Catalog, Conflict};
use crate::validate::{self, Invalid};

/// Which mappings to read.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct MappingArgs {
    /// Mapping to use beside the built-in catalog, a YAML or JSON file; can be given several times.
    #[arg(long = "mapping", value_name = "FILE")]
    pub mappings: Vec<PathBuf>,
    /// Do not use the built-in catalog.
    #[arg(long)]
    pub no_builtin: bool,
    /// Date to compare end-of-life dates with. Default: the current date in UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub today: Option<Date>,
    /// The cluster whose mappings to use in place of the built-in catalog.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

impl MappingArgs {
    /// The mappings that the flags select: those of the cluster or the built-in catalog, and those of the files. That of the
    /// cluster with the name `required` has to be valid.
    pub(in crate::cli) fn mappings(
        &self,
        required: Option<&str>,
    ) -> anyhow::Result<Vec<InferenceProfileMapping>> {
        let of_cluster = if self.cluster.is_selected() {
            Some(of_cluster(&self.cluster, required)?)
        } else {
            None
        };
        let mut mappings = match of_cluster {
            Some(mut mappings) if self.no_builtin => {
                mappings.retain(|mapping| name(mapping) != catalog::NAME);
                mappings
            }
            Some(mappings) if !mappings.is_empty() => mappings,
            // A cluster without mappings gets the catalog, as where it is evaluated.
            _ if self.no_builtin => Vec::new(),
            _ => vec![catalog::builtin()?],
        };
        for path in &self.mappings {
            mappings.extend(mappings_of_file(path, "--mapping")?);
        }
        if mappings.is_empty() {
            return Err(EvaluationArgsError::NoMapping.into());
        }
        Ok(mappings)
    }

    /// The merge of [`mappings`](Self::mappings).
    pub(super) fn catalog(&self) -> anyhow::Result<Catalog> {
        merged(&self.mappings(None)?)
    }

    /// The date to compare end-of-life dates with.
    pub(in crate::cli) fn date(&self) -> Date {
        self.today.unwrap_or_else(current_date)
    }
}

/// The name of a mapping.
pub(super) fn name(mapping: &InferenceProfileMapping) -> &str {
    mapping.metadata.name.as_deref().unwrap_or_default()
}

/// The valid mappings of a cluster. An invalid one is printed as a warning and ignored, as the controllers do, but for the one with
/// the name `required`.
pub(super) fn of_cluster(
    cluster: &ClusterArgs,
    required: Option<&str>,
) -> anyhow::Result<Vec<InferenceProfileMapping>> {
    let mut tally = Tally::default();
    let mappings = block_on(async {
        let pager = cluster.connect().await?.pager;
        cluster_view::mappings(&pager, &mut tally).await
    })?;
    ensure!(
        !tally.has_failed(),
        "not all mappings of the cluster can be read: use the version of this program that the cluster has"
    );
    if let Some(last) = mappings.iter().find(|one| Some(name(one)) == required) {
        validate::mapping(last)?;
    }
    Ok(retain_valid(mappings, validate::mapping))
}

/// The merge of mappings, as the controllers merge them. Prints rows that contradict each other as warnings.
pub(in crate::cli) fn merged(mappings: &[InferenceProfileMapping]) -> anyhow::Result<Catalog> {
    let (catalog, conflicts) = merge(mappings)?;
    print_conflicts(conflicts);
    Ok(catalog)
}

/// The merge of mappings, and the rows that contradict each other.
pub(super) fn merge(
    mappings: &[InferenceProfileMapping],
) -> Result<(Catalog, Vec<Conflict>), Invalid> {
    let valid = mappings.iter().map(validate::mapping);
    Ok(Catalog::merge(valid.collect::<Result<_, _>>()?))
}

/// Prints rows that contradict each other as warnings.
pub(super) fn print_conflicts(conflicts: Vec<Conflict>) {
    for one in conflicts {
        message!(
            "warning: {} has the geographies {} and {} in {}; {} is not used there, of mapping `{}`",
            one.model,
            one.kept,
            one.dropped,
            one.region,
            one.dropped,
            one.mapping
        );
    }
}
