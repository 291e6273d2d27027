//! The judgement as a person meets it: what is written, told and refused, under custom resources as written.

mod aliases;
mod config_maps;
mod names;
pub(crate) mod reasons;
mod regions;
pub(crate) mod rig;
mod served;
mod targets;
mod verdicts;
