//! What a judgement says to the API server: warnings, the message of a refusal, audit annotations.
//!
//! Renders; decides nothing. Texts hold IDs, regions and names of places, never the rest of a value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;

use crate::domain::judge::{Judged, Judgement, PolicyFindings, Verdict};
use crate::domain::object::Object;
use crate::domain::policy::Mode;
use crate::domain::resolve::Resolution;
use crate::domain::site::Spot;
use crate::domain::snapshot::Snapshot;
use crate::report;
use crate::text::NodeId;

mod explain;
mod warnings;

use explain::explain;
use warnings::{Classes, Tense};

/// How long an audit annotation may become, in bytes: an audit line with a few dozen places stays readable.
const LONGEST_ANNOTATION: usize = 4096;

/// How many findings the message of a refusal spells out.
const MOST_REFUSED: usize = 5;

/// What is said beside the verdict.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Saying {
    /// Warnings for the author, at most one of a class.
    pub warnings: Vec<String>,
    /// Audit annotations by key.
    pub audit: BTreeMap<&'static str, String>,
}

/// Where and when something is said.
#[derive(Clone, Copy)]
pub struct Speaker<'a> {
    /// The snapshot of the judgement.
    pub snapshot: &'a Snapshot,
    /// The day of the judgement.
    pub today: Date,
    /// A Pod is being created: other webhooks may still name another region, and this answer may be asked for twice, so
    /// nothing is said that a second round can change.
    pub creating_pod: bool,
}

/// What `judgement` says of `object`.
pub fn say(object: &Object<'_>, judgement: &Judgement<'_>, speaker: Speaker<'_>) -> Saying {
    let mut saying = Saying::default();
    let mut classes = Classes::new(speaker, object.sort);
    if let Some(PolicyFindings { policy, findings }) = &judgement.effective {
        let rewritten = matches!(judgement.verdict, Verdict::Rewrite(_));
        let key = match (rewritten, judgement.again) {
            (true, false) => "rewrites",
            (true, true) => "rewrites-revised",
            (false, _) => "would-rewrite",
        };
        annotate(
            &mut saying,
            key,
            findings.iter().filter(|one| !one.reported),
        );
        let reported = findings.iter().filter(|one| one.reported);
        annotate(&mut saying, "would-rewrite", reported);
        saying.audit.insert("policy", policy.name.to_string());
        let silent = (policy.mode == Mode::Deny && object.is_controlled())
            || matches!(judgement.verdict, Verdict::Refuse(_));
        if !silent {
            classes.take(
                policy,
                findings,
                if rewritten {
                    Tense::Done
                } else {
                    Tense::of(policy, object.sort)
                },
            );
        }
    }
    for PolicyFindings { policy, findings } in &judgement.previews {
        annotate(&mut saying, "would-rewrite", findings.iter());
        saying
            .audit
            .entry("policy")
            .or_insert_with(|| policy.name.to_string());
        let decided = by_place(
            judgement
                .effective
                .as_ref()
                .map(|effective| effective.findings.as_slice()),
        );
        let is_news = |shadow: &&Judged<'_>| {
            let alike = decided
                .get(&place(shadow))
                .is_some_and(|resolution| **resolution == shadow.resolution);
            !alike && (judgement.effective.is_none() || shadow.resolution.target().is_some())
        };
        let news: Vec<_> = findings.iter().filter(is_news).cloned().collect();
        classes.take(policy, &news, Tense::DryRun);
    }
    saying.warnings = classes.warnings();
    saying
}

/// The message of a refusal; its first words are what to do.
pub fn refusal(judgement: &Judgement<'_>, refused: &[usize], speaker: Speaker<'_>) -> String {
    let Some(PolicyFindings { policy, findings }) = &judgement.effective else {
        return String::new();
    };
    let each = refused
        .iter()
        .filter_map(|at| findings.get(*at))
        .take(MOST_REFUSED)
        .map(|one| {
            let region = one
                .region
                .map(|(region, source)| format!(" for {region} ({source})"))
                .unwrap_or_default();
            let at = one.finding.leaf.spot;
            let written = written(one);
            match &one.resolution {
                Resolution::Rewrite { target, .. } => {
                    format!("write {target} instead of {written} at {at}{region}")
                }
                Resolution::Leave(reason) => {
                    let why = explain(one, *reason, policy, false)
                        .unwrap_or_else(|| reason.sentence().to_owned());
                    let successor = report::lifecycle(one, speaker.snapshot, speaker.today)
                        .and_then(|life| life.successor);
                    let advice = successor
                        .map(|id| format!("; its successor is {id}"))
                        .unwrap_or_default();
                    format!("replace {written} at {at}{region}: {reason}: {why}{advice}")
                }
            }
        });
    let mut message = each.collect::<Vec<_>>().join("; ");
    if refused.len() > MOST_REFUSED {
        let _ = write!(message, "; and {} more", refused.len() - MOST_REFUSED);
    }
    let _ = write!(message, " (policy {})", policy.name);
    message
}

/// A text by its node and its names, and the start of an ID in it. An item of `envFrom` is one node for many variables, a list
/// of arguments has one name for many nodes.
type Place<'t> = (NodeId, Spot<'t>, usize);

fn place<'t>(one: &Judged<'t>) -> Place<'t> {
    let leaf = &one.finding.leaf;
    (leaf.node(), leaf.spot, one.finding.token.span.start)
}

/// The answers of the deciding policy by place, so that a shadow says only what it would do otherwise.
fn by_place<'a, 't>(decided: Option<&'a [Judged<'t>]>) -> BTreeMap<Place<'t>, &'a Resolution> {
    decided
        .into_iter()
        .flatten()
        .map(|one| (place(one), &one.resolution))
        .collect()
}

/// One change in few words, IDs and names alone; `None` where nothing changes.
pub(super) fn change(one: &Judged<'_>) -> Option<String> {
    let target = one.resolution.target()?;
    let region = one
        .region
        .map(|(region, source)| format!(" ({region}, {source})"))
        .unwrap_or_default();
    Some(format!(
        "{}: {} -> {target}{region}",
        one.finding.leaf.spot,
        written(one)
    ))
}

/// The name as its author wrote it, and where, if that is elsewhere.
fn written(one: &Judged<'_>) -> String {
    match one.finding.leaf.reference() {
        Some(reference) => format!("{} from {}", one.written, reference.origin),
        None => one.written.clone(),
    }
}

/// Puts the changes under an audit key; a key that has a text keeps it, as the API server would.
fn annotate<'a>(
    saying: &mut Saying,
    key: &'static str,
    findings: impl Iterator<Item = &'a Judged<'a>>,
) {
    let mut text = String::new();
    let mut left_out = 0;
    for entry in findings.filter_map(change) {
        if text.len() + entry.len() > LONGEST_ANNOTATION {
            left_out += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&entry);
    }
    if left_out > 0 {
        let _ = write!(text, "; +{left_out}");
    }
    if !text.is_empty() {
        saying.audit.entry(key).or_insert(text);
    }
}
