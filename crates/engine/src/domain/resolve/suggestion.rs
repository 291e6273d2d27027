//! Suggestions for names that are reported and never changed.
//!
//! Suggestions are reported and never applied, because the author's intent is unknown.

use std::fmt;

use jiff::civil::Date;

use super::{Evidence, ModelRef, Question, Resolution, Resolver, Target};
use crate::domain::catalog::Catalog;
use crate::domain::id::{Geography, ModelId};
use crate::domain::policy::{Namespace, Policy};
use crate::domain::reason::Reason;
use crate::domain::region::Region;

/// A name that is reported and never changed, with its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct SuggestionQuery<'a> {
    /// The name in the text, with its prefixes.
    pub original: &'a str,
    /// The direct ID in it, known or not.
    pub id: &'a str,
    /// The region that the workload calls, if known.
    pub region: Option<Region>,
    /// The namespace, which overrides may select on.
    pub namespace: &'a Namespace,
    /// Whether the name is a whole value, which an ARN can replace.
    pub whole: bool,
    /// The date against which dates of end of life are compared.
    pub today: Date,
}

/// A suggested name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// The nearest known ID to an unknown one, in any region.
    Nearest(ModelId),
    /// A target that works in the region and that the policy permits.
    Working(Target),
    /// The name with one of its equal prefixes, if the region is unknown.
    OnePrefix(Target),
}

/// The suggestion for a name that is unchanged for `reason`; `None` if no suggestion exists for the reason or no target works.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "no suggestion exists for other reasons"
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
        // If the direct ID works, its ARN works too.
        Reason::InArn => {
            working().filter(|one| !matches!(one, Suggestion::Working(Target::Direct(_))))
        }
        Reason::NeverExisted | Reason::ProfileNotServed | Reason::ProfileNotPermitted => working(),
        Reason::DoublePrefix if name.region.is_some() && catalog.find(name.id).is_some() => {
            working()
        }
        Reason::DoublePrefix => name.with_one_prefix(catalog).map(Suggestion::OnePrefix),
        Reason::NotIncluded => name.if_included(policy, catalog).map(Suggestion::Working),
        _ => None,
    }
}

/// The part of the rules that a suggestion is resolved by.
#[derive(Clone, Copy)]
enum Rules {
    /// Whatever models the policy includes.
    OfModel,
    /// As if the policy included the model.
    IfIncluded,
}

impl SuggestionQuery<'_> {
    /// The target that works in the region and passes every rule of the policy: an override, a current profile, or the direct
    /// ID. The models that the policy includes do not matter, because the name is not changed.
    pub fn working(&self, policy: &Policy, catalog: &Catalog) -> Option<Target> {
        match self.resolution(policy, catalog, Rules::OfModel)? {
            Resolution::Rewrite {
                target, note: None, ..
            } => Some(target),
            Resolution::Leave(Reason::WorksDirectly) => {
                ModelId::parse(self.id).ok().map(Target::Direct)
            }
            Resolution::Rewrite { note: Some(_), .. } | Resolution::Leave(_) => None,
        }
    }

    /// The target that would replace the ID if the policy included its model.
    fn if_included(&self, policy: &Policy, catalog: &Catalog) -> Option<Target> {
        if policy.exclude.matches(self.id) {
            return None;
        }
        match self.resolution(policy, catalog, Rules::IfIncluded)? {
            Resolution::Rewrite {
                target, note: None, ..
            } => Some(target),
            Resolution::Rewrite { note: Some(_), .. } | Resolution::Leave(_) => None,
        }
    }

    /// The resolution of the direct ID in the region by a part of the rules; `None` if the region is unknown.
    fn resolution(&self, policy: &Policy, catalog: &Catalog, rules: Rules) -> Option<Resolution> {
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
        Some(match rules {
            Rules::OfModel => resolver.model(self.id),
            Rules::IfIncluded => resolver.included(self.id),
        })
    }

    /// The name with one of its prefixes, if all prefixes are equal and the profile may exist.
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
    /// Whether the suggestion holds in every region.
    pub const fn holds_everywhere(&self) -> bool {
        matches!(self, Self::Nearest(_) | Self::OnePrefix(_))
    }
}

/// The suggested name.
impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nearest(model) => model.fmt(f),
            Self::Working(target) | Self::OnePrefix(target) => target.fmt(f),
        }
    }
}
