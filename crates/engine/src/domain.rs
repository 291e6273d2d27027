//! Finds model IDs in an object, determines the region that the workload calls, resolves the IDs and plans the changes.
//!
//! Pure: no clock, no I/O, no environment, no global state. The webhook, the audit, files and `resolve` use the same code.
//! Results are deterministic: no module iterates over a hash map.

pub mod annotations;
pub mod catalog;
pub mod command;
pub mod config_maps;
pub mod context_rules;
mod custom_kinds;
pub mod detect;
pub mod environment;
mod expansion;
pub mod id;
pub mod judge;
pub mod kinds;
pub mod name_words;
pub mod object;
pub mod placeholder;
pub mod plan;
pub mod policy;
pub mod reason;
pub mod record;
pub mod region;
pub mod region_lookup;
pub mod region_names;
pub mod resolve;
pub mod restore;
pub mod setting;
pub mod site;
pub mod snapshot;
mod spelling;
pub mod syntax;
pub mod tokens;
pub mod trackers;
pub mod view;
pub mod workload_role;
pub mod written_by_tool;

#[cfg(test)]
pub(crate) mod fixtures;
