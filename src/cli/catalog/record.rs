//! Differences and rows as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::catalog::check::ListedDifference;
use crate::catalog::rows::{ProfileRow, RowDifference, RowField, RowKey, RowValue};
use crate::domain::catalog::{Destinations, ProfileState};

/// Which row.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowRecord {
    /// The direct ID of the model.
    pub model_id: String,
    /// What the row is about: `State`, `EndOfLife`, `Successor`, `Aliases`, `Knowledge`, `Direct` or `Profile`.
    pub row: &'static str,
    /// The ID of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The region that is called; absent where the row holds for all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// The value of a row.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum ValueRecord {
    /// A state, a date as YYYY-MM-DD, whether the direct ID works, or another word.
    Text(String),
    /// A profile.
    Profile(ProfileRecord),
}

/// A profile in a source region.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileRecord {
    /// The regions that it routes to; `*` is any, and an empty list unknown.
    pub destination_regions: Vec<String>,
    /// `Current`, `Legacy` or `Retired`.
    pub state: &'static str,
    /// `High` or `Medium`.
    pub confidence: &'static str,
}

/// A row that differs between two catalogs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DifferenceRecord {
    /// The row.
    #[serde(flatten)]
    pub row: RowRecord,
    /// The value in the first catalog; null if it has none.
    pub before: Option<ValueRecord>,
    /// The value in the second catalog; null if it has none.
    pub after: Option<ValueRecord>,
}

/// A row that differs between the catalog and the API.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedDifferenceRecord {
    /// The row.
    #[serde(flatten)]
    pub row: RowRecord,
    /// The value in the catalog; null if it has none.
    pub catalog: Option<ValueRecord>,
    /// The value that the API lists; null if it does not list the row.
    pub api: Option<ValueRecord>,
    /// `Listed`: the API lists the row, or the model without it. `OtherGeography`: it lists another geographic profile of the model
    /// there. `NotListed`: it does not list the row. `RecentEnd`: it lists the row, at most 30 days after the model's end of life.
    pub evidence: &'static str,
    /// Whether the difference may be none.
    pub weak: bool,
}

impl From<&RowKey> for RowRecord {
    fn from(key: &RowKey) -> Self {
        let RowKey {
            model,
            field,
            region,
        } = key;
        let (row, profile) = match field {
            RowField::State => ("State", None),
            RowField::EndOfLife => ("EndOfLife", None),
            RowField::Successor => ("Successor", None),
            RowField::Aliases => ("Aliases", None),
            RowField::Knowledge => ("Knowledge", None),
            RowField::Direct => ("Direct", None),
            RowField::Profile(geography) => ("Profile", Some(format!("{geography}.{model}"))),
        };
        Self {
            model_id: model.to_string(),
            row,
            profile,
            region: region.map(|region| region.to_string()),
        }
    }
}

impl From<&RowValue> for ValueRecord {
    fn from(value: &RowValue) -> Self {
        match value {
            RowValue::Profile(profile) => Self::Profile(profile.into()),
            RowValue::Date(date, _) => Self::Text(date.to_string()),
            RowValue::State(_) | RowValue::Direct(_) | RowValue::Text(_) => {
                Self::Text(value.to_string())
            }
        }
    }
}

impl From<&ProfileRow> for ProfileRecord {
    fn from(profile: &ProfileRow) -> Self {
        Self {
            destination_regions: match &profile.destinations {
                Destinations::Anywhere => vec!["*".to_owned()],
                Destinations::Unknown => Vec::new(),
                Destinations::Known(regions) => regions.iter().map(ToString::to_string).collect(),
            },
            state: match profile.state {
                ProfileState::Current => "Current",
                ProfileState::Legacy => "Legacy",
                ProfileState::Retired => "Retired",
            },
            confidence: profile.confidence.as_str(),
        }
    }
}

impl From<&RowDifference> for DifferenceRecord {
    fn from(difference: &RowDifference) -> Self {
        Self {
            row: (&difference.key).into(),
            before: difference.before.as_ref().map(Into::into),
            after: difference.after.as_ref().map(Into::into),
        }
    }
}

impl From<&ListedDifference> for ListedDifferenceRecord {
    fn from(difference: &ListedDifference) -> Self {
        let row = &difference.row;
        Self {
            row: (&row.key).into(),
            catalog: row.before.as_ref().map(Into::into),
            api: row.after.as_ref().map(Into::into),
            evidence: difference.evidence.as_str(),
            weak: difference.evidence.is_weak(),
        }
    }
}
