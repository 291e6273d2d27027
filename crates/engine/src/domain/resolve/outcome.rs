//! The result of a resolution, its evidence and its steps.

use std::fmt;

use crate::domain::catalog::{Confidence, Destinations, DirectRow, MappingIx, ModelIx, Route};
use crate::domain::id::{Arn, Geography, ModelId};
use crate::domain::policy::OverrideTarget;
use crate::domain::reason::Reason;

/// The result for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The name is rewritten.
    Rewrite {
        /// The new name.
        target: Target,
        /// The regions to which the target may route.
        destinations: Destinations,
        /// A note for the reader, if any.
        note: Option<Note>,
    },
    /// The name is unchanged.
    Leave(Reason),
}

/// The new name of a rewrite. The type excludes a profile of another model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A direct ID that works in the region: the result of a replacement or an alias.
    Direct(ModelId),
    /// A system-defined inference profile.
    System {
        /// Its prefix.
        geography: Geography,
        /// Its model.
        model: ModelId,
    },
    /// An ARN from the policy.
    Given(Arn),
}

/// A note on a rewrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The model has reached its end of life: the rewrite is consistent with others, but the call still fails.
    EndOfLife,
    /// The model has reached its end of life, and the target is of its recommended successor.
    Successor,
}

impl Note {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndOfLife => "EndOfLife",
            Self::Successor => "Successor",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The catalog entries that determined a resolution, for explanations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The model that was resolved, after replacements.
    pub model: Option<ModelIx>,
    /// The profile that was used or refused.
    pub route: Option<Route>,
    /// The mapping whose row determined the result.
    pub mapping: Option<MappingIx>,
    /// The confidence of the end of life that determined the result.
    pub end_of_life: Option<Confidence>,
}

/// One step of a resolution, for `--explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The name is an alias of this model.
    Aliased(&'a ModelId),
    /// The policy includes or excludes the ID.
    Included(Result<(), Reason>),
    /// A replacement leads to another model.
    Replaced(&'a ModelId),
    /// An override names a target.
    Overridden(&'a OverrideTarget, Result<(), Reason>),
    /// The mapping's row for the direct ID in this region, and whether the direct ID works.
    Direct(Option<DirectRow>, bool),
    /// A profile was considered.
    Considered(&'a Route, Result<(), Reason>),
    /// The global profile serves, but the policy does not use it.
    GlobalUnused,
}

impl Resolution {
    /// The target of a rewrite.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Rewrite { target, .. } => Some(target),
            Self::Leave(_) => None,
        }
    }

    /// The reason for an unchanged name.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Rewrite { .. } => None,
            Self::Leave(reason) => Some(*reason),
        }
    }
}

impl Evidence {
    /// The confidence of the row and of the end of life that determined the result. Rows of direct IDs come from scans and are
    /// certain.
    pub fn confidence(&self) -> Confidence {
        let route = self.route.as_ref().map(|route| route.confidence);
        let known = route.into_iter().chain(self.end_of_life);
        known.min().unwrap_or(Confidence::High)
    }
}

impl Target {
    /// The geography of a system-defined profile.
    pub fn geography(&self) -> Option<&Geography> {
        match self {
            Self::System { geography, .. } => Some(geography),
            Self::Direct(_) | Self::Given(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(model) => model.fmt(f),
            Self::System { geography, model } => write!(f, "{geography}.{model}"),
            Self::Given(arn) => arn.fmt(f),
        }
    }
}
