//! What a catalog lacks, has too much or has differently, beside what the Bedrock API lists. Pure.
//!
//! A row that the API lists is a fact. A row that it does not list is none: AWS lists for an account, a project or a program only what
//! it may use.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::answers::{ListedModel, ListedRegion, ListedRegions, Listing, ProfileKey};
use super::rows::{ProfileRow, RowDifference, RowField, RowKey, RowValue};
use crate::domain::catalog::{
    Catalog, Confidence, Destinations, DirectRow, LifecycleState, Model, ProfileState, Row,
};
use crate::domain::id::ModelId;
use crate::domain::region::Region;

/// How long AWS goes on to list a model after its end of life, at most, in days: `docs/catalog.md` has examples.
const LISTED_AFTER_END: i32 = 30;

/// A difference between the catalog (`before`) and the API (`after`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDifference {
    /// The row, and both values.
    pub row: RowDifference,
    /// What shows the difference.
    pub evidence: ListingEvidence,
}

/// What shows a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListingEvidence {
    /// The API lists the row, or the model without it.
    Listed,
    /// The API does not list the row, but another geographic profile of the model in the region, and a model has one at most.
    OtherGeography,
    /// The API does not list the row.
    NotListed,
    /// The API lists the row, and the model has reached its end of life at most 30 days ago.
    RecentEnd,
}

impl ListingEvidence {
    /// Whether the difference may be none.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::NotListed | Self::RecentEnd)
    }

    /// The name, in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "Listed",
            Self::OtherGeography => "OtherGeography",
            Self::NotListed => "NotListed",
            Self::RecentEnd => "RecentEnd",
        }
    }
}

/// The differences, in the order of models, rows and regions.
pub fn check(catalog: &Catalog, listed: &ListedRegions, today: Date) -> Vec<ListedDifference> {
    let mut found = Vec::new();
    for (region, listed) in listed.regions() {
        let mut region = RegionCheck {
            catalog,
            region,
            today,
            found: &mut found,
        };
        if let Some(profiles) = &listed.profiles {
            region.profiles(profiles);
        }
        if let Some(models) = &listed.models {
            region.models(models, listed);
        }
    }
    found.sort_by(|one, other| one.row.key.cmp(&other.row.key));
    found
}

/// The geographic profiles of a model that the API lists in a region, with those that cannot be compared.
pub(super) fn geographic<'l>(
    profiles: &'l Listing<ProfileKey, Destinations>,
    model: &'l ModelId,
) -> impl Iterator<Item = &'l ProfileKey> {
    profiles
        .keys()
        .filter(move |(id, geography)| id == model && !geography.is_global())
}

struct RegionCheck<'c> {
    catalog: &'c Catalog,
    region: Region,
    today: Date,
    found: &'c mut Vec<ListedDifference>,
}

impl RegionCheck<'_> {
    fn profiles(&mut self, listed: &Listing<ProfileKey, Destinations>) {
        for ((id, geography), destinations) in listed.rows() {
            let model = self
                .catalog
                .find(id.as_str())
                .map(|at| self.catalog.model(at));
            let route = model.and_then(|model| model.route(geography.as_str(), self.region));
            let has_ended = model.is_some_and(|model| self.has_ended(model));
            let is_served = |state| state != ProfileState::Retired && !has_ended;
            // An answer without models is silent about the destinations.
            let is_equal = |known: &Destinations| {
                *destinations == Destinations::Unknown || known == destinations
            };
            if route.is_some_and(|route| is_served(route.state) && is_equal(&route.destinations)) {
                continue;
            }
            let after = ProfileRow {
                destinations: destinations.clone(),
                state: ProfileState::Current,
                confidence: Confidence::High,
            };
            let before = route.map(|route| {
                // A profile of a model that has ended is retired, with or without its mark.
                let mut row = ProfileRow::from(route);
                row.confidence = Confidence::High;
                row.state = if is_served(route.state) {
                    ProfileState::Current
                } else {
                    ProfileState::Retired
                };
                RowValue::Profile(row)
            });
            let evidence = self.evidence_of_listed(model);
            let field = RowField::Profile(geography.clone());
            self.add(id, field, before, Some(RowValue::Profile(after)), evidence);
        }
        for model in self.catalog.models() {
            let row = model.row(self.region).filter(|_| !self.has_ended(model));
            let routes = row.into_iter().flat_map(Row::routes);
            for route in routes.filter(|route| route.state != ProfileState::Retired) {
                if !listed.lacks(&(model.id.clone(), route.geography.clone())) {
                    continue;
                }
                let is_replaced =
                    !route.geography.is_global() && geographic(listed, &model.id).next().is_some();
                let evidence = if is_replaced {
                    ListingEvidence::OtherGeography
                } else {
                    ListingEvidence::NotListed
                };
                let field = RowField::Profile(route.geography.clone());
                let before = RowValue::Profile(route.into());
                self.add(&model.id, field, Some(before), None, evidence);
            }
        }
    }

    fn models(&mut self, listed: &Listing<ModelId, ListedModel>, region: &ListedRegion) {
        for (id, row) in listed.rows() {
            let model = self
                .catalog
                .find(id.as_str())
                .map(|at| self.catalog.model(at));
            if let Some(on_demand) = row.on_demand {
                self.direct(id, model, on_demand);
            }
            let has_profile = || {
                let mut profiles = region.profiles.iter().flat_map(Listing::rows);
                profiles.any(|((model, _), _)| model == id)
            };
            // A variant for provisioned throughput alone is no row.
            if model.is_some() || row.on_demand == Some(true) || has_profile() {
                self.lifecycle(id, model, *row);
            }
        }
        for model in self.catalog.models() {
            let works = self.direct_row(model) == Some(DirectRow::Works);
            if works && !self.has_ended(model) && listed.lacks(&model.id) {
                let before = Some(RowValue::Direct(DirectRow::Works));
                self.add(
                    &model.id,
                    RowField::Direct,
                    before,
                    None,
                    ListingEvidence::NotListed,
                );
            }
        }
    }

    fn direct(&mut self, id: &ModelId, model: Option<&Model>, on_demand: bool) {
        let before = model.and_then(|model| self.direct_row(model));
        let has_ended = model.is_some_and(|model| self.has_ended(model));
        let works = before == Some(DirectRow::Works) && !has_ended;
        if works == on_demand {
            return;
        }
        let before = match before {
            Some(DirectRow::Works) if has_ended => Some(DirectRow::Former),
            before => before,
        };
        let after = if on_demand {
            DirectRow::Works
        } else {
            DirectRow::Never
        };
        let evidence = self.evidence_of_listed(model);
        let [before, after] = [before, Some(after)].map(|row| row.map(RowValue::Direct));
        self.add(id, RowField::Direct, before, after, evidence);
    }

    fn lifecycle(&mut self, id: &ModelId, model: Option<&Model>, listed: ListedModel) {
        let own = model.map(|model| {
            let (state, end) = model.lifecycle.at(Some(self.region), self.today);
            if self.has_ended(model) {
                (LifecycleState::EndOfLife, end)
            } else {
                (state, end)
            }
        });
        let state = own.map_or(LifecycleState::Active, |(state, _)| state);
        if let Some(after) = listed.state.filter(|after| *after != state) {
            let evidence = self.evidence_of_listed(model);
            let before = own.map(|_| RowValue::State(state));
            let after = Some(RowValue::State(after));
            self.add(id, RowField::State, before, after, evidence);
        }
        let end = own.and_then(|(_, end)| end);
        if let Some(date) = listed.end_of_life
            && end.map(|end| end.date) != Some(date)
        {
            let before = end.map(|end| RowValue::Date(end.date, end.confidence));
            let after = Some(RowValue::Date(date, Confidence::High));
            self.add(
                id,
                RowField::EndOfLife,
                before,
                after,
                ListingEvidence::Listed,
            );
        }
    }

    fn direct_row(&self, model: &Model) -> Option<DirectRow> {
        let (row, _) = model.row(self.region)?.direct?;
        Some(row)
    }

    fn has_ended(&self, model: &Model) -> bool {
        model.is_past_end_of_life(self.region, self.today)
    }

    /// The evidence of a row that the API lists: weak shortly after the end of life of its model.
    fn evidence_of_listed(&self, model: Option<&Model>) -> ListingEvidence {
        let end = model.and_then(|model| model.lifecycle.date_in(self.region));
        let is_recent = end.is_some_and(|end| {
            let latest = end.saturating_add(LISTED_AFTER_END.days());
            (end..=latest).contains(&self.today)
        });
        if is_recent {
            ListingEvidence::RecentEnd
        } else {
            ListingEvidence::Listed
        }
    }

    fn add(
        &mut self,
        model: &ModelId,
        field: RowField,
        before: Option<RowValue>,
        after: Option<RowValue>,
        evidence: ListingEvidence,
    ) {
        let key = RowKey {
            model: model.clone(),
            field,
            region: Some(self.region),
        };
        self.found.push(ListedDifference {
            row: RowDifference { key, before, after },
            evidence,
        });
    }
}
