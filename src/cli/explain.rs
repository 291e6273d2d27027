//! `explain`: prints what a reason means, with an example and what to do.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use jiff::civil::Date;

use crate::api::{self, InferenceProfilePolicySpec};
use crate::catalog;
use crate::domain::view::{Namespaces, View};
use crate::report::AuditReport;
use crate::report::cause::Cause;
use crate::report::explanation::{Example, explanation, list, page};
use crate::report::text::{GroupBy, Show, TextOptions, text};
use crate::scan::config_maps::ConfigMapCollector;
use crate::scan::namespaces::NamespaceCollector;
use crate::scan::{FileFormat, ParsedFile, Scan};

use super::console::{self, DEFAULT_WIDTH};
use super::evaluation_args::{EvaluationArgs, default_policy};
use super::file_args::DEFAULT_NAMESPACE;
use super::tally::Tally;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  bedrock-profiles explain            all reasons
  bedrock-profiles explain NoRegion   what it means, an example, and what to do")]
pub struct Args {
    /// The reason, or another word that `audit` prints for a finding; without one, all are listed.
    #[arg(value_name = "REASON", ignore_case = true, hide_possible_values = true, value_parser = names())]
    pub reason: Option<String>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Cause::all().map(Cause::as_str))
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = match &args.reason {
        Some(name) => page_of(name)?,
        None => list(console::width()),
    };
    console::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn page_of(name: &str) -> anyhow::Result<String> {
    let mut all = Cause::all();
    let cause = all.find(|cause| cause.as_str().eq_ignore_ascii_case(name));
    let cause = cause.context("no such reason")?;
    let explanation = explanation(cause).context("the reason has no page")?;
    let audited = explanation.example.as_ref().map(audited).transpose()?;
    Ok(page(cause, &explanation, &audited.unwrap_or_default()))
}

/// What an audit prints about an example, on the day of the catalog.
fn audited(example: &Example) -> anyhow::Result<String> {
    let mut tally = Tally::default();
    let mut policy = default_policy();
    if !example.policy.is_empty() {
        let spec: InferenceProfilePolicySpec = api::yaml::from_str(example.policy)?;
        policy = InferenceProfilePolicySpec {
            mode: policy.mode,
            ..spec
        };
    }
    let arguments = EvaluationArgs::default();
    let (mut view, _) = arguments.view(policy)?;
    let day = catalog::date()?.and_then(|date| date.parse().ok());
    let today = day.context("the catalog has no date")?;
    let parsed = ParsedFile::parse(example.file, example.text, format(example.file));
    let mut namespaces = NamespaceCollector::default();
    namespaces.add(&parsed);
    let namespaces = namespaces.namespaces.into_iter();
    let namespaces = namespaces.map(|(name, one)| (name, Arc::new(one)));
    view.namespaces = Arc::new(Namespaces::Observed(namespaces.collect()));
    let mut config_maps = ConfigMapCollector::default();
    config_maps.add(&scan(&view, today), &parsed);
    view.config_maps = Arc::new(config_maps.references);
    let findings = scan(&view, today).file(&parsed).findings;
    let report = AuditReport::new(tally.subject(today)?, findings);
    let options = TextOptions {
        show: &[Show::All],
        group_by: GroupBy::File,
        width: DEFAULT_WIDTH,
    };
    Ok(text(&report, options))
}

const fn scan(view: &View, today: Date) -> Scan<'_> {
    Scan {
        exemptions: &[],
        view,
        today,
        namespace: DEFAULT_NAMESPACE,
        edit: None,
        selector: None,
    }
}

fn format(file: &str) -> FileFormat {
    match file.rsplit('.').next() {
        Some("yaml") => FileFormat::Yaml,
        Some("json") => FileFormat::Json,
        Some(_) | None => FileFormat::Other,
    }
}
