//! What a judgement says to the API server: warnings, the message of a refusal, audit annotations.
//!
//! Renders; decides nothing. Texts hold IDs, regions and names of places, never the rest of a value.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::catalog::Destinations;
use crate::domain::judge::{Judged, Judgement, Verdict};
use crate::domain::object::{Object, Sort};
use crate::domain::policy::{Mode, Policy, Unresolved};
use crate::domain::reason::{Group, Reason};
use crate::domain::region::Jurisdiction;
use crate::domain::resolve::{Note, Resolution, crossings};
use crate::domain::snapshot::Snapshot;
use crate::report::{self, LifecycleRecord};

/// How long a warning may be that names one ID, in characters (the API's own advice for warnings).
const LONGEST_WARNING: usize = 120;

/// How long a warning may be that names two IDs, which have up to 64 characters each.
const LONGEST_WARNING_OF_TWO: usize = 200;

/// How long an audit annotation may become, in bytes: an audit line with a few dozen places stays readable.
const LONGEST_ANNOTATION: usize = 4096;

/// How many findings the message of a refusal spells out.
const MOST_REFUSED: usize = 5;

/// Every warning starts so, that its reader knows who speaks.
const SPEAKER: &str = "bedrock-profiles: ";

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
    if let Some((at, findings)) = &judgement.decided {
        let policy = &speaker.snapshot.policies[*at];
        let rewritten = matches!(judgement.verdict, Verdict::Rewrite(_));
        let key = match (rewritten, judgement.again) {
            (true, false) => "rewrites",
            (true, true) => "rewrites-revised",
            (false, _) => "would-rewrite",
        };
        annotate(&mut saying, key, findings);
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
    for (at, findings) in &judgement.shadows {
        let policy = &speaker.snapshot.policies[*at];
        annotate(&mut saying, "would-rewrite", findings);
        saying
            .audit
            .entry("policy")
            .or_insert_with(|| policy.name.to_string());
        let decided = judgement
            .decided
            .as_ref()
            .map(|(_, decided)| decided.as_slice());
        let news = findings
            .iter()
            .filter(|shadow| !is_decided_alike(shadow, decided));
        let news: Vec<_> = news
            .filter(|shadow| decided.is_none() || shadow.resolution.target().is_some())
            .cloned()
            .collect();
        classes.take(policy, &news, Tense::DryRun);
    }
    saying.warnings = classes.warnings();
    saying
}

/// The message of a refusal; its first words are what to do.
pub fn refusal(judgement: &Judgement<'_>, refused: &[usize], speaker: Speaker<'_>) -> String {
    let Some((at, findings)) = &judgement.decided else {
        return String::new();
    };
    let policy = &speaker.snapshot.policies[*at].name;
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
            match &one.resolution {
                Resolution::Rewrite { target, .. } => format!(
                    "write {target} instead of {} at {at}{region}",
                    one.finding.text
                ),
                Resolution::Leave(reason) => {
                    let why = explain(one, *reason, false, speaker)
                        .unwrap_or_else(|| reason.sentence().to_owned());
                    let successor = report::lifecycle(one, speaker.snapshot, speaker.today)
                        .and_then(|life| life.successor);
                    let advice = successor
                        .map(|id| format!("; its successor is {id}"))
                        .unwrap_or_default();
                    format!(
                        "replace {} at {at}{region}: {reason}: {why}{advice}",
                        one.finding.text
                    )
                }
            }
        });
    let mut message = each.collect::<Vec<_>>().join("; ");
    if refused.len() > MOST_REFUSED {
        message.push_str(&format!("; and {} more", refused.len() - MOST_REFUSED));
    }
    message.push_str(&format!(" (policy {policy})"));
    message
}

/// Whether the deciding policy has the same answer to the same place, so that a shadow has nothing to add.
fn is_decided_alike(shadow: &Judged<'_>, decided: Option<&[Judged<'_>]>) -> bool {
    decided.is_some_and(|decided| {
        decided.iter().any(|one| {
            one.finding.leaf.node == shadow.finding.leaf.node
                && one.finding.token.span == shadow.finding.token.span
                && one.resolution == shadow.resolution
        })
    })
}

fn annotate(saying: &mut Saying, key: &'static str, findings: &[Judged<'_>]) {
    let mut text = String::new();
    let mut left_out = 0;
    for one in findings {
        let Some(target) = one.resolution.target() else {
            continue;
        };
        let region = one
            .region
            .map(|(region, source)| format!(" ({region}, {source})"))
            .unwrap_or_default();
        let entry = format!(
            "{}: {} -> {target}{region}",
            one.finding.leaf.spot, one.finding.text
        );
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
        text.push_str(&format!("; +{left_out}"));
    }
    if !text.is_empty() {
        saying.audit.entry(key).or_insert(text);
    }
}

/// How a rewrite is spoken of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tense {
    /// It was done.
    Done,
    /// The Pods of a template will be changed.
    Pods,
    /// A policy that only says what it would do.
    DryRun,
    /// A policy that refuses, and let this pass.
    Refusing,
}

impl Tense {
    fn of(policy: &Policy, sort: Sort) -> Self {
        match (policy.mode, sort) {
            (Mode::Deny, _) => Self::Refusing,
            (_, Sort::Template) => Self::Pods,
            (_, Sort::Pod | Sort::ConfigMap | Sort::Other) => Self::DryRun,
        }
    }
}

/// The warnings of an object, at most one of a class: the first text of each, and how many there were.
struct Classes<'a> {
    speaker: Speaker<'a>,
    sort: Sort,
    found: BTreeMap<Class, (String, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Rewritten,
    WouldRewrite,
    EndOfLife,
    Unresolved,
    NotPermitted,
}

impl<'a> Classes<'a> {
    fn new(speaker: Speaker<'a>, sort: Sort) -> Self {
        Self {
            speaker,
            sort,
            found: BTreeMap::new(),
        }
    }

    fn take(&mut self, policy: &Policy, findings: &[Judged<'_>], tense: Tense) {
        if self.sort == Sort::Template && !policy.warn_templates {
            return;
        }
        for one in findings {
            if self.is_certain(one) {
                self.take_one(policy, one, tense);
            }
        }
    }

    /// On the creation of a Pod a region may still be injected: only what a strong source says is certain.
    fn is_certain(&self, one: &Judged<'_>) -> bool {
        let missing = matches!(one.resolution.reason(), Some(Reason::NoRegion));
        match one.region {
            _ if self.sort == Sort::ConfigMap => true,
            Some((_, source)) => source.is_settled() || !self.speaker.creating_pod,
            None => {
                !missing
                    && (!self.speaker.creating_pod
                        || one
                            .resolution
                            .reason()
                            .is_some_and(|r| r.group() != Group::Rows))
            }
        }
    }

    fn take_one(&mut self, policy: &Policy, one: &Judged<'_>, tense: Tense) {
        let before = one.finding.text;
        let life = report::lifecycle(one, self.speaker.snapshot, self.speaker.today);
        match &one.resolution {
            Resolution::Rewrite { target, note, .. } => {
                let class = if tense == Tense::Done {
                    Class::Rewritten
                } else {
                    Class::WouldRewrite
                };
                self.add(class, rewrite_text(policy, one, &target.to_string(), tense));
                if *note == Some(Note::EndOfLife) {
                    self.add(Class::EndOfLife, end_of_life_text(before, life));
                }
            }
            Resolution::Leave(Reason::EndOfLife) => {
                self.add(Class::EndOfLife, end_of_life_text(before, life))
            }
            Resolution::Leave(Reason::ProfileNotPermitted) => {
                self.add(
                    Class::NotPermitted,
                    format!("{before} is not permitted by policy {}", policy.name),
                );
            }
            Resolution::Leave(reason)
                if policy.unresolved != Unresolved::Allow && reason.is_worth_a_warning() =>
            {
                let brief =
                    explain(one, *reason, true, self.speaker).unwrap_or_else(|| reason.to_string());
                let full =
                    explain(one, *reason, false, self.speaker).unwrap_or_else(|| brief.clone());
                let fits = SPEAKER.len() + before.len() + 2 + full.chars().count() + " (+99)".len()
                    <= LONGEST_WARNING;
                self.add(
                    Class::Unresolved,
                    format!("{before}: {}", if fits { full } else { brief }),
                );
            }
            Resolution::Leave(_) => {}
        }
    }

    fn add(&mut self, class: Class, text: String) {
        self.found
            .entry(class)
            .and_modify(|(_, count)| *count += 1)
            .or_insert((text, 1));
    }

    fn warnings(self) -> Vec<String> {
        let render = |(class, (text, count)): (Class, (String, usize))| {
            let more = if count > 1 {
                format!(" (+{})", count - 1)
            } else {
                String::new()
            };
            let two = matches!(
                class,
                Class::Rewritten | Class::WouldRewrite | Class::EndOfLife
            );
            let limit = if two {
                LONGEST_WARNING_OF_TWO
            } else {
                LONGEST_WARNING
            };
            let room = limit - SPEAKER.len() - more.len();
            let text: String = if text.chars().count() > room {
                text.chars().take(room - 1).chain(['…']).collect()
            } else {
                text
            };
            format!("{SPEAKER}{text}{more}")
        };
        self.found.into_iter().map(render).collect()
    }
}

fn rewrite_text(policy: &Policy, one: &Judged<'_>, target: &str, tense: Tense) -> String {
    let before = one.finding.text;
    let region = one
        .region
        .map(|(region, _)| region.to_string())
        .unwrap_or_default();
    match tense {
        Tense::Done => format!("rewrote {before} -> {target}"),
        Tense::Pods => format!("in {region} Pods get {before} -> {target}"),
        Tense::DryRun => format!("dry run {}: {before} -> {target}", shortened(&policy.name)),
        Tense::Refusing => format!("{} asks for {before} -> {target}", shortened(&policy.name)),
    }
}

/// A policy's name may be 253 characters long; a warning has room for two dozen.
fn shortened(name: &str) -> String {
    if name.chars().count() <= 24 {
        name.to_owned()
    } else {
        name.chars().take(23).chain(['…']).collect()
    }
}

fn end_of_life_text(before: &str, life: Option<LifecycleRecord>) -> String {
    let (date, successor) =
        life.map_or((None, None), |life| (life.end_of_life_date, life.successor));
    let date = date.map(|date| format!(" {date}")).unwrap_or_default();
    let successor = successor.map(|id| format!(" -> {id}")).unwrap_or_default();
    format!("EOL{date}: {before}{successor}")
}

/// Why a finding is left, in the fewest words that say what to do; `None` where the reason's name says it all.
fn explain(one: &Judged<'_>, reason: Reason, brief: bool, speaker: Speaker<'_>) -> Option<String> {
    let region = one.region.map(|(region, _)| region);
    let route = one.evidence.route.as_ref();
    let here = region
        .map(|region| format!(" {region}"))
        .unwrap_or_default();
    let text = match reason {
        Reason::OnlyGlobalServes if brief => format!("only global. serves{here}"),
        Reason::OnlyGlobalServes => format!("only global. serves{here} (geography.global)"),
        Reason::NothingServes => format!("no profile serves{here}"),
        Reason::GeographyNotAllowed => {
            let (route, region) = (route?, region?);
            let crossed = crossings(&route.destinations, region);
            let list = |name: &dyn Fn(&Jurisdiction) -> String| {
                crossed
                    .iter()
                    .map(|(_, to)| name(to))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            let own = region.jurisdiction();
            let (from, to) = if brief {
                (own.to_string(), list(&ToString::to_string))
            } else {
                (own.name().to_owned(), list(&|to| to.name().to_owned()))
            };
            let word = &route.geography;
            format!("{word}. leaves {from} for {to}; geography.allowed: [{word}]")
        }
        Reason::DestinationNotAllowed => {
            let to = route.and_then(|route| first_refused(&route.destinations, one, speaker));
            to.map_or_else(
                || "its profile may route outside allowedDestinations".to_owned(),
                |to| format!("its profile may route to {to}"),
            )
        }
        Reason::DestinationsUnknown => "where its profile routes is unknown".to_owned(),
        Reason::ReplacementNotServed => format!("its replacement is not served in{here}"),
        Reason::NoRegion => "no region is set".to_owned(),
        Reason::RegionOutOfSight => "its region cannot be read here".to_owned(),
        Reason::RegionConflict => "two region settings differ".to_owned(),
        Reason::NotARegion => "its region is no AWS region".to_owned(),
        Reason::RegionUnknown => format!("nothing is known of it in{here}"),
        Reason::UnknownModel => "unknown to every mapping".to_owned(),
        Reason::Unverified => "its profiles are not verified yet".to_owned(),
        Reason::NeverExisted => "no profile with this prefix is known".to_owned(),
        Reason::DoublePrefix => "two prefixes".to_owned(),
        Reason::ProfileNotServed => format!("this profile does not serve{here}"),
        Reason::InArn => "a foundation-model ARN cannot be invoked".to_owned(),
        Reason::PercentEncoded => "percent-encoded IDs are left".to_owned(),
        Reason::OverrideNeedsWholeValue => {
            "the override is an ARN and needs a whole value".to_owned()
        }
        _ => return None,
    };
    Some(text)
}

/// A destination that the policy refuses, to have something to name.
fn first_refused(
    destinations: &Destinations,
    _one: &Judged<'_>,
    speaker: Speaker<'_>,
) -> Option<String> {
    let Destinations::Known(regions) = destinations else {
        return Some("any region".to_owned());
    };
    let rules = speaker
        .snapshot
        .policies
        .iter()
        .map(|policy| &policy.allowed_destinations)
        .filter(|rule| !rule.is_empty());
    let mut rules = rules.peekable();
    rules.peek()?;
    let rules: Vec<_> = rules.collect();
    regions
        .iter()
        .find(|region| !rules.iter().any(|rule| rule.matches(region.as_str())))
        .map(ToString::to_string)
}
