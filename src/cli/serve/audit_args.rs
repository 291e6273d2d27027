//! Flags for the audits of a cluster.

use std::num::NonZero;

use jiff::SignedDuration;

use crate::controllers::audit_runner::{AuditInterval, AuditOptions};

/// Audits of the cluster.
#[derive(Debug, Clone, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is an independent flag")]
pub struct AuditArgs {
    /// Audit the objects that are stored in the cluster.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub audit: bool,
    /// Time from the end of one audit to the start of the next, with a jitter of up to 10 %.
    #[arg(long, value_name = "DURATION", default_value = "1h")]
    pub audit_every: SignedDuration,
    /// Delay of an audit after a change of policies or mappings, or of the leader.
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub audit_settle: SignedDuration,
    /// Rate limit of an audit in objects per second; 0 is no limit.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub audit_pace: u32,
    /// Audit ConfigMaps; requires the permission to list them.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub audit_config_maps: bool,
    /// Write a Report per namespace, if the CRDs of OpenReports are installed.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub reports: bool,
    /// Create events on workloads; requires the permission to create events in all namespaces.
    #[arg(long, value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    pub events_on_owners: bool,
}

impl AuditArgs {
    /// The options of audits; `None` if they are disabled.
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
