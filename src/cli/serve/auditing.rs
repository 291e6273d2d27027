//! How a replica in a cluster audits it, as flags.

use std::num::NonZero;

use jiff::SignedDuration;

use crate::controllers::audit_runner::{AuditInterval, AuditOptions};

/// How the cluster is audited.
#[derive(Debug, Clone, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Auditing {
    /// Whether the leader audits what is stored.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub audit: bool,
    /// From the end of one audit to the beginning of the next, moved by up to a tenth.
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub audit_every: SignedDuration,
    /// How long after a change of policies or mappings, and after it took the lease, a leader audits.
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub audit_settle: SignedDuration,
    /// Objects a second that an audit reads; 0 reads without a pause.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub audit_pace: u32,
    /// Whether ConfigMaps are audited, which needs the right to list them.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub audit_config_maps: bool,
    /// Whether an audit writes reports, where the cluster has OpenReports.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub reports: bool,
    /// Whether an audit makes events on workloads, which needs the right to make them in every namespace.
    #[arg(long, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    pub events_on_owners: bool,
}

impl Auditing {
    /// What is wanted of audits; `None` is none.
    pub(super) fn options(&self) -> Option<AuditOptions> {
        self.audit.then(|| AuditOptions {
            interval: AuditInterval {
                every: self.audit_every,
                delay: self.audit_settle,
            },
            objects_per_second: NonZero::new(self.audit_pace),
            config_maps: self.audit_config_maps,
            reports: self.reports,
            events_on_owners: self.events_on_owners,
            ..AuditOptions::default()
        })
    }
}
