//! Rewrites Amazon Bedrock direct model IDs to inference profile IDs on their way into a Kubernetes cluster.
//!
//! The rooms, and who may name whom (held by `tests/suite/architecture.rs`):
//!
//! ```text
//! text      spans over JSON and YAML          -> nothing
//! domain    find, resolve, plan: the decision -> text
//! api       the custom resources as written   -> nothing
//! validate  wire form to domain               -> api, domain
//! catalog   the shipped mapping               -> api
//! report    the record of a finding           -> domain
//! scan      files to judged findings          -> text, domain, report
//! tls       certificates                      -> nothing
//! runtime   process, metrics, admin port      -> nothing
//! webhook   reviews in, answers out           -> text, domain, report, tls, runtime
//! controllers  follow a cluster, write to it  -> text, domain, api, validate, catalog, report, scan, tls, runtime
//! cli       the commands                      -> all
//! ```
pub use bedrock_profiles_engine::{domain, text};

pub mod api;
pub mod catalog;
pub mod cli;
pub mod controllers;
pub mod report;
pub mod runtime;
pub mod scan;
pub mod tls;
pub mod validate;
pub mod webhook;
