//! The audit of a cluster: evaluates every stored object as if it were applied today. The command line and the leader run the
//! same audit, [`audit_cluster`].
//!
//! ```text
//! list_all       lists a cluster, one resource after the other, into one audit
//! cluster_audit  evaluates listed objects; no I/O
//! metadata       labels and annotations of listed objects
//! owners         controllers of objects, to attribute findings of Pods to their workload
//! findings       stored findings, without duplicates and bounded
//! coverage       whether the webhook missed a finding
//! outdated_pods  running Pods with IDs that a restart would change
//! restart_plan   in which order their workloads are restarted
//! existing       reads policy statuses and webhook configurations for the coverage
//! ```

mod cluster_audit;
mod coverage;
mod existing;
mod findings;
mod list_all;
mod metadata;
mod outdated_pods;
mod owners;
mod restart_plan;

pub use cluster_audit::{AuditInput, AuditResult, ClusterAudit, Counts, IncompleteList};
pub use coverage::{Coverage, Reach, last_changed, last_reviewed_write, rule_covers};
pub use existing::{
    AUDIT_INCOMPLETE, PolicyStatus, PolicyStatuses, list_policy_statuses, read_coverage,
};
pub use findings::{FindingStore, FindingTotals, ObjectFinding, PolicyTotals, StoredFinding};
pub use list_all::{ListScope, audit_cluster, list_path};
pub use outdated_pods::OutdatedPod;
pub use owners::{ControllerReference, Owners, is_finished};
pub use restart_plan::{
    DisruptionBudget, Restart, RestartMethod, RestartPlan, WorkloadName, WorkloadState,
};
