//! Policies that the API server evaluates in CEL: a `ValidatingAdmissionPolicy` that reports direct IDs that cannot work, and a
//! `MutatingAdmissionPolicy` that rewrites them, for clusters without the webhook. Pure.
//!
//! Both are manifests with the answers of [`resolve`](crate::domain::resolve) as a table: CEL can look up an answer, but neither merge
//! mappings nor read their status. So they take no mapping as a parameter, and are as old as the day on which they were rendered.
//! They evaluate few shapes, and each of them exactly as the webhook does; where a setting beside an ID might change the answer, they do
//! nothing.

mod expressions;
mod manifest;
mod mutating;
mod table;
mod validating;

pub use manifest::{AdmissionPolicyOptions, AnswerSource};
pub use mutating::mutating_policy;
pub use table::{TargetTable, TargetTableQuery};
pub use validating::{ValidationAction, validating_policy};
