//! What a record says of a model's life.

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::catalog::LifecycleState;
use crate::domain::judge::Judged;
use crate::domain::region::Region;
use crate::domain::snapshot::Snapshot;

use super::serialize;

/// A model's life in the finding's region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LifecycleRecord {
    /// Whether the model is in service.
    #[serde(serialize_with = "serialize::text")]
    pub state: LifecycleState,
    /// The first day without service, where known.
    #[serde(serialize_with = "serialize::optional_text")]
    pub end_of_life_date: Option<Date>,
    /// The model to move to.
    pub successor: Option<String>,
}

/// The model's life in the finding's region, as far as it is known: of the model that was found, not of the one it moves to.
pub fn lifecycle(judged: &Judged<'_>, snapshot: &Snapshot, today: Date) -> Option<LifecycleRecord> {
    lifecycle_of(
        &judged.id,
        judged.region.map(|(region, _)| region),
        snapshot,
        today,
    )
}

/// The life of the model `id` in `region`, or as a whole where none is known.
pub fn lifecycle_of(
    id: &str,
    region: Option<Region>,
    snapshot: &Snapshot,
    today: Date,
) -> Option<LifecycleRecord> {
    let model = snapshot.catalog.model(snapshot.catalog.find(id)?);
    let (state, date) = model.lifecycle.at(region, today);
    let past = region.is_some_and(|region| model.is_past_end_of_life(region, today));
    let state = if past {
        LifecycleState::EndOfLife
    } else {
        state
    };
    Some(LifecycleRecord {
        state,
        end_of_life_date: date,
        successor: model.lifecycle.successor.as_ref().map(ToString::to_string),
    })
}
