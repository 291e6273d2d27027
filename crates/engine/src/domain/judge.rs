//! The decision about one object: the effective policy, the resolution of each finding, and the verdict on the object.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::budget::{Budget, Limit};
use crate::domain::annotations::REWRITES;
use crate::domain::custom_kinds::HelmRegion;
use crate::domain::detect::Finding;
use crate::domain::id::ModelId;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::plan::Plan;
use crate::domain::policy::{Lists, Mode, Namespace, Policy};
use crate::domain::reason::{Group, Reason};
use crate::domain::region::ChosenRegion;
use crate::domain::region_lookup::{NamedRegion, RegionContext};
use crate::domain::resolve::{Evidence, Resolution, Suggestion};
use crate::domain::snapshot::Snapshot;
use crate::domain::view::View;
use crate::text::NodeId;

mod detail;
mod edits;
mod finding;
mod inspection;
mod object_reasons;
mod occurrences;
mod opt_outs;
mod planned;
mod reapply;
mod refusal;
mod region;
mod views;

pub use detail::{OptOutAnnotation, OptOutOwner, ReasonDetail};
pub use edits::{drop_edits, resolve_edits};
pub use inspection::{Inspection, inspect};

use opt_outs::OptOuts;
use region::region_context;
use views::{ObjectVariables, PolicyViews};

/// The input of an evaluation besides the object: the cluster state, the namespace, the action and the date.
#[derive(Clone, Copy)]
pub struct Context<'t, 'a> {
    /// The snapshot and the observed state of the cluster.
    pub view: &'t View,
    /// The namespace of the object.
    pub namespace: &'a Namespace,
    /// What happens to the object.
    pub action: Action<'a>,
    /// The date that end-of-life dates are compared with.
    pub today: Date,
    /// What the evaluation may cost. An object that exceeds it is unchanged as a whole.
    pub budget: &'a Budget,
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
    /// The stored object is read, from a file or from the cluster.
    Read,
    /// The source of the object is edited. A controller that tracks the object applies the edit.
    Edit(EndedModels),
}

/// What the edit of a source does with models that have reached their end of life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EndedModels {
    /// They are reported.
    #[default]
    Report,
    /// Their recommended successors replace them.
    Replace,
}

/// One finding with its resolution.
#[derive(Debug, Clone)]
pub struct JudgedFinding<'t> {
    /// The finding.
    pub finding: Finding<'t>,
    /// The ID that was evaluated; the original one if the text is a rewrite by the webhook.
    pub id: String,
    /// The name as its author wrote it; the original one if the text is a rewrite by the webhook.
    pub original: String,
    /// The region and its source, if known.
    pub region: Option<ChosenRegion>,
    /// The settings whose regions are in conflict, or that give no region although they name one.
    pub region_settings: Vec<NamedRegion>,
    /// The target, or the reason for no change.
    pub resolution: Resolution,
    /// The catalog rows that the resolution is based on.
    pub evidence: Evidence,
    /// The suggested ID for a finding that is reported and never changed.
    pub suggestion: Option<Suggestion>,
    /// The recommended successor of the model, if the policy permits a target for it in the region, or if the region is unknown.
    pub successor: Option<ModelId>,
    /// What a message names besides the reason.
    pub detail: Option<ReasonDetail<'t>>,
    /// Whether the finding is in a referenced text and the policy only reports references.
    pub report_only: bool,
    /// Whether the object is denied for this finding.
    pub denied: bool,
    /// Whether [`resolve_edits`] writes the target into the source.
    pub edited: bool,
}

/// The decision about one object.
pub struct Judgement<'t> {
    /// The findings under the effective policy.
    pub effective: Option<PolicyFindings<'t>>,
    /// The findings under policies in mode `DryRun`, which change nothing.
    pub previews: Vec<PolicyFindings<'t>>,
    /// The verdict on the object.
    pub verdict: Verdict<'t>,
    /// Whether the object has rewrites of an earlier invocation that are still valid, which this evaluation may revise.
    pub reinvocation: bool,
}

/// The findings of an object under one policy.
pub struct PolicyFindings<'t> {
    /// The policy.
    pub policy: &'t Policy,
    /// Its findings, in order.
    pub findings: Vec<JudgedFinding<'t>>,
}

/// The verdict on an object.
pub enum Verdict<'t> {
    /// No finding, or nothing to report.
    Untouched,
    /// The object is admitted unchanged; its findings are reported.
    Report,
    /// The object is changed.
    Rewrite(Plan<'t>),
    /// The object is denied for the findings of the effective policy that are marked `denied`.
    Deny,
}

impl<'t> Judgement<'t> {
    /// The findings of all policies, those of the effective policy first.
    pub fn findings(&self) -> impl Iterator<Item = &JudgedFinding<'t>> {
        let all = self.effective.iter().chain(&self.previews);
        all.flat_map(|one| &one.findings)
    }
}

impl JudgedFinding<'_> {
    /// `text` with the ID replaced by its target; `None` if the ID is unchanged.
    pub fn with_answer(&self, text: &str) -> Option<String> {
        let target = self.resolution.target()?;
        let span = self.finding.span();
        let (before, after) = (text.get(..span.start)?, text.get(span.end..)?);
        Some(format!("{before}{target}{after}"))
    }

    /// The whole value of the explicit variable that replaces a reference to a ConfigMap; `None` if unknown.
    ///
    /// If the catalog's rows require no change, the value is the text as its author wrote it: the webhook may have changed
    /// the ConfigMap for another region.
    pub fn explicit_text(&self) -> Option<String> {
        let original = self.finding.site.reference()?.reach.ok()?.word.original();
        match &self.resolution {
            Resolution::Rewrite { .. } => self.with_answer(original),
            Resolution::Leave(reason) => {
                (reason.group() == Group::Rows).then(|| original.to_owned())
            }
        }
    }

    /// Whether the ConfigMap already has the target or a valid profile, so that the finding is reported there.
    fn is_reported_at_config_map(&self) -> bool {
        let is_a_reference = self.finding.site.reference().is_some();
        if is_a_reference && self.resolution.reason() == Some(Reason::AlreadyProfiled) {
            return true;
        }
        let current = self
            .finding
            .site
            .reference()
            .and_then(|reference| Some(reference.reach.ok()?.word.current()));
        self.resolution.target().is_some()
            && current.is_some()
            && self.explicit_text().as_deref() == current
    }
}

/// Evaluates one object. Pure and total.
///
/// An evaluation that exceeds the budget of the context changes nothing and has one finding, [`Reason::TooLarge`].
pub fn judge<'t>(object: &Object<'t>, context: &Context<'t, '_>) -> Judgement<'t> {
    let judgement = evaluate(object, context);
    match context.budget.exhausted() {
        None => judgement,
        Some(limit) => too_large(object, context, limit),
    }
}

/// The judgement of an object whose evaluation exceeds the budget: no policy changes or denies it.
fn too_large<'t>(object: &Object<'t>, context: &Context<'t, '_>, limit: Limit) -> Judgement<'t> {
    let findings = |policy| PolicyFindings {
        policy,
        findings: vec![finding::of_too_large(object, limit)],
    };
    let selected = selected(object, context);
    let effective = selected.iter().find(|policy| policy.can_be_effective());
    let previews = selected.iter().filter(|policy| !policy.can_be_effective());
    Judgement {
        effective: effective.map(|policy| findings(policy)),
        previews: previews.map(|policy| findings(policy)).collect(),
        verdict: Verdict::Report,
        reinvocation: false,
    }
}

/// The policies that select the object.
fn selected<'t>(object: &Object<'_>, context: &Context<'t, '_>) -> Vec<&'t Policy> {
    let policies = context.view.snapshot.policies.iter();
    policies
        .filter(|policy| selects(policy, object.kind, context.namespace))
        .collect()
}

fn evaluate<'t>(object: &Object<'t>, context: &Context<'t, '_>) -> Judgement<'t> {
    let nothing = || Judgement {
        effective: None,
        previews: Vec::new(),
        verdict: Verdict::Untouched,
        reinvocation: false,
    };
    if !is_in_scope(object, &context.action) {
        return nothing();
    }
    let selected = selected(object, context);
    if selected.is_empty() {
        return nothing();
    }
    let variables = ObjectVariables::of(object, context);
    let found = PolicyViews::of(object, context, &variables, selected.iter().copied());
    let has_record = object.annotation(REWRITES).is_some();
    if found.is_empty() && !has_record {
        return nothing();
    }
    let containers = with_findings(object, found.all());
    let judge_for = |policy: &'t Policy| Judge {
        object,
        context,
        policy,
        opt_outs: OptOuts::of(object, policy, context),
        region_context: region_context(
            object,
            &containers,
            policy,
            context,
            variables.under(policy),
        ),
        helm_regions: RefCell::default(),
    };
    let (mut effective, mut previews, mut outcome) = (None, Vec::new(), None);
    for policy in selected {
        if !policy.can_be_effective() {
            let findings = judge_for(policy).all(found.under(policy, context.budget));
            previews.push(PolicyFindings { policy, findings });
        } else if effective.is_none() {
            let decision = judge_for(policy).decide(found.under(policy, context.budget));
            let findings = decision.judged;
            effective = Some(PolicyFindings { policy, findings });
            outcome = Some((decision.verdict, decision.reinvocation));
        }
    }
    let (verdict, reinvocation) = outcome.unwrap_or((Verdict::Report, false));
    let judgement = Judgement {
        effective,
        previews,
        verdict,
        reinvocation,
    };
    if matches!(judgement.verdict, Verdict::Report) && judgement.findings().next().is_none() {
        return nothing();
    }
    judgement
}

/// Whether a policy selects objects of a kind. Only the namespace and the resource count, so that no author can choose a laxer
/// policy.
pub fn selects(policy: &Policy, kind: ObjectKind, namespace: &Namespace) -> bool {
    let resource = match kind {
        ObjectKind::Pod | ObjectKind::Template => policy.pods,
        ObjectKind::ConfigMap => policy.config_maps,
        ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => true,
    };
    resource && policy.namespaces.selects(namespace)
}

/// The containers whose region may be needed: those with a finding, or all if the object has a record.
fn with_findings<'a, 't: 'a>(
    object: &Object<'_>,
    found: impl Iterator<Item = &'a Finding<'t>>,
) -> BTreeSet<NodeId> {
    if object.annotation(REWRITES).is_some() {
        return object.containers().collect();
    }
    found.filter_map(|finding| finding.site.container).collect()
}

/// Whether the object is evaluated at all: mirror Pods belong to the kubelet.
fn is_in_scope(object: &Object<'_>, action: &Action<'_>) -> bool {
    let mirror = object.kind == ObjectKind::Pod
        && object.annotation("kubernetes.io/config.mirror").is_some();
    let fits = match action {
        Action::CreatePod | Action::AddEphemeralContainers(_) => object.kind == ObjectKind::Pod,
        Action::Apply(_) => matches!(object.kind, ObjectKind::ConfigMap | ObjectKind::Template),
        Action::Read | Action::Edit(_) => true,
    };
    fits && !mirror
}

/// The scope in which a finding is compared with the items of lists: its document, its container, or else the object.
fn document_of(finding: &Finding<'_>) -> Option<NodeId> {
    let inner = finding.inner.as_ref().map(|_| finding.site.node());
    inner.or(finding.site.container)
}

struct Judge<'t, 'a> {
    object: &'a Object<'t>,
    context: &'a Context<'t, 'a>,
    policy: &'t Policy,
    opt_outs: OptOuts,
    region_context: RegionContext<'t>,
    /// The regions that are beside fields of Helm's part of an Application, by field.
    helm_regions: RefCell<BTreeMap<NodeId, Option<HelmRegion>>>,
}

struct PolicyDecision<'t> {
    judged: Vec<JudgedFinding<'t>>,
    verdict: Verdict<'t>,
    reinvocation: bool,
}

impl<'t> Judge<'t, '_> {
    fn snapshot(&self) -> &'t Snapshot {
        &self.context.view.snapshot
    }

    fn all(&self, mut found: Vec<Finding<'t>>) -> Vec<JudgedFinding<'t>> {
        let reason = self.object_reason();
        self.mark_listed(&mut found);
        found
            .into_iter()
            .map(|finding| self.one(finding, reason))
            .filter(|one| !one.is_reported_at_config_map())
            .collect()
    }

    /// Evaluates all findings under the effective policy, and returns the verdict on the object.
    fn decide(&self, mut found: Vec<Finding<'t>>) -> PolicyDecision<'t> {
        let changes = self.may_change();
        self.mark_listed(&mut found);
        let mut rewriting = reapply::Reapply::new(self, changes, &found);
        let reason = self.object_reason();
        let mut judged = rewriting.recorded_arns(reason);
        judged.extend(
            found
                .into_iter()
                .map(|finding| rewriting.take(finding, reason))
                .filter(|one| !one.is_reported_at_config_map()),
        );
        let reinvocation = rewriting.reinvocation;
        if self.mark_denied(&mut judged) {
            return PolicyDecision {
                judged,
                verdict: Verdict::Deny,
                reinvocation,
            };
        }
        rewriting.leave_conflicting_anchors(&mut judged);
        let plan = rewriting.finish();
        let verdict = match plan {
            Some(plan) if self.outgrows(&plan) => {
                for one in &mut judged {
                    if one.resolution.target().is_some() {
                        one.resolution = Resolution::Leave(Reason::TooLarge);
                    }
                }
                Verdict::Report
            }
            Some(plan) => Verdict::Rewrite(plan),
            None => Verdict::Report,
        };
        PolicyDecision {
            judged,
            verdict,
            reinvocation,
        }
    }

    /// Marks each ID that is also an item of a list, a key of a mapping, or compared by a script, in the same container,
    /// ConfigMap or document. The application may compare the two, so both stay unchanged.
    fn mark_listed(&self, found: &mut [Finding<'t>]) {
        let is_compared =
            |one: &Finding<'_>| one.command.is_some() && one.syntax == Err(Reason::RoutingMatch);
        let is_item = |one: &Finding<'_>| {
            let is_item = one
                .syntax
                .is_ok_and(|syntax| syntax.listed && !syntax.in_pairs);
            is_item || is_compared(one)
        };
        let is_key = |one: &Finding<'_>| one.syntax == Err(Reason::MapKey);
        let names = |is: &dyn Fn(&Finding<'_>) -> bool| -> BTreeSet<_> {
            let some = found.iter().filter(|one| is(one));
            some.map(|one| (document_of(one), one.text())).collect()
        };
        let keys = names(&is_key);
        let items = match self.policy.lists {
            Lists::Rewrite => BTreeSet::new(),
            Lists::Leave => names(&is_item),
        };
        if keys.is_empty() && items.is_empty() {
            return;
        }
        for one in found {
            let name = (document_of(one), one.text());
            let (is_listed, is_key) = (items.contains(&name), keys.contains(&name));
            if let Ok(syntax) = &mut one.syntax {
                syntax.listed |= is_listed;
                if is_key {
                    one.syntax = Err(Reason::MapKey);
                }
            }
        }
    }

    /// Whether the policy and the action permit changes. The validating webhook cannot patch templates. Mode `Deny` changes
    /// nothing in the cluster; `fix` makes its changes.
    fn may_change(&self) -> bool {
        let edits = matches!(self.context.action, Action::Edit(_));
        match self.policy.mode {
            Mode::Rewrite => {
                !(self.object.kind == ObjectKind::Template
                    && matches!(self.context.action, Action::Apply(_)))
            }
            Mode::Deny => edits,
            Mode::DryRun => false,
        }
    }
}
