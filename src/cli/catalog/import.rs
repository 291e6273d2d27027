//! `catalog import`: prints or applies the mapping that corrects the catalog by what the Bedrock API lists.

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use kube::api::{Api, DynamicObject, ObjectMeta, Patch, PatchParams};
use kube::core::Status;
use serde_json::json;

use super::answer_files::AnswerArgs;
use super::mapping_args::{MappingArgs, merge, name, of_cluster, print_conflicts};
use super::print::{catalog_differences, listed_differences};
use crate::api::{InferenceProfileMapping, InferenceProfileMappingSpec};
use crate::catalog::answers::ListedRegions;
use crate::catalog::check::check;
use crate::catalog::correction::{CorrectedCatalogs, CorrectionOptions, correction};
use crate::catalog::{self, rows};
use crate::cli::cluster_args::{ClusterArgs, block_on};
use crate::cli::console::{self, message};
use crate::cli::tally::Tally;
use crate::cli::yaml;
use crate::cluster::release::{MANAGED_BY, Manager};
use crate::domain::catalog::{Catalog, Conflict};
use crate::validate::Invalid;

/// The priority of a correction: above the shipped catalog, below the mappings of users.
const PRIORITY: i32 = -500;

/// Arguments of `catalog import`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArgs {
    /// The answers.
    #[command(flatten)]
    pub answers: AnswerArgs,
    /// Name of the mapping. Its rows about regions without an answer stay as they are.
    #[arg(long, value_name = "NAME", default_value = "bedrock-api")]
    pub name: String,
    /// Priority of the mapping. Default: that of the mapping as it is, or else -500.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    pub priority: Option<i32>,
    /// Withdraw rows that the API does not list, although it may hide them from the account.
    #[arg(long)]
    pub remove_missing: bool,
    /// Apply the mapping to the cluster, by server-side apply, and print what changes.
    #[arg(long, conflicts_with_all = ["mappings", "no_builtin"])]
    pub apply: bool,
    /// The catalog to correct.
    #[command(flatten)]
    pub mappings: MappingArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles catalog import answers/ >bedrock-api.yaml
  bedrock-profiles catalog import answers/ --mapping bedrock-api.yaml   with the rows of the last import
  bedrock-profiles catalog import answers/ --apply                      in the cluster of the current context

The mapping has the rows that differ from all other mappings, and no others. A row that the API does not list stays.

Exit codes: 0 done, 1 something that the API lists is not corrected, 2 wrong usage, an unreadable file or no connection.";

/// A mapping with its correction.
struct Import {
    /// What the cluster has of the mapping, if it has it.
    last: Option<ObjectMeta>,
    mapping: InferenceProfileMapping,
    /// Whether the rows differ from those of the mapping before.
    is_changed: bool,
    /// All mappings, merged, before and after the correction.
    before: Catalog,
    after: Catalog,
}

/// Runs the command.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    ensure!(
        args.name != catalog::NAME,
        "the mapping `{}` is that of the product, which writes it again: choose another --name",
        catalog::NAME
    );
    let listed = args.answers.read()?;
    let cluster = &args.mappings.cluster;
    let mappings = if args.apply {
        of_cluster(cluster, Some(&args.name))?
    } else {
        args.mappings.mappings(Some(&args.name))?
    };
    let import = Import::new(args, mappings, &listed)?;
    if args.apply {
        import.apply(cluster)?;
    } else {
        console::print_document(yaml::to_string(&import.mapping)?.as_bytes())?;
    }
    let mut uncorrected = check(&import.after, &listed, args.mappings.date());
    uncorrected.retain(|one| !one.evidence.is_weak());
    if !uncorrected.is_empty() {
        message!(
            "warning: these rows are not corrected: another mapping has a higher priority, the model is past its end of life, or the answers contradict each other\n{}",
            listed_differences(&uncorrected).trim_end()
        );
    }
    Ok(Tally::default().exit_code(!uncorrected.is_empty()))
}

/// The merge of the others and the mapping, with the rows that contradict each other.
fn with(
    others: &[InferenceProfileMapping],
    mapping: Option<&InferenceProfileMapping>,
) -> Result<(Catalog, Vec<Conflict>), Invalid> {
    let all: Vec<_> = others.iter().chain(mapping).cloned().collect();
    merge(&all)
}

impl Import {
    fn new(
        args: &ImportArgs,
        mappings: Vec<InferenceProfileMapping>,
        listed: &ListedRegions,
    ) -> anyhow::Result<Self> {
        let of_name = |one: &InferenceProfileMapping| name(one) == args.name;
        let (mut last, others): (Vec<_>, Vec<_>) = mappings.into_iter().partition(of_name);
        ensure!(
            !others.is_empty(),
            "there is no other mapping than `{}`: there is nothing to correct",
            args.name
        );
        ensure!(
            last.len() < 2,
            "there are several mappings `{}`: remove one",
            args.name
        );
        let last = last.pop();
        let ((without, _), (before, _)) = (with(&others, None)?, with(&others, last.as_ref())?);
        let options = CorrectionOptions {
            removes_missing: args.remove_missing,
            today: args.mappings.date(),
        };
        let initial = InferenceProfileMappingSpec {
            priority: PRIORITY,
            ..InferenceProfileMappingSpec::default()
        };
        let spec = last.as_ref().map_or(initial, |last| last.spec.clone());
        let correct = |spec, current: &Catalog| {
            let catalogs = CorrectedCatalogs {
                others: &without,
                current,
                listed,
            };
            correction(
                spec,
                &check(current, listed, options.today),
                catalogs,
                options,
            )
        };
        let mut spec = correct(spec, &before);
        spec.priority = args.priority.unwrap_or(spec.priority);
        // Rows of a model whose end of life turns out to be later are corrected after its date.
        let dated = InferenceProfileMapping::new(&args.name, spec);
        let spec = correct(dated.spec.clone(), &with(&others, Some(&dated))?.0);
        let is_changed = match &last {
            Some(last) => (&last.spec.models, last.spec.priority) != (&spec.models, spec.priority),
            None => !spec.models.is_empty(),
        };
        let mapping = InferenceProfileMapping::new(&args.name, spec);
        let (after, conflicts) = with(&others, Some(&mapping))?;
        print_conflicts(conflicts);
        Ok(Self {
            last: last.map(|last| last.metadata),
            mapping,
            is_changed,
            before,
            after,
        })
    }

    /// Applies the mapping, unless its rows are those of the cluster, and prints what that changes.
    fn apply(&self, cluster: &ClusterArgs) -> anyhow::Result<()> {
        let name = name(&self.mapping);
        if !self.is_changed {
            message!("nothing is to be corrected: mapping `{name}` is not applied");
            return Ok(());
        }
        let manager = Manager::CatalogImport.as_str();
        if let Some(last) = &self.last {
            let mut fields = last.managed_fields.iter().flatten();
            ensure!(
                fields.any(|one| one.manager.as_deref() == Some(manager)),
                "mapping `{name}` is not of an import: choose another --name, or remove that mapping"
            );
        }
        // Without the version, an import that runs at the same time would lose its rows.
        let version = self.last.as_ref().map(|last| &last.resource_version);
        block_on(async {
            let client = cluster.connect().await?.clients.writing;
            let resource = kube::api::ApiResource::erase::<InferenceProfileMapping>(&());
            let object = json!({
                "apiVersion": resource.api_version, "kind": resource.kind,
                "metadata": {
                    "name": name, "resourceVersion": version,
                    "labels": {"app.kubernetes.io/managed-by": MANAGED_BY},
                },
                "spec": self.mapping.spec,
            });
            let params = PatchParams::apply(manager).validation_strict();
            let api = Api::<DynamicObject>::all_with(client, &resource);
            match api.patch(name, &params, &Patch::Apply(&object)).await {
                Err(kube::Error::Api(status)) if is_outdated(&status) => {
                    bail!("mapping `{name}` has changed since it was read: import again")
                }
                Err(kube::Error::Api(status)) if status.is_conflict() => bail!(
                    "mapping `{name}` has fields of another manager: choose another --name, or remove that mapping: {}",
                    status.message
                ),
                applied => applied.with_context(|| format!("cannot apply mapping `{name}`")),
            }
        })?;
        console::print(&catalog_differences(&rows::differences(
            &self.before,
            &self.after,
        )))?;
        message!("mapping `{name}` is applied");
        Ok(())
    }
}

/// Whether the version of an object is no longer the one that was sent. A conflict with another manager names its fields.
fn is_outdated(status: &Status) -> bool {
    let details = status.details.as_ref();
    status.is_conflict() && details.is_none_or(|details| details.causes.is_empty())
}
