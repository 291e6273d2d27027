//! What would work in the place of a name that is reported and never changed.
//!
//! Only reported: a name may be meant as it is, so a suggestion is never applied.

use std::fmt;

use jiff::civil::Date;

use super::{Evidence, ModelRef, Question, Resolution, Resolver, Target};
use crate::domain::catalog::Catalog;
use crate::domain::id::{Geography, ModelId};
use crate::domain::policy::{Namespace, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::Region;

/// A name that is reported and never changed.
#[derive(Debug, Clone, Copy)]
pub struct SuggestionQuery<'a> {
    /// The name as it is, with whatever is before its vendor.
    pub original: &'a str,
    /// The direct ID in it, known or not.
    pub id: &'a str,
    /// The region that it is called from, where one is known.
    pub region: Option<Region>,
    /// The namespace, which overrides may select.
    pub namespace: &'a Namespace,
    /// The name is a whole value, so that an ARN can take its place.
    pub whole: bool,
    /// The day that decides over dates of end of life.
    pub today: Date,
}

/// What is offered in the place of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// The known ID that is nearest to one that no mapping knows, wherever it is called from.
    Nearest(ModelId),
    /// What works in the region, and what the policy would permit.
    Working(Target),
    /// The profile that the name would be with one of its equal prefixes, where no region says more.
    OnePrefix(Target),
}

/// What is offered in the place of a name that is left for `reason`; `None` for every other reason, and where nothing is known
/// that would work.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "for every other reason there is nothing to offer"
)]
pub fn suggestion(
    reason: Reason,
    name: SuggestionQuery<'_>,
    policy: &Policy,
    catalog: &Catalog,
) -> Option<Suggestion> {
    let working = || name.working(policy, catalog).map(Suggestion::Working);
    match reason {
        Reason::UnknownModel => {
            let at = catalog.nearest(name.id, name.today)?;
            Some(Suggestion::Nearest(catalog.model(at).id.clone()))
        }
        // Where the direct ID works, its ARN does too.
        Reason::InArn => {
            working().filter(|one| !matches!(one, Suggestion::Working(Target::Direct(_))))
        }
        Reason::NeverExisted | Reason::ProfileNotServed | Reason::ProfileNotPermitted => working(),
        Reason::DoublePrefix if name.region.is_some() && catalog.find(name.id).is_some() => {
            working()
        }
        Reason::DoublePrefix => name.with_one_prefix(catalog).map(Suggestion::OnePrefix),
        _ => None,
    }
}

impl SuggestionQuery<'_> {
    /// What works from the region and passes every rule of the policy: its own override, a living profile, or the direct ID.
    /// Which models the policy changes is no question here, for nothing is changed.
    fn working(&self, policy: &Policy, catalog: &Catalog) -> Option<Target> {
        let question = Question {
            named: ModelRef::Direct(self.id),
            region: self.region?,
            inferred: false,
            namespace: self.namespace,
            whole: self.whole,
            today: self.today,
        };
        let mut resolver = Resolver {
            question: &question,
            policy,
            catalog,
            evidence: Evidence::default(),
            step: &mut |_| (),
        };
        match resolver.model(self.id) {
            Resolution::Rewrite {
                target, note: None, ..
            } => Some(target),
            Resolution::Leave(Reason::WorksDirectly) => {
                ModelId::parse(self.id).ok().map(Target::Direct)
            }
            Resolution::Rewrite { note: Some(_), .. } | Resolution::Leave(_) => None,
        }
    }

    /// The name with one of its prefixes, where they are all the same one and the catalog does not know better.
    fn with_one_prefix(&self, catalog: &Catalog) -> Option<Target> {
        let before = self.original.strip_suffix(self.id)?.strip_suffix('.')?;
        let (first, rest) = before.split_once('.')?;
        let model = catalog.find(self.id).map(|at| catalog.model(at));
        let may_exist = model.is_none_or(|model| model.routes_of(first).next().is_some());
        let equal = rest.split('.').all(|prefix| prefix == first);
        let target = Target::System {
            geography: Geography::parse(first).ok()?,
            model: ModelId::parse(self.id).ok()?,
        };
        (equal && may_exist).then_some(target)
    }
}

impl Suggestion {
    /// Whether it holds whatever region the name is called from.
    pub const fn holds_everywhere(&self) -> bool {
        matches!(self, Self::Nearest(_) | Self::OnePrefix(_))
    }
}

/// The name to write.
impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nearest(model) => model.fmt(f),
            Self::Working(target) | Self::OnePrefix(target) => target.fmt(f),
        }
    }
}
