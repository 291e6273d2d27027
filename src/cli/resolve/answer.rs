//! Computes the answer of `resolve`.

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::catalog::Confidence;
use crate::domain::policy::{Namespace, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::{Region, nearest_regions};
use crate::domain::resolve::{
    Evidence, ModelRef, Note, Question, Resolution, SuggestionQuery, resolve, successor, suggestion,
};
use crate::domain::snapshot::Snapshot;
use crate::report::serialize::{optional_text, text};
use crate::report::severity::{GradedAnswer, Severity};
use crate::report::{self, LifecycleRecord, Outcome, messages};

use super::parse::{ParsedId, parse};
use super::parts::IdParts;

/// What an ID is resolved with.
#[derive(Clone, Copy)]
pub(super) struct ResolveContext<'a> {
    /// Catalog and policies.
    pub snapshot: &'a Snapshot,
    /// The policy to resolve by.
    pub policy: &'a Policy,
    /// The namespace of the workload.
    pub namespace: &'a Namespace,
    /// The date to compare end-of-life dates with.
    pub today: Date,
}

/// The answer, as JSON prints it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub id: String,
    #[serde(serialize_with = "text")]
    pub region: Region,
    pub outcome: Outcome,
    pub severity: Severity,
    #[serde(serialize_with = "optional_text")]
    pub reason: Option<Reason>,
    pub sentence: Option<&'static str>,
    /// What to change: the field of the policy that does not permit the profile, or the text that is misspelled.
    pub message: Option<String>,
    pub suggestion: Option<String>,
    pub target: Option<String>,
    /// The value to use in place of the argument, with everything around the ID; null if none is known to work.
    pub value: Option<String>,
    pub parts: Option<IdParts>,
    pub destinations: Option<Vec<String>>,
    pub crosses: Vec<[String; 2]>,
    #[serde(serialize_with = "optional_text")]
    pub note: Option<Note>,
    #[serde(serialize_with = "text")]
    pub confidence: Confidence,
    pub policy: String,
    pub mapping: Option<String>,
    #[serde(serialize_with = "optional_text")]
    pub catalog_date: Option<Date>,
    pub lifecycle: Option<LifecycleRecord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<String>,
}

impl<'a> ResolveContext<'a> {
    /// The answers for `id`, with all steps: one for each region, or one for the region that the value names.
    pub(super) fn answers(&self, id: &'a str, regions: &[Region]) -> anyhow::Result<Vec<Answer>> {
        let parsed = parse(id, self.snapshot, self.policy)?;
        let named = parsed.region.as_slice();
        let regions = if named.is_empty() { regions } else { named };
        let answer = |region: &Region| self.answer(id, &parsed, *region);
        Ok(regions.iter().map(answer).collect())
    }

    fn answer(&self, id: &str, parsed: &ParsedId<'a>, region: Region) -> Answer {
        let question = Question {
            named: parsed.name,
            region,
            inferred: false,
            namespace: self.namespace,
            whole: parsed.whole,
            today: self.today,
        };
        let mut steps = first_steps(parsed);
        let (resolution, evidence) = if let Some(reason) = parsed.reason {
            (Resolution::Leave(reason), Evidence::default())
        } else {
            resolve(
                &question,
                self.policy,
                &self.snapshot.catalog,
                &mut |step| steps.push(messages::step(step)),
            )
        };
        let resolution = self.unknown_first(parsed, resolution);
        let mut answer = self.assemble(id, parsed, region, &resolution, &evidence);
        answer.steps = steps;
        answer.severity = answer.graded(parsed.direct);
        answer.value = answer.value_of(parsed);
        answer
    }

    /// The resolution, but of an unknown ID that the policy leaves out: `UnknownModel`, since no policy could replace it.
    fn unknown_first(&self, parsed: &ParsedId<'a>, resolution: Resolution) -> Resolution {
        let is_unknown = self.snapshot.catalog.find(parsed.direct).is_none();
        if is_unknown && resolution == Resolution::Leave(Reason::NotIncluded) {
            Resolution::Leave(Reason::UnknownModel)
        } else {
            resolution
        }
    }

    fn assemble(
        &self,
        id: &str,
        parsed: &ParsedId<'a>,
        region: Region,
        resolution: &Resolution,
        evidence: &Evidence,
    ) -> Answer {
        let (target, destinations, note) = match resolution {
            Resolution::Rewrite {
                target,
                destinations,
                note,
            } => (Some(target), Some(destinations), *note),
            Resolution::Leave(_) => {
                let route = evidence.route.as_ref();
                (None, route.map(|route| &route.destinations), None)
            }
        };
        let reason = resolution.reason();
        let mapping = evidence.mapping.map(|at| self.snapshot.catalog.mapping(at));
        let query = self.suggestion_query(parsed, region);
        let successor = successor(query, self.policy, &self.snapshot.catalog);
        Answer {
            id: id.to_owned(),
            region,
            outcome: if target.is_some() {
                Outcome::Rewrite
            } else {
                Outcome::Leave
            },
            severity: Severity::Ok,
            reason,
            sentence: reason.map(Reason::description),
            message: self.message(parsed, region, reason, evidence),
            suggestion: reason.and_then(|reason| self.suggestion(reason, parsed, query)),
            target: target.map(ToString::to_string),
            value: None,
            parts: parsed.parts.clone().map(|parts| IdParts {
                would_be: self.would_be(parsed, query),
                ..parts
            }),
            destinations: destinations.and_then(report::destination_names),
            crosses: report::crossed_jurisdictions(destinations, Some(region)),
            note,
            confidence: evidence.confidence(),
            policy: self.policy.name.to_string(),
            mapping: mapping.map(|(name, _)| name.to_owned()),
            catalog_date: mapping.and_then(|(_, date)| date),
            lifecycle: report::lifecycle_of(
                parsed.direct,
                Some(region),
                successor.as_ref(),
                self.snapshot,
                self.today,
            ),
            steps: Vec::new(),
        }
    }

    /// What to change, in the policy or in the text.
    fn message(
        &self,
        parsed: &ParsedId<'a>,
        region: Region,
        reason: Option<Reason>,
        evidence: &Evidence,
    ) -> Option<String> {
        if let Some(alias) = parsed.alias {
            return Some(format!(
                "`{alias}` is an alias of {}, and policy `{}` does not enable aliases (spec.models.aliases.enabled): this is the answer for the model",
                parsed.direct, self.policy.name
            ));
        }
        let reason = reason?;
        if reason == Reason::RegionUnknown {
            return similar_regions(region);
        }
        let unchanged = messages::Unchanged {
            reason,
            region: Some(region),
            evidence,
            settings: &[],
            detail: None,
            policy: self.policy,
            snapshot: self.snapshot,
        };
        unchanged.what_to_change()
    }

    /// What would work in place of an ID that is not replaced.
    fn suggestion(
        &self,
        reason: Reason,
        parsed: &ParsedId<'a>,
        query: SuggestionQuery<'_>,
    ) -> Option<String> {
        let catalog = &self.snapshot.catalog;
        if reason == Reason::InArn && parsed.region.is_none() {
            return None;
        }
        if reason == Reason::NotIncluded {
            return Some(query.working(self.policy, catalog)?.to_string());
        }
        let found = suggestion(reason, query, self.policy, catalog);
        if found.is_none() && reason == Reason::UnknownModel {
            let model = catalog.spelled_like(parsed.direct)?;
            return Some(catalog.model(model).id.to_string());
        }
        found.map(|found| found.to_string())
    }

    /// What the model of a profile ID or an ARN would be.
    fn would_be(&self, parsed: &ParsedId<'a>, query: SuggestionQuery<'_>) -> Option<String> {
        let target = query.working(self.policy, &self.snapshot.catalog);
        target
            .filter(|_| !parsed.direct.is_empty())
            .map(|target| target.to_string())
    }

    fn suggestion_query(&self, parsed: &ParsedId<'a>, region: Region) -> SuggestionQuery<'a> {
        SuggestionQuery {
            original: parsed.original(),
            id: parsed.direct,
            region: Some(region),
            namespace: self.namespace,
            whole: parsed.whole,
            today: self.today,
        }
    }
}

impl Answer {
    fn graded(&self, model_id: &str) -> Severity {
        let answer = GradedAnswer {
            model_id,
            reason: self.reason,
            note: self.note,
            suggestion: self.suggestion.as_deref(),
            lifecycle: self.lifecycle.as_ref(),
        };
        answer.severity()
    }

    /// The argument with the new name, with the name that the policy would give if it included the model, or as it is.
    fn value_of(&self, parsed: &ParsedId<'_>) -> Option<String> {
        let not_included = self.reason == Some(Reason::NotIncluded);
        let answered = self.suggestion.as_ref().filter(|_| not_included);
        match self.target.as_ref().or(answered) {
            Some(name) => Some(parsed.with(name)),
            None if self.severity == Severity::Error => None,
            None => Some(parsed.text.to_owned()),
        }
    }
}

/// A question for a region that no mapping covers.
fn similar_regions(region: Region) -> Option<String> {
    let similar = nearest_regions(region.as_str()).into_iter();
    let similar = similar.filter(|one| *one != region);
    let similar: Vec<_> = similar.map(|one| one.to_string()).collect();
    (!similar.is_empty()).then(|| format!("did you mean {}?", similar.join(" or ")))
}

/// The steps before the catalog is asked.
fn first_steps(parsed: &ParsedId<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(region) = parsed.region {
        steps.push(format!("the value contains the region: {region}"));
    }
    if let ModelRef::Profiled { geography, .. } = parsed.name {
        steps.push(format!("the ID has the prefix of a profile: {geography}"));
    }
    if let Some(reason) = parsed.reason {
        steps.push(format!(
            "can an ID in this syntax be replaced? no: {reason}"
        ));
    }
    steps
}
