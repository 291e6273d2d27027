//! IDs with a prefix: replaced or overridden if the policy's rule applies to profiles, else unchanged with a reason.

use super::rules::permits;
use super::{Resolution, Resolver, Step};
use crate::domain::catalog::{Catalog, Knowledge, ProfileState, Route};
use crate::domain::id::ModelId;
use crate::domain::policy::{Global, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::Region;

impl<'a> Resolver<'a, '_> {
    /// Resolves an ID with a prefix: a replacement or an override that applies to profiles, else a reason.
    pub(super) fn profiled(&mut self, geography: &'a str, id: &'a str) -> Resolution {
        let included = self.policy.includes(id).is_ok();
        let replaced = if included {
            self.policy.replaced(id, true)
        } else {
            None
        };
        let resulting = replaced.map_or(id, ModelId::as_str);
        self.evidence.model = self.catalog.find(resulting);
        if included && let Some(overridden) = self.overridden(resulting, true) {
            return overridden;
        }
        let Some(to) = replaced else {
            return Resolution::Leave(self.profile_reason(geography, id, included));
        };
        self.profile_of(geography, to)
    }

    /// The profile of the same geography of the model `to`, which replaces the one of the ID.
    pub(super) fn profile_of(&mut self, geography: &str, to: &ModelId) -> Resolution {
        (self.step)(Step::Replaced(to));
        self.evidence.model = self.catalog.find(to.as_str());
        let Some(at) = self.evidence.model else {
            return Resolution::Leave(Reason::ReplacementNotServed);
        };
        let model = self.catalog.model(at);
        let has_ended = model.is_past_end_of_life(self.question.region, self.question.today);
        let route = model
            .route(geography, self.question.region)
            .filter(|route| route.state != ProfileState::Retired && !has_ended);
        let Some(route) = route else {
            return Resolution::Leave(Reason::ReplacementNotServed);
        };
        if route.geography.is_global() && self.policy.global == Global::Never {
            return Resolution::Leave(Reason::OnlyGlobalServes);
        }
        match self.first_permitted(model, std::iter::once(route), None) {
            Ok(rewrite) => rewrite,
            Err(reason) => Resolution::Leave(reason.unwrap_or(Reason::ReplacementNotServed)),
        }
    }

    /// The reason for an unchanged ID with a prefix.
    fn profile_reason(&mut self, geography: &str, id: &str, included: bool) -> Reason {
        let Some(model) = self.catalog.find(id).map(|at| self.catalog.model(at)) else {
            return Reason::AlreadyProfiled;
        };
        if matches!(model.knowledge, Knowledge::Unverified) {
            return Reason::AlreadyProfiled;
        }
        let Some(route) = model.route(geography, self.question.region) else {
            let region = self.question.region;
            let mut routes = model.routes_of(geography).peekable();
            if routes.peek().is_none() {
                return Reason::NeverExisted;
            }
            // A profile never serves a region of another partition, whether a scan covers the region or not.
            let elsewhere = routes.all(|(source, _)| source.partition() != region.partition());
            return if elsewhere || self.catalog.is_scanned(region) {
                Reason::ProfileNotServed
            } else {
                Reason::AlreadyProfiled
            };
        };
        self.evidence.route = Some(route.clone());
        self.evidence.mapping = Some(route.mapping);
        if included && is_refused(route, self.question.region, self.policy) {
            Reason::ProfileNotPermitted
        } else {
            Reason::AlreadyProfiled
        }
    }
}

/// The reason for an unchanged ID with a prefix if the region is unknown: `ProfileNotPermitted` only if the policy permits
/// the profile from no region.
pub fn reason_without_region(
    geography: &str,
    id: &str,
    policy: &Policy,
    catalog: &Catalog,
) -> Reason {
    let Some(model) = catalog.find(id).map(|at| catalog.model(at)) else {
        return Reason::AlreadyProfiled;
    };
    if matches!(model.knowledge, Knowledge::Unverified) {
        return Reason::AlreadyProfiled;
    }
    let mut routes = model.routes_of(geography).peekable();
    if routes.peek().is_none() {
        return Reason::NeverExisted;
    }
    let refused = policy.includes(id).is_ok()
        && routes.all(|(source, route)| is_refused(route, source, policy));
    if refused {
        Reason::ProfileNotPermitted
    } else {
        Reason::AlreadyProfiled
    }
}

fn is_refused(route: &Route, source: Region, policy: &Policy) -> bool {
    (route.geography.is_global() && policy.global == Global::Never)
        || permits(route, source, policy).is_err()
}
