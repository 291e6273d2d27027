//! `check`: whether a cluster can have a release, whether an installed release works, and whether one webhook responds.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use jiff::civil::Date;

use crate::health::text;

use super::cluster_args::{ClusterArgs, block_on};
use super::duration;
use super::evaluation_args::current_date;
use super::report_format::ReportFormat;
use super::tally::Tally;

mod before;
mod installed;
mod reader;
mod webhook_url;

pub use webhook_url::{CheckError, WebhookUrl, WebhookUrlError};

use webhook_url::ReviewedWebhook;

/// The namespace of a release to be, and its name.
const DEFAULT_RELEASE: &str = "bedrock-profiles";

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Check whether a release can be installed, instead of an installed one.
    #[arg(long)]
    pub pre: bool,
    /// Namespace of the release. Default: that of the only release; with --pre, `bedrock-profiles`.
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Name of the release to be installed.
    #[arg(long, value_name = "NAME", requires = "pre", default_value = DEFAULT_RELEASE)]
    pub release: String,
    /// Namespace in which a dry run of a Pod shows whether the webhook responds.
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "pre", default_value = crate::health::SAMPLE_NAMESPACE)]
    pub sample_namespace: String,
    /// Send no dry run to the API server.
    #[arg(long)]
    pub no_dry_run: bool,
    /// URL of a webhook: send one review to it, and read no cluster. A URL without a path means /mutate.
    #[arg(long, value_name = "URL", value_parser = WebhookUrl::parse, requires = "ca_file",
        conflicts_with_all = ["pre", "namespace", "sample_namespace", "no_dry_run", "output", "today", "cluster", "context", "kubeconfig"])]
    pub url: Option<WebhookUrl>,
    /// CA certificates to trust with --url, as PEM; no others are trusted.
    #[arg(long, value_name = "FILE", requires = "url")]
    pub ca_file: Option<PathBuf>,
    /// The webhook of --url requires client certificates: expect it to refuse this caller, which has none, with status 401.
    #[arg(long, requires = "url")]
    pub client_auth: bool,
    /// How long to retry with --url, such as 30s or 2m.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration::parse, requires = "url")]
    pub timeout: Duration,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: ReportFormat,
    /// Date to compare the date of the catalog with. Default: the current date in UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub today: Option<Date>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles check --pre -n bedrock-profiles   can this cluster have a release?
  bedrock-profiles check                             does the installed release work?
  bedrock-profiles check -o json                     the same for programs
  bedrock-profiles check --url https://localhost:8443 --ca-file target/ca.crt
                                                     does one webhook respond? Needs no cluster

A dry run creates a Pod and stores nothing. It needs the permission to create Pods. What you may not read is unknown.

Exit codes: 0 no check is failed, 1 a check is failed, 2 wrong usage, or the cluster cannot be read.
With --url: 0 the webhook responds, 2 it does not, or its certificate is not trusted.";

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some((url, ca_file)) = args.url.as_ref().zip(args.ca_file.as_deref()) {
        let webhook = ReviewedWebhook {
            url,
            ca_file,
            client_auth: args.client_auth,
        };
        return webhook_url::run(&webhook, args.timeout);
    }
    let today = args.today.unwrap_or_else(current_date);
    let report = block_on(async {
        let connection = args.cluster.connect().await?;
        if args.pre {
            before::report(args, &connection, today).await
        } else {
            installed::report(args, &connection, today).await
        }
    })?;
    args.output.print(&report, |width| text(&report, width))?;
    let mut tally = Tally::default();
    if report.is_unread() {
        tally.error(&"the release cannot be read, so that it was not checked");
    }
    Ok(tally.exit_code(report.has_failed()))
}
