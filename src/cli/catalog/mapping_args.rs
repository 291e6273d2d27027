//! The mappings that the commands of `catalog` read: of the binary, of files or of a cluster.

use std::path::PathBuf;

use jiff::civil::Date;

use crate::api::InferenceProfileMapping;
use crate::catalog;
use crate::cli::cluster_args::{ClusterArgs, block_on};
use crate::cli::cluster_view;
use crate::cli::console::message;
use crate::cli::evaluation_args::{EvaluationArgs, EvaluationArgsError, mappings_of_file};
use crate::cli::tally::Tally;
use crate::domain::catalog::Catalog;
use crate::validate;

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
    /// The mappings that the flags select: those of the cluster or the built-in catalog, and those of the files.
    pub(super) fn mappings(&self) -> anyhow::Result<Vec<InferenceProfileMapping>> {
        let of_cluster = if self.cluster.is_selected() {
            Some(of_cluster(&self.cluster)?)
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
        merged(&self.mappings()?)
    }

    /// The date to compare end-of-life dates with.
    pub(super) fn date(&self) -> Date {
        let today = self.today;
        let of_day = EvaluationArgs {
            today,
            ..EvaluationArgs::default()
        };
        (of_day.today())()
    }
}

/// The name of a mapping.
pub(super) fn name(mapping: &InferenceProfileMapping) -> &str {
    mapping.metadata.name.as_deref().unwrap_or_default()
}

/// The valid mappings of a cluster. An invalid one is printed as a warning and ignored, as the controllers do.
pub(super) fn of_cluster(cluster: &ClusterArgs) -> anyhow::Result<Vec<InferenceProfileMapping>> {
    block_on(async {
        let pager = cluster.connect().await?.pager;
        cluster_view::mappings(&pager, &mut Tally::default()).await
    })
}

/// The merge of mappings, as the controllers merge them. Prints rows that contradict each other as warnings.
pub(super) fn merged(mappings: &[InferenceProfileMapping]) -> anyhow::Result<Catalog> {
    let valid = mappings.iter().map(validate::mapping);
    let (catalog, conflicts) = Catalog::merge(valid.collect::<Result<_, _>>()?);
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
    Ok(catalog)
}
