//! Kubernetes I/O, without a word about inference profiles: clients, watches, paged lists, and the names and permissions of a
//! release.
//!
//! ```text
//! client           one client for reads that retries, one for writes that fails fast
//! watch            list and watch, with backoff and metrics
//! list             paged lists, read item by item
//! leader_election  at most one leader at a time, by a Lease
//! release          names of the objects that the chart installs
//! rbac             the permissions of a replica, and the RBAC objects made from them
//! ```

pub mod client;
pub mod leader_election;
pub mod list;
pub mod list_items;
pub mod rbac;
pub mod release;
pub mod watch;
