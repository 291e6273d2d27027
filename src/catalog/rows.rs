//! The rows of a catalog, flat: a key and a value each, and the differences between two catalogs.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use crate::domain::catalog::{
    Catalog, Confidence, Destinations, DirectRow, Knowledge, LifecycleState, ProfileState, Route,
};
use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

/// Which row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The model.
    pub model: ModelId,
    /// What the row is about.
    pub field: RowField,
    /// The region where it holds; `None` where no other row names a region.
    pub region: Option<Region>,
}

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowField {
    /// The state of the model.
    State,
    /// The first day without service.
    EndOfLife,
    /// The model to use instead.
    Successor,
    /// The other names of the model.
    Aliases,
    /// What is known of the profiles of a model that has none.
    Knowledge,
    /// Whether the direct ID works.
    Direct,
    /// A profile.
    Profile(Geography),
}

/// The value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowValue {
    /// Of [`RowField::State`].
    State(LifecycleState),
    /// Of [`RowField::EndOfLife`].
    Date(Date, Confidence),
    /// Of [`RowField::Direct`].
    Direct(DirectRow),
    /// Of [`RowField::Profile`].
    Profile(ProfileRow),
    /// Of the other fields.
    Text(String),
}

/// A profile in a source region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRow {
    /// Where it routes to.
    pub destinations: Destinations,
    /// Whether it works.
    pub state: ProfileState,
    /// The confidence of the row.
    pub confidence: Confidence,
}

/// A row that two sides have differently, or that only one of them has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDifference {
    /// The row.
    pub key: RowKey,
    /// The value of the first side.
    pub before: Option<RowValue>,
    /// The value of the second side.
    pub after: Option<RowValue>,
}

/// The rows of a catalog.
pub fn rows(catalog: &Catalog) -> BTreeMap<RowKey, RowValue> {
    let mut rows = BTreeMap::new();
    for model in catalog.models() {
        let mut add = |field, region, value| {
            let model = model.id.clone();
            let key = RowKey {
                model,
                field,
                region,
            };
            rows.insert(key, value);
        };
        let lifecycle = &model.lifecycle;
        add(RowField::State, None, RowValue::State(lifecycle.state));
        for end in &lifecycle.end_of_life {
            let value = RowValue::Date(end.date, end.confidence);
            for region in &end.regions {
                add(RowField::EndOfLife, Some(*region), value.clone());
            }
            if end.regions.is_empty() {
                add(RowField::EndOfLife, None, value);
            }
        }
        let texts = [
            (
                RowField::Successor,
                lifecycle.successor.as_ref().map(ToString::to_string),
            ),
            (
                RowField::Aliases,
                Some(model.aliases.join(", ")).filter(|names| !names.is_empty()),
            ),
            (
                RowField::Knowledge,
                knowledge(model.knowledge).map(str::to_owned),
            ),
        ];
        for (field, text) in texts {
            if let Some(text) = text {
                add(field, None, RowValue::Text(text));
            }
        }
        for (region, row) in model.rows() {
            if let Some((direct, _)) = row.direct {
                add(RowField::Direct, Some(region), RowValue::Direct(direct));
            }
            for route in row.routes() {
                let field = RowField::Profile(route.geography.clone());
                add(field, Some(region), RowValue::Profile(route.into()));
            }
        }
    }
    rows
}

/// The rows that differ between two catalogs, in order.
pub fn differences(before: &Catalog, after: &Catalog) -> Vec<RowDifference> {
    let (before, mut after) = (rows(before), rows(after));
    let mut differences: Vec<_> = before
        .into_iter()
        .filter_map(|(key, before)| {
            let after = after.remove(&key);
            let differs = after.as_ref() != Some(&before);
            let before = Some(before);
            differs.then_some(RowDifference { key, before, after })
        })
        .collect();
    differences.extend(after.into_iter().map(|(key, after)| RowDifference {
        key,
        before: None,
        after: Some(after),
    }));
    differences.sort_by(|one, other| one.key.cmp(&other.key));
    differences
}

/// What is known of a model without profiles, where it is not that it has none.
pub const fn knowledge(knowledge: Knowledge) -> Option<&'static str> {
    match knowledge {
        Knowledge::HasProfiles | Knowledge::NeverHadProfile => None,
        Knowledge::Unverified => Some("unverified"),
        Knowledge::MantleOnly => Some("on bedrock-mantle only"),
    }
}

impl From<&Route> for ProfileRow {
    fn from(route: &Route) -> Self {
        Self {
            destinations: route.destinations.clone(),
            state: route.state,
            confidence: route.confidence,
        }
    }
}

impl fmt::Display for RowField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("state"),
            Self::EndOfLife => f.write_str("end of life"),
            Self::Successor => f.write_str("successor"),
            Self::Aliases => f.write_str("aliases"),
            Self::Knowledge => f.write_str("profiles"),
            Self::Direct => f.write_str("direct ID"),
            Self::Profile(geography) => write!(f, "{geography} profile"),
        }
    }
}

impl fmt::Display for RowValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(state) => state.fmt(f),
            Self::Date(date, Confidence::High) => date.fmt(f),
            Self::Date(date, Confidence::Medium) => write!(f, "{date} (confidence Medium)"),
            Self::Direct(DirectRow::Works) => f.write_str("Works"),
            Self::Direct(DirectRow::Former) => f.write_str("Former"),
            Self::Direct(DirectRow::Never) => f.write_str("Never"),
            Self::Profile(profile) => profile.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for ProfileRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.destinations {
            Destinations::Anywhere => f.write_str("to any region")?,
            Destinations::Unknown => f.write_str("to unknown regions")?,
            Destinations::Known(regions) => {
                let regions: Vec<_> = regions.iter().map(Region::as_str).collect();
                write!(f, "to {}", regions.join(", "))?;
            }
        }
        match self.state {
            ProfileState::Current => {}
            ProfileState::Legacy => f.write_str(" (Legacy)")?,
            ProfileState::Retired => f.write_str(" (Retired)")?,
        }
        match self.confidence {
            Confidence::High => Ok(()),
            Confidence::Medium => f.write_str(" (confidence Medium)"),
        }
    }
}
