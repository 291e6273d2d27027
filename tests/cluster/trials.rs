//! The trials, by what they are about.

mod admission_policies;
mod answers;
mod applied_again;
pub(crate) mod audit;
mod callers;
mod catalog;
mod certificates;
mod chart;
mod check;
mod crds;
mod documents;
mod faults;
mod files;
mod fixture;
mod gitops;
mod guide;
mod iam;
mod identity;
mod leader;
mod limits;
mod load;
mod modes;
mod network;
mod node;
mod node_faults;
mod objects;
mod preview;
pub(crate) mod product;
mod repeated;
mod replicas;
mod rights;
mod starts;
mod statuses;
mod why;

use crate::trial::Trial;

/// All trials; those with a plane of their own last, as they wait for each other.
pub(crate) fn all() -> Vec<Trial> {
    [
        answers::trials(),
        callers::trials(),
        catalog::trials(),
        certificates::trials(),
        objects::trials(),
        documents::trials(),
        files::trials(),
        repeated::trials(),
        gitops::trials(),
        modes::trials(),
        identity::trials(),
        fixture::trials(),
        replicas::trials(),
        chart::trials(),
        check::trials(),
        rights::trials(),
        leader::trials(),
        limits::trials(),
        faults::trials(),
        starts::trials(),
        network::trials(),
        applied_again::trials(),
        audit::trials(),
        admission_policies::trials(),
        preview::trials(),
        iam::trials(),
        crds::trials(),
        statuses::trials(),
        why::trials(),
        node::trials(),
        guide::trials(),
        load::trials(),
        node_faults::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The date of the shipped catalog.
fn catalog_date() -> &'static str {
    let catalog = include_str!("../../catalog/catalog.yaml");
    let rest = catalog.split("catalogDate: \"").nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default()
}
