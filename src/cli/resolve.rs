//! `resolve`: one ID in one region, each step on request.

use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use crate::api::{self, InferenceProfilePolicySpec};
use crate::domain::catalog::{Confidence, DirectRow};
use crate::domain::id::ModelId;
use crate::domain::policy::{Lists, Namespace, OverrideTarget, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::domain::resolve::{
    Evidence, Named, Question, Reported, Resolution, Step, Suggestion, resolve, suggestion,
};
use crate::domain::shape::{Whole, region_of_arn};
use crate::domain::site::Setting;
use crate::domain::snapshot::Snapshot;
use crate::domain::token::{Form, tokens};
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
    #[value(alias = "table")]
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
    suggestion: Option<String>,
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
    let mut selected = view
        .snapshot
        .policies
        .iter()
        .filter(|policy| policy.namespaces.selects(&namespace))
        .collect::<Vec<_>>();
    // The one that decides; among policies that decide nothing, the first.
    selected.sort_by_key(|policy| !policy.decides());
    let policy = *selected.first().with_context(|| {
        format!(
            "no policy selects the namespace `{}`, of which only the name is known here: name another by --namespace",
            args.namespace
        )
    })?;
    let asked = Asked::read(&args.id, &view.snapshot, policy)?;
    let question = Question {
        named: asked.named,
        region: asked.region.unwrap_or(region),
        inferred: false,
        namespace: &namespace,
        whole: asked.whole,
        today: (args.judging.today())(),
    };
    let answer = answer(args, &asked, &question, (policy, &view.snapshot));
    match args.output {
        Output::Json => anstream::println!("{}", serde_json::to_string_pretty(&answer)?),
        Output::Text => print(&answer),
    }
    Ok(ExitCode::SUCCESS)
}

/// What was asked for, read as it would be in the value of a variable.
struct Asked<'a> {
    named: Named<'a>,
    /// A region that is written into the value, which comes before any other.
    region: Option<Region>,
    /// Nothing but the ID.
    whole: bool,
    /// Why an ID of this shape is left before anything else is asked.
    left: Option<Reason>,
    /// The name as it stands, with whatever is before its vendor.
    written: &'a str,
    /// The direct ID in it, known or not.
    id: &'a str,
}

impl<'a> Asked<'a> {
    fn read(id: &'a str, snapshot: &'a Snapshot, policy: &Policy) -> anyhow::Result<Self> {
        let alone = |named, direct| Self {
            named,
            region: None,
            whole: true,
            left: None,
            written: id,
            id: direct,
        };
        if let Some(model) = snapshot.catalog.alias(id) {
            let model = snapshot.catalog.model(model).id.as_str();
            if policy.aliases.is_some() {
                return Ok(alone(Named::Alias(model), model));
            }
            anyhow::ensure!(
                tokens(id, snapshot).next().is_some(),
                "`{id}` is an alias of {model}, and the policy `{}` does not turn aliases on: set `spec.models.aliases.enabled`",
                policy.name
            );
        }
        let Some(token) = tokens(id, snapshot).next() else {
            // Of a vendor that no mapping knows.
            ModelId::parse(id)?;
            return Ok(alone(Named::Direct(id), id));
        };
        let shape = Whole::of(id, Setting::Env).shape(&token);
        let left = match (token.form, shape) {
            (Form::Doubled, _) => Some(Reason::DoublePrefix),
            (_, Err(reason)) => Some(reason),
            (_, Ok(shape)) if shape.listed && policy.lists == Lists::Leave => {
                Some(Reason::ListLeft)
            }
            (_, Ok(_)) => None,
        };
        let named = match token.form {
            Form::Profiled(geography) => Named::Profiled {
                geography,
                id: token.id,
            },
            Form::Direct | Form::Doubled | Form::Alias => Named::Direct(token.id),
        };
        Ok(Self {
            named,
            region: match shape {
                Ok(shape) => shape.region,
                Err(_) => region_of_arn(id, &token),
            },
            whole: shape.is_ok_and(|shape| shape.whole),
            left,
            written: &id[token.span.clone()],
            id: token.id,
        })
    }
}

fn answer(
    args: &Args,
    asked: &Asked<'_>,
    question: &Question<'_>,
    (policy, snapshot): (&Policy, &Snapshot),
) -> Answer {
    let (region, today) = (question.region, question.today);
    let mut steps = Vec::new();
    if asked.region.is_some() {
        steps.push(format!("the region is written into the value: {region}"));
    }
    if let Named::Profiled { geography, .. } = question.named {
        steps.push(format!(
            "the ID carries the prefix of a profile, {geography}"
        ));
    }
    let (resolution, evidence) = if let Some(reason) = asked.left {
        steps.push(format!("is an ID judged in this shape? no: {reason}"));
        (Resolution::Leave(reason), Evidence::default())
    } else {
        resolve(question, policy, &snapshot.catalog, &mut |step| {
            steps.push(words(&step));
        })
    };
    let suggestion = resolution
        .reason()
        .and_then(|reason| suggested(reason, asked, question, (policy, snapshot)));
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
    let mapping = evidence.mapping.map(|at| snapshot.catalog.mapping(at));
    Answer {
        id: args.id.clone(),
        region: region.to_string(),
        outcome: if target.is_some() { "Rewrite" } else { "Leave" },
        reason: resolution.reason().map(Reason::as_str),
        sentence: resolution.reason().map(Reason::sentence),
        suggestion: suggestion.map(|one| one.to_string()),
        target: target.map(ToString::to_string),
        destinations: destinations.and_then(report::names),
        crosses: report::crosses(destinations, Some(region)),
        note: note.map(|_| "EndOfLife"),
        confidence: confidence(&evidence),
        policy: policy.name.to_string(),
        mapping: mapping.map(|(name, _)| name.to_owned()),
        catalog_date: mapping
            .and_then(|(_, date)| date)
            .map(|date| date.to_string()),
        lifecycle: report::lifecycle_of(asked.id, Some(region), snapshot, today),
        steps: if args.explain { steps } else { Vec::new() },
    }
}

/// What would work in the place of an ID that is left.
fn suggested(
    reason: Reason,
    asked: &Asked<'_>,
    question: &Question<'_>,
    (policy, snapshot): (&Policy, &Snapshot),
) -> Option<Suggestion> {
    if reason == Reason::InArn && asked.region.is_none() {
        return None;
    }
    let name = Reported {
        written: asked.written,
        id: asked.id,
        region: Some(question.region),
        namespace: question.namespace,
        whole: asked.whole,
        today: question.today,
    };
    suggestion(reason, name, policy, &snapshot.catalog)
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
    line("suggestion", answer.suggestion.as_deref());
    line("region", Some(&answer.region));
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
        Step::Aliased(model) => format!("the name is an alias of {model}"),
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
