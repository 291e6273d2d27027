//! The evaluation of objects: what is written, reported and refused, under custom resources as users write them.

mod aliases;
mod budget;
mod config_maps;
mod every_reason;
mod in_sight;
mod modes;
pub(crate) mod reasons;
pub(crate) mod references;
mod regions;
pub(crate) mod scenario;
mod served;
mod shapes;
pub(crate) mod shipped_catalog;
mod suggestions;
mod targets;
