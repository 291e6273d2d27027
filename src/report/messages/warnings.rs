//! The warnings of a response: at most one of each class, with the number of further findings of the class.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;

use crate::domain::catalog::LifecycleState;
use crate::domain::id::ModelId;
use crate::domain::judge::JudgedFinding;
use crate::domain::object::ObjectKind;
use crate::domain::policy::{Mode, Policy, Unresolved};
use crate::domain::reason::{Group, Reason, ReasonWarning};
use crate::domain::resolve::{Note, Resolution, Suggestion, Target};
use crate::report::printable::{printable, shortened};
use crate::report::{self, LifecycleRecord};

use super::reasons::Unchanged;
use super::{LEGACY, RenderContext, formatted};

/// Maximum length of a warning that names one ID, in characters: what the Kubernetes API recommends.
const MAX_WARNING: usize = 120;

/// Maximum length of a warning that names two IDs, which have up to 64 characters each.
const MAX_WARNING_OF_TWO: usize = 200;

/// Maximum length of a suggestion in a warning, in bytes: enough for every profile ID, not for an ARN.
const MAX_ADVICE: usize = 100;

/// The prefix of every warning, which names the webhook.
const PREFIX: &str = "bedrock-profiles: ";

/// The longest count of further findings that is given room.
const MORE: &str = " (+99)";

/// How a rewrite is described.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RewriteStatus {
    /// The object is rewritten.
    Done,
    /// The Pods of a template will be rewritten.
    Pods,
    /// A `DryRun` policy would rewrite the object.
    DryRun,
    /// A `Deny` policy requires the rewrite and admits this object without it.
    Required,
    /// A policy with `references: Report` would rewrite the reference.
    Reference,
}

impl RewriteStatus {
    /// How `policy` describes a rewrite that is not done.
    pub(super) fn of(policy: &Policy, kind: ObjectKind) -> Self {
        match (policy.mode, kind) {
            (Mode::Deny, _) => Self::Required,
            (_, ObjectKind::Template) => Self::Pods,
            (
                _,
                ObjectKind::Pod
                | ObjectKind::ConfigMap
                | ObjectKind::Secret
                | ObjectKind::Custom
                | ObjectKind::Plain,
            ) => Self::DryRun,
        }
    }
}

/// The warnings about one object: by class, the first text and the number of findings.
pub(super) struct Warnings<'a> {
    context: RenderContext<'a>,
    kind: ObjectKind,
    by_class: BTreeMap<Class, (Warning, usize)>,
}

/// The text of a warning, without prefix and count.
struct Warning {
    text: String,
    max: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Rewritten,
    WouldRewrite,
    EndOfLife,
    Legacy,
    Unresolved,
    NotPermitted,
}

impl<'a> Warnings<'a> {
    pub(super) const fn new(context: RenderContext<'a>, kind: ObjectKind) -> Self {
        Self {
            context,
            kind,
            by_class: BTreeMap::new(),
        }
    }

    /// Adds the warnings about `findings` of `policy`.
    pub(super) fn add_all<'f, 't: 'f>(
        &mut self,
        policy: &Policy,
        findings: impl IntoIterator<Item = &'f JudgedFinding<'t>>,
        status: RewriteStatus,
    ) {
        if self.kind == ObjectKind::Template && !policy.warn_templates {
            return;
        }
        for one in findings {
            if self.is_certain(one) {
                let reference = one.report_only && policy.can_be_effective();
                let status = if reference {
                    RewriteStatus::Reference
                } else {
                    status
                };
                self.add(policy, one, status);
            }
        }
    }

    /// Whether no later webhook can change the finding.
    ///
    /// A later webhook may set a region in a Pod that is being created, and in the Pods of a template. So a finding without
    /// a region is no reason for a warning there, and one with a weak source of its region only if the reason holds in
    /// every region. No other webhook changes the regions in a ConfigMap, nor those in Pods if no region is injected.
    fn is_certain(&self, one: &JudgedFinding<'_>) -> bool {
        match one.resolution.reason() {
            _ if self.has_final_regions() => true,
            Some(Reason::NoRegion) => false,
            Some(reason) if !reason.depends_on_the_region() => true,
            reason => match one.region {
                Some(_) => self.has_settled_region(one),
                None => {
                    !self.context.creating_pod
                        || reason.is_some_and(|reason| reason.group() != Group::Rows)
                }
            },
        }
    }

    /// Whether the region of the finding cannot change any more.
    fn has_settled_region(&self, one: &JudgedFinding<'_>) -> bool {
        let settled = one.region.is_none_or(|chosen| chosen.source.is_settled());
        settled || !self.context.creating_pod || self.has_final_regions()
    }

    /// Whether no other webhook sets a region in this object.
    fn has_final_regions(&self) -> bool {
        self.kind == ObjectKind::ConfigMap || !self.context.regions_injected
    }

    /// The ID to use instead, if it stays valid.
    fn suggestion<'j>(&self, one: &'j JudgedFinding<'_>) -> Option<&'j Suggestion> {
        let suggestion = one.suggestion.as_ref()?;
        (suggestion.holds_everywhere() || self.has_settled_region(one)).then_some(suggestion)
    }

    fn add(&mut self, policy: &Policy, one: &JudgedFinding<'_>, status: RewriteStatus) {
        match &one.resolution {
            Resolution::Rewrite { target, note, .. } => {
                let class = if status == RewriteStatus::Done {
                    Class::Rewritten
                } else {
                    Class::WouldRewrite
                };
                self.count(class, rewrite(policy, one, target, status));
                if *note == Some(Note::EndOfLife) {
                    self.add_end_of_life(one);
                } else {
                    self.add_legacy(one);
                }
            }
            Resolution::Leave(reason) => self.add_reason(policy, one, *reason),
        }
    }

    /// Adds the warning of a finding that is not rewritten.
    fn add_reason(&mut self, policy: &Policy, one: &JudgedFinding<'_>, reason: Reason) {
        match reason.warning() {
            ReasonWarning::Silent => {}
            ReasonWarning::EndOfLife => {
                self.add_end_of_life(one);
            }
            ReasonWarning::NotPermitted => {
                let why = format!("not permitted by policy {}", shortened(24, &policy.name));
                let warning = not_rewritten(&one.original, &why, &why, self.suggestion(one));
                self.count(Class::NotPermitted, warning);
            }
            ReasonWarning::Unresolved(_) if policy.unresolved == Unresolved::Allow => {}
            ReasonWarning::Unresolved(general) => {
                let unchanged = Unchanged::of(one, reason, policy, self.context.snapshot);
                let full = unchanged.warning_text(general, false);
                let brief = unchanged.warning_text(general, true);
                let names_profile = unchanged.profile().is_some_and(|id| full.contains(&id));
                let warning = names_profile
                    .then(|| names_two_ids(&one.original, &full))
                    .flatten()
                    .unwrap_or_else(|| {
                        not_rewritten(&one.original, &full, &brief, self.suggestion(one))
                    });
                self.count(Class::Unresolved, warning);
            }
        }
    }

    /// Adds the warning of a model at its end of life, with its successor if no later webhook can change it.
    fn add_end_of_life(&mut self, one: &JudgedFinding<'_>) {
        let life = report::lifecycle(one, self.context.snapshot, self.context.today);
        let is_settled = self.has_settled_region(one);
        let successor = one.successor.as_ref().filter(|_| is_settled);
        let warning = end_of_life(&one.original, life.as_ref(), successor);
        self.count(Class::EndOfLife, warning);
    }

    /// Adds the warning of a rewrite whose model, after replacements, is `Legacy` in the region.
    fn add_legacy(&mut self, one: &JudgedFinding<'_>) {
        let snapshot = self.context.snapshot;
        let Some(model) = one.evidence.model.map(|at| snapshot.catalog.model(at)) else {
            return;
        };
        let region = one.region.map(|chosen| chosen.region);
        let (state, end) = model.lifecycle.at(region, self.context.today);
        if state != LifecycleState::Legacy {
            return;
        }
        let is_settled = self.has_settled_region(one);
        let is_found = model.id.as_str() == one.id;
        let successor = one.successor.as_ref().filter(|_| is_settled && is_found);
        let date = end.map(|end| end.date);
        self.count(Class::Legacy, legacy(&model.id, date, successor));
    }

    fn count(&mut self, class: Class, warning: Warning) {
        self.by_class
            .entry(class)
            .and_modify(|(_, count)| *count += 1)
            .or_insert((warning, 1));
    }

    /// The texts, by class.
    pub(super) fn render(self) -> Vec<String> {
        let render = |(warning, count): (Warning, usize)| {
            let more = if count > 1 {
                format!(" (+{})", count - 1)
            } else {
                String::new()
            };
            let room = warning.max - PREFIX.len() - more.len();
            let text = shortened(room, &printable(&warning.text));
            [PREFIX, &text, &more].concat()
        };
        self.by_class.into_values().map(render).collect()
    }
}

/// A rewrite that is, will be or would be done.
fn rewrite(
    policy: &Policy,
    one: &JudgedFinding<'_>,
    target: &Target,
    status: RewriteStatus,
) -> Warning {
    let before = one.original.as_str();
    let by_policy = |predicate: String| {
        let room = MAX_WARNING_OF_TWO - PREFIX.len() - MORE.len() - "policy  ".len();
        let name = shortened(
            room.saturating_sub(predicate.len()).clamp(8, 24),
            &policy.name,
        );
        format!("policy {name} {predicate}")
    };
    let text = match status {
        RewriteStatus::Done => formatted(format_args!("replaced {before} with {target}")),
        RewriteStatus::Pods => {
            let region = one.region.map(|chosen| format!(" in {}", chosen.region));
            let region = region.unwrap_or_default();
            format!("Pods{region} get {target} instead of {before}")
        }
        RewriteStatus::DryRun => {
            by_policy(format!("(DryRun) would replace {before} with {target}"))
        }
        RewriteStatus::Required => {
            by_policy(format!("(Deny) requires {target} instead of {before}"))
        }
        RewriteStatus::Reference => by_policy(format!("would replace {before} with {target}")),
    };
    Warning {
        text,
        max: MAX_WARNING_OF_TWO,
    }
}

/// An ID, why it is not rewritten, and the ID to use instead. Where that is too long, `brief` takes the place of `full`, and
/// then the ID is shortened: the reason is more useful.
fn not_rewritten(id: &str, full: &str, brief: &str, suggestion: Option<&Suggestion>) -> Warning {
    let advice = suggestion
        .map(advice)
        .filter(|advice| advice.len() <= MAX_ADVICE);
    let max = if advice.is_some() {
        MAX_WARNING_OF_TWO
    } else {
        MAX_WARNING
    };
    let advice = advice.unwrap_or_default();
    let room = max - PREFIX.len() - ": ".len() - MORE.len() - advice.len();
    let why = if id.len() + full.chars().count() <= room {
        full
    } else {
        brief
    };
    let id = shortened(room.saturating_sub(why.chars().count()), id);
    let text = format!("{id}: {why}{advice}");
    Warning { text, max }
}

/// An ID, and why it is not rewritten, which names a profile; `None` if the text is too long.
fn names_two_ids(id: &str, why: &str) -> Option<Warning> {
    let text = format!("{id}: {why}");
    let room = MAX_WARNING_OF_TWO - PREFIX.len() - MORE.len();
    (text.chars().count() <= room).then_some(Warning {
        text,
        max: MAX_WARNING_OF_TWO,
    })
}

fn advice(suggestion: &Suggestion) -> String {
    match suggestion {
        Suggestion::Nearest(_) => format!("; did you mean {suggestion}?"),
        Suggestion::Working(_) | Suggestion::OnePrefix(_) => format!("; use {suggestion}"),
    }
}

fn end_of_life(
    before: &str,
    life: Option<&LifecycleRecord>,
    successor: Option<&ModelId>,
) -> Warning {
    let mut text = formatted(format_args!("{before} reached its end of life"));
    if let Some(date) = life.and_then(|life| life.end_of_life_date) {
        let _ = write!(text, " on {date}");
    }
    push_successor(&mut text, successor);
    let max = MAX_WARNING_OF_TWO;
    Warning { text, max }
}

fn legacy(model: &ModelId, until: Option<Date>, successor: Option<&ModelId>) -> Warning {
    let mut text = formatted(format_args!("{model} is Legacy"));
    if let Some(date) = until {
        let _ = write!(text, " until {date}");
    }
    let _ = write!(text, ": {LEGACY}");
    push_successor(&mut text, successor);
    let max = MAX_WARNING_OF_TWO;
    Warning { text, max }
}

fn push_successor(text: &mut String, successor: Option<&ModelId>) {
    if let Some(id) = successor {
        let _ = write!(text, "; its successor is {id}");
    }
}
