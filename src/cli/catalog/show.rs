//! `catalog show`: all rows of a model.

use std::process::ExitCode;

use anyhow::bail;
use jiff::civil::Date;
use serde::Serialize;

use super::CatalogFormat;
use super::mapping_args::MappingArgs;
use super::print::{REST, ROW, RowLines, clause, push_wrapped};
use super::record::{RowRecord, ValueRecord};
use crate::catalog::rows::{RowField, RowKey, RowValue, rows};
use crate::cli::console;
use crate::domain::catalog::{Catalog, Model};
use crate::domain::region::Region;

/// Arguments of `catalog show`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ShowArgs {
    /// Model: its direct ID, an alias, or the ID of a profile.
    #[arg(value_name = "MODEL")]
    pub ids: String,
    /// Only rows of these regions.
    #[arg(long, value_name = "REGION", value_delimiter = ',', value_parser = Region::parse)]
    pub region: Vec<Region>,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: CatalogFormat,
    /// The catalog.
    #[command(flatten)]
    pub mappings: MappingArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles catalog show anthropic.claude-sonnet-4-6
  bedrock-profiles catalog show anthropic.claude-sonnet-4-6 --region eu-west-2,us-east-1
  bedrock-profiles catalog show eu.amazon.nova-pro-v1:0 --cluster -o json

Exit codes: 0 done, 2 wrong usage, or no such model.";

/// A model with its rows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownModel {
    model_id: String,
    rows: Vec<ShownRow>,
    mappings: Vec<ShownMapping>,
}

/// A row with the mapping that it is from.
#[derive(Serialize)]
struct ShownRow {
    #[serde(flatten)]
    row: RowRecord,
    value: ValueRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<String>,
}

/// A mapping and the date of its rows.
#[derive(Serialize)]
struct ShownMapping {
    name: String,
    date: Option<Date>,
}

/// Runs the command.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let catalog = args.mappings.catalog()?;
    let model = find(&catalog, &args.ids, args.mappings.date())?;
    let is_selected = |key: &RowKey| {
        let selects = |region: Region| args.region.is_empty() || args.region.contains(&region);
        key.model == model.id && key.region.is_none_or(selects)
    };
    let mut all = rows(&catalog);
    all.retain(|key, _| is_selected(key));
    match args.output {
        CatalogFormat::Text => {
            let mut text = format!("{}\n", model.id);
            let mut lines = RowLines::default();
            for (key, value) in &all {
                lines.add(line(key, value, source(&catalog, model, key)), key);
            }
            lines.write(&mut text);
            for mapping in mappings(&catalog, model) {
                let date = mapping.date.map(|date| format!(" of {date}"));
                let line = format!("mapping {}{}", mapping.name, date.unwrap_or_default());
                push_wrapped(&mut text, &line, ROW, REST);
            }
            console::print(&text)?;
        }
        CatalogFormat::Json => {
            let rows = all.iter().map(|(key, value)| ShownRow {
                row: key.into(),
                value: value.into(),
                mapping: source(&catalog, model, key).map(str::to_owned),
            });
            let shown = ShownModel {
                model_id: model.id.to_string(),
                rows: rows.collect(),
                mappings: mappings(&catalog, model),
            };
            let text = serde_json::to_string_pretty(&shown)? + "\n";
            console::print_document(text.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(key: &RowKey, value: &RowValue, source: Option<&str>) -> String {
    let clause = clause(&key.field, value);
    match source {
        Some(mapping) => format!("{clause} [{mapping}]"),
        None => clause,
    }
}

/// The mapping of a row that has one.
fn source<'c>(catalog: &'c Catalog, model: &Model, key: &RowKey) -> Option<&'c str> {
    let row = model.row(key.region?)?;
    let mapping = match &key.field {
        RowField::Direct => row.direct?.1,
        RowField::Profile(geography) => {
            row.routes()
                .find(|route| route.geography == *geography)?
                .mapping
        }
        RowField::State
        | RowField::EndOfLife
        | RowField::Successor
        | RowField::Aliases
        | RowField::Knowledge => return None,
    };
    Some(catalog.mapping(mapping).0)
}

/// The mappings that have rows of the model.
fn mappings(catalog: &Catalog, model: &Model) -> Vec<ShownMapping> {
    let of_rows = model.rows().flat_map(|(_, row)| {
        let direct = row.direct.map(|(_, mapping)| mapping);
        direct
            .into_iter()
            .chain(row.routes().map(|route| route.mapping))
    });
    let mut found: Vec<_> = of_rows.chain([model.mapping()]).collect();
    found.sort_unstable();
    found.dedup();
    let shown = found.into_iter().map(|mapping| {
        let (name, date) = catalog.mapping(mapping);
        ShownMapping {
            name: name.to_owned(),
            date,
        }
    });
    shown.collect()
}

/// The model that a text names.
fn find<'c>(catalog: &'c Catalog, text: &str, today: Date) -> anyhow::Result<&'c Model> {
    let of_profile = || catalog.find(text.split_once('.')?.1);
    let found = catalog.find(text).or_else(|| catalog.alias(text));
    if let Some(at) = found.or_else(of_profile) {
        return Ok(catalog.model(at));
    }
    let nearest = catalog
        .spelled_like(text)
        .or_else(|| catalog.nearest(text, today));
    if let Some(at) = nearest {
        bail!(
            "the catalog has no model {text}; is it {}?",
            catalog.model(at).id
        );
    }
    bail!("the catalog has no model {text}; `bedrock-profiles catalog list` lists them");
}
