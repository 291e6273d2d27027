//! Rows that have no effect because a mapping of higher priority defines the same row.

use std::fmt;

use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

/// One row of a mapping in whose place another one's counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overridden {
    /// The mapping whose row has no effect.
    pub mapping: Box<str>,
    /// The mapping that counts.
    pub by: Box<str>,
    /// The model.
    pub model: ModelId,
    /// Which of its rows.
    pub row: RowName,
}

/// Which row of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowName {
    /// What becomes of the direct ID in this region.
    Direct(Region),
    /// The profile of this geography, from this region.
    Route(Geography, Region),
    /// The stated state.
    State,
    /// The dates of its end of life.
    EndOfLife,
    /// The model to move to.
    Successor,
}

impl fmt::Display for Overridden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, model, row, .. } = self;
        match row {
            RowName::Direct(region) => write!(f, "{model}: the direct ID in {region}, by `{by}`"),
            RowName::Route(geography, region) => {
                write!(f, "{model}: `{geography}` from {region}, by `{by}`")
            }
            RowName::State => write!(f, "{model}: the lifecycle's state, by `{by}`"),
            RowName::EndOfLife => write!(f, "{model}: the end of life, by `{by}`"),
            RowName::Successor => write!(f, "{model}: the successor, by `{by}`"),
        }
    }
}
