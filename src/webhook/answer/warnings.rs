//! Warnings for the author: at most one of a class, as short as they can be.

use std::collections::BTreeMap;

use crate::domain::judge::Judged;
use crate::domain::object::Sort;
use crate::domain::policy::{Mode, Policy, Unresolved};
use crate::domain::reason::{Group, Reason};
use crate::domain::resolve::{Note, Resolution};
use crate::report::{self, LifecycleRecord};

use super::Speaker;
use super::explain::explain;

/// How long a warning may be that names one ID, in characters (the API's own advice for warnings).
const LONGEST_WARNING: usize = 120;

/// How long a warning may be that names two IDs, which have up to 64 characters each.
const LONGEST_WARNING_OF_TWO: usize = 200;

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
                self.add(
                    Class::NotPermitted,
                    format!("{before} is not permitted by policy {}", policy.name),
                );
            }
            Resolution::Leave(reason)
                if policy.unresolved != Unresolved::Allow && reason.is_worth_a_warning() =>
            {
                let full =
                    explain(one, *reason, policy, false).unwrap_or_else(|| reason.to_string());
                let brief = explain(one, *reason, policy, true).unwrap_or_else(|| full.clone());
                self.add(Class::Unresolved, about(before, &full, &brief));
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

    pub(super) fn warnings(self) -> Vec<String> {
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
    let before = one.written.as_str();
    let region = one
        .region
        .map(|(region, _)| region.to_string())
        .unwrap_or_default();
    match tense {
        Tense::Done => format!("rewrote {before} -> {target}"),
        Tense::Pods => format!("in {region} Pods get {before} -> {target}"),
        Tense::DryRun => format!("dry run {}: {before} -> {target}", shortened(&policy.name)),
        Tense::Refusing => format!("{} asks for {before} -> {target}", shortened(&policy.name)),
        Tense::Reporting => format!(
            "{} would write {before} -> {target}",
            shortened(&policy.name)
        ),
    }
}

/// An ID and what is said of it, in the room that a warning has: in fewer words, then with less of the ID, for it is what is
/// said that tells what to do.
fn about(id: &str, full: &str, brief: &str) -> String {
    let room = LONGEST_WARNING - SPEAKER.len() - ": ".len() - " (+99)".len();
    let said = if id.len() + full.chars().count() <= room {
        full
    } else {
        brief
    };
    let left = room.saturating_sub(said.chars().count());
    if id.len() <= left {
        return format!("{id}: {said}");
    }
    let start: String = id.chars().take(left.saturating_sub(1)).collect();
    format!("{start}…: {said}")
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
