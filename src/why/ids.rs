//! Each ID of an object: its outcome, and the regions in sight of it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::catalog::Confidence;
use crate::domain::id::Geography;
use crate::domain::judge::{Context, JudgedFinding, OptOutAnnotation, ReasonDetail};
use crate::domain::policy::{Policy, Unresolved};
use crate::domain::reason::{Group, Reason};
use crate::domain::record::Entry;
use crate::domain::region::{RegionReading, RegionSource};
use crate::domain::region_lookup::RegionInSight;
use crate::domain::region_names::Claim;
use crate::domain::resolve::SuggestionQuery;
use crate::report::severity::Severity;
use crate::report::{FindingRecord, ListedFinding, serialize, serialize_finding};

/// One ID.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdExplanation {
    /// The place by names, as in the record of an object: `app/env/BEDROCK_MODEL_ID`.
    pub at: String,
    /// What an audit reports of the ID.
    #[serde(serialize_with = "serialize_finding")]
    #[schemars(with = "ListedFinding<'static>")]
    pub finding: FindingRecord,
    /// The ID before the webhook rewrote it, by the record of the object.
    pub rewritten_from: Option<String>,
    /// What the ID would become if only the model and the region decided.
    pub proposed: Option<String>,
    /// The regions in sight of the ID: those of settings, the nearest first, then those of annotations, of the policy and of the cluster.
    pub regions: Vec<SightedRegion>,
    #[serde(skip)]
    pub(super) opt_out: Option<OptOutAnnotation>,
    #[serde(skip)]
    pub(super) report_only: bool,
    /// Whether the policy denies objects that users apply for the ID, because no permitted profile serves it.
    #[serde(skip)]
    pub(super) is_denied_as_unresolved: bool,
    /// The geography of the profile that the policy does not permit.
    #[serde(skip)]
    pub(super) refused: Option<Geography>,
}

/// A region in sight of an ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SightedRegion {
    /// The region; none if the setting gives none.
    pub region: Option<String>,
    /// Why the setting gives no region.
    pub problem: Option<RegionProblem>,
    /// The source.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub source: RegionSource,
    /// The name of the setting.
    pub name: Option<String>,
    /// The rank of the name, from 1: `docs/detection.md` lists the ranks. Names of the last one give no region.
    pub rank: Option<usize>,
    /// The number of scopes with settings of regions that are nearer to the ID.
    pub distance: Option<usize>,
    /// Whether it decides: the search for the region ends with it.
    pub decides: bool,
}

/// Why a setting gives no region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum RegionProblem {
    /// Its value cannot be read.
    OutOfSight,
    /// Its value is no region.
    NotARegion,
    /// It gives two regions.
    Conflict,
}

/// What is known of the region of an ID.
pub(super) enum RegionOfId {
    /// It is known.
    Known,
    /// It is not.
    Missing(RegionObstacle),
    /// The ID is not evaluated as far as that.
    Irrelevant,
}

/// Why the region of an ID is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RegionObstacle {
    /// No source sets one.
    None,
    /// The source that decides cannot be read.
    OutOfSight,
    /// Two settings differ.
    Conflict,
    /// The text of the setting is no region.
    NotARegion,
    /// No mapping covers the model in the region.
    Unknown,
}

impl RegionObstacle {
    const ALL: [Self; 5] = [
        Self::None,
        Self::OutOfSight,
        Self::Conflict,
        Self::NotARegion,
        Self::Unknown,
    ];

    /// The reason that findings have.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::None => Reason::NoRegion,
            Self::OutOfSight => Reason::RegionOutOfSight,
            Self::Conflict => Reason::RegionConflict,
            Self::NotARegion => Reason::NotARegion,
            Self::Unknown => Reason::RegionUnknown,
        }
    }

    fn of(reason: Reason) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.reason() == reason)
    }
}

impl IdExplanation {
    pub(super) fn of(
        judged: &JudgedFinding<'_>,
        finding: FindingRecord,
        in_sight: &[RegionInSight],
        entries: &[Entry],
        (policy, context): (&Policy, &Context<'_, '_>),
    ) -> Self {
        let at = judged.finding.site.location.to_string();
        let entry = entries
            .iter()
            .find(|entry| entry.at == at && entry.to == finding.before);
        let decided = in_sight.iter().filter(|one| one.decides);
        let decided = decided
            .map(|one| one.reading)
            .find_map(|reading| match reading {
                RegionReading::Region(region) => Some(region),
                RegionReading::Conflict(..)
                | RegionReading::OutOfSight
                | RegionReading::NotARegion(_) => None,
            });
        let query = SuggestionQuery {
            original: &judged.original,
            id: &judged.id,
            region: judged.region.map(|chosen| chosen.region).or(decided),
            namespace: context.namespace,
            whole: judged.finding.syntax.is_ok_and(|syntax| syntax.whole),
            today: context.today,
        };
        let is_blocked = judged.resolution.reason().is_some_and(is_of_object);
        let proposed = is_blocked
            .then(|| query.working(policy, &context.view.snapshot.catalog))
            .flatten();
        let detail = match &judged.detail {
            Some(ReasonDetail::OptedOut(annotation)) => Some(annotation.clone()),
            _ => None,
        };
        Self {
            proposed: finding
                .after
                .clone()
                .or_else(|| proposed.map(|target| target.to_string())),
            rewritten_from: entry.map(|entry| entry.from.clone()),
            at,
            finding,
            regions: in_sight.iter().map(SightedRegion::of).collect(),
            opt_out: detail,
            report_only: judged.report_only,
            is_denied_as_unresolved: policy.unresolved == Unresolved::Deny
                && is_unresolved_for_certain(judged),
            refused: judged
                .evidence
                .route
                .as_ref()
                .map(|route| route.geography.clone()),
        }
    }

    /// Whether nothing is to be replaced: the ID is right, was rewritten, or configures no call.
    pub(super) fn is_right(&self) -> bool {
        let stays = |one: Reason| Severity::of(one) == Severity::Ok || one.is_no_call();
        self.rewritten_from.is_some() || self.finding.reason.is_some_and(stays)
    }

    /// Whether the policy replaces the ID, or denies it, where no gate of the whole object is failed.
    pub(super) fn is_replaceable(&self) -> bool {
        self.finding.reason.is_none() && !self.report_only
    }

    pub(super) fn region(&self) -> RegionOfId {
        if self.rewritten_from.is_some() {
            return RegionOfId::Known;
        }
        let Some(reason) = self.finding.reason else {
            return RegionOfId::Known;
        };
        if let Some(obstacle) = RegionObstacle::of(reason) {
            return RegionOfId::Missing(obstacle);
        }
        if reason == Reason::TooLarge {
            return RegionOfId::Irrelevant;
        }
        match reason.group() {
            Group::Region | Group::Rows => RegionOfId::Known,
            Group::Object | Group::Policy => {
                let deciding = self.regions.iter().find(|one| one.decides);
                let Some(deciding) = deciding else {
                    return RegionOfId::Missing(RegionObstacle::None);
                };
                match deciding.problem {
                    None => RegionOfId::Known,
                    Some(RegionProblem::OutOfSight) => {
                        RegionOfId::Missing(RegionObstacle::OutOfSight)
                    }
                    Some(RegionProblem::NotARegion) => {
                        RegionOfId::Missing(RegionObstacle::NotARegion)
                    }
                    Some(RegionProblem::Conflict) => RegionOfId::Missing(RegionObstacle::Conflict),
                }
            }
            Group::Shape | Group::Model | Group::Reference => RegionOfId::Irrelevant,
        }
    }
}

/// Whether a reason is about the object, with a gate of its own. That an object is too large has none.
pub(super) fn is_of_object(reason: Reason) -> bool {
    reason.group() == Group::Object && reason != Reason::TooLarge
}

/// Whether no permitted profile serves the ID, by data that are certain, in the object itself.
fn is_unresolved_for_certain(judged: &JudgedFinding<'_>) -> bool {
    let reason = judged.resolution.reason();
    reason.is_some_and(Reason::is_unresolved)
        && judged.evidence.confidence() == Confidence::High
        && !judged.report_only
}

impl SightedRegion {
    fn of(one: &RegionInSight) -> Self {
        let (region, problem) = match one.reading {
            RegionReading::Region(region) => (Some(region), None),
            RegionReading::Conflict(..) => (None, Some(RegionProblem::Conflict)),
            RegionReading::OutOfSight => (None, Some(RegionProblem::OutOfSight)),
            RegionReading::NotARegion(_) => (None, Some(RegionProblem::NotARegion)),
        };
        Self {
            region: region.map(|region| region.to_string()),
            problem,
            source: one.source,
            name: one.name.as_deref().map(str::to_owned),
            rank: one.claim.map(Claim::rank),
            distance: one.distance,
            decides: one.decides,
        }
    }
}
