//! What a command is about: the files or the cluster that it evaluates.

use crate::report::AuditReport;

use super::cluster_args::ClusterArgs;
use super::cluster_view;
use super::config::Configuration;
use super::file_args::{FileArgs, FileRun};
use super::interruption::Interruption;
use super::tally::Tally;

mod cluster;

/// The files to evaluate, or the cluster.
#[derive(Debug, clap::Args)]
pub struct SubjectArgs {
    /// Files instead of a cluster.
    #[command(flatten)]
    pub files: FileArgs,
    /// Take all namespaces of the cluster.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "paths", "filenames", "kustomize"])]
    pub all_namespaces: bool,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// What an audit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuditPurpose {
    /// The findings.
    Findings {
        /// Whether what is of note is not printed.
        quiet: bool,
    },
    /// The permissions that the IDs need.
    Permissions,
    /// The restarts after which Pods have other IDs; of a cluster alone.
    Restarts,
}

impl SubjectArgs {
    /// Evaluates the files or the cluster. Prints what is wrong with single inputs, and for `audit` what is of note. For `iam`, the
    /// tally has the roles of the ServiceAccounts, too, and for restarts their plan.
    pub(super) fn audit(
        &self,
        configuration: &Configuration,
        interruption: &Interruption,
        purpose: AuditPurpose,
    ) -> anyhow::Result<(AuditReport, Tally)> {
        if !self.files.are_named() {
            return cluster::audit(self, interruption, purpose);
        }
        let quiet = match purpose {
            AuditPurpose::Findings { quiet } => quiet,
            AuditPurpose::Permissions | AuditPurpose::Restarts => true,
        };
        let (mut tally, mut findings) = (Tally::default(), Vec::new());
        let view = cluster_view::of_files(&self.cluster, &self.files, &mut tally)?;
        let run = FileRun {
            edit: None,
            configuration,
            interruption,
            quiet,
        };
        self.files.evaluate(view, run, &mut tally, |_, result, _| {
            findings.extend(result.findings);
        })?;
        let subject = tally.subject((self.files.evaluation.today())())?;
        Ok((AuditReport::new(subject, findings), tally))
    }
}
