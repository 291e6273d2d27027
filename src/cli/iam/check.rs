//! `iam check`: prints the inference profiles that the service control policies of an organisation deny.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use crate::cli::console;
use crate::cli::evaluation_args::EvaluationArgs;
use crate::domain::region::Region;
use crate::iam::{DeniedProfiles, OrganisationCheck, PolicySource, check_organisation};
use crate::report::printable::{printable, wrapped};

use super::policy_file;

/// Arguments of `iam check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Service control policies, as JSON; can be given several times.
    #[arg(long = "scp", value_name = "FILE", required = true, num_args = 1..)]
    pub scps: Vec<PathBuf>,
    /// Only calls from these regions.
    #[arg(long, value_name = "REGION", value_parser = Region::parse)]
    pub region: Vec<Region>,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: CheckFormat,
    /// Policies and mappings.
    #[command(flatten)]
    pub evaluation: EvaluationArgs,
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// Lines of text.
    Text,
    /// One JSON object.
    Json,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles iam check --scp scp/*.json
  bedrock-profiles iam check --scp regions.json --region eu-west-1

Denials alone are compared: that another policy allows the calls is not checked.

Exit codes: 0 no profile is denied, 1 some are, 2 wrong usage or an unreadable file.";

/// Runs the command.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let policies = args.scps.iter().map(|path| {
        let policy = policy_file::read(path)?;
        let name = path.display().to_string();
        Ok::<_, policy_file::PolicyFileError>(PolicySource { name, policy })
    });
    let policies: Vec<_> = policies.collect::<Result<_, _>>()?;
    let view = args.evaluation.view_printing_warnings()?;
    let check = check_organisation(&policies, &view.snapshot.catalog, &args.region);
    match args.output {
        CheckFormat::Text => console::print(&text(&check))?,
        CheckFormat::Json => {
            let text = serde_json::to_string_pretty(&json(&check))? + "\n";
            console::print_document(text.as_bytes())?;
        }
    }
    Ok(if check.denied.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn text(check: &OrganisationCheck) -> String {
    let mut text = String::new();
    let mut by_region: BTreeMap<Region, Vec<&DeniedProfiles>> = BTreeMap::new();
    for one in &check.denied {
        by_region.entry(one.source).or_default().push(one);
    }
    let width = console::width().saturating_sub(INDENTATION);
    for (region, denied) in by_region {
        let _ = writeln!(text, "{region}");
        for one in denied {
            for line in wrapped(&printable(&profile_sentence(one)), width, width) {
                let _ = writeln!(text, "{:INDENTATION$}{line}", "");
            }
        }
    }
    text + &summary(check)
}

/// The indentation of what is denied in a region.
const INDENTATION: usize = 2;

fn profile_sentence(one: &DeniedProfiles) -> String {
    let verb = if one.depends_on.is_empty() {
        "denied".to_owned()
    } else {
        format!("denied for some callers, by {}", one.depends_on.join(", "))
    };
    format!(
        "{}. of {}: {verb} in {} ({})",
        one.geography,
        models(&one.models),
        one.regions.join(", "),
        one.statements.join(", "),
    )
}

/// The first models, and how many more there are.
fn models(models: &[String]) -> String {
    match models {
        [first] => first.clone(),
        [first, rest @ ..] => format!("{first} and {} more models", rest.len()),
        [] => String::new(),
    }
}

fn summary(check: &OrganisationCheck) -> String {
    let denied: usize = check.denied.iter().map(|one| one.models.len()).sum();
    let regions: Vec<_> = check.destinations.iter().map(ToString::to_string).collect();
    let mut text = format!(
        "{denied} profiles are denied in a source region, {} are not; the destinations of {} are unknown.\n",
        check.permitted, check.unknown
    );
    if denied > 0 && check.destinations.is_empty() {
        // An empty list in a policy would permit every destination.
        text +=
            "The policies deny every destination, so there is no list for allowedDestinations.\n";
    } else if denied > 0 {
        text += "A policy that keeps to what is not denied:\n  geography:\n";
        if !check.permits_global {
            text += "    global: Never\n";
        }
        let _ = writeln!(text, "    allowedDestinations: [{}]", regions.join(", "));
    }
    text
}

fn json(check: &OrganisationCheck) -> serde_json::Value {
    let denied = check.denied.iter().map(|one| {
        json!({
            "region": one.source.to_string(),
            "geography": one.geography.to_string(),
            "models": one.models,
            "deniedIn": one.regions,
            "statements": one.statements,
            "dependsOn": one.depends_on,
        })
    });
    let destinations = check.destinations.iter().map(ToString::to_string);
    json!({
        "denied": denied.collect::<Vec<_>>(),
        "permitted": check.permitted,
        "unknown": check.unknown,
        "permitsGlobal": check.permits_global,
        "allowedDestinations": destinations.collect::<Vec<_>>(),
    })
}
