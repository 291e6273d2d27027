//! Recommended successors of models.

use super::{Evidence, ModelRef, Note, Question, Resolution, Resolver, SuggestionQuery, resolve};
use crate::domain::catalog::{Catalog, Confidence};
use crate::domain::id::ModelId;
use crate::domain::policy::Policy;
use crate::domain::reason::Reason;

/// The recommended successor of the model `name.id`, if the policy permits a target for it in the region, or if the region is
/// unknown.
pub fn successor(name: SuggestionQuery<'_>, policy: &Policy, catalog: &Catalog) -> Option<ModelId> {
    let model = catalog.model(catalog.find(name.id)?);
    let successor = model.lifecycle.successor.as_ref()?;
    let Some(region) = name.region else {
        return Some(successor.clone());
    };
    let question = Question {
        named: ModelRef::Direct(successor.as_str()),
        region,
        inferred: false,
        namespace: name.namespace,
        whole: name.whole,
        today: name.today,
    };
    match resolve(&question, policy, catalog, &mut |_| ()).0 {
        Resolution::Rewrite { note: None, .. } | Resolution::Leave(Reason::WorksDirectly) => {
            Some(successor.clone())
        }
        Resolution::Rewrite { note: Some(_), .. } | Resolution::Leave(_) => None,
    }
}

/// The resolution with the recommended successor in place of a model that has certainly reached its end of life. An ID with a prefix
/// keeps its geography: another one routes to other regions than its author has chosen. `resolved`, the resolution of the ID itself, where
/// the policy does not include both models, or permits no target of the successor in the region.
pub fn with_successor(
    question: &Question<'_>,
    resolved: (Resolution, Evidence),
    policy: &Policy,
    catalog: &Catalog,
) -> (Resolution, Evidence) {
    by_successor(question, &resolved.0, policy, catalog).unwrap_or(resolved)
}

fn by_successor(
    question: &Question<'_>,
    resolution: &Resolution,
    policy: &Policy,
    catalog: &Catalog,
) -> Option<(Resolution, Evidence)> {
    let (id, may_have_ended) = match (question.named, resolution) {
        (
            ModelRef::Direct(id) | ModelRef::Alias(id),
            Resolution::Leave(Reason::EndOfLife) | Resolution::Rewrite { note: Some(_), .. },
        )
        | (ModelRef::Profiled { id, .. }, Resolution::Leave(Reason::AlreadyProfiled)) => (id, true),
        (ModelRef::Direct(id) | ModelRef::Alias(id) | ModelRef::Profiled { id, .. }, _) => {
            (id, false)
        }
    };
    let model = catalog.model(catalog.find(id)?);
    let has_ended = may_have_ended
        && model.is_past_end_of_life(question.region, question.today)
        && model.end_of_life_confidence(question.region) == Confidence::High;
    let successor = model.lifecycle.successor.as_ref()?;
    let is_included = |id| policy.includes(id).is_ok();
    if !has_ended || !is_included(id) || !is_included(successor.as_str()) {
        return None;
    }
    let mut resolver = Resolver {
        question,
        policy,
        catalog,
        evidence: Evidence::default(),
        step: &mut |_| (),
    };
    let resolution = match question.named {
        ModelRef::Direct(_) | ModelRef::Alias(_) => resolver.replaced_by(id, successor),
        ModelRef::Profiled { geography, .. } => resolver
            .overridden(successor.as_str(), true)
            .unwrap_or_else(|| resolver.profile_of(geography, successor)),
    };
    match resolution {
        Resolution::Rewrite {
            target,
            destinations,
            note: None,
        } => {
            let note = Some(Note::Successor);
            let resolution = Resolution::Rewrite {
                target,
                destinations,
                note,
            };
            Some((resolution, resolver.evidence))
        }
        Resolution::Rewrite { note: Some(_), .. } | Resolution::Leave(_) => None,
    }
}
