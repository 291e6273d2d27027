//! The judgement of one object: which policy decides, what becomes of each finding, and what that means for the object.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::catalog::Confidence;
use super::detect::{Finding, findings, standing};
use super::object::{Object, Sort, Spot};
use super::plan::Plan;
use super::policy::{Lists, Mode, Namespace, Policy, Scope, Unresolved};
use super::reason::Reason;
use super::record::ANNOTATION;
use super::region::Region;
use super::resolve::{
    Evidence, Named, Question, Resolution, resolve, settled_without_region, standing_without_region,
};
use super::snapshot::{Snapshot, View};
use super::token::Prefix;
use super::whereabouts::{Found, RegionSource, Standpoint, Whereabouts};

mod object_reason;
mod recorded;

/// What is asked of the domain: what happens to the object, where and when.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Snapshot and cluster.
    pub view: &'a View,
    /// The namespace that the object is in, or will be.
    pub namespace: &'a Namespace,
    /// What happens to the object.
    pub action: Action<'a>,
    /// The day that decides over dates of end of life.
    pub today: Date,
}

/// What happens to the object.
#[derive(Clone, Copy)]
pub enum Action<'a> {
    /// A Pod is created.
    CreatePod,
    /// Containers are added to a running Pod; the old Pod has the others.
    AddEphemeralContainers(&'a Object<'a>),
    /// A ConfigMap or a workload template is created, or updated from the old object.
    Apply(Option<&'a Object<'a>>),
    /// It is read where it is stored, in a file or in the cluster.
    Read,
    /// Its source is edited, which is what a controller that tracks it would follow.
    Edit,
}

/// One finding with what becomes of it.
#[derive(Debug, Clone)]
pub struct Judged<'t> {
    /// The place.
    pub finding: Finding<'t>,
    /// The direct ID that was judged; the original one, where the text is an answer of ours.
    pub id: String,
    /// The region and its source, where one is known.
    pub region: Option<(Region, RegionSource)>,
    /// What becomes of it.
    pub resolution: Resolution,
    /// What that rests on.
    pub evidence: Evidence,
}

/// What is said of one object.
pub struct Judgement<'t> {
    /// The policy that decides, as an index into the snapshot, and its findings.
    pub decided: Option<(usize, Vec<Judged<'t>>)>,
    /// Policies that say what they would do, with their findings.
    pub shadows: Vec<(usize, Vec<Judged<'t>>)>,
    /// What happens to the object.
    pub verdict: Verdict<'t>,
    /// Whether the object carries answers of an earlier round that still hold, so that what is said now revises them.
    pub again: bool,
}

/// What happens to the object.
pub enum Verdict<'t> {
    /// Nothing is found, or nothing may be said.
    Untouched,
    /// It is admitted as it is; its findings may be told.
    Tell,
    /// It is changed.
    Rewrite(Plan<'t>),
    /// It is refused for these findings of the deciding policy, by index.
    Refuse(Vec<usize>),
}

/// Judges one object. Pure and total.
pub fn judge<'t>(object: &Object<'t>, context: &Context<'t>) -> Judgement<'t> {
    let nothing = || Judgement {
        decided: None,
        shadows: Vec::new(),
        verdict: Verdict::Untouched,
        again: false,
    };
    if !is_ours(object, &context.action) {
        return nothing();
    }
    let snapshot: &'t Snapshot = &context.view.snapshot;
    let selecting = |policy: &Policy| {
        (if object.sort == Sort::ConfigMap {
            policy.config_maps
        } else {
            policy.pods
        }) && policy.namespaces.selects(context.namespace)
    };
    let mut selected = snapshot
        .policies
        .iter()
        .enumerate()
        .filter(|(_, policy)| selecting(policy))
        .peekable();
    if selected.peek().is_none() {
        return nothing();
    }
    let found = added(findings(object, snapshot), &context.action);
    let has_record = object.annotation(ANNOTATION).is_some();
    if found.is_empty() && !has_record {
        return nothing();
    }
    let judge_for = |policy: &'t Policy| Judge {
        object,
        context,
        policy,
    };
    let (mut decided, mut shadows, mut outcome) = (None, Vec::new(), None);
    for (at, policy) in selected {
        if !policy.decides() {
            shadows.push((at, judge_for(policy).all(found.clone())));
        } else if decided.is_none() {
            let decision = judge_for(policy).decide(found.clone());
            decided = Some((at, decision.judged));
            outcome = Some((decision.verdict, decision.again));
        }
    }
    let (verdict, again) = outcome.unwrap_or((Verdict::Tell, false));
    Judgement {
        decided,
        shadows,
        verdict,
        again,
    }
}

/// Whether the object is one that is judged at all: mirror pods are the kubelet's.
fn is_ours(object: &Object<'_>, action: &Action<'_>) -> bool {
    let mirror =
        object.sort == Sort::Pod && object.annotation("kubernetes.io/config.mirror").is_some();
    let fits = match action {
        Action::CreatePod | Action::AddEphemeralContainers(_) => object.sort == Sort::Pod,
        Action::Apply(_) => matches!(object.sort, Sort::ConfigMap | Sort::Template),
        Action::Read | Action::Edit => object.sort != Sort::Other,
    };
    fits && !mirror
}

/// Of a running Pod only what the new containers bring.
fn added<'t>(found: Vec<Finding<'t>>, action: &Action<'_>) -> Vec<Finding<'t>> {
    let Action::AddEphemeralContainers(old) = action else {
        return found;
    };
    let there: BTreeSet<&str> = old
        .containers()
        .map(|container| old.name_of(container))
        .collect();
    let is_new = |finding: &Finding<'_>| match finding.leaf.spot {
        Spot::Env { container, .. } | Spot::Args { container } | Spot::Command { container } => {
            !there.contains(container)
        }
        Spot::Data { .. } => false,
    };
    found.into_iter().filter(is_new).collect()
}

struct Judge<'t, 'a> {
    object: &'a Object<'t>,
    context: &'a Context<'t>,
    policy: &'t Policy,
}

struct Decision<'t> {
    judged: Vec<Judged<'t>>,
    verdict: Verdict<'t>,
    again: bool,
}

impl<'t> Judge<'t, '_> {
    fn snapshot(&self) -> &'t Snapshot {
        &self.context.view.snapshot
    }

    fn all(&self, found: Vec<Finding<'t>>) -> Vec<Judged<'t>> {
        let reason = self.object_reason();
        found
            .into_iter()
            .map(|finding| self.one(finding, reason))
            .collect()
    }

    /// Judges everything under a policy that decides, and says what that means for the object.
    fn decide(&self, found: Vec<Finding<'t>>) -> Decision<'t> {
        let changes = self.policy.mode == Mode::Rewrite && self.may_change();
        let mut rewriting = recorded::Rewriting::new(self, changes);
        let reason = self.object_reason();
        let mut judged = rewriting.answers_that_are_no_tokens(reason);
        judged.extend(
            found
                .into_iter()
                .map(|finding| rewriting.take(finding, reason)),
        );
        let again = rewriting.again;
        if let Some(refused) = self.refused(&judged) {
            return Decision {
                judged,
                verdict: Verdict::Refuse(refused),
                again,
            };
        }
        let plan = rewriting.finish();
        let verdict = match plan {
            Some(plan) if self.outgrows(&plan) => {
                for one in &mut judged {
                    if one.resolution.target().is_some() {
                        one.resolution = Resolution::Leave(Reason::TooLarge);
                    }
                }
                Verdict::Tell
            }
            Some(plan) => Verdict::Rewrite(plan),
            None => Verdict::Tell,
        };
        Decision {
            judged,
            verdict,
            again,
        }
    }

    /// Templates in a cluster are never changed; the webhook that sees them cannot.
    fn may_change(&self) -> bool {
        !(self.object.sort == Sort::Template && matches!(self.context.action, Action::Apply(_)))
    }

    /// One finding, group by group: the first group that has a reason decides.
    fn one(&self, finding: Finding<'t>, object_reason: Option<Reason>) -> Judged<'t> {
        let named = match finding.token.prefix {
            Prefix::Bare => Named::Direct(finding.token.id),
            Prefix::Geography(geography) => Named::Profiled {
                geography,
                id: finding.token.id,
            },
            Prefix::Doubled => return self.left(finding, Reason::DoublePrefix),
        };
        self.named(finding, named, object_reason)
    }

    fn left(&self, finding: Finding<'t>, reason: Reason) -> Judged<'t> {
        let id = finding.token.id.to_owned();
        let evidence = Evidence {
            model: finding.token.model,
            ..Evidence::default()
        };
        Judged {
            finding,
            id,
            region: None,
            resolution: Resolution::Leave(reason),
            evidence,
        }
    }

    fn named(
        &self,
        finding: Finding<'t>,
        named: Named<'_>,
        object_reason: Option<Reason>,
    ) -> Judged<'t> {
        let (id, direct) = match named {
            Named::Direct(id) => (id, true),
            Named::Profiled { id, .. } => (id, false),
        };
        let found = self.whereabouts(&finding);
        let catalog = &self.snapshot().catalog;
        let object_reason = object_reason.or_else(|| self.opted_out(&finding.leaf.spot));
        let shape_reason = match finding.shape {
            Ok(shape) => {
                (shape.listed && self.policy.lists == Lists::Leave).then_some(Reason::ListLeft)
            }
            Err(reason) => Some(reason),
        };
        let early = match named {
            Named::Direct(id) => shape_reason
                .or(object_reason)
                .or_else(|| settled_without_region(id, self.policy, catalog)),
            Named::Profiled { .. } => None,
        };
        let blocked = shape_reason.is_some() || object_reason.is_some();
        let mut region = found.and_then(|there| match there.found {
            Found::Region(region) => Some((region, there.source)),
            Found::Conflict(..) | Found::OutOfSight | Found::NotARegion => None,
        });
        let (resolution, evidence) = match (early, found.map(|there| there.found)) {
            (Some(reason), _) => (Resolution::Leave(reason), self.evidence_of(id)),
            (None, None) => self.without_region(named, Reason::NoRegion),
            (None, Some(Found::OutOfSight)) => self.without_region(named, Reason::RegionOutOfSight),
            (None, Some(Found::NotARegion)) => self.without_region(named, Reason::NotARegion),
            (None, Some(Found::Region(region))) => self.ask(&finding, named, region, found),
            (None, Some(Found::Conflict(one, other))) => {
                let (first, second) = (
                    self.ask(&finding, named, one, found),
                    self.ask(&finding, named, other, found),
                );
                if first.0 == second.0 {
                    region = found.map(|there| (one, there.source));
                    first
                } else {
                    self.without_region(named, Reason::RegionConflict)
                }
            }
        };
        // A prefixed ID that may not be changed is judged all the same, as what it is.
        let resolution = if blocked && !direct && resolution.target().is_some() {
            Resolution::Leave(Reason::AlreadyProfiled)
        } else {
            resolution
        };
        Judged {
            id: id.to_owned(),
            finding,
            region,
            resolution,
            evidence,
        }
    }

    fn standpoint<'s>(&'s self, finding: &'s Finding<'t>) -> Standpoint<'s, 't> {
        Standpoint {
            object: self.object,
            leaf: &finding.leaf,
            token: &finding.token.span,
            in_value: finding.shape.ok().and_then(|shape| shape.region),
            policy: self.policy,
            namespace: self.context.namespace,
            cluster: self.context.view.cluster_region,
        }
    }

    fn whereabouts(&self, finding: &Finding<'t>) -> Option<Whereabouts> {
        let found = self.standpoint(finding).whereabouts()?;
        // The cluster's own region is a guess: good enough for a Pod that cannot work otherwise, for nothing else.
        let usable = found.source != RegionSource::Cluster
            || (self.object.sort != Sort::ConfigMap && self.policy.scope == Scope::Required);
        usable.then_some(found)
    }

    fn ask(
        &self,
        finding: &Finding<'_>,
        named: Named<'_>,
        region: Region,
        found: Option<Whereabouts>,
    ) -> (Resolution, Evidence) {
        let question = Question {
            named,
            region,
            inferred: found.is_some_and(|there| there.source == RegionSource::Cluster),
            namespace: self.context.namespace,
            whole: finding.shape.is_ok_and(|shape| shape.whole),
            today: self.context.today,
        };
        resolve(
            &question,
            self.policy,
            &self.snapshot().catalog,
            &mut |_| (),
        )
    }

    fn without_region(&self, named: Named<'_>, reason: Reason) -> (Resolution, Evidence) {
        match named {
            Named::Direct(id) => (Resolution::Leave(reason), self.evidence_of(id)),
            Named::Profiled { geography, id } => {
                let standing =
                    standing_without_region(geography, id, self.policy, &self.snapshot().catalog);
                (Resolution::Leave(standing), self.evidence_of(id))
            }
        }
    }

    fn evidence_of(&self, id: &str) -> Evidence {
        let model = self.snapshot().catalog.find(id);
        Evidence {
            model,
            mapping: model.map(|at| self.snapshot().catalog.model(at).mapping()),
            route: None,
        }
    }

    /// The findings for which the object is refused, if it is: only what a person applies, and on an update only what is new.
    fn refused(&self, judged: &[Judged<'t>]) -> Option<Vec<usize>> {
        let old = match self.context.action {
            Action::Read | Action::Edit => return None,
            Action::CreatePod | Action::AddEphemeralContainers(_) => None,
            Action::Apply(old) => old,
        };
        if self.object.is_controlled() || self.object.is_being_deleted() {
            return None;
        }
        let there = old
            .map(|old| standing(old, self.snapshot()))
            .unwrap_or_default();
        let is_refused = |one: &Judged<'_>| match &one.resolution {
            Resolution::Rewrite { .. } => self.policy.mode == Mode::Deny,
            Resolution::Leave(reason) => {
                reason.is_unresolved()
                    && self.policy.unresolved == Unresolved::Deny
                    && one.evidence.confidence() == Confidence::High
            }
        };
        let is_new = |one: &Judged<'_>| !there.contains(&(one.finding.leaf.spot, one.finding.text));
        let refused: Vec<_> = (0..)
            .zip(judged)
            .filter(|(_, one)| is_refused(one) && is_new(one))
            .map(|(at, _)| at)
            .collect();
        (!refused.is_empty()).then_some(refused)
    }
}
