//! The evaluation of one finding, by groups of reasons: the first group with a reason decides.

use super::region::{RegionResolution, single_region};
use super::{Action, Judge, JudgedFinding, ReasonDetail};
use crate::budget::Limit;
use crate::domain::catalog::LifecycleState;
use crate::domain::detect::Finding;
use crate::domain::object::Object;
use crate::domain::policy::{Lists, References};
use crate::domain::reason::Reason;
use crate::domain::region::NearestRegions;
use crate::domain::resolve::{
    Evidence, ModelRef, Resolution, Suggestion, SuggestionQuery, reason_in_every_region, successor,
    suggestion,
};
use crate::domain::site::{Location, TextSite, TextSource};
use crate::domain::tokens::Form;

/// The steps of work of a finding: its resolution, and what messages name.
const STEPS_PER_FINDING: usize = 32;

impl<'t> Judge<'t, '_> {
    /// Evaluates one finding.
    pub(super) fn one(
        &self,
        finding: Finding<'t>,
        object_reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        self.context.budget.spend_steps(STEPS_PER_FINDING);
        let Some(token) = finding.token() else {
            let object_reason = object_reason.or_else(|| self.opted_out(&finding.site));
            let reason = object_reason.or(finding.syntax.err());
            return self.explained(left(finding, reason.unwrap_or(Reason::OutOfSight)));
        };
        let named = match token.form {
            Form::Direct => ModelRef::Direct(token.id),
            Form::Profiled(geography) => ModelRef::Profiled {
                geography,
                id: token.id,
            },
            Form::Alias => ModelRef::Alias(token.id),
            Form::Doubled => return self.doubled(finding),
        };
        self.named(finding, named, object_reason)
    }

    /// An ID with more than one prefix, for which no other reason is evaluated.
    fn doubled(&self, finding: Finding<'t>) -> JudgedFinding<'t> {
        let region = single_region(&self.region_of(&finding));
        let mut judged = left(finding, Reason::DoublePrefix);
        judged.region = region;
        self.explained(judged)
    }

    /// The finding with what messages about it name: a suggestion, the successor of the model, and the detail of the reason.
    pub(super) fn explained(&self, mut judged: JudgedFinding<'t>) -> JudgedFinding<'t> {
        let catalog = &self.snapshot().catalog;
        judged.suggestion = self.suggestion(&judged);
        if self.names_successor(&judged) {
            judged.successor = successor(self.suggestion_query(&judged), self.policy, catalog);
        }
        let reason = judged.resolution.reason();
        let detail = reason.and_then(|reason| self.detail(reason, &judged.finding.site));
        judged.detail = detail.or(judged.detail);
        judged
    }

    /// Whether a message may name the successor of the model: the response to a review does not, if it replaces the ID of an active
    /// model.
    fn names_successor(&self, judged: &JudgedFinding<'_>) -> bool {
        let Resolution::Rewrite { note: None, .. } = judged.resolution else {
            return true;
        };
        let catalog = &self.snapshot().catalog;
        let region = judged.region.map(|chosen| chosen.region);
        let is_active = judged.evidence.model.is_some_and(|at| {
            let (state, _) = catalog.model(at).lifecycle.at(region, self.context.today);
            state == LifecycleState::Active
        });
        self.is_read() || !is_active
    }

    /// Whether the object is read, and not reviewed.
    fn is_read(&self) -> bool {
        matches!(self.context.action, Action::Read | Action::Edit(_))
    }

    /// The suggested ID for a finding that is reported and never changed.
    fn suggestion(&self, judged: &JudgedFinding<'_>) -> Option<Suggestion> {
        let finding = &judged.finding;
        let reason = judged.resolution.reason()?;
        // Another type of ARN, or a pattern, names no model to call.
        if reason == Reason::InArn && finding.in_arn.is_none() {
            return None;
        }
        // A review answers without it: the webhook reports no ID that the policy does not include.
        if reason == Reason::NotIncluded && !self.is_read() {
            return None;
        }
        let name = self.suggestion_query(judged);
        suggestion(reason, name, self.policy, &self.snapshot().catalog)
    }

    fn suggestion_query<'q>(&'q self, judged: &'q JudgedFinding<'_>) -> SuggestionQuery<'q> {
        SuggestionQuery {
            original: &judged.original,
            id: &judged.id,
            region: judged.region.map(|chosen| chosen.region),
            namespace: self.context.namespace,
            whole: judged.finding.syntax.is_ok_and(|syntax| syntax.whole),
            today: self.context.today,
        }
    }

    pub(super) fn named(
        &self,
        finding: Finding<'t>,
        named: ModelRef<'_>,
        object_reason: Option<Reason>,
    ) -> JudgedFinding<'t> {
        let (id, direct) = match named {
            ModelRef::Direct(id) | ModelRef::Alias(id) => (id, true),
            ModelRef::Profiled { id, .. } => (id, false),
        };
        let found = self.region_of(&finding);
        let catalog = &self.snapshot().catalog;
        let object_reason = object_reason.or_else(|| self.opted_out(&finding.site));
        let syntax_reason = match finding.syntax {
            Ok(syntax) => {
                (syntax.listed && self.policy.lists == Lists::Leave).then_some(Reason::ListLeft)
            }
            Err(reason) => Some(reason),
        };
        let early = match named {
            ModelRef::Direct(_) | ModelRef::Alias(_) => {
                syntax_reason.or(object_reason).or_else(|| {
                    reason_in_every_region(named, self.policy, catalog, self.context.today)
                })
            }
            ModelRef::Profiled { .. } => None,
        };
        let blocked = syntax_reason.is_some() || object_reason.is_some();
        let resolved = match early {
            Some(reason) => RegionResolution {
                resolution: Resolution::Leave(reason),
                evidence: self.evidence_of(id),
                region: single_region(&found),
                settings: Vec::new(),
                nearest: NearestRegions::default(),
            },
            None => self.resolve_in(&finding, named, &found),
        };
        // An ID with a prefix is resolved even if it may not be changed: it may be reported as a broken profile.
        let resolution = if blocked && !direct && resolved.resolution.target().is_some() {
            Resolution::Leave(Reason::AlreadyProfiled)
        } else {
            in_doubt(resolved.resolution, finding.site.doubt())
        };
        self.explained(JudgedFinding {
            id: id.to_owned(),
            original: finding.text().to_owned(),
            report_only: self.only_reports(&finding),
            denied: false,
            edited: false,
            finding,
            region: resolved.region,
            region_settings: resolved.settings,
            resolution,
            evidence: resolved.evidence,
            suggestion: None,
            successor: None,
            detail: (!resolved.nearest.is_empty())
                .then_some(ReasonDetail::Misspelled(resolved.nearest)),
        })
    }

    /// Whether the finding is in a referenced text and the policy only reports references.
    fn only_reports(&self, finding: &Finding<'_>) -> bool {
        self.policy.references == References::Report && finding.site.reference().is_some()
    }

    pub(super) fn evidence_of(&self, id: &str) -> Evidence {
        let model = self.snapshot().catalog.find(id);
        Evidence {
            model,
            mapping: model.map(|at| self.snapshot().catalog.model(at).mapping()),
            ..Evidence::default()
        }
    }
}

/// The finding of an object whose evaluation exceeds the budget.
pub(super) fn of_too_large<'t>(object: &Object<'_>, limit: Limit) -> JudgedFinding<'t> {
    let site = TextSite {
        source: TextSource::Here(object.root),
        location: Location::Document,
        container: None,
    };
    let finding = Finding::unread(site, Reason::TooLarge);
    JudgedFinding {
        detail: Some(ReasonDetail::OverBudget(limit)),
        ..left(finding, Reason::TooLarge)
    }
}

/// A finding that is unchanged for `reason`, without further evaluation.
fn left(finding: Finding<'_>, reason: Reason) -> JudgedFinding<'_> {
    let token = finding.token();
    let id = token.map_or("", |token| token.id).to_owned();
    let original = finding.text().to_owned();
    let evidence = Evidence {
        model: token.and_then(|token| token.model),
        ..Evidence::default()
    };
    JudgedFinding {
        finding,
        id,
        original,
        region: None,
        region_settings: Vec::new(),
        resolution: Resolution::Leave(reason),
        evidence,
        suggestion: None,
        successor: None,
        detail: None,
        report_only: false,
        denied: false,
        edited: false,
    }
}

/// The resolution of a text whose reference may be shadowed: `doubt` applies if its group precedes that of the resolution.
fn in_doubt(resolution: Resolution, doubt: Option<Reason>) -> Resolution {
    let decides = |doubt: &Reason| {
        resolution
            .reason()
            .is_none_or(|reason| doubt.group() < reason.group())
    };
    match doubt.filter(decides) {
        Some(doubt) => Resolution::Leave(doubt),
        None => resolution,
    }
}
