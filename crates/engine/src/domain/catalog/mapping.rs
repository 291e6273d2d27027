//! What one mapping states, checked and typed: rows that may yet be withdrawn by another mapping.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

/// One mapping object, checked and typed, before it is merged with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Name of the object.
    pub name: Box<str>,
    /// Rows of the highest priority win.
    pub priority: i32,
    /// When the rows were true.
    pub catalog_date: Option<Date>,
    /// Regions for which this mapping is complete: no row means nothing is offered there.
    pub scanned: Box<[Region]>,
    /// The models that it has rows of.
    pub models: Box<[MappedModel]>,
}

/// What one mapping says of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedModel {
    /// The direct ID.
    pub id: ModelId,
    /// Names that an application may use instead.
    pub aliases: Box<[Box<str>]>,
    /// Where the direct ID works or worked; [`DirectRow::Never`] withdraws a row of lower priority.
    pub direct: Box<[(Region, DirectRow)]>,
    /// The lifecycle fields that this mapping states.
    pub lifecycle: MappedLifecycle,
    /// Rows of profiles, one for each source region and geography.
    pub routes: Box<[MappedRoute]>,
    /// Others name profiles of this model that no scan has seen.
    pub unverified: bool,
    /// The model is served by bedrock-mantle alone.
    pub mantle_only: bool,
}

/// What a row says of the direct ID in one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectRow {
    /// It works on demand.
    Works,
    /// It worked until the model's end of life.
    Former,
    /// It does not work; withdraws what a mapping of lower priority says.
    Never,
}

/// The lifecycle fields of one mapping; a field that is not stated is taken from the next mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappedLifecycle {
    /// Stated state.
    pub state: Option<LifecycleState>,
    /// Stated dates, each for the regions named, or for all where none is named.
    pub end_of_life: Option<Box<[EndOfLife]>>,
    /// Stated successor.
    pub successor: Option<ModelId>,
}

/// One profile, seen from one source region, as one mapping states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedRoute {
    /// The profile's prefix.
    pub geography: Geography,
    /// The region that the workload calls.
    pub source: Region,
    /// Where the profile may route the request.
    pub destinations: Destinations,
    /// Whether the profile still serves.
    pub state: ProfileState,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Withdraws the row of lower priority.
    pub absent: bool,
}

/// Where a profile may route a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destinations {
    /// To these regions and no other.
    Known(Arc<[Region]>),
    /// To any commercial region.
    Anywhere,
    /// Unknown.
    Unknown,
}

/// Whether a profile serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileState {
    /// It serves.
    Current,
    /// It serves; the model is on its way out.
    Legacy,
    /// It served; the model has reached its end of life here.
    Retired,
}

/// How sure a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Inferred, or sources disagree.
    Medium,
    /// Seen by a scan of the API or printed by AWS.
    High,
}

impl Confidence {
    /// The name in mappings and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The state of a model's life as stated; a date, where known, decides over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleState {
    /// In service.
    Active,
    /// In service, with an announced end.
    Legacy,
    /// Out of service.
    EndOfLife,
}

impl LifecycleState {
    /// The name in mappings and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Legacy => "Legacy",
            Self::EndOfLife => "EndOfLife",
        }
    }
}

impl fmt::Display for LifecycleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A date of end of life and the regions where it holds; all regions where none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOfLife {
    /// The first day without service.
    pub date: Date,
    /// The regions; empty means all.
    pub regions: Box<[Region]>,
}
