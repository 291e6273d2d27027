//! `resolve`: one ID in one region, each step on request.

use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use crate::api::{self, InferenceProfilePolicySpec};
use crate::domain::catalog::{Confidence, Destinations, DirectRow};
use crate::domain::policy::{Namespace, OverrideTarget, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::domain::resolve::{Evidence, Named, Question, Resolution, Step, crossings, resolve};
use crate::domain::snapshot::Snapshot;
use crate::domain::token::{Prefix, tokens};
use crate::report;

use super::judging::Judging;

/// Says what becomes of one model ID in one region.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ID as a workload would write it, with or without a prefix.
    pub id: String,
    /// The region that the workload calls.
    #[arg(long)]
    pub region: String,
    /// The namespace of the workload, which policies may select.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Show each step.
    #[arg(long)]
    pub explain: bool,
    /// Form of the answer.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: Output,
    /// By what is judged.
    #[command(flatten)]
    pub judging: Judging,
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// One answer, as JSON prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    id: String,
    region: String,
    outcome: &'static str,
    reason: Option<&'static str>,
    sentence: Option<&'static str>,
    target: Option<String>,
    destinations: Option<Vec<String>>,
    crosses: Vec<[String; 2]>,
    note: Option<&'static str>,
    confidence: &'static str,
    policy: String,
    mapping: Option<String>,
    catalog_date: Option<String>,
    lifecycle: Option<report::LifecycleRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let default = InferenceProfilePolicySpec {
        mode: api::Mode::Rewrite,
        ..InferenceProfilePolicySpec::default()
    };
    let view = args.judging.told_view(default)?;
    let region = Region::parse(&args.region)?;
    let namespace = Namespace::named(&args.namespace);
    let selected = view
        .snapshot
        .policies
        .iter()
        .filter(|policy| policy.namespaces.selects(&namespace));
    let policy = selected
        .clone()
        .find(|policy| policy.decides())
        .or_else(|| selected.clone().next());
    let policy = policy.with_context(|| {
        format!(
            "no policy selects the namespace `{}`: name another by --namespace",
            args.namespace
        )
    })?;
    let answer = answer(args, &view.snapshot, policy, (region, &namespace));
    match args.output {
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&answer)?),
        Output::Text => print(&answer),
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(
    args: &Args,
    snapshot: &Snapshot,
    policy: &Policy,
    (region, namespace): (Region, &Namespace),
) -> Answer {
    let named = named(&args.id, snapshot);
    let today = (args.judging.today())();
    let question = Question {
        named,
        region,
        inferred: false,
        namespace,
        whole: true,
        today,
    };
    let mut steps = Vec::new();
    let (resolution, evidence) = resolve(&question, policy, &snapshot.catalog, &mut |step| {
        steps.push(words(&step));
    });
    let (target, destinations, note) = match &resolution {
        Resolution::Rewrite {
            target,
            destinations,
            note,
        } => (Some(target), Some(destinations), *note),
        Resolution::Leave(_) => (
            None,
            evidence.route.as_ref().map(|route| &route.destinations),
            None,
        ),
    };
    let id = match named {
        Named::Direct(id) | Named::Profiled { id, .. } => id,
    };
    let mapping = evidence.mapping.map(|at| snapshot.catalog.mapping(at));
    Answer {
        id: args.id.clone(),
        region: region.to_string(),
        outcome: if target.is_some() { "Rewrite" } else { "Leave" },
        reason: resolution.reason().map(Reason::as_str),
        sentence: resolution.reason().map(Reason::sentence),
        target: target.map(ToString::to_string),
        destinations: destinations.and_then(regions),
        crosses: destinations
            .map(|destinations| {
                crossings(destinations, region)
                    .iter()
                    .map(|(from, to)| [from.to_string(), to.to_string()])
                    .collect()
            })
            .unwrap_or_default(),
        note: note.map(|_| "EndOfLife"),
        confidence: confidence(&evidence),
        policy: policy.name.to_string(),
        mapping: mapping.map(|(name, _)| name.to_owned()),
        catalog_date: mapping
            .and_then(|(_, date)| date)
            .map(|date| date.to_string()),
        lifecycle: report::lifecycle_of(id, Some(region), snapshot, today),
        steps: if args.explain { steps } else { Vec::new() },
    }
}

/// The ID as the domain names it.
fn named<'a>(id: &'a str, snapshot: &'a Snapshot) -> Named<'a> {
    let token = tokens(id, snapshot).find(|token| token.span == (0..id.len()));
    match token.map(|token| (token.prefix, token.id)) {
        Some((Prefix::Geography(geography), id)) => Named::Profiled { geography, id },
        _ => Named::Direct(id),
    }
}

fn regions(destinations: &Destinations) -> Option<Vec<String>> {
    match destinations {
        Destinations::Known(regions) => Some(regions.iter().map(ToString::to_string).collect()),
        Destinations::Anywhere => Some(vec!["*".to_owned()]),
        Destinations::Unknown => None,
    }
}

fn confidence(evidence: &Evidence) -> &'static str {
    match evidence.confidence() {
        Confidence::High => "High",
        Confidence::Medium => "Medium",
    }
}

fn print(answer: &Answer) {
    for (at, step) in answer.steps.iter().enumerate() {
        anstream::println!("{:>2}. {step}", at + 1);
    }
    match (&answer.target, answer.reason, answer.sentence) {
        (Some(target), ..) => anstream::println!("{target}"),
        (None, Some(reason), Some(sentence)) => {
            anstream::println!("{} is left: {reason}. {sentence}", answer.id);
        }
        _ => {}
    }
    let routes = answer
        .destinations
        .as_ref()
        .map(|regions| regions.join(", "));
    line("may route to", routes.as_deref());
    let borders: Vec<_> = answer
        .crosses
        .iter()
        .map(|[from, to]| format!("{from} -> {to}"))
        .collect();
    line(
        "crosses",
        Some(&*borders.join(", ")).filter(|text| !text.is_empty()),
    );
    line("lifecycle", answer.lifecycle.as_ref().map(life).as_deref());
    line(
        "note",
        answer
            .note
            .map(|_| "the model has reached its end of life here: this cures nothing"),
    );
    let doubtful =
        (answer.confidence != "High").then_some("Medium: sources disagree, or it was inferred");
    line("confidence", doubtful);
    let date = answer
        .catalog_date
        .as_ref()
        .map(|date| format!(" of {date}"))
        .unwrap_or_default();
    line(
        "mapping",
        answer
            .mapping
            .as_ref()
            .map(|name| format!("{name}{date}"))
            .as_deref(),
    );
    line("policy", Some(&answer.policy));
}

/// A model's life in words.
fn life(life: &report::LifecycleRecord) -> String {
    let date = life
        .end_of_life_date
        .as_ref()
        .map(|date| format!(", end of life {date}"))
        .unwrap_or_default();
    let successor = life
        .successor
        .as_ref()
        .map(|id| format!(", successor {id}"))
        .unwrap_or_default();
    format!("{}{date}{successor}", life.state)
}

fn line(name: &str, text: Option<&str>) {
    if let Some(text) = text {
        anstream::println!("  {name}: {text}");
    }
}

/// A step in words.
fn words(step: &Step) -> String {
    let verdict = |verdict: &Result<(), Reason>| {
        verdict.map_or_else(|reason| format!("no: {reason}"), |()| "yes".to_owned())
    };
    match step {
        Step::Included(included) => {
            format!("does the policy include the model? {}", verdict(included))
        }
        Step::Replaced(to) => format!("a replacement leads to {to}"),
        Step::Overridden(OverrideTarget::Arn(arn), used) => format!(
            "the policy's override is {arn}; is it permitted? {}",
            verdict(used)
        ),
        Step::Overridden(OverrideTarget::System(geography), used) => {
            format!(
                "the policy's override is the profile of geography {geography}; is it permitted? {}",
                verdict(used)
            )
        }
        Step::Direct(row, works) => {
            let said = match row {
                Some(DirectRow::Works) => "the mapping says that it works",
                Some(DirectRow::Former) => "it worked until the model's end of life",
                Some(DirectRow::Never) | None => "no row says that it works",
            };
            format!(
                "does the direct ID work here? {}: {said}",
                if *works { "yes" } else { "no" }
            )
        }
        Step::Considered(route, permitted) => {
            format!(
                "the profile of geography {} ({:?}); is it permitted? {}",
                route.geography,
                route.state,
                verdict(permitted)
            )
        }
        Step::GlobalUnused => {
            "only a global profile serves, and the policy's geography.global is Never".to_owned()
        }
    }
}
