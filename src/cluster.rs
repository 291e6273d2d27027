//! Kubernetes I/O: clients, watches, paged lists, leader election, and the names and permissions of a release.
//!
//! ```text
//! backoff          delays between retries
//! client           one client for reads that retries, one for writes that fails fast
//! watch            list and watch, with backoff and metrics
//! store            the objects of a watch
//! list             paged lists, read item by item
//! dry_run          creating an object without storing it
//! access           whether the caller may do something
//! leader_election  at most one leader at a time, by a Lease
//! release          names of the objects that the chart installs
//! rbac             the permissions of a replica, and the RBAC objects made from them
//! ```

pub mod access;
pub mod backoff;
pub mod client;
pub mod dry_run;
pub mod leader_election;
pub mod list;
pub mod list_items;
pub mod rbac;
pub mod release;
pub mod store;
pub mod watch;
