//! All mappings as one mapping, to be edited and applied. Pure.

use super::model_rows::{ModelRows, route_of, wire_direct, wire_ends, wire_state};
use super::rows::ProfileRow;
use crate::api::{
    self, DirectState, InferenceProfileMapping, InferenceProfileMappingSpec, Lifecycle,
};
use crate::domain::catalog::{Catalog, Model};

/// The mapping `name` with every row of `catalog`, which is the merge of `mappings`. Alone or beside `mappings`, it merges to the same
/// rows: its priority is the first above theirs and not below 0, and it withdraws the rows of `mappings` that are not in the catalog.
///
/// An alias is that of one model only, as in the catalog. There is no withdrawal of aliases: beside `mappings` that give an alias to two
/// models, the first of these in the order of IDs has it.
pub fn merged_mapping(
    name: &str,
    mappings: &[InferenceProfileMapping],
    catalog: &Catalog,
) -> InferenceProfileMapping {
    let specs = || mappings.iter().map(|mapping| &mapping.spec);
    let priority = specs().map(|spec| spec.priority.saturating_add(1)).max();
    let mut scanned_regions: Vec<_> = specs()
        .flat_map(|spec| spec.scanned_regions.iter().cloned())
        .collect();
    scanned_regions.sort_unstable();
    scanned_regions.dedup();
    let models = catalog.models().iter().filter_map(|model| {
        let sources = specs().flat_map(|spec| &spec.models);
        let sources = sources.filter(|source| source.model_id == model.id.as_str());
        merged_rows(model, sources, catalog).finish(false)
    });
    let spec = InferenceProfileMappingSpec {
        priority: priority.unwrap_or_default().max(0),
        // Dates are written as YYYY-MM-DD, so their order is that of their texts.
        catalog_date: specs().filter_map(|spec| spec.catalog_date.clone()).max(),
        scanned_regions,
        models: models.collect(),
    };
    InferenceProfileMapping::new(name, spec)
}

/// The rows of a model of the catalog, and the withdrawals of rows that only `sources` have.
fn merged_rows<'s>(
    model: &Model,
    sources: impl Iterator<Item = &'s api::Model>,
    catalog: &Catalog,
) -> ModelRows {
    let mut rows = ModelRows::new(model.id.as_str());
    for source in sources {
        rows.model.unverified |= source.unverified;
        rows.model.mantle_only |= source.mantle_only;
        let source = ModelRows::of(source.clone());
        rows.direct
            .extend(source.direct.into_keys().map(|at| (at, DirectState::Never)));
        for (geography, routes) in source.routes {
            let withdrawn = routes.into_keys().map(|at| (at, withdrawal()));
            rows.routes.entry(geography).or_default().extend(withdrawn);
        }
    }
    let is_own = |alias: &str| {
        let owner = catalog.alias(alias).map(|at| &catalog.model(at).id);
        owner == Some(&model.id)
    };
    let aliases = model.aliases.iter().filter(|alias| is_own(alias));
    rows.model.aliases = aliases.map(ToString::to_string).collect();
    rows.model.lifecycle = Some(Lifecycle {
        state: Some(wire_state(model.lifecycle.state)),
        end_of_life: Some(wire_ends(&model.lifecycle)),
        successor: model.lifecycle.successor.as_ref().map(ToString::to_string),
    });
    for (region, row) in model.rows() {
        if let Some((direct, _)) = row.direct {
            rows.direct.insert(region, wire_direct(Some(direct)));
        }
        for route in row.routes() {
            let of_geography = rows.routes.entry(route.geography.to_string()).or_default();
            of_geography.insert(region, route_of(&ProfileRow::from(route)));
        }
    }
    rows
}

fn withdrawal() -> api::Route {
    api::Route {
        absent: true,
        ..api::Route::default()
    }
}
