//! Overrides: targets that the policy sets in place of the catalog's.

use super::{Resolution, Resolver, Step, Target, rules};
use crate::domain::catalog::Destinations;
use crate::domain::id::{Geography, ModelId};
use crate::domain::policy::{IdForms, Override, OverrideTarget};
use crate::domain::reason::Reason;

impl Resolver<'_, '_> {
    /// The result of the policy's override for the model in this region and namespace; `None` if no override applies.
    pub(super) fn overridden(&mut self, id: &str, profiled: bool) -> Option<Resolution> {
        let found = self
            .policy
            .overrides
            .iter()
            .find(|o| self.applies(o, id, profiled))?;
        let resolution = self.check_override(found, id);
        let result = match &resolution {
            Resolution::Rewrite { .. } => Ok(()),
            Resolution::Leave(reason) => Err(*reason),
        };
        (self.step)(Step::Overridden(&found.target, result));
        Some(resolution)
    }

    fn applies(&self, candidate: &Override, id: &str, profiled: bool) -> bool {
        candidate.model.as_str() == id
            && (!profiled || candidate.spelling == IdForms::DirectAndProfiles)
            && (candidate.sources.is_empty() || candidate.sources.contains(&self.question.region))
            && candidate.namespaces.selects(self.question.namespace)
    }

    fn check_override(&mut self, found: &Override, id: &str) -> Resolution {
        if matches!(found.target, OverrideTarget::Arn(_)) && !self.question.whole {
            return Resolution::Leave(Reason::OverrideNeedsWholeValue);
        }
        let geographic = self.evidence.model.and_then(|at| {
            self.catalog
                .model(at)
                .row(self.question.region)?
                .geographic
                .clone()
        });
        let stated = match (&found.destinations, &found.target) {
            (Some(stated), _) => Destinations::Known(stated.clone().into()),
            (None, OverrideTarget::System(geography)) => self.destinations_of(geography),
            (None, OverrideTarget::Arn(_)) => Destinations::Unknown,
        };
        let consent = match &found.target {
            OverrideTarget::System(geography) => Some(geography),
            OverrideTarget::Arn(_) => geographic.as_ref().map(|route| &route.geography),
        };
        if let Err(reason) =
            rules::permits_override(&stated, consent, self.question.region, self.policy)
        {
            self.evidence.route = geographic;
            return Resolution::Leave(reason);
        }
        let target = match (&found.target, ModelId::parse(id)) {
            (OverrideTarget::Arn(arn), _) => Target::Given(arn.clone()),
            (OverrideTarget::System(geography), Ok(model)) => Target::System {
                geography: geography.clone(),
                model,
            },
            (OverrideTarget::System(_), Err(_)) => return Resolution::Leave(Reason::UnknownModel),
        };
        Resolution::Rewrite {
            target,
            destinations: stated,
            note: None,
        }
    }

    fn destinations_of(&self, geography: &Geography) -> Destinations {
        let route = self.evidence.model.and_then(|at| {
            self.catalog
                .model(at)
                .route(geography.as_str(), self.question.region)
        });
        route.map_or(Destinations::Unknown, |route| route.destinations.clone())
    }
}
