//! What a resolution says: the answer, what it rests on, and the steps to it.

use std::fmt;

use crate::domain::catalog::{Confidence, Destinations, DirectRow, MappingIx, ModelIx, Route};
use crate::domain::id::{Arn, Geography, ModelId};
use crate::domain::policy::OverrideTarget;
use crate::domain::reason::Reason;

/// What becomes of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// It is replaced.
    Rewrite {
        /// By this.
        target: Target,
        /// Which may route the request there.
        destinations: Destinations,
        /// What the reader must know besides.
        note: Option<Note>,
    },
    /// It stays.
    Leave(Reason),
}

/// What is written in the place of a name. A profile of another model than its own cannot be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A direct ID that works in the region, which a replacement leads to.
    Direct(ModelId),
    /// A system-defined inference profile.
    System {
        /// Its prefix.
        geography: Geography,
        /// Its model.
        model: ModelId,
    },
    /// An ARN that the policy gives.
    Given(Arn),
}

/// What the reader of a rewrite must know besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The model has reached its end of life: the rewrite makes the workload consistent and cures nothing.
    EndOfLife,
}

impl Note {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EndOfLife => "EndOfLife",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a resolution rests on, for those who explain it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The model that was resolved in the end, after replacements.
    pub model: Option<ModelIx>,
    /// The profile that was used or refused.
    pub route: Option<Route>,
    /// The mapping whose row decided.
    pub mapping: Option<MappingIx>,
}

/// One step of a resolution, for `--explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The name is an alias of this model.
    Aliased(ModelId),
    /// The policy leaves the ID out or takes it in.
    Included(Result<(), Reason>),
    /// A replacement leads to another model.
    Replaced(ModelId),
    /// An override names a target.
    Overridden(OverrideTarget, Result<(), Reason>),
    /// What the mapping says of the direct ID here.
    Direct(Option<DirectRow>, bool),
    /// A profile was considered.
    Considered(Box<Route>, Result<(), Reason>),
    /// The global profile serves, but the policy does not use it.
    GlobalUnused,
}

impl Resolution {
    /// The target, if there is one.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Rewrite { target, .. } => Some(target),
            Self::Leave(_) => None,
        }
    }

    /// The reason to leave, if it is left.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Rewrite { .. } => None,
            Self::Leave(reason) => Some(*reason),
        }
    }
}

impl Evidence {
    /// How sure the row is that decided; rows of direct IDs come from scans.
    pub fn confidence(&self) -> Confidence {
        self.route
            .as_ref()
            .map_or(Confidence::High, |route| route.confidence)
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
