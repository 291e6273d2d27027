//! The lifecycle of a model in a record.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::catalog::{Confidence, LifecycleState};
use crate::domain::id::ModelId;
use crate::domain::judge::JudgedFinding;
use crate::domain::region::Region;
use crate::domain::snapshot::Snapshot;

use super::serialize;

/// The lifecycle of a model in the region of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleRecord {
    /// Whether the model is in service.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub state: LifecycleState,
    /// The first day without service, where known.
    #[serde(serialize_with = "serialize::optional_text")]
    #[schemars(with = "Option<String>")]
    pub end_of_life_date: Option<Date>,
    /// The confidence of the date, for texts.
    #[serde(skip)]
    #[schemars(skip)]
    pub end_of_life_confidence: Option<Confidence>,
    /// The recommended successor, if the policy permits a target for it in the region, or if the region is unknown.
    pub successor: Option<String>,
}

/// The lifecycle of the model that was found (not of its replacement) in the region of the finding, if known.
pub fn lifecycle(
    judged: &JudgedFinding<'_>,
    snapshot: &Snapshot,
    today: Date,
) -> Option<LifecycleRecord> {
    lifecycle_of(
        &judged.id,
        judged.region.map(|chosen| chosen.region),
        judged.successor.as_ref(),
        snapshot,
        today,
    )
}

/// The lifecycle of the model `id` in `region`, or in general if the region is unknown, with this successor.
pub fn lifecycle_of(
    id: &str,
    region: Option<Region>,
    successor: Option<&ModelId>,
    snapshot: &Snapshot,
    today: Date,
) -> Option<LifecycleRecord> {
    let model = snapshot.catalog.model(snapshot.catalog.find(id)?);
    let (state, end) = model.lifecycle.at(region, today);
    let past = region.is_some_and(|region| model.is_past_end_of_life(region, today));
    let state = if past {
        LifecycleState::EndOfLife
    } else {
        state
    };
    Some(LifecycleRecord {
        state,
        end_of_life_date: end.map(|end| end.date),
        end_of_life_confidence: end.map(|end| end.confidence),
        successor: successor.map(ToString::to_string),
    })
}
