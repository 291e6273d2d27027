//! Rewrites Amazon Bedrock direct model IDs to inference profile IDs on their way into a Kubernetes cluster.
//!
//! The table lists the top-level modules and their imports, lowest first; `tests/suite/architecture.rs`
//! holds it both ways.
//!
//! ```text
//! budget       the cost of one evaluation (crates/engine)                  -> nothing
//! text         texts with spans: JSON, YAML, TOML, .env (crates/engine)    -> budget
//! domain       the decision: find, resolve, plan (crates/engine)           -> budget, text
//! api          the custom resources as written                             -> nothing
//! tls          certificates and trust                                      -> nothing
//! runtime      process, metrics, admin port                                -> nothing
//! validate     custom resources to domain types                            -> api, domain
//! catalog      the shipped mapping, and its comparison with the Bedrock API -> domain, api
//! report       findings as records, tables and reports                     -> domain
//! admission_policies  policies in CEL for the API server                   -> domain
//! preview      what a change of policies, mappings or regions would do       -> domain, report
//! iam          permissions that IDs need, and denials of an organisation    -> domain, report
//! scan         files and documents, evaluated                              -> budget, text, domain, report
//! cluster      clients, watches, lists and permissions of Kubernetes         -> runtime
//! audit        the stored objects of a cluster, evaluated                  -> budget, text, domain, validate, report, cluster
//! why          why one object was or was not rewritten                     -> budget, domain, validate, report, cluster, audit
//! health       whether a cluster can have a release, and whether it works   -> budget, text, domain, api, tls, validate, catalog, report, cluster, audit, why
//! webhook      reviews in, responses out                                   -> budget, text, domain, report, runtime
//! controllers  what follows the cluster, and writes to it                  -> domain, api, validate, catalog, report, cluster, audit, tls, runtime
//! cli          the commands                                                -> all
//! ```
pub use bedrock_profiles_engine::{budget, domain, text};

pub mod admission_policies;
pub mod api;
pub mod audit;
pub mod catalog;
pub mod cli;
pub mod cluster;
pub mod controllers;
pub mod health;
pub mod iam;
pub mod preview;
pub mod report;
pub mod runtime;
pub mod scan;
pub mod tls;
pub mod validate;
pub mod webhook;
pub mod why;
