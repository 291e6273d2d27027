//! Resolves one model ID in one region under one policy: replacement, override, the mapping's row, in this order.
//!
//! This module alone defines the order. It does not depend on objects, texts or patches.

use jiff::civil::Date;

use crate::domain::catalog::{
    Catalog, Destinations, DirectRow, Knowledge, Model, ProfileState, Route, Row,
};
use crate::domain::id::ModelId;
use crate::domain::policy::{Global, Namespace, Policy, Scope};
use crate::domain::reason::Reason;
use crate::domain::region::Region;

mod outcome;
mod overrides;
mod profiled;
mod rules;
mod successor;
mod suggestion;

pub use outcome::{Evidence, Note, Resolution, Step, Target};
pub use profiled::reason_without_region;
pub use rules::{crossings, permits};
pub use successor::{successor, with_successor};
pub use suggestion::{Suggestion, SuggestionQuery, suggestion};

/// The input of a resolution: a name, the region that the workload calls, and the surroundings of the name.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The name in the text.
    pub named: ModelRef<'a>,
    /// The region that the workload calls.
    pub region: Region,
    /// Whether the region was inferred from the cluster's nodes. Then a direct ID that works is never changed.
    pub inferred: bool,
    /// The namespace, which overrides may select on.
    pub namespace: &'a Namespace,
    /// Whether the name is a whole value, which an ARN can replace.
    pub whole: bool,
    /// The date against which dates of end of life are compared.
    pub today: Date,
}

/// A name of a model in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelRef<'a> {
    /// A direct ID, known or not.
    Direct(&'a str),
    /// An alias of the model with this direct ID.
    Alias(&'a str),
    /// An ID with a prefix.
    Profiled {
        /// The prefix, known or not.
        geography: &'a str,
        /// The direct ID after it, known or not.
        id: &'a str,
    },
}

/// Receives the steps of a resolution.
pub type Steps<'s> = &'s mut dyn FnMut(Step<'_>);

/// Resolves one name. Pure and total: returns a [`Reason`] for each unchanged ID.
pub fn resolve(
    question: &Question<'_>,
    policy: &Policy,
    catalog: &Catalog,
    step: Steps<'_>,
) -> (Resolution, Evidence) {
    let mut resolver = Resolver {
        question,
        policy,
        catalog,
        evidence: Evidence::default(),
        step,
    };
    let resolution = match question.named {
        ModelRef::Direct(id) => resolver.direct(id),
        ModelRef::Alias(id) => resolver.alias(id),
        ModelRef::Profiled { geography, id } => resolver.profiled(geography, id),
    };
    (resolution, resolver.evidence)
}

/// The reason for an ID that is unchanged in every region: the policy excludes it, or no region can have a target for it.
/// `None` for an ID with a prefix, which depends on the region.
pub fn reason_in_every_region(
    named: ModelRef<'_>,
    policy: &Policy,
    catalog: &Catalog,
    today: Date,
) -> Option<Reason> {
    let (id, is_alias) = match named {
        ModelRef::Direct(id) => (id, false),
        ModelRef::Alias(id) => (id, true),
        ModelRef::Profiled { .. } => return None,
    };
    if let Err(reason) = policy.includes(id) {
        return Some(reason);
    }
    if policy.replaced(id, false).is_some()
        || policy.overrides.iter().any(|o| o.model.as_str() == id)
    {
        return None;
    }
    let Some(at) = catalog.find(id) else {
        return Some(Reason::UnknownModel);
    };
    let model = catalog.model(at);
    // If the direct ID works in some region, or has ended in some, the result depends on the region.
    unserved(model, model.lifecycle.has_ended_somewhere(today))
        .filter(|reason| !(model.works_somewhere() && (is_alias || *reason == Reason::Unverified)))
}

/// The reason for a model that has no profile in any region, unless it has reached its end of life: that reason is more precise.
fn unserved(model: &Model, has_ended: bool) -> Option<Reason> {
    match model.knowledge {
        Knowledge::HasProfiles => None,
        Knowledge::NeverHadProfile if has_ended => None,
        Knowledge::NeverHadProfile => Some(Reason::NeverHadProfile),
        Knowledge::Unverified => Some(Reason::Unverified),
        Knowledge::MantleOnly => Some(Reason::Mantle),
    }
}

struct Resolver<'a, 's> {
    question: &'a Question<'a>,
    policy: &'a Policy,
    catalog: &'a Catalog,
    evidence: Evidence,
    step: Steps<'s>,
}

impl<'a> Resolver<'a, '_> {
    fn direct(&mut self, id: &'a str) -> Resolution {
        let included = self.policy.includes(id);
        (self.step)(Step::Included(included));
        if let Err(reason) = included {
            return Resolution::Leave(reason);
        }
        self.included(id)
    }

    /// A direct ID whose model the policy includes.
    fn included(&mut self, id: &str) -> Resolution {
        match self.policy.replaced(id, false) {
            Some(to) => self.replaced_by(id, to),
            None => self.model(id),
        }
    }

    /// A direct ID of a model that `to` replaces.
    fn replaced_by(&mut self, id: &str, to: &ModelId) -> Resolution {
        (self.step)(Step::Replaced(to));
        if self.question.inferred
            && self
                .catalog
                .find(id)
                .is_some_and(|at| self.works(self.catalog.model(at)))
        {
            return Resolution::Leave(Reason::WorksDirectly);
        }
        match self.model(to.as_str()) {
            // A profile of a model at its end of life does not work, so the replacement is not served.
            Resolution::Rewrite { note: Some(_), .. } => {
                Resolution::Leave(Reason::ReplacementNotServed)
            }
            Resolution::Leave(Reason::WorksDirectly) => self.rewrite_to_direct_id(to),
            Resolution::Leave(reason) => Resolution::Leave(not_served(reason)),
            rewrite @ Resolution::Rewrite { .. } => rewrite,
        }
    }

    /// An alias, which only its application resolves. If the direct ID works, it replaces the alias in every scope.
    fn alias(&mut self, id: &'a str) -> Resolution {
        let Some(at) = self.catalog.find(id) else {
            return Resolution::Leave(Reason::UnknownModel);
        };
        let model = &self.catalog.model(at).id;
        (self.step)(Step::Aliased(model));
        match self.direct(id) {
            Resolution::Leave(Reason::WorksDirectly) => self.rewrite_to_direct_id(model),
            found @ (Resolution::Leave(_) | Resolution::Rewrite { .. }) => found,
        }
    }

    /// A rewrite to the direct ID, for a model whose direct ID works in the region.
    fn rewrite_to_direct_id(&self, model: &ModelId) -> Resolution {
        Resolution::Rewrite {
            target: Target::Direct(model.clone()),
            destinations: Destinations::Known([self.question.region].into()),
            note: None,
        }
    }

    /// Applies the override, then the row, of the model that remains after replacements.
    fn model(&mut self, id: &str) -> Resolution {
        let at = self.catalog.find(id);
        self.evidence.model = at;
        self.evidence.mapping = at.map(|at| self.catalog.model(at).mapping());
        if let Some(overridden) = self.overridden(id, false) {
            return overridden;
        }
        let Some(at) = at else {
            return Resolution::Leave(Reason::UnknownModel);
        };
        let model = self.catalog.model(at);
        let has_ended = model.is_past_end_of_life(self.question.region, self.question.today);
        if let Some(reason) = unserved(model, has_ended) {
            let works = self.works(model);
            let row = self.direct_row(model);
            (self.step)(Step::Direct(row, works));
            // A replacement or an alias may result in a model without profiles whose direct ID works.
            let is_result = self.question.named != ModelRef::Direct(id);
            let found = if works && (is_result || reason == Reason::Unverified) {
                Reason::WorksDirectly
            } else {
                reason
            };
            return Resolution::Leave(found);
        }
        self.row(model)
    }

    fn row(&mut self, model: &Model) -> Resolution {
        let works = self.works(model);
        let stated = self.direct_row(model);
        (self.step)(Step::Direct(stated, works));
        if let Some((_, mapping)) = model.row(self.question.region).and_then(|row| row.direct) {
            self.evidence.mapping = Some(mapping);
        }
        if works && self.policy.scope == Scope::Required {
            return Resolution::Leave(Reason::WorksDirectly);
        }
        let empty = Row::default();
        let row = model.row(self.question.region).unwrap_or(&empty);
        let has_ended = model.is_past_end_of_life(self.question.region, self.question.today);
        if has_ended {
            self.evidence.end_of_life = Some(model.end_of_life_confidence(self.question.region));
        }
        let is_current = |route: &&Route| route.state != ProfileState::Retired && !has_ended;
        if row.routes().any(|route| is_current(&route)) {
            let found = self.first_permitted(
                model,
                candidates(row, self.policy.global).filter(is_current),
                None,
            );
            return match found {
                Ok(rewrite) => rewrite,
                Err(_) if works => Resolution::Leave(Reason::WorksDirectly),
                Err(Some(reason)) => Resolution::Leave(reason),
                Err(None) => {
                    (self.step)(Step::GlobalUnused);
                    self.evidence.route.clone_from(&row.global);
                    Resolution::Leave(Reason::OnlyGlobalServes)
                }
            };
        }
        if works {
            return Resolution::Leave(Reason::WorksDirectly);
        }
        self.row_without_current_profile(model, row, has_ended)
    }

    /// A row without a current profile and a working direct ID: models at their end of life, and unknown rows.
    fn row_without_current_profile(
        &mut self,
        model: &Model,
        row: &Row,
        has_ended: bool,
    ) -> Resolution {
        let worked = row.direct.is_some();
        let served = row.routes().next().is_some();
        if !(has_ended || served) {
            let known = self.catalog.is_scanned(self.question.region);
            return Resolution::Leave(if known {
                Reason::NothingServes
            } else {
                Reason::RegionUnknown
            });
        }
        if worked && self.policy.scope == Scope::Required {
            return Resolution::Leave(Reason::EndOfLife);
        }
        match self.first_permitted(
            model,
            candidates(row, self.policy.global),
            Some(Note::EndOfLife),
        ) {
            Ok(rewrite) => rewrite,
            Err(Some(reason)) if !worked => Resolution::Leave(reason),
            Err(_) => Resolution::Leave(Reason::EndOfLife),
        }
    }

    /// Returns the first permitted candidate; else the reason for which the first candidate is not permitted, if there is one.
    fn first_permitted<'r>(
        &mut self,
        model: &Model,
        candidates: impl Iterator<Item = &'r Route>,
        note: Option<Note>,
    ) -> Result<Resolution, Option<Reason>> {
        let mut refused = None;
        for route in candidates {
            let permitted = permits(route, self.question.region, self.policy);
            (self.step)(Step::Considered(route, permitted));
            if refused.is_none() || permitted.is_ok() {
                self.evidence.route = Some(route.clone());
                self.evidence.mapping = Some(route.mapping);
            }
            match permitted {
                Ok(()) => {
                    let target = Target::System {
                        geography: route.geography.clone(),
                        model: model.id.clone(),
                    };
                    return Ok(Resolution::Rewrite {
                        target,
                        destinations: route.destinations.clone(),
                        note,
                    });
                }
                Err(reason) => refused = refused.or(Some(reason)),
            }
        }
        Err(refused)
    }

    fn works(&self, model: &Model) -> bool {
        self.direct_row(model) == Some(DirectRow::Works)
            && !model.is_past_end_of_life(self.question.region, self.question.today)
    }

    fn direct_row(&self, model: &Model) -> Option<DirectRow> {
        Some(model.row(self.question.region)?.direct?.0)
    }
}

/// The profiles of a row in the order that the policy prefers.
fn candidates(row: &Row, global: Global) -> impl Iterator<Item = &Route> {
    let (first, second) = match global {
        Global::Never => (&row.geographic, &None),
        Global::Fallback => (&row.geographic, &row.global),
        Global::Prefer => (&row.global, &row.geographic),
    };
    first.iter().chain(second)
}

/// The reason reported if the replacement itself does not work.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other reason is unchanged"
)]
fn not_served(reason: Reason) -> Reason {
    match reason {
        Reason::UnknownModel
        | Reason::Unverified
        | Reason::NeverHadProfile
        | Reason::Mantle
        | Reason::RegionUnknown
        | Reason::NothingServes
        | Reason::EndOfLife => Reason::ReplacementNotServed,
        other => other,
    }
}
