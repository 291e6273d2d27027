//! What becomes of one model ID in one region under one policy: replacement, override, the mapping's row, in this order.
//!
//! Order and precedence are stated here and nowhere else. Knows nothing of objects, texts or patches.

use jiff::civil::Date;

use crate::domain::catalog::{
    Catalog, Destinations, DirectRow, Knowledge, LifecycleState, Model, ProfileState, Route, Row,
};
use crate::domain::id::ModelId;
use crate::domain::policy::{Global, Namespace, Policy, Scope};
use crate::domain::reason::Reason;
use crate::domain::region::Region;

mod outcome;
mod overrides;
mod profiled;
mod rules;
mod suggestion;

pub use outcome::{Evidence, Note, Resolution, Step, Target};
pub use profiled::standing_without_region;
pub use rules::{crossings, permits};
pub use suggestion::{Suggestion, SuggestionQuery, suggestion};

/// What is asked: a name, the region that it is called from, and where it is.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The name as found.
    pub named: ModelRef<'a>,
    /// The region that the workload calls.
    pub region: Region,
    /// The region was inferred from the cluster's nodes: a direct ID that works is then never changed.
    pub inferred: bool,
    /// The namespace, which overrides may select.
    pub namespace: &'a Namespace,
    /// The name is a whole value, so that an ARN can take its place.
    pub whole: bool,
    /// The day that decides over dates of end of life.
    pub today: Date,
}

/// A name as it is in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelRef<'a> {
    /// A direct ID, known or not.
    Direct(&'a str),
    /// An alias of the model with this direct ID.
    Alias(&'a str),
    /// An ID behind a prefix.
    Profiled {
        /// The prefix, known or not.
        geography: &'a str,
        /// The direct ID behind it, known or not.
        id: &'a str,
    },
}

/// Receives the steps of a resolution.
pub type Steps<'s> = &'s mut dyn FnMut(Step);

/// Resolves one name. Pure and total: every "no" is a [`Reason`].
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

/// Why a name is left before its region matters: the policy leaves it out, or nothing is known that could help in any region.
/// An ID behind a prefix is judged by its region.
pub fn settled_without_region(
    named: ModelRef<'_>,
    policy: &Policy,
    catalog: &Catalog,
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
    // Where the direct ID works somewhere, the region decides first.
    unserved(model)
        .filter(|reason| !(model.works_somewhere() && (is_alias || *reason == Reason::Unverified)))
}

/// Why a model can have no profile anywhere.
fn unserved(model: &Model) -> Option<Reason> {
    match model.knowledge {
        Knowledge::HasProfiles => None,
        // Where the model is gone, that is the better word.
        Knowledge::NeverHadProfile if model.lifecycle.state == LifecycleState::EndOfLife => None,
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
        let Some(to) = self.policy.replaced(id, false) else {
            return self.model(id);
        };
        (self.step)(Step::Replaced(to.clone()));
        if self.question.inferred
            && self
                .catalog
                .find(id)
                .is_some_and(|at| self.works(self.catalog.model(at)))
        {
            return Resolution::Leave(Reason::WorksDirectly);
        }
        match self.model(to.as_str()) {
            // A row of the dead cures nothing, and a replacement is there to cure.
            Resolution::Rewrite {
                note: Some(Note::EndOfLife),
                ..
            } => Resolution::Leave(Reason::ReplacementNotServed),
            Resolution::Leave(Reason::WorksDirectly) => self.directly(to),
            Resolution::Leave(reason) => Resolution::Leave(not_served(reason)),
            rewrite @ Resolution::Rewrite { .. } => rewrite,
        }
    }

    /// A name that only its application knows: where the direct ID works, that takes its place, whatever the scope.
    fn alias(&mut self, id: &'a str) -> Resolution {
        let Some(at) = self.catalog.find(id) else {
            return Resolution::Leave(Reason::UnknownModel);
        };
        let model = &self.catalog.model(at).id;
        (self.step)(Step::Aliased(model.clone()));
        match self.direct(id) {
            Resolution::Leave(Reason::WorksDirectly) => self.directly(model),
            found @ (Resolution::Leave(_) | Resolution::Rewrite { .. }) => found,
        }
    }

    /// The direct ID of a model that works by it here.
    fn directly(&self, model: &ModelId) -> Resolution {
        Resolution::Rewrite {
            target: Target::Direct(model.clone()),
            destinations: Destinations::Known([self.question.region].into()),
            note: None,
        }
    }

    /// Override, then row, of the model that replacements have led to.
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
        if let Some(reason) = unserved(model) {
            let works = self.works(model);
            let row = self.direct_row(model);
            (self.step)(Step::Direct(row, works));
            // A model without profiles that works here is what a replacement or an alias may lead to, and no question otherwise.
            let led_to = self.question.named != ModelRef::Direct(id);
            let found = if works && (led_to || reason == Reason::Unverified) {
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
        let past = model.is_past_end_of_life(self.question.region, self.question.today);
        let lives = |route: &&Route| route.state != ProfileState::Retired && !past;
        if row.routes().any(|route| lives(&route)) {
            let found = self.first_permitted(
                model,
                candidates(row, self.policy.global).filter(lives),
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
        self.dead_row(model, row, past)
    }

    /// A row without a current profile whose direct ID does not work: retired models, and unknown ones.
    fn dead_row(&mut self, model: &Model, row: &Row, past: bool) -> Resolution {
        let worked = row.direct.is_some();
        let served = row.routes().next().is_some();
        if !(past || served) {
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

    /// The first candidate that passes every rule; else the first rule that was broken, if there was a candidate.
    fn first_permitted<'r>(
        &mut self,
        model: &Model,
        candidates: impl Iterator<Item = &'r Route>,
        note: Option<Note>,
    ) -> Result<Resolution, Option<Reason>> {
        let mut refused = None;
        for route in candidates {
            let permitted = permits(route, self.question.region, self.policy);
            (self.step)(Step::Considered(Box::new(route.clone()), permitted));
            if refused.is_none() {
                self.evidence.route = Some(route.clone());
                self.evidence.mapping = Some(route.mapping);
            }
            match permitted {
                Ok(()) => {
                    self.evidence.route = Some(route.clone());
                    self.evidence.mapping = Some(route.mapping);
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

/// The profiles of a row in the order in which the policy wants them.
fn candidates(row: &Row, global: Global) -> impl Iterator<Item = &Route> {
    let (first, second) = match global {
        Global::Never => (&row.geographic, &None),
        Global::Fallback => (&row.geographic, &row.global),
        Global::Prefer => (&row.global, &row.geographic),
    };
    first.iter().chain(second)
}

/// The reason as it is reported for a replacement's end.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else holds is unchanged"
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
