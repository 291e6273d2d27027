//! What a command is about: the files or the cluster that it evaluates.

use std::sync::Arc;

use crate::domain::view::View;
use crate::report::AuditReport;
use crate::scan::ScanResult;

use super::cluster_args::{ClusterArgs, block_on};
use super::cluster_view;
use super::config::Configuration;
use super::evaluation_args::EvaluationArgsError;
use super::file_args::{FileArgs, FileRun};
use super::interruption::Interruption;
use super::planned_change_args::PlannedChangeArgs;
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

/// What a change does: the audits of the same files or objects without and with it.
pub(super) struct Comparison {
    /// The audit with what applies now.
    pub(super) now: AuditReport,
    /// The audit with what would apply.
    pub(super) planned: AuditReport,
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
            held: None,
        };
        self.files.evaluate(view, run, &mut tally, |_, result, _| {
            findings.extend(result.findings);
        })?;
        let subject = tally.subject((self.files.evaluation.today())())?;
        Ok((AuditReport::new(subject, findings), tally))
    }

    /// Evaluates the files or the cluster twice: with what applies now, and after a change. Prints what is wrong with single inputs.
    pub(super) fn compare(
        &self,
        change: &PlannedChangeArgs,
        configuration: &Configuration,
        interruption: &Interruption,
    ) -> anyhow::Result<(Comparison, Tally)> {
        if !self.files.are_named() {
            return cluster::compare(self, change, interruption);
        }
        let mut tally = Tally::default();
        let run = FileRun {
            edit: None,
            configuration,
            interruption,
            quiet: true,
            held: None,
        };
        let views = self.views(change, configuration, &mut tally)?;
        let held = self.files.hold(run, &mut tally)?;
        let run = FileRun {
            held: Some(&held),
            ..run
        };
        let today = (self.files.evaluation.today())();
        let [now, planned] = views;
        let mut findings = Vec::new();
        let add = |findings: &mut Vec<_>, found: ScanResult| findings.extend(found.findings);
        self.files
            .evaluate(Some(now), run, &mut tally, |_, found, _| {
                add(&mut findings, found);
            })?;
        let now = AuditReport::new(tally.subject(today)?, findings);
        // What is wrong with the files has been printed.
        let mut again = Tally::silent();
        let mut findings = Vec::new();
        self.files
            .evaluate(Some(planned), run, &mut again, |_, found, _| {
                add(&mut findings, found);
            })?;
        if again.has_failed() && !tally.has_failed() {
            tally.error(&"a file has changed while it was read: run the command again");
        }
        tally.stop(interruption.received());
        let planned = AuditReport::new(again.subject(today)?, findings);
        Ok((Comparison { now, planned }, tally))
    }

    /// The views for files without and with a change: of the flags, or of the cluster that the flags select.
    fn views(
        &self,
        change: &PlannedChangeArgs,
        configuration: &Configuration,
        tally: &mut Tally,
    ) -> anyhow::Result<[View; 2]> {
        let evaluation = self.files.evaluation.or_of(configuration);
        if !self.cluster.is_selected() {
            // As in a cluster, where policies of a change join the default policy.
            let inputs =
                || Ok::<_, EvaluationArgsError>(evaluation.inputs()?.with_default_policy());
            return change.views(inputs()?, inputs()?);
        }
        block_on(async {
            let pager = self.cluster.connect().await?.pager;
            let mut views =
                cluster_view::views_of_change(change, &evaluation, &pager, tally).await?;
            let namespace = self.files.namespace.as_deref();
            let namespaces = cluster_view::namespaces(&pager, namespace).await?;
            for view in &mut views {
                view.namespaces = Arc::clone(&namespaces);
            }
            Ok(views)
        })
    }
}
