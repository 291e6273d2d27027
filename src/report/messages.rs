//! Every sentence about a finding: the warnings, denial messages and audit annotations of a response, and the messages of
//! reports.
//!
//! `messages` renders what the domain has decided. The texts hold IDs, regions and names of places, never another part of
//! a value. The description of a reason is [`Reason::description`](crate::domain::reason::Reason::description); [`reasons`] has the
//! shorter forms that name the region, the profile or the field to change.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use jiff::civil::Date;

use crate::domain::judge::{JudgedFinding, Judgement, PolicyFindings, Verdict};
use crate::domain::object::Object;
use crate::domain::policy::{Mode, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::ChosenRegion;
use crate::domain::resolve::Resolution;
use crate::domain::snapshot::Snapshot;
use crate::report::printable::{printable, shortened};

mod reasons;
mod records;
mod steps;
mod warnings;

pub use reasons::Unchanged;
pub use records::{finding, id, lifecycle, next_step, replacement, sentence, summary, totals};
pub use steps::step;

use warnings::{RewriteStatus, Warnings};

/// Maximum length of an audit annotation in bytes: room for a few dozen changes.
const MAX_ANNOTATION: usize = 4096;

/// Maximum length of the text about one finding, in characters: names of the API server's limits, and an ARN.
const MAX_ENTRY: usize = 600;

/// The length of a text that is given room at first, in bytes.
const USUAL_TEXT: usize = 200;

/// How many findings a denial message lists.
const MAX_DENIED: usize = 5;

/// The meaning of the lifecycle state `Legacy` for a caller.
const LEGACY: &str = "accounts without recent use are refused";

/// What a response says beside its decision.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Warnings for the user, at most one of each class.
    pub warnings: Vec<String>,
    /// Audit annotations by key.
    pub audit_annotations: BTreeMap<&'static str, String>,
}

/// What the texts depend on besides the judgement.
#[derive(Clone, Copy)]
pub struct RenderContext<'a> {
    /// The snapshot of the judgement.
    pub snapshot: &'a Snapshot,
    /// The day of the judgement.
    pub today: Date,
    /// A Pod is being created. Another webhook may still set a region, and the API server may reinvoke this one, so no
    /// warning may say what a reinvocation can change.
    pub creating_pod: bool,
    /// Whether another webhook may set a region in Pods, such as the identity webhook of EKS.
    pub regions_injected: bool,
}

/// The warnings and audit annotations about `judgement` of `object`.
pub fn render<'t>(
    object: &Object<'_>,
    judgement: &Judgement<'t>,
    context: RenderContext<'_>,
) -> Messages {
    let mut audit = BTreeMap::new();
    let mut warnings = Warnings::new(context, object.kind);
    if let Some(PolicyFindings { policy, findings }) = &judgement.effective {
        let rewritten = matches!(judgement.verdict, Verdict::Rewrite(_));
        let key = match (rewritten, judgement.reinvocation) {
            (true, false) => "rewrites",
            (true, true) => "rewrites-revised",
            (false, _) => "would-rewrite",
        };
        annotate(
            &mut audit,
            key,
            findings.iter().filter(|one| !one.report_only),
        );
        let reported = findings.iter().filter(|one| one.report_only);
        annotate(&mut audit, "would-rewrite", reported);
        annotate_unchanged(&mut audit, findings);
        audit.insert("policy", policy.name.to_string());
        let denied = matches!(judgement.verdict, Verdict::Deny);
        // A denial has a message of its own, and a controller does not read warnings.
        let is_silent = denied || (policy.mode == Mode::Deny && object.is_controlled());
        if !is_silent {
            let status = if rewritten {
                RewriteStatus::Done
            } else {
                RewriteStatus::of(policy, object.kind)
            };
            warnings.add_all(policy, findings, status);
        }
    }
    let effective: BTreeMap<_, _> = judgement
        .effective
        .iter()
        .filter(|_| !judgement.previews.is_empty())
        .flat_map(|effective| &effective.findings)
        .map(|one| (place(one), &one.resolution))
        .collect();
    for PolicyFindings { policy, findings } in &judgement.previews {
        annotate(&mut audit, "would-rewrite", findings.iter());
        if judgement.effective.is_none() {
            annotate_unchanged(&mut audit, findings);
        }
        audit
            .entry("policy")
            .or_insert_with(|| policy.name.to_string());
        // A preview warns only of what it would do in another way than the effective policy.
        let differs = |preview: &&JudgedFinding<'t>| {
            let same = effective
                .get(&place(preview))
                .is_some_and(|resolution| **resolution == preview.resolution);
            !same && (judgement.effective.is_none() || preview.resolution.target().is_some())
        };
        warnings.add_all(
            policy,
            findings.iter().filter(differs),
            RewriteStatus::DryRun,
        );
    }
    Messages {
        warnings: warnings.render(),
        audit_annotations: audit,
    }
}

/// The warning about an object that has too many values to be read.
pub fn too_large() -> String {
    let reason = Reason::TooLarge;
    format!("bedrock-profiles: the object is not evaluated, {reason}: it has too many values")
}

/// The message of a denial. It begins with what to do.
pub fn denial(judgement: &Judgement<'_>, context: RenderContext<'_>) -> String {
    let Some(PolicyFindings { policy, findings }) = &judgement.effective else {
        return String::new();
    };
    let denied: Vec<_> = findings.iter().filter(|one| one.denied).collect();
    let each = denied
        .iter()
        .take(MAX_DENIED)
        .map(|one| entry(denied_finding(one, policy, context)));
    let mut message = each.collect::<Vec<_>>().join("; ");
    if denied.len() > MAX_DENIED {
        let _ = write!(message, "; and {} more", denied.len() - MAX_DENIED);
    }
    let _ = write!(message, " (policy {})", policy.name);
    message
}

fn denied_finding(one: &JudgedFinding<'_>, policy: &Policy, context: RenderContext<'_>) -> String {
    let region = one
        .region
        .map(|chosen| format!(" for {chosen}"))
        .unwrap_or_default();
    let at = one.finding.site.location;
    let written = written(one);
    match &one.resolution {
        Resolution::Rewrite { target, .. } => {
            format!("use {target} instead of {written} at {at}{region}")
        }
        Resolution::Leave(reason) => {
            let why = Unchanged::of(one, *reason, policy, context.snapshot).message();
            let successor = one.successor.as_ref();
            let advice = successor
                .map(|id| format!("; its successor is {id}"))
                .unwrap_or_default();
            format!("replace {written} at {at}{region}: {reason}: {why}{advice}")
        }
    }
}

/// Why an ID is not rewritten, with what to change; `None` for a rewrite.
pub fn unchanged(one: &JudgedFinding<'_>, policy: &Policy, snapshot: &Snapshot) -> Option<String> {
    let reason = one.resolution.reason()?;
    Some(Unchanged::of(one, reason, policy, snapshot).message())
}

/// Why an ID in a field of a custom resource is not rewritten.
pub fn custom_field(kind: &str, pointer: &str) -> String {
    format!(
        "the field {pointer} belongs to the controller of {kind}; its documentation says whether it takes inference profiles"
    )
}

/// One change with its place, region and the source of the region, as in audit annotations and the log; `None` where
/// nothing changes.
pub fn change(one: &JudgedFinding<'_>) -> Option<String> {
    let target = one.resolution.target()?;
    let location = one.finding.site.location;
    let mut text = formatted(format_args!("{location}: {} -> {target}", written(one)));
    if let Some(ChosenRegion { region, source }) = one.region {
        let _ = write!(text, " ({region}, {source})");
    }
    Some(entry(text))
}

/// An ID that is not rewritten, with its place and the reason, as in audit annotations and the log; `None` where the ID is
/// rewritten, or works as it is.
pub fn skip(one: &JudgedFinding<'_>) -> Option<String> {
    let reason = one.resolution.reason()?;
    if matches!(reason, Reason::AlreadyProfiled | Reason::WorksDirectly) {
        return None;
    }
    let location = one.finding.site.location;
    let mut text = formatted(format_args!("{location}: {}: {reason}", written(one)));
    if let Some(detail) = &one.detail {
        let _ = write!(text, " ({detail})");
    }
    Some(entry(text))
}

/// The text of a format, in one allocation if it has a usual length.
fn formatted(text: fmt::Arguments<'_>) -> String {
    let mut formatted = String::with_capacity(USUAL_TEXT);
    // Writing to a string cannot fail.
    let _ = formatted.write_fmt(text);
    formatted
}

/// A text about one finding. It has names of the object, which admission sees before the API server has validated them.
fn entry(text: String) -> String {
    let printable = printable(&text);
    if matches!(printable, Cow::Borrowed(_)) && text.len() <= MAX_ENTRY {
        return text;
    }
    shortened(MAX_ENTRY, &printable)
}

/// The ID as its author wrote it, and the object that it comes from if that is another one.
fn written(one: &JudgedFinding<'_>) -> impl fmt::Display {
    fmt::from_fn(|f| match one.finding.site.reference() {
        Some(reference) => write!(f, "{} from {}", one.original, reference.origin),
        None => f.write_str(&one.original),
    })
}

/// The place of a finding: its node, the names of its place, and the start of the ID. An item of `envFrom` is one node for
/// many variables, and all arguments of a container have the same names.
fn place<'t>(one: &JudgedFinding<'t>) -> impl Ord + use<'t> {
    let leaf = &one.finding.site;
    (leaf.node(), leaf.location, one.finding.span().start)
}

/// Lists the changes under an audit key.
fn annotate<'a>(
    audit: &mut BTreeMap<&'static str, String>,
    key: &'static str,
    findings: impl Iterator<Item = &'a JudgedFinding<'a>>,
) {
    annotate_with(audit, key, findings.filter_map(change));
}

/// Lists the IDs that are not rewritten, with their reasons.
fn annotate_unchanged(audit: &mut BTreeMap<&'static str, String>, findings: &[JudgedFinding<'_>]) {
    annotate_with(audit, "unchanged", findings.iter().filter_map(skip));
}

/// Joins the entries under an audit key. A key that has a text keeps it, as in the API server.
fn annotate_with(
    audit: &mut BTreeMap<&'static str, String>,
    key: &'static str,
    entries: impl Iterator<Item = String>,
) {
    let mut text = String::new();
    let mut omitted = 0;
    for entry in entries {
        if text.len() + entry.len() > MAX_ANNOTATION {
            omitted += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&entry);
    }
    if omitted > 0 {
        let _ = write!(text, "; +{omitted}");
    }
    if !text.is_empty() {
        audit.entry(key).or_insert(text);
    }
}
