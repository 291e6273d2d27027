//! `catalog check`: the rows of the catalog beside what the Bedrock API lists.

use std::collections::BTreeSet;
use std::process::ExitCode;

use bedrock_profiles_engine::in_group;
use schemars::JsonSchema;
use serde::Serialize;

use super::CatalogFormat;
use super::answer_files::AnswerArgs;
use super::mapping_args::MappingArgs;
use super::print::{listed_differences, push_wrapped};
use super::record::ListedDifferenceRecord;
use crate::catalog::answers::ListedRegions;
use crate::catalog::check::{ListedDifference, check};
use crate::cli::console;
use crate::cli::tally::Tally;
use crate::domain::catalog::{Catalog, Model};
use crate::domain::region::Region;

/// Arguments of `catalog check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CatalogCheckArgs {
    /// The answers.
    #[command(flatten)]
    pub answers: AnswerArgs,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: CatalogFormat,
    /// The catalog.
    #[command(flatten)]
    pub mappings: MappingArgs,
}

const EXAMPLES: &str = "\
Examples:
  aws bedrock list-inference-profiles --region eu-west-1 >answers/profiles-eu-west-1.json
  aws bedrock list-foundation-models --region eu-west-1 >answers/models-eu-west-1.json
  bedrock-profiles catalog check answers/
  bedrock-profiles catalog check answers/ --cluster -o json

+ the API lists a row that the catalog lacks, ~ it lists another value, - it contradicts the row, ? it does not list the row, or lists it
shortly after its end of life: that is no proof.

Exit codes: 0 nothing that the API lists differs, 1 something does, 2 wrong usage or an unreadable file.";

/// What the catalog has differently from the Bedrock API.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogCheck {
    /// Group and version.
    pub api_version: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The date that end-of-life dates were compared with, as YYYY-MM-DD.
    pub date: String,
    /// Regions of the answers.
    pub checked: Vec<CheckedRegion>,
    /// Regions of the catalog without an answer.
    pub not_checked: Vec<String>,
    /// Entries of answers that were not compared, with the reason.
    pub notes: Vec<String>,
    /// The rows that differ.
    pub differences: Vec<ListedDifferenceRecord>,
}

/// A region with an answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CheckedRegion {
    /// The region.
    pub region: String,
    /// Whether there is an answer of `list-inference-profiles`.
    pub profiles: bool,
    /// Whether there is an answer of `list-foundation-models`.
    pub models: bool,
}

/// Runs the command.
pub(super) fn run(args: &CatalogCheckArgs) -> anyhow::Result<ExitCode> {
    let listed = args.answers.read()?;
    let (catalog, today) = (args.mappings.catalog()?, args.mappings.date());
    let differences = check(&catalog, &listed, today);
    let unchecked = unchecked(&catalog, &listed);
    match args.output {
        CatalogFormat::Text => {
            let text =
                listed_differences(&differences) + &summary(&differences, &listed, &unchecked);
            console::print(&text)?;
        }
        CatalogFormat::Json => {
            let report = CatalogCheck {
                api_version: in_group!("v1alpha1"),
                kind: "CatalogCheck",
                date: today.to_string(),
                checked: checked(&listed),
                not_checked: unchecked.iter().map(ToString::to_string).collect(),
                notes: listed.notes().map(str::to_owned).collect(),
                differences: differences.iter().map(Into::into).collect(),
            };
            let text = serde_json::to_string_pretty(&report)? + "\n";
            console::print_document(text.as_bytes())?;
        }
    }
    let differs = differences.iter().any(|one| !one.evidence.is_weak());
    Ok(Tally::default().exit_code(differs))
}

fn checked(listed: &ListedRegions) -> Vec<CheckedRegion> {
    let regions = listed.regions().map(|(region, listed)| CheckedRegion {
        region: region.to_string(),
        profiles: listed.profiles.is_some(),
        models: listed.models.is_some(),
    });
    regions.collect()
}

/// The regions of the catalog without an answer.
fn unchecked(catalog: &Catalog, listed: &ListedRegions) -> BTreeSet<Region> {
    let rows = catalog.models().iter().flat_map(Model::rows);
    let regions = rows.map(|(region, _)| region);
    regions
        .filter(|region| listed.region(*region).is_none())
        .collect()
}

fn summary(
    differences: &[ListedDifference],
    listed: &ListedRegions,
    unchecked: &BTreeSet<Region>,
) -> String {
    let weak = differences
        .iter()
        .filter(|one| one.evidence.is_weak())
        .count();
    let regions = listed.regions().count();
    let mut text = String::new();
    let mut push = |line: &str| push_wrapped(&mut text, line, 0, 2);
    push(&format!(
        "{} in {}, and {weak} more may differ.",
        counted(differences.len() - weak, "row differs", "rows differ"),
        counted(regions, "region", "regions"),
    ));
    if weak > 0 {
        push(
            "A row that is not listed may exist: AWS lists for an account, a project or a program only what it may use.",
        );
    }
    let half = |has: fn(&CheckedRegion) -> bool| {
        let regions = checked(listed).into_iter().filter(|one| !has(one));
        regions.map(|one| one.region).collect::<Vec<_>>().join(" ")
    };
    let unchecked: Vec<_> = unchecked.iter().map(Region::as_str).collect();
    for (what, regions) in [
        (
            "profiles, no answer of list-inference-profiles",
            half(|one| one.profiles),
        ),
        (
            "direct IDs and lifecycles, no answer of list-foundation-models",
            half(|one| one.models),
        ),
        ("no answer", unchecked.join(" ")),
    ] {
        if !regions.is_empty() {
            push(&format!("Not checked, {what}: {regions}"));
        }
    }
    text
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
