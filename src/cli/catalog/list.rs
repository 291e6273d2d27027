//! `catalog list`: the models of the catalog.

use std::collections::BTreeSet;
use std::process::ExitCode;

use jiff::civil::Date;
use serde::Serialize;

use super::CatalogFormat;
use super::mapping_args::MappingArgs;
use super::print::push_wrapped;
use crate::catalog::rows::knowledge;
use crate::cli::console;
use crate::domain::catalog::{DirectRow, LifecycleState, Model, ProfileState, Row};
use crate::domain::region::Region;

/// Arguments of `catalog list`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ListArgs {
    /// Only models with a row in this region, with what serves them there.
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    pub region: Option<Region>,
    /// Only models of this provider, such as `anthropic`.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Only models in this state.
    #[arg(long, value_enum)]
    pub state: Option<StateFilter>,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: CatalogFormat,
    /// The catalog.
    #[command(flatten)]
    pub mappings: MappingArgs,
}

/// A state of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StateFilter {
    /// Offered.
    Active,
    /// Offered to accounts that have used it recently.
    Legacy,
    /// No longer offered.
    EndOfLife,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles catalog list --provider anthropic
  bedrock-profiles catalog list --region eu-west-2 --state legacy
  bedrock-profiles catalog list --cluster -o json

Exit codes: 0 done, 2 wrong usage, an unreadable file or no connection.";

/// A model of the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListedModelRecord {
    model_id: String,
    state: &'static str,
    end_of_life: Option<Date>,
    direct: bool,
    profiles: Vec<String>,
    knowledge: Option<&'static str>,
}

/// Runs the command.
pub(super) fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let (catalog, today) = (args.mappings.catalog()?, args.mappings.date());
    let models = catalog.models().iter().filter(|model| {
        let of_provider = |name: &String| model.id.vendor_prefix().trim_end_matches('.') == name;
        args.provider.as_ref().is_none_or(of_provider)
            && args.region.is_none_or(|region| model.row(region).is_some())
    });
    let mut models: Vec<_> = models
        .map(|model| record(model, args.region, today))
        .collect();
    if let Some(state) = args.state {
        let name = match state {
            StateFilter::Active => LifecycleState::Active,
            StateFilter::Legacy => LifecycleState::Legacy,
            StateFilter::EndOfLife => LifecycleState::EndOfLife,
        };
        models.retain(|model| model.state == name.as_str());
    }
    match args.output {
        CatalogFormat::Text => console::print(&text(&models))?,
        CatalogFormat::Json => {
            let text = serde_json::to_string_pretty(&models)? + "\n";
            console::print_document(text.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn record(model: &Model, region: Option<Region>, today: Date) -> ListedModelRecord {
    let lifecycle = &model.lifecycle;
    let (state, end) = lifecycle.at(region, today);
    let has_ended = match region {
        Some(region) => model.is_past_end_of_life(region, today),
        None => model.is_past_everywhere(today),
    };
    // Without a region: the next end somewhere, or the last one.
    let dates = || lifecycle.end_of_life.iter().map(|end| end.date);
    let end_of_life = match region {
        Some(_) => end.map(|end| end.date),
        None if has_ended => dates().max(),
        None => dates().filter(|date| *date > today).min(),
    };
    let rows = model.rows();
    let rows = rows.filter(|(of, _)| region.is_none_or(|region| region == *of));
    let rows: Vec<&Row> = rows.map(|(_, row)| row).collect();
    let routes = rows.iter().flat_map(|row| row.routes());
    let alive = routes.filter(|route| route.state != ProfileState::Retired);
    let profiles: BTreeSet<_> = alive
        .map(|route| (route.geography.is_global(), &route.geography))
        .collect();
    ListedModelRecord {
        model_id: model.id.to_string(),
        state: if has_ended {
            LifecycleState::EndOfLife
        } else {
            state
        }
        .as_str(),
        end_of_life,
        direct: rows
            .iter()
            .any(|row| matches!(row.direct, Some((DirectRow::Works, _)))),
        profiles: profiles.iter().map(|(_, one)| one.to_string()).collect(),
        knowledge: knowledge(model.knowledge),
    }
}

fn text(models: &[ListedModelRecord]) -> String {
    let widest = models.iter().map(|model| model.model_id.len()).max();
    let widest = widest.unwrap_or_default();
    let mut text = String::new();
    for model in models {
        let direct = model.direct.then_some("direct");
        let profiles = model.profiles.iter().map(String::as_str);
        let served: Vec<_> = direct.into_iter().chain(profiles).collect();
        let state =
            (model.state != LifecycleState::Active.as_str()).then(|| model.state.to_owned());
        let has_ended = model.state == LifecycleState::EndOfLife.as_str();
        let verb = if has_ended { "since" } else { "ends" };
        let end = model.end_of_life.map(|end| format!("{verb} {end}"));
        let served = Some(served.join(" ")).filter(|served| !served.is_empty());
        let knowledge = model.knowledge.map(str::to_owned);
        let facts: Vec<_> = [served, knowledge, state, end]
            .into_iter()
            .flatten()
            .collect();
        let line = format!("{:widest$}  {}", model.model_id, facts.join("; "));
        push_wrapped(&mut text, line.trim_end(), 0, widest + 2);
    }
    text
}
