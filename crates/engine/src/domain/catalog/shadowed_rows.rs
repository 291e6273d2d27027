//! Rows that have no effect because a mapping of higher priority defines the same row.

use std::fmt;

use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

/// A row that has no effect because another mapping defines the same row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overridden {
    /// The mapping whose row has no effect.
    pub mapping: Box<str>,
    /// The mapping whose row is used.
    pub by: Box<str>,
    /// The model.
    pub model: ModelId,
    /// The row.
    pub row: RowName,
}

/// The name of a row of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowName {
    /// The state of the direct ID in this region.
    Direct(Region),
    /// The profile of this geography in this source region.
    Route(Geography, Region),
    /// The stated state.
    State,
    /// The end-of-life dates.
    EndOfLife,
    /// The successor.
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
