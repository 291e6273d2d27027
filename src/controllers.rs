//! Controllers: tasks that watch the cluster and write to it. None of them handles requests: the webhook evaluates with a
//! [`View`], and [`cluster_state`] keeps that current.
//!
//! [`View`]: crate::domain::view::View

pub mod applied_hashes;
pub mod audit_runner;
pub mod bootstrap;
pub mod bootstrap_config;
pub mod certificates;
pub mod cluster_state;
pub mod reconcile;
pub mod status;
pub mod webhook_config;
