//! What follows a cluster and writes to it. Nobody here is ever asked on the request path: the webhook reads a [`View`], and
//! these keep it current.
//!
//! [`View`]: crate::domain::view::View

pub mod arming;
pub mod audit_runner;
pub mod bootstrap;
pub mod certificates;
pub mod memory;
pub mod status;
pub mod view;
pub mod wishes;
