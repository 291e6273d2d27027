//! The resolution of an ID in the region that its surroundings set, and conflicts of regions.

use std::collections::BTreeSet;

use super::{Action, Context, EndedModels, Judge};
use crate::domain::detect::Finding;
use crate::domain::environment::Environments;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{Policy, Scope};
use crate::domain::reason::Reason;
use crate::domain::region::{ChosenRegion, NearestRegions, Region, RegionReading, RegionSource};
use crate::domain::region_lookup::{
    NamedRegion, RegionAnswer, RegionChoice, RegionContext, RegionQuery,
};
use crate::domain::resolve::{
    Evidence, ModelRef, Question, Resolution, reason_without_region, resolve, with_successor,
};
use crate::text::NodeId;

/// The steps of work of a setting that is compared with the name of an ID.
const STEPS_PER_SETTING: usize = 4;

/// The steps of work of the resolution of an ID in one more region.
const STEPS_PER_RESOLUTION: usize = 4;

/// The resolution of an ID in its region.
pub(super) struct RegionResolution {
    pub(super) resolution: Resolution,
    pub(super) evidence: Evidence,
    pub(super) region: Option<ChosenRegion>,
    /// The settings that are in conflict, or that give no region.
    pub(super) settings: Vec<NamedRegion>,
    /// The regions nearest to a text that is not a region.
    pub(super) nearest: NearestRegions,
}

impl RegionResolution {
    fn without_region((resolution, evidence): (Resolution, Evidence)) -> Self {
        Self {
            resolution,
            evidence,
            region: None,
            settings: Vec::new(),
            nearest: NearestRegions::default(),
        }
    }
}

impl<'t> Judge<'t, '_> {
    /// The region of a finding.
    pub(super) fn region_of(&self, finding: &Finding<'t>) -> RegionChoice {
        let query = region_query(finding);
        let steps = self.region_context.cost(query) * STEPS_PER_SETTING;
        if !self.context.budget.spend_steps(steps) {
            return RegionChoice::default();
        }
        let mut choice = self.region_context.choose_region(query);
        choice.replace_regions(&self.context.view.region_moves);
        // The cluster's own region is a guess: acceptable only for a Pod that cannot work otherwise.
        let usable = |answer: &RegionAnswer| {
            answer.source != RegionSource::Cluster
                || (self.object.kind != ObjectKind::ConfigMap
                    && self.policy.scope == Scope::Required)
        };
        choice.answer = choice.answer.filter(usable);
        choice
    }

    /// Resolves the model in the region that was found. Regions in conflict count as one if all have the same resolution.
    pub(super) fn resolve_in(
        &self,
        finding: &Finding<'_>,
        named: ModelRef<'_>,
        choice: &RegionChoice,
    ) -> RegionResolution {
        let Some(answer) = &choice.answer else {
            let settings = choice.others.clone();
            return RegionResolution {
                settings,
                ..self.left_without_region(named, Reason::NoRegion)
            };
        };
        let resolved = self.resolve_answer(finding, named, answer, &choice.others);
        match &choice.in_conflict {
            Some(annotation) if resolved.resolution.reason() == Some(Reason::RegionConflict) => {
                self.resolve_answer(finding, named, annotation, &[])
            }
            _ => resolved,
        }
    }

    fn resolve_answer(
        &self,
        finding: &Finding<'_>,
        named: ModelRef<'_>,
        answer: &RegionAnswer,
        others: &[NamedRegion],
    ) -> RegionResolution {
        let region = match answer.found {
            RegionReading::OutOfSight => {
                return self.left_without_region(named, Reason::RegionOutOfSight);
            }
            RegionReading::NotARegion(nearest) => {
                return RegionResolution {
                    nearest,
                    ..self.left_without_region(named, Reason::NotARegion)
                };
            }
            RegionReading::Region(region) | RegionReading::Conflict(region, _) => region,
        };
        let compared = answer.names.len() + others.len();
        self.context
            .budget
            .spend_steps(compared * STEPS_PER_RESOLUTION);
        let (resolution, evidence) = self.resolve_with(finding, named, region, answer.source);
        let in_region = |other: &NamedRegion| {
            let resolved = self.resolve_with(finding, named, other.region, answer.source);
            resolved.0
        };
        let differs =
            |other: &&NamedRegion| other.region != region && in_region(other) != resolution;
        // A region of the last rank is a conflict only if it would change the ID, not if the profile routes elsewhere from it.
        let changes = |other: &&NamedRegion| {
            let there = in_region(other);
            let is_same =
                there.target() == resolution.target() && there.reason() == resolution.reason();
            other.region != region && !is_same
        };
        let conflicting = answer.names.iter().find(differs);
        if let Some(other) = conflicting.or_else(|| others.iter().find(changes)) {
            let chosen = answer.names.iter().find(|one| one.region == region);
            return RegionResolution {
                settings: chosen.into_iter().chain([other]).cloned().collect(),
                ..self.left_without_region(named, Reason::RegionConflict)
            };
        }
        RegionResolution {
            resolution,
            evidence,
            region: Some(ChosenRegion {
                region,
                source: answer.source,
            }),
            settings: Vec::new(),
            nearest: NearestRegions::default(),
        }
    }

    fn resolve_with(
        &self,
        finding: &Finding<'_>,
        named: ModelRef<'_>,
        region: Region,
        source: RegionSource,
    ) -> (Resolution, Evidence) {
        let question = Question {
            named,
            region,
            inferred: source == RegionSource::Cluster,
            namespace: self.context.namespace,
            whole: finding.syntax.is_ok_and(|syntax| syntax.whole),
            today: self.context.today,
        };
        let catalog = &self.snapshot().catalog;
        let resolved = resolve(&question, self.policy, catalog, &mut |_| ());
        match self.context.action {
            Action::Edit(EndedModels::Replace) => {
                with_successor(&question, resolved, self.policy, catalog)
            }
            Action::CreatePod
            | Action::AddEphemeralContainers(_)
            | Action::Apply(_)
            | Action::Read
            | Action::Edit(EndedModels::Report) => resolved,
        }
    }

    fn left_without_region(&self, named: ModelRef<'_>, reason: Reason) -> RegionResolution {
        RegionResolution::without_region(match named {
            ModelRef::Direct(id) | ModelRef::Alias(id) => {
                (Resolution::Leave(reason), self.evidence_of(id))
            }
            ModelRef::Profiled { geography, id } => {
                let profile_reason =
                    reason_without_region(geography, id, self.policy, &self.snapshot().catalog);
                (Resolution::Leave(profile_reason), self.evidence_of(id))
            }
        })
    }
}

/// The sources of regions of an object under a policy.
pub(super) fn region_context<'t>(
    object: &Object<'t>,
    containers: &BTreeSet<NodeId>,
    policy: &'t Policy,
    context: &Context<'t, '_>,
    environments: &Environments<'t, '_>,
) -> RegionContext<'t> {
    let (namespace, view) = (context.namespace, context.view);
    RegionContext::of(object, containers, policy, namespace, environments, view)
        .ranked_by(context.view.snapshot.region_ranks)
}

/// The region that was found, with its source; `None` if there is no single region.
pub(super) fn single_region(choice: &RegionChoice) -> Option<ChosenRegion> {
    let answer = choice.answer.as_ref()?;
    match answer.found {
        RegionReading::Region(region) => Some(ChosenRegion {
            region,
            source: answer.source,
        }),
        RegionReading::Conflict(..) | RegionReading::OutOfSight | RegionReading::NotARegion(_) => {
            None
        }
    }
}

/// The query for the region of a finding.
pub(super) fn region_query<'a, 't>(finding: &'a Finding<'t>) -> RegionQuery<'a, 't> {
    let in_syntax = finding.syntax.ok().and_then(|syntax| syntax.region);
    RegionQuery {
        site: &finding.site,
        token: finding.span(),
        in_value: in_syntax.or(finding.in_arn),
        document_regions: &finding.nearby,
        command: finding.command.as_ref(),
    }
}
