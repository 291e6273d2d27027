//! Computes the answer of `resolve`.

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::catalog::Confidence;
use crate::domain::id::ModelId;
use crate::domain::policy::{Lists, Namespace, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::domain::resolve::{
    Evidence, ModelRef, Note, Question, Resolution, Suggestion, SuggestionQuery, resolve,
    successor, suggestion,
};
use crate::domain::site::TextKind;
use crate::domain::snapshot::Snapshot;
use crate::domain::syntax::{TextContext, region_of_arn};
use crate::domain::tokens::{Form, tokens};
use crate::report::serialize::{optional_text, text};
use crate::report::{self, LifecycleRecord, Outcome, messages};

/// What an ID is resolved with.
#[derive(Clone, Copy)]
pub(super) struct ResolveContext<'a> {
    /// Catalog and policies.
    pub snapshot: &'a Snapshot,
    /// The policy to resolve by.
    pub policy: &'a Policy,
    /// The namespace of the workload.
    pub namespace: &'a Namespace,
    /// The region of the workload.
    pub region: Region,
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
    #[serde(serialize_with = "optional_text")]
    pub reason: Option<Reason>,
    pub sentence: Option<&'static str>,
    /// The profile that the policy does not permit, and the field of the policy.
    pub message: Option<String>,
    pub suggestion: Option<String>,
    pub target: Option<String>,
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

/// The ID of the command line, parsed like the value of an environment variable.
struct ParsedId<'a> {
    name: ModelRef<'a>,
    /// The region that is part of the value. It overrides any other.
    region: Option<Region>,
    /// The value is the ID and nothing else.
    whole: bool,
    /// Why an ID in this syntax is never replaced.
    reason: Option<Reason>,
    /// The ID as original, with its prefix.
    original: &'a str,
    /// The direct ID in it, known to the catalog or not.
    direct: &'a str,
}

impl<'a> ResolveContext<'a> {
    /// The answer for `id`, with all steps.
    pub(super) fn answer(&self, id: &'a str) -> anyhow::Result<Answer> {
        let parsed = self.parse(id)?;
        let question = Question {
            named: parsed.name,
            region: parsed.region.unwrap_or(self.region),
            inferred: false,
            namespace: self.namespace,
            whole: parsed.whole,
            today: self.today,
        };
        let mut steps = first_steps(&parsed);
        let (resolution, evidence) = if let Some(reason) = parsed.reason {
            (Resolution::Leave(reason), Evidence::default())
        } else {
            resolve(
                &question,
                self.policy,
                &self.snapshot.catalog,
                &mut |step| steps.push(messages::step(&step)),
            )
        };
        Ok(self.assemble(id, &parsed, &resolution, &evidence, steps))
    }

    fn assemble(
        &self,
        id: &str,
        parsed: &ParsedId<'a>,
        resolution: &Resolution,
        evidence: &Evidence,
        steps: Vec<String>,
    ) -> Answer {
        let region = parsed.region.unwrap_or(self.region);
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
        let suggestion = reason.and_then(|reason| self.suggestion(reason, parsed));
        let query = self.suggestion_query(parsed);
        let successor = successor(query, self.policy, &self.snapshot.catalog);
        let message = reason.and_then(|reason| {
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
        });
        Answer {
            id: id.to_owned(),
            region,
            outcome: if target.is_some() {
                Outcome::Rewrite
            } else {
                Outcome::Leave
            },
            reason,
            sentence: reason.map(Reason::description),
            message,
            suggestion: suggestion.map(|suggestion| suggestion.to_string()),
            target: target.map(ToString::to_string),
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
            steps,
        }
    }

    fn parse(&self, id: &'a str) -> anyhow::Result<ParsedId<'a>> {
        let snapshot = self.snapshot;
        let whole = |name, direct| ParsedId {
            name,
            region: None,
            whole: true,
            reason: None,
            original: id,
            direct,
        };
        if let Some(model) = snapshot.catalog.alias(id) {
            let model = snapshot.catalog.model(model).id.as_str();
            if self.policy.aliases.is_some() {
                return Ok(whole(ModelRef::Alias(model), model));
            }
            anyhow::ensure!(
                tokens(id, snapshot).next().is_some(),
                "`{id}` is an alias of {model}, and policy `{}` does not enable aliases: set `spec.models.aliases.enabled`",
                self.policy.name
            );
        }
        let Some(token) = tokens(id, snapshot).next() else {
            // The vendor is in no mapping.
            ModelId::parse(id)?;
            return Ok(whole(ModelRef::Direct(id), id));
        };
        let syntax = TextContext::of(id, TextKind::Env).syntax(&token);
        let reason = match (token.form, syntax) {
            (Form::Doubled, _) => Some(Reason::DoublePrefix),
            (_, Err(reason)) => Some(reason),
            (_, Ok(syntax)) if syntax.listed && self.policy.lists == Lists::Leave => {
                Some(Reason::ListLeft)
            }
            (_, Ok(_)) => None,
        };
        let name = match token.form {
            Form::Profiled(geography) => ModelRef::Profiled {
                geography,
                id: token.id,
            },
            Form::Direct | Form::Doubled | Form::Alias => ModelRef::Direct(token.id),
        };
        Ok(ParsedId {
            name,
            region: match syntax {
                Ok(syntax) => syntax.region,
                Err(_) => region_of_arn(id, &token),
            },
            whole: syntax.is_ok_and(|syntax| syntax.whole),
            reason,
            original: &id[token.span.clone()],
            direct: token.id,
        })
    }

    /// What would work in place of an ID that is not replaced.
    fn suggestion(&self, reason: Reason, parsed: &ParsedId<'a>) -> Option<Suggestion> {
        if reason == Reason::InArn && parsed.region.is_none() {
            return None;
        }
        let name = self.suggestion_query(parsed);
        suggestion(reason, name, self.policy, &self.snapshot.catalog)
    }

    fn suggestion_query(&self, parsed: &ParsedId<'a>) -> SuggestionQuery<'a> {
        SuggestionQuery {
            original: parsed.original,
            id: parsed.direct,
            region: Some(parsed.region.unwrap_or(self.region)),
            namespace: self.namespace,
            whole: parsed.whole,
            today: self.today,
        }
    }
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
