//! Turns findings into a plan, and evaluates the rewrites of an earlier invocation again.
//!
//! A value that the annotation records as a rewrite is resolved again from its original if a stronger source of the region
//! has appeared (for example, a later webhook injects `AWS_REGION`). An entry counts only if the value is still its target,
//! the recorded original and region still resolve to this target, and the source still sets the region. A stale, copied or
//! forged entry changes nothing and is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use super::occurrences::{IdPlace, recorded_places};
use super::planned::{PlannedChange, PlannedFinding, PlannedFindings};
use super::region::region_query;
use super::{Action, Judge, JudgedFinding};
use crate::domain::annotations::REWRITES;
use crate::domain::detect::Finding;
use crate::domain::environment::{EnvOrigin, Origin, Reference};
use crate::domain::object::ObjectKind;
use crate::domain::plan::Plan;
use crate::domain::reason::Reason;
use crate::domain::record::{Entry, Record};
use crate::domain::region::{ChosenRegion, RegionReading, RegionSource};
use crate::domain::resolve::{Evidence, ModelRef, Question, Resolution, Target, resolve};
use crate::domain::site::{TextSource, text_site};
use crate::domain::syntax::Syntax;
use crate::domain::tokens::{Form, Token};

/// The length of the name of a place or of a target that is given room at first, in bytes.
const USUAL_TEXT: usize = 64;

/// The state of an evaluation that builds a plan.
pub(super) struct Reapply<'t, 'a> {
    judge: &'a Judge<'t, 'a>,
    /// Whether the evaluation may change the object.
    changes: bool,
    /// The entries of an earlier invocation.
    old: Vec<Entry>,
    /// Those of them that name a place of the object.
    recorded: BTreeMap<IdPlace, Entry>,
    /// The number of places that an earlier invocation omitted from its record for lack of space.
    left_out: usize,
    /// The number of profiles in the object that no entry records.
    unrecorded: usize,
    planned: PlannedFindings<'t>,
    /// Whether an earlier rewrite is still valid.
    pub(super) reinvocation: bool,
}

/// A rewrite of an earlier invocation that is still valid.
struct EarlierRewrite {
    entry: Entry,
    recorded: ChosenRegion,
    /// That of the original.
    evidence: Evidence,
}

impl<'t, 'a> Reapply<'t, 'a> {
    /// The evaluation of `found`; without a plan if `changes` is false.
    pub(super) fn new(judge: &'a Judge<'t, 'a>, changes: bool, found: &[Finding<'t>]) -> Self {
        let record = judge
            .object
            .annotation(REWRITES)
            .map(Record::parse)
            .unwrap_or_default();
        let recorded = if changes && !record.entries.is_empty() {
            recorded_places(judge.object, &record.entries, found)
        } else {
            BTreeMap::new()
        };
        Self {
            judge,
            changes,
            left_out: record.left_out(),
            old: record.entries,
            recorded,
            unrecorded: 0,
            planned: PlannedFindings::default(),
            reinvocation: false,
        }
    }

    /// Evaluates one finding and adds its planned.
    pub(super) fn take(
        &mut self,
        finding: Finding<'t>,
        reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        if let Some(earlier) = self.earlier_rewrite(&finding) {
            return self.again(finding, earlier, reason);
        }
        let judged = self.judge.one(finding, reason);
        let profiled = judged.finding.site.scalar().is_some()
            && matches!(judged.finding.form(), Some(Form::Profiled(_)));
        self.unrecorded += usize::from(profiled && judged.resolution.target().is_none());
        self.change(&judged, None);
        judged
    }

    /// The rewrites of an earlier invocation whose target is an ARN, which detection does not find.
    pub(super) fn recorded_arns(&mut self, reason: Option<Reason>) -> Vec<JudgedFinding<'t>> {
        let arns = self.recorded.iter().filter_map(|(place, entry)| {
            let IdPlace::At(node, start) = *place else {
                return None;
            };
            let site = text_site(self.judge.object, node)?;
            let whole: &'t str = self.judge.object.tree.text(node)?;
            let text = whole.trim();
            let token = Token {
                span: start..start + text.len(),
                form: Form::Direct,
                id: text,
                model: None,
                suffix: "",
            };
            (entry.to == text && text.starts_with("arn:"))
                .then(|| Finding::new(site, whole, token, Ok(Syntax::WHOLE)))
        });
        let arns: Vec<_> = arns.collect();
        arns.into_iter()
            .filter_map(|finding| {
                let earlier = self.earlier_rewrite(&finding)?;
                Some(self.again(finding, earlier, reason))
            })
            .collect()
    }

    /// See [`PlannedFindings::leave_conflicting_anchors`].
    pub(super) fn leave_conflicting_anchors(&mut self, judged: &mut [JudgedFinding<'t>]) {
        self.planned.leave_conflicting_anchors(judged);
    }

    /// The plan; `None` if it is empty.
    pub(super) fn finish(self) -> Option<Plan<'t>> {
        if !self.changes {
            return None;
        }
        let mut plan = self.planned.plan(self.judge.object);
        if self.has_record() {
            let entries = self.planned.entries(self.judge.object);
            // A record whose entries are all still valid stays as written, in whatever order they were found.
            let is_current = plan.is_empty()
                && !entries.is_empty()
                && entries.len() == self.old.len()
                && is_permutation(&entries, &self.old);
            if !is_current {
                // A place that an earlier invocation omitted can only be one of the unrecorded profiles.
                let left_out = self.left_out.min(self.unrecorded);
                plan.annotate(self.judge.object, Record::of(entries, left_out));
            }
        }
        (!plan.is_empty()).then_some(plan)
    }

    /// Whether the object gets a record. The API server restores the old annotations when ephemeral containers are added;
    /// files have no record.
    fn has_record(&self) -> bool {
        match self.judge.context.action {
            Action::CreatePod => true,
            Action::Apply(_) => self.judge.object.kind == ObjectKind::ConfigMap,
            Action::AddEphemeralContainers(_) | Action::Read | Action::Edit(_) => false,
        }
    }

    /// Adds the step of `judged`. `config_map` is the reference that an earlier invocation replaced.
    fn change(&mut self, judged: &JudgedFinding<'t>, config_map: Option<String>) {
        let mut planned = PlannedFinding::new(&judged.finding);
        let config_map = match planned.site.source {
            TextSource::Here(_) => {
                if let Some(target) = judged.resolution.target() {
                    planned.change = PlannedChange::Edit(text_of(target));
                }
                config_map
            }
            TextSource::Elsewhere(reference) => {
                if let Some((by, text)) = self.explicit(&reference, judged) {
                    planned.change = PlannedChange::Explicit(by, text);
                    planned.place = Some(match by {
                        EnvOrigin::Env => IdPlace::At(reference.node, 0),
                        EnvOrigin::EnvFrom => IdPlace::InFront,
                    });
                }
                config_map_of(&reference)
            }
        };
        let to = match (&planned.change, judged.resolution.target()) {
            (PlannedChange::Edit(text), _) => Some(text.clone()),
            (PlannedChange::Explicit(..), Some(target)) => Some(text_of(target)),
            (PlannedChange::Explicit(..) | PlannedChange::Unchanged, _) => None,
        };
        if let (Some(to), Some(chosen)) = (to, judged.region) {
            planned.entry = Some(Entry {
                at: text_of(&planned.site.location),
                from: judged.original.clone(),
                to,
                region: chosen.region.to_string(),
                by: chosen.source.as_str().into(),
                nth: 1,
                of: 1,
                config_map,
            });
        }
        self.planned.push(planned);
    }

    /// The explicit variable instead of a reference; `None` if there is no change. Only Pods get one: for a template or a file
    /// the finding is reported, and the author changes the ConfigMap.
    fn explicit(
        &self,
        reference: &Reference<'t>,
        judged: &JudgedFinding<'t>,
    ) -> Option<(EnvOrigin, String)> {
        let pod = matches!(
            self.judge.context.action,
            Action::CreatePod | Action::AddEphemeralContainers(_)
        );
        let followed = reference
            .reach
            .ok()
            .filter(|_| pod && !judged.report_only)?;
        let text = judged
            .explicit_text()
            .filter(|text| text != followed.word.current())?;
        Some((followed.by, text))
    }

    /// The rewrite of an earlier invocation that made this text, if it is still valid: the source still sets the region, and the
    /// original still resolves to the target.
    fn earlier_rewrite(&self, finding: &Finding<'t>) -> Option<EarlierRewrite> {
        let entry = self.recorded.get(&IdPlace::of(finding)?)?;
        let recorded = entry.recorded_region()?;
        if entry.to != finding.text() {
            return None;
        }
        let ChosenRegion { region, source } = recorded;
        let reading = self
            .judge
            .region_context
            .read_source(source, region_query(finding));
        let is_same_region = match reading {
            Some(RegionReading::Region(found)) => found == region,
            Some(RegionReading::Conflict(one, other)) => one == region || other == region,
            Some(RegionReading::OutOfSight | RegionReading::NotARegion(_)) | None => false,
        };
        if !is_same_region {
            return None;
        }
        let question = Question {
            named: self.judge.recorded_name(&entry.from),
            region,
            inferred: source == RegionSource::Cluster,
            namespace: self.judge.context.namespace,
            whole: finding.syntax.is_ok_and(|syntax| syntax.whole),
            today: self.judge.context.today,
        };
        let (resolution, evidence) = resolve(
            &question,
            self.judge.policy,
            &self.judge.snapshot().catalog,
            &mut |_| (),
        );
        let is_same_target = |target: &Target| target.to_string() == entry.to;
        resolution
            .target()
            .is_some_and(is_same_target)
            .then(|| EarlierRewrite {
                entry: entry.clone(),
                recorded,
                evidence,
            })
    }

    /// Resolves an earlier rewrite again if a stronger source of the region has appeared; keeps it otherwise.
    fn again(
        &mut self,
        finding: Finding<'t>,
        EarlierRewrite {
            entry,
            recorded,
            evidence,
        }: EarlierRewrite,
        reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        self.reinvocation = true;
        let now = self.judge.region_of(&finding);
        let stronger = now.answer.is_some_and(|now| {
            now.source < recorded.source && now.found != RegionReading::Region(recorded.region)
        });
        if !stronger {
            self.planned.push(PlannedFinding {
                entry: Some(entry.clone()),
                ..PlannedFinding::new(&finding)
            });
            let resolution = Resolution::Leave(Reason::AlreadyProfiled);
            return self.judge.explained(JudgedFinding {
                finding,
                id: entry.from.clone(),
                original: entry.from,
                region: Some(recorded),
                region_settings: Vec::new(),
                resolution,
                evidence,
                suggestion: None,
                successor: None,
                detail: None,
                report_only: false,
                denied: false,
                edited: false,
            });
        }
        let name = self.judge.recorded_name(&entry.from);
        let mut judged = self.judge.named(finding, name, reason);
        judged.original.clone_from(&entry.from);
        if judged.resolution.target().is_some() {
            self.change(&judged, entry.config_map);
        } else {
            self.planned.push(PlannedFinding {
                change: PlannedChange::Edit(entry.from),
                ..PlannedFinding::new(&judged.finding)
            });
        }
        judged
    }
}

impl<'t> Judge<'t, '_> {
    /// The name that an entry recorded: an alias, a direct ID or an ID with a prefix. The setting of an alias is not checked
    /// again: its key in the ConfigMap may have another name than the explicit variable.
    fn recorded_name<'e>(&self, from: &'e str) -> ModelRef<'e>
    where
        't: 'e,
    {
        let snapshot = self.snapshot();
        let aliased = snapshot
            .alias(from)
            .filter(|_| self.policy.aliases.is_some());
        if let Some(model) = aliased {
            return ModelRef::Alias(snapshot.catalog.model(model).id.as_str());
        }
        let vendors = snapshot.vendors();
        let prefixed = from
            .split_once('.')
            .filter(|(_, rest)| vendors.iter().any(|vendor| rest.starts_with(&**vendor)));
        prefixed.map_or(ModelRef::Direct(from), |(geography, id)| {
            ModelRef::Profiled { geography, id }
        })
    }
}

/// Whether two lists of as many entries have the same entries.
fn is_permutation(new: &[Entry], old: &[Entry]) -> bool {
    let mut unmatched: BTreeSet<&Entry> = old.iter().collect();
    new.iter().all(|entry| unmatched.remove(entry))
}

/// The ConfigMap and the key of a reference, as the record names them.
fn config_map_of(reference: &Reference<'_>) -> Option<String> {
    match reference.origin {
        Origin::ConfigMap { name, key, .. } => Some(format!("{name}/{key}")),
        Origin::Secret { .. } | Origin::Field { .. } => None,
    }
}

/// The name of a place or of a target.
fn text_of(name: &impl fmt::Display) -> String {
    let mut text = String::with_capacity(USUAL_TEXT);
    // Writing to a string cannot fail.
    let _ = write!(text, "{name}");
    text
}
