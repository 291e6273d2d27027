//! Turns findings into a plan, and evaluates the rewrites of an earlier invocation again.
//!
//! A value that the annotation records as a rewrite is resolved again from its original if a stronger source of the region
//! has appeared (for example, a later webhook injects `AWS_REGION`). An entry counts only if the value is still its target,
//! the recorded original and region still resolve to this target, and the source still sets the region. A stale, copied or
//! forged entry changes nothing and is removed.

use std::collections::{BTreeMap, BTreeSet};

use super::region::region_query;
use super::{Action, Judge, JudgedFinding};
use crate::domain::annotations::REWRITES;
use crate::domain::detect::{Finding, site_with};
use crate::domain::environment::Reference;
use crate::domain::object::ObjectKind;
use crate::domain::plan::Plan;
use crate::domain::reason::Reason;
use crate::domain::record::{Entry, Record};
use crate::domain::region::{ChosenRegion, RegionReading, RegionSource};
use crate::domain::resolve::{Evidence, ModelRef, Question, Resolution, resolve};
use crate::domain::site::TextSource;
use crate::domain::syntax::Syntax;
use crate::domain::tokens::{Form, Token};
use crate::text::NodeId;

/// The state of an evaluation that builds a plan.
pub(super) struct Reapply<'t, 'a> {
    judge: &'a Judge<'t, 'a>,
    /// The entries of an earlier invocation.
    old: Vec<Entry>,
    /// The number of places that an earlier invocation omitted from its record for lack of space.
    left_out: usize,
    /// The number of profiles in the object that no entry records.
    unrecorded: usize,
    /// The entries of the new record.
    new: Vec<Entry>,
    plan: Option<Plan<'t>>,
    /// Whether an earlier rewrite is still valid.
    pub(super) reinvocation: bool,
}

impl<'t, 'a> Reapply<'t, 'a> {
    /// An empty plan; without a plan if `changes` is false.
    pub(super) fn new(judge: &'a Judge<'t, 'a>, changes: bool) -> Self {
        let record = judge
            .object
            .annotation(REWRITES)
            .map(Record::parse)
            .unwrap_or_default();
        Self {
            judge,
            left_out: record.left_out(),
            old: record.entries,
            unrecorded: 0,
            new: Vec::new(),
            plan: changes.then(|| Plan::new(judge.object)),
            reinvocation: false,
        }
    }

    /// Evaluates one finding and adds its change to the plan.
    pub(super) fn take(
        &mut self,
        finding: Finding<'t>,
        reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        if let Some((entry, recorded)) = self.recorded(&finding) {
            return self.again(finding, entry, recorded, reason);
        }
        let judged = self.judge.one(finding, reason);
        let profiled = judged.finding.site.scalar().is_some()
            && matches!(judged.finding.form(), Some(Form::Profiled(_)));
        self.unrecorded += usize::from(profiled && judged.resolution.target().is_none());
        self.change(&judged);
        judged
    }

    /// The rewrites of an earlier invocation whose target is an ARN, which detection does not find.
    pub(super) fn recorded_arns(&mut self, reason: Option<Reason>) -> Vec<JudgedFinding<'t>> {
        let arns: Vec<Entry> = self
            .old
            .iter()
            .filter(|entry| entry.to.starts_with("arn:"))
            .cloned()
            .collect();
        let found = arns.into_iter().filter_map(|entry| {
            let (site, node) = site_with(self.judge.object, &entry)?;
            let whole: &'t str = self.judge.object.tree.text(node)?;
            let start = whole.len() - whole.trim_start().len();
            let text = whole.trim();
            let token = Token {
                span: start..start + text.len(),
                form: Form::Direct,
                id: text,
                model: None,
                suffix: "",
            };
            Some(Finding::new(site, whole, token, Ok(Syntax::WHOLE)))
        });
        let found: Vec<_> = found.collect();
        found
            .into_iter()
            .filter_map(|finding| {
                let (entry, recorded) = self.recorded(&finding)?;
                Some(self.again(finding, entry, recorded, reason))
            })
            .collect()
    }

    /// Leaves a text unchanged if several places of a document share it by YAML aliases and have different targets.
    pub(super) fn leave_conflicting_anchors(&mut self, judged: &mut [JudgedFinding<'t>]) {
        let place = |one: &JudgedFinding<'_>| (one.finding.site.node(), one.finding.span().start);
        let mut answers = BTreeMap::new();
        let mut conflicting = BTreeSet::new();
        for one in judged.iter().filter(|one| one.finding.inner.is_some()) {
            let answer = one.resolution.target().map(ToString::to_string);
            if *answers.entry(place(one)).or_insert_with(|| answer.clone()) != answer {
                conflicting.insert(place(one));
            }
        }
        let mut left: BTreeMap<(String, String), usize> = BTreeMap::new();
        for one in judged
            .iter_mut()
            .filter(|one| conflicting.contains(&place(one)))
        {
            if one.resolution.target().is_some() {
                one.resolution = Resolution::Leave(Reason::SharedAnchor);
                let at = one.finding.site.location.to_string();
                *left.entry((at, one.original.clone())).or_default() += 1;
            }
        }
        // One entry was recorded for each use.
        self.new.retain(|entry| {
            let key = (entry.at.clone(), entry.from.clone());
            let uses = left.get_mut(&key).filter(|uses| **uses > 0);
            uses.map(|uses| *uses -= 1).is_none()
        });
        if let Some(plan) = &mut self.plan {
            for (leaf, start) in conflicting {
                plan.forget(leaf, start);
            }
        }
    }

    /// The plan; `None` if it is empty.
    pub(super) fn finish(mut self) -> Option<Plan<'t>> {
        let mut plan = self.plan.take()?;
        // A record whose entries are all still valid stays as written, in whatever order they were found.
        let is_current = plan.is_empty()
            && !self.new.is_empty()
            && self.new.len() == self.old.len()
            && self.new.iter().all(|entry| self.old.contains(entry));
        if self.has_record() && !is_current {
            // A place that an earlier invocation omitted can only be one of the unrecorded profiles.
            let left_out = self.left_out.min(self.unrecorded);
            plan.annotate(self.judge.object, Record::of(self.new, left_out));
        }
        (!plan.is_empty()).then_some(plan)
    }

    /// Whether the object gets a record. The API server restores the old annotations when ephemeral containers are added;
    /// files have no record.
    fn has_record(&self) -> bool {
        match self.judge.context.action {
            Action::CreatePod => true,
            Action::Apply(_) => self.judge.object.kind == ObjectKind::ConfigMap,
            Action::AddEphemeralContainers(_) | Action::Read | Action::Edit => false,
        }
    }

    /// Adds the change of `judged` to the plan and to the record.
    fn change(&mut self, judged: &JudgedFinding<'t>) {
        let site = &judged.finding.site;
        let planned = match site.source {
            TextSource::Here(node) => self.edit(node, judged),
            TextSource::Elsewhere(reference) => self.make_explicit(&reference, judged),
        };
        let (Some(()), Some(target), Some(chosen)) =
            (planned, judged.resolution.target(), judged.region)
        else {
            return;
        };
        self.new.push(Entry {
            at: site.location.to_string(),
            from: judged.original.clone(),
            to: target.to_string(),
            region: chosen.region.to_string(),
            by: chosen.source.as_str().into(),
        });
    }

    /// Plans the edit of a scalar of the object; `None` if there is no change.
    fn edit(&mut self, node: NodeId, judged: &JudgedFinding<'t>) -> Option<()> {
        let to = judged.resolution.target()?.to_string();
        let plan = self.plan.as_mut()?;
        if to != judged.finding.text() {
            plan.edit(node, judged.finding.span().clone(), to);
        }
        Some(())
    }

    /// Plans an explicit variable instead of a reference; `None` if there is no change. Only Pods get one: for a template or a
    /// file the finding is reported, and the author changes the ConfigMap.
    fn make_explicit(
        &mut self,
        reference: &Reference<'t>,
        judged: &JudgedFinding<'t>,
    ) -> Option<()> {
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
        let plan = self.plan.as_mut()?;
        plan.make_explicit(&judged.finding.site, followed.by, &text);
        Some(())
    }

    /// The entry of an earlier invocation for this text, if the entry is still valid.
    fn recorded(&self, finding: &Finding<'t>) -> Option<(Entry, ChosenRegion)> {
        self.plan.as_ref()?;
        finding.site.scalar()?;
        let at = finding.site.location.to_string();
        self.old
            .iter()
            .filter(|entry| entry.at == at && entry.to == finding.text())
            .find_map(|entry| {
                let recorded = entry.recorded_region()?;
                self.is_valid(entry, finding, recorded)
                    .then(|| (entry.clone(), recorded))
            })
    }

    /// Whether an entry is valid: the source still sets the region, and the original still resolves to the target.
    fn is_valid(
        &self,
        entry: &Entry,
        finding: &Finding<'t>,
        ChosenRegion { region, source }: ChosenRegion,
    ) -> bool {
        let reading = self
            .judge
            .region_context
            .read_source(source, region_query(finding));
        let is_same_region = match reading {
            Some(RegionReading::Region(found)) => found == region,
            Some(RegionReading::Conflict(one, other)) => one == region || other == region,
            Some(RegionReading::OutOfSight | RegionReading::NotARegion(_)) | None => false,
        };
        let question = Question {
            named: self.judge.recorded_name(&entry.from),
            region,
            inferred: source == RegionSource::Cluster,
            namespace: self.judge.context.namespace,
            whole: finding.syntax.is_ok_and(|syntax| syntax.whole),
            today: self.judge.context.today,
        };
        let resolution = || {
            resolve(
                &question,
                self.judge.policy,
                &self.judge.snapshot().catalog,
                &mut |_| (),
            )
            .0
        };
        is_same_region
            && resolution()
                .target()
                .is_some_and(|target| target.to_string() == entry.to)
    }

    /// Resolves an earlier rewrite again if a stronger source of the region has appeared; keeps it otherwise.
    fn again(
        &mut self,
        finding: Finding<'t>,
        entry: Entry,
        recorded: ChosenRegion,
        reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        self.reinvocation = true;
        let now = self.judge.region_of(&finding);
        let stronger = now.answer.is_some_and(|now| {
            now.source < recorded.source && now.found != RegionReading::Region(recorded.region)
        });
        if !stronger {
            self.new.push(entry.clone());
            let resolution = Resolution::Leave(Reason::AlreadyProfiled);
            return self.judge.explained(JudgedFinding {
                finding,
                id: entry.from.clone(),
                original: entry.from,
                region: Some(recorded),
                region_settings: Vec::new(),
                resolution,
                evidence: Evidence::default(),
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
            self.change(&judged);
        } else if let (Some(plan), Some(node)) = (&mut self.plan, judged.finding.site.scalar()) {
            plan.edit(node, judged.finding.span().clone(), entry.from);
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
