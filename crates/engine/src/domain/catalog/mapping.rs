//! The rows of one mapping, validated and typed, before the merge.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

/// One mapping object, validated and typed, before the merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The name of the object.
    pub name: Box<str>,
    /// The priority. Rows of the highest priority win.
    pub priority: i32,
    /// The date of the rows.
    pub catalog_date: Option<Date>,
    /// The regions for which this mapping is complete: a model without a row is not offered there.
    pub scanned: Box<[Region]>,
    /// The models.
    pub models: Box<[MappedModel]>,
}

/// The rows of one mapping for one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedModel {
    /// The direct ID.
    pub id: ModelId,
    /// Names that an application may use instead.
    pub aliases: Box<[Box<str>]>,
    /// The regions where the direct ID works or worked; [`DirectRow::Never`] withdraws a row of lower priority.
    pub direct: Box<[(Region, DirectRow)]>,
    /// The lifecycle fields that this mapping states.
    pub lifecycle: MappedLifecycle,
    /// Rows of profiles, one for each source region and geography.
    pub routes: Box<[MappedRoute]>,
    /// Other sources name profiles of this model, but no scan has found one.
    pub unverified: bool,
    /// Only bedrock-mantle serves the model.
    pub mantle_only: bool,
}

/// The state of the direct ID in one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectRow {
    /// The direct ID works on demand.
    Works,
    /// The direct ID worked until the model's end of life.
    Former,
    /// The direct ID does not work. Withdraws the row of a mapping with a lower priority.
    Never,
}

/// The lifecycle fields of one mapping. An absent field is taken from the next mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MappedLifecycle {
    /// The state.
    pub state: Option<LifecycleState>,
    /// The end-of-life dates.
    pub end_of_life: Option<Box<[EndOfLife]>>,
    /// The model to use instead.
    pub successor: Option<ModelId>,
}

/// One profile in one source region, in one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedRoute {
    /// The profile's prefix.
    pub geography: Geography,
    /// The region that the workload calls.
    pub source: Region,
    /// The regions that a request may be routed to.
    pub destinations: Destinations,
    /// Whether the profile still works.
    pub state: ProfileState,
    /// The confidence of the row.
    pub confidence: Confidence,
    /// Whether the row withdraws a row of lower priority.
    pub absent: bool,
}

/// The regions that a profile may route a request to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destinations {
    /// These regions and no other.
    Known(Arc<[Region]>),
    /// Any commercial region.
    Anywhere,
    /// The destinations are unknown.
    Unknown,
}

/// Whether a profile works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileState {
    /// The profile works.
    Current,
    /// The profile works; the model has an announced end of life.
    Legacy,
    /// The profile no longer works; the model is past its end of life in the region.
    Retired,
}

/// The confidence of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The row is inferred, or its sources disagree.
    Medium,
    /// The row was found by a scan of the API or is documented by AWS.
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

/// The stated state of a model's lifecycle. A known date takes precedence.
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

/// An end-of-life date and its regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndOfLife {
    /// The first day without service.
    pub date: Date,
    /// The regions; empty for all regions.
    pub regions: Box<[Region]>,
    /// The confidence of the date.
    pub confidence: Confidence,
}
