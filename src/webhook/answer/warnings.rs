//! Warnings for the author: at most one of a class, as short as they can be.

use std::collections::BTreeMap;

use crate::domain::judge::Judged;
use crate::domain::object::Sort;
use crate::domain::policy::{Mode, Policy, Unresolved};
use crate::domain::reason::{Group, Reason};
use crate::domain::resolve::{Note, Resolution, Suggestion};
use crate::report::{self, LifecycleRecord};

use super::Speaker;
use super::explain::explain;

/// How long a warning may be that names one ID, in characters (the API's own advice for warnings).
const LONGEST_WARNING: usize = 120;

/// How long a warning may be that names two IDs, which have up to 64 characters each.
const LONGEST_WARNING_OF_TWO: usize = 200;

/// How long the advice in a warning may be, in bytes: every profile ID fits, an ARN may not.
const LONGEST_ADVICE: usize = 100;

/// Every warning starts so, that its reader knows who speaks.
const SPEAKER: &str = "bedrock-profiles: ";

/// How a rewrite is spoken of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tense {
    /// It was done.
    Done,
    /// The Pods of a template will be changed.
    Pods,
    /// A policy that only says what it would do.
    DryRun,
    /// A policy that refuses, and let this pass.
    Refusing,
    /// A policy that only reports what is taken from elsewhere.
    Reporting,
}

impl Tense {
    pub(super) fn of(policy: &Policy, sort: Sort) -> Self {
        match (policy.mode, sort) {
            (Mode::Deny, _) => Self::Refusing,
            (_, Sort::Template) => Self::Pods,
            (_, Sort::Pod | Sort::ConfigMap | Sort::Custom | Sort::Plain) => Self::DryRun,
        }
    }
}

/// The warnings of an object, at most one of a class: the first text of each, and how many there were.
pub(super) struct Classes<'a> {
    speaker: Speaker<'a>,
    sort: Sort,
    found: BTreeMap<Class, (Text, usize)>,
}

/// What a warning says.
struct Text {
    said: String,
    /// Two IDs are named, which have up to 64 characters each.
    names_two: bool,
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
    pub(super) fn new(speaker: Speaker<'a>, sort: Sort) -> Self {
        Self {
            speaker,
            sort,
            found: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, policy: &Policy, findings: &[Judged<'_>], tense: Tense) {
        if self.sort == Sort::Template && !policy.warn_templates {
            return;
        }
        for one in findings {
            if self.is_certain(one) {
                let reporting = one.reported && policy.decides();
                let tense = if reporting { Tense::Reporting } else { tense };
                self.take_one(policy, one, tense);
            }
        }
    }

    /// On the creation of a Pod a region may still be injected: only what a strong source says is certain, and what holds in
    /// every region.
    fn is_certain(&self, one: &Judged<'_>) -> bool {
        match one.resolution.reason() {
            _ if self.sort == Sort::ConfigMap => true,
            Some(Reason::NoRegion) => false,
            Some(reason) if !reason.depends_on_the_region() => true,
            reason => match one.region {
                Some(_) => self.is_settled(one),
                None => {
                    !self.speaker.creating_pod
                        || reason.is_some_and(|reason| reason.group() != Group::Rows)
                }
            },
        }
    }

    /// Whether no later region can change what is said.
    fn is_settled(&self, one: &Judged<'_>) -> bool {
        let strong = one.region.is_none_or(|(_, source)| source.is_settled());
        strong || !self.speaker.creating_pod || self.sort == Sort::ConfigMap
    }

    /// What would work in its place, as a warning can offer it.
    fn suggestion<'j>(&self, one: &'j Judged<'_>) -> Option<&'j Suggestion> {
        let suggestion = one.suggestion.as_ref()?;
        (suggestion.holds_everywhere() || self.is_settled(one)).then_some(suggestion)
    }

    fn take_one(&mut self, policy: &Policy, one: &Judged<'_>, tense: Tense) {
        let before = one.written.as_str();
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
                self.add(Class::EndOfLife, end_of_life_text(before, life));
            }
            Resolution::Leave(Reason::ProfileNotPermitted) => {
                let name = shortened(&policy.name);
                let said = format!("not permitted by policy {name}");
                self.add(
                    Class::NotPermitted,
                    about(before, &said, &said, self.suggestion(one)),
                );
            }
            Resolution::Leave(reason)
                if policy.unresolved != Unresolved::Allow && reason.is_worth_a_warning() =>
            {
                let full =
                    explain(one, *reason, policy, false).unwrap_or_else(|| reason.to_string());
                let brief = explain(one, *reason, policy, true).unwrap_or_else(|| full.clone());
                let text = about(before, &full, &brief, self.suggestion(one));
                self.add(Class::Unresolved, text);
            }
            Resolution::Leave(_) => {}
        }
    }

    fn add(&mut self, class: Class, text: Text) {
        self.found
            .entry(class)
            .and_modify(|(_, count)| *count += 1)
            .or_insert((text, 1));
    }

    pub(super) fn warnings(self) -> Vec<String> {
        let render = |(text, count): (Text, usize)| {
            let more = if count > 1 {
                format!(" (+{})", count - 1)
            } else {
                String::new()
            };
            let room = text.limit() - SPEAKER.len() - more.len();
            format!("{SPEAKER}{}{more}", shortened_to(room, &text.said))
        };
        self.found.into_values().map(render).collect()
    }
}

impl Text {
    fn of_two(said: String) -> Self {
        let names_two = true;
        Self { said, names_two }
    }

    fn limit(&self) -> usize {
        if self.names_two {
            LONGEST_WARNING_OF_TWO
        } else {
            LONGEST_WARNING
        }
    }
}

fn rewrite_text(policy: &Policy, one: &Judged<'_>, target: &str, tense: Tense) -> Text {
    let before = one.written.as_str();
    let region = one
        .region
        .map(|(region, _)| region.to_string())
        .unwrap_or_default();
    Text::of_two(match tense {
        Tense::Done => format!("rewrote {before} -> {target}"),
        Tense::Pods => format!("in {region} Pods get {before} -> {target}"),
        Tense::DryRun => format!("dry run {}: {before} -> {target}", shortened(&policy.name)),
        Tense::Refusing => format!("{} asks for {before} -> {target}", shortened(&policy.name)),
        Tense::Reporting => format!(
            "{} would write {before} -> {target}",
            shortened(&policy.name)
        ),
    })
}

/// An ID, what is said of it and what would work in its place, in the room that a warning has: in fewer words, then with less of
/// the ID, for it is what is said that tells what to do.
fn about(id: &str, full: &str, brief: &str, suggestion: Option<&Suggestion>) -> Text {
    let advice = suggestion
        .map(advice)
        .filter(|advice| advice.len() <= LONGEST_ADVICE);
    let limit = if advice.is_some() {
        LONGEST_WARNING_OF_TWO
    } else {
        LONGEST_WARNING
    };
    let names_two = advice.is_some();
    let advice = advice.unwrap_or_default();
    let room = limit - SPEAKER.len() - ": ".len() - " (+99)".len() - advice.len();
    let said = if id.len() + full.chars().count() <= room {
        full
    } else {
        brief
    };
    let left = room.saturating_sub(said.chars().count());
    Text {
        said: format!("{}: {said}{advice}", shortened_to(left, id)),
        names_two,
    }
}

fn advice(suggestion: &Suggestion) -> String {
    match suggestion {
        Suggestion::Nearest(_) => format!("; the nearest is {suggestion}"),
        Suggestion::Working(_) | Suggestion::OnePrefix(_) => format!("; write {suggestion}"),
    }
}

/// A policy's name may be 253 characters long; a warning has room for two dozen.
fn shortened(name: &str) -> String {
    shortened_to(24, name)
}

/// The start of a text that is longer than `room` characters.
fn shortened_to(room: usize, text: &str) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let start = text.chars().take(room.saturating_sub(1));
    start.chain(['…']).collect()
}

fn end_of_life_text(before: &str, life: Option<LifecycleRecord>) -> Text {
    let (date, successor) =
        life.map_or((None, None), |life| (life.end_of_life_date, life.successor));
    let date = date.map(|date| format!(" {date}")).unwrap_or_default();
    let successor = successor.map(|id| format!(" -> {id}")).unwrap_or_default();
    Text::of_two(format!("EOL{date}: {before}{successor}"))
}
