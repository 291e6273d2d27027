//! Findings as records, and their renderings: text, table, JSON, formats of other programs, OpenReports.
//!
//! A record contains the ID and its location, never the text around it, which may be a secret.

mod admission;
mod audit_report;
pub mod cause;
pub mod changes;
mod content_hash;
mod exemption;
pub mod explanation;
mod finding_record;
pub mod fingerprint;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod formats;
pub mod html;
mod lifecycle;
mod listed_finding;
pub mod messages;
pub mod model_ends;
mod object_reference;
pub mod openreports;
pub mod printable;
mod reference;
pub mod relative_paths;
pub(crate) mod schema;
pub(crate) mod serialize;
pub mod severity;
mod source;
pub mod terminal;
pub mod text;
pub mod text_page;

pub use admission::{AdmissionOutcome, DataReach};
pub use audit_report::{
    API_VERSION, AuditReport, AuditSubject, Summary, ToolVersion, UnreadDocument, UnreadFile,
    UnreadPart,
};
pub use content_hash::content_hash;
pub use exemption::{ExemptedBy, Exemption};
pub use finding_record::{
    FindingRecord, LastDay, Missed, Outcome, RecordContext, crossed_jurisdictions,
    destination_names,
};
pub use lifecycle::{LifecycleRecord, lifecycle, lifecycle_of};
pub use listed_finding::ListedFinding;
pub(crate) use listed_finding::serialize_finding;
pub use object_reference::ObjectReference;
pub use reference::ReferenceRecord;
pub use source::Source;
