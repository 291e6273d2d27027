//! Turns findings into a plan, and looks again at what an earlier round has rewritten.
//!
//! A value that the annotation records as ours is resolved again from its original when a stronger source of the region
//! has appeared (a webhook after us injects `AWS_REGION`). An entry counts only if the value still equals its answer and the
//! recorded original and region give that answer still, from a source that still says so: what is stale, copied or forged
//! changes nothing and is removed.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::region_query;
use super::{Action, Judge, JudgedFinding};
use crate::domain::detect::{Finding, site_with};
use crate::domain::environment::Reference;
use crate::domain::object::ObjectKind;
use crate::domain::plan::Plan;
use crate::domain::reason::Reason;
use crate::domain::record::{ANNOTATION, Entry, Record};
use crate::domain::region::{Region, RegionReading, RegionSource};
use crate::domain::resolve::{Evidence, ModelRef, Question, Resolution, resolve};
use crate::domain::site::TextSource;
use crate::domain::syntax::Syntax;
use crate::domain::tokens::{Form, Token};
use crate::text::NodeId;

/// A plan in the making.
pub(super) struct Reapply<'t, 'a> {
    judge: &'a Judge<'t, 'a>,
    /// What an earlier round recorded.
    old: Vec<Entry>,
    /// How many places an earlier round left out of its record for want of room.
    left_out: usize,
    /// How many profiles stand in the object that no record explains.
    unexplained: usize,
    /// What will be recorded.
    new: Vec<Entry>,
    plan: Option<Plan<'t>>,
    /// Whether an earlier answer still held.
    pub(super) reinvocation: bool,
}

impl<'t, 'a> Reapply<'t, 'a> {
    /// Starts with an empty plan, or with none where the policy or the action does not change the object.
    pub(super) fn new(judge: &'a Judge<'t, 'a>, changes: bool) -> Self {
        let record = judge
            .object
            .annotation(ANNOTATION)
            .map(Record::parse)
            .unwrap_or_default();
        Self {
            judge,
            left_out: record.left_out(),
            old: record.entries,
            unexplained: 0,
            new: Vec::new(),
            plan: changes.then(|| Plan::new(judge.object)),
            reinvocation: false,
        }
    }

    /// Judges one finding and takes its change into the plan.
    pub(super) fn take(
        &mut self,
        finding: Finding<'t>,
        reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        if let Some((entry, region, source)) = self.recorded(&finding) {
            return self.again(finding, entry, (region, source), reason);
        }
        let judged = self.judge.one(finding, reason);
        let profiled = judged.finding.site.scalar().is_some()
            && matches!(judged.finding.token.form, Form::Profiled(_));
        self.unexplained += usize::from(profiled && judged.resolution.target().is_none());
        self.change(&judged);
        judged
    }

    /// Answers of an earlier round that hold no ID, such as ARNs: the record alone knows them.
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
                let (entry, region, source) = self.recorded(&finding)?;
                Some(self.again(finding, entry, (region, source), reason))
            })
            .collect()
    }

    /// A text inside a document that several of its places share, by aliases, is left where they need different answers.
    pub(super) fn leave_conflicting_anchors(&mut self, judged: &mut [JudgedFinding<'t>]) {
        let place =
            |one: &JudgedFinding<'_>| (one.finding.site.node(), one.finding.token.span.start);
        let mut answers = BTreeMap::new();
        let mut conflicting = BTreeSet::new();
        for one in judged.iter().filter(|one| one.finding.inner.is_some()) {
            let answer = one.resolution.target().map(ToString::to_string);
            if *answers.entry(place(one)).or_insert_with(|| answer.clone()) != answer {
                conflicting.insert(place(one));
            }
        }
        for one in judged
            .iter_mut()
            .filter(|one| conflicting.contains(&place(one)))
        {
            if one.resolution.target().is_some() {
                one.resolution = Resolution::Leave(Reason::SharedAnchor);
                let at = one.finding.site.location.to_string();
                let entry = |entry: &Entry| entry.at == at && entry.from == one.original;
                if let Some(index) = self.new.iter().position(entry) {
                    self.new.remove(index);
                }
            }
            if let Some(plan) = &mut self.plan {
                plan.forget(one.finding.site.node(), one.finding.token.span.start);
            }
        }
    }

    /// The plan, if there is anything to do.
    pub(super) fn finish(mut self) -> Option<Plan<'t>> {
        let mut plan = self.plan.take()?;
        // What still holds as a whole stays as it is written, whatever the order in which it was found again.
        let is_current = plan.is_empty()
            && !self.new.is_empty()
            && self.new.len() == self.old.len()
            && self.new.iter().all(|entry| self.old.contains(entry));
        if self.carries_a_record() && !is_current {
            // What an earlier round left out can only be among the profiles that nothing explains.
            let left_out = self.left_out.min(self.unexplained);
            plan.annotate(self.judge.object, Record::of(self.new, left_out));
        }
        (!plan.is_empty()).then_some(plan)
    }

    /// The API server restores old annotations on ephemeral containers, and files do not carry ours.
    fn carries_a_record(&self) -> bool {
        match self.judge.context.action {
            Action::CreatePod => true,
            Action::Apply(_) => self.judge.object.kind == ObjectKind::ConfigMap,
            Action::AddEphemeralContainers(_) | Action::Read | Action::Edit => false,
        }
    }

    /// Takes the change that `judged` asks for into the plan, and a new answer into the record.
    fn change(&mut self, judged: &JudgedFinding<'t>) {
        let site = &judged.finding.site;
        let planned = match site.source {
            TextSource::Here(node) => self.edit(node, judged),
            TextSource::Elsewhere(reference) => self.make_explicit(&reference, judged),
        };
        let (Some(()), Some(target), Some((region, source))) =
            (planned, judged.resolution.target(), judged.region)
        else {
            return;
        };
        self.new.push(Entry {
            at: site.location.to_string(),
            from: judged.original.clone(),
            to: target.to_string(),
            region: region.to_string(),
            by: source.as_str().into(),
        });
    }

    /// Plans the edit of a scalar of the object; `None` where nothing is to be changed.
    fn edit(&mut self, node: NodeId, judged: &JudgedFinding<'t>) -> Option<()> {
        let to = judged.resolution.target()?.to_string();
        let plan = self.plan.as_mut()?;
        if to != judged.finding.text {
            plan.edit(node, judged.finding.token.span.clone(), to);
        }
        Some(())
    }

    /// Plans an explicit variable instead of a reference; `None` where there is to be none. Only Pods get one: the author of a
    /// template or a file is informed, and changes the ConfigMap.
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

    /// The entry of an earlier round that made this text, if it still holds.
    fn recorded(&self, finding: &Finding<'t>) -> Option<(Entry, Region, RegionSource)> {
        self.plan.as_ref()?;
        finding.site.scalar()?;
        let at = finding.site.location.to_string();
        self.old
            .iter()
            .filter(|entry| entry.at == at && entry.to == finding.text)
            .find_map(|entry| {
                let (region, source) = entry.recorded_region()?;
                self.holds(entry, finding, region, source)
                    .then(|| (entry.clone(), region, source))
            })
    }

    fn holds(
        &self,
        entry: &Entry,
        finding: &Finding<'t>,
        region: Region,
        source: RegionSource,
    ) -> bool {
        let said = self
            .judge
            .region_context
            .read_source(source, region_query(finding));
        let says_so = match said {
            Some(RegionReading::Region(found)) => found == region,
            Some(RegionReading::Conflict(one, other)) => one == region || other == region,
            Some(RegionReading::OutOfSight | RegionReading::NotARegion) | None => false,
        };
        let question = Question {
            named: self.judge.recorded_name(&entry.from),
            region,
            inferred: source == RegionSource::Cluster,
            namespace: self.judge.context.namespace,
            whole: finding.syntax.is_ok_and(|syntax| syntax.whole),
            today: self.judge.context.today,
        };
        let answer = || {
            resolve(
                &question,
                self.judge.policy,
                &self.judge.snapshot().catalog,
                &mut |_| (),
            )
            .0
        };
        says_so
            && answer()
                .target()
                .is_some_and(|target| target.to_string() == entry.to)
    }

    /// Resolves an earlier answer again where a stronger source has appeared; keeps it otherwise.
    fn again(
        &mut self,
        finding: Finding<'t>,
        entry: Entry,
        (region, source): (Region, RegionSource),
        reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        self.reinvocation = true;
        let now = self.judge.region_of(&finding);
        let stronger = now
            .is_some_and(|now| now.source < source && now.found != RegionReading::Region(region));
        if !stronger {
            self.new.push(entry.clone());
            let resolution = Resolution::Leave(Reason::AlreadyProfiled);
            return JudgedFinding {
                finding,
                id: entry.from.clone(),
                original: entry.from,
                region: Some((region, source)),
                resolution,
                evidence: Evidence::default(),
                suggestion: None,
                report_only: false,
                edited: false,
            };
        }
        let name = self.judge.recorded_name(&entry.from);
        let mut judged = self.judge.named(finding, name, reason);
        judged.original.clone_from(&entry.from);
        if judged.resolution.target().is_some() {
            self.change(&judged);
        } else if let (Some(plan), Some(node)) = (&mut self.plan, judged.finding.site.scalar()) {
            plan.edit(node, judged.finding.token.span.clone(), entry.from);
        }
        judged
    }
}

impl<'t> Judge<'t, '_> {
    /// The name that an entry recorded: an alias, direct or behind a prefix. Where an alias came from is not asked again: it was
    /// taken by the name of a key, perhaps, that the explicit variable does not have.
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
