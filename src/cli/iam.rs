//! `iam`: prints the permissions that workloads need for the inference profiles that they call.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde::Serialize;

use crate::domain::workload_role::WorkloadRoles;
use crate::iam::{
    Account, GrantDifference, IamPolicy, ModelAccess, PrincipalAccess, PrincipalName, RefusedUse,
    by_principal, cloudformation, least_policy, terraform,
};
use crate::report::printable::{printable, wrapped};

use super::console::{self, message};
use super::interruption::Interruption;
use super::subject_args::{AuditPurpose, SubjectArgs};
use super::yaml;

mod check;
mod policy_file;

/// The characters that a managed policy may have.
const LONGEST_MANAGED_POLICY: usize = 6_144;

/// Arguments of `iam`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    /// What to do instead.
    #[command(subcommand)]
    pub command: Option<IamCommand>,
    /// Output format.
    #[arg(short, long, value_enum, default_value = "text")]
    pub output: IamFormat,
    /// Only this ServiceAccount.
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub service_account: Option<String>,
    /// Account in the ARNs. Default: that of the ServiceAccount's role, or else any.
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub account: Option<String>,
    /// Compare with a policy that exists: print what it lacks and what is no longer needed; can be given several times.
    #[arg(long, value_name = "FILE")]
    pub against: Vec<PathBuf>,
    /// The files, or the cluster.
    #[command(flatten)]
    pub subject: SubjectArgs,
}

const EXAMPLES: &str = "\
Examples:
  bedrock-profiles iam deploy/                            who calls what, and the policies for that
  bedrock-profiles iam -A -o terraform                    all ServiceAccounts of a cluster
  bedrock-profiles iam deploy/ --service-account ml/chat -o policy
                                                          one policy, as `aws iam put-role-policy` takes it
  bedrock-profiles iam deploy/ --against role.json        what a policy lacks, and what it has too much
  bedrock-profiles iam check --scp scp.json               which profiles an organisation's policies deny

Exit codes: 0 done, 1 --against lacks a permission, 2 wrong usage or an unreadable input.";

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum IamCommand {
    /// Print the profiles that service control policies deny, region by region.
    Check(check::CheckArgs),
}

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum IamFormat {
    /// Who calls what, and the policies.
    Text,
    /// The same as one JSON object.
    Json,
    /// One policy document with the permissions of all that was selected.
    Policy,
    /// Data sources of Terraform.
    Terraform,
    /// A template of CloudFormation, as YAML.
    Cloudformation,
}

/// A principal, what it calls, and the policy for that.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PrincipalPolicy {
    principal: PrincipalName,
    /// The ARN of its role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    policy: IamPolicy,
    refused: BTreeSet<RefusedUse>,
    #[serde(skip)]
    accesses: BTreeSet<ModelAccess>,
}

fn account_id(text: &str) -> Result<String, String> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let error = || "an account ID has 12 digits".to_owned();
    is_account.then(|| text.to_owned()).ok_or_else(error)
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(IamCommand::Check(args)) = &args.command {
        return check::run(args);
    }
    let interruption = Interruption::listen()?;
    let configuration = args.subject.files.config.load(true)?;
    let purpose = AuditPurpose::Permissions;
    let (report, tally) = args.subject.audit(&configuration, &interruption, purpose)?;
    if interruption.received().is_some() {
        message!("incomplete: there are no policies, because workloads would lack permissions");
        return Ok(tally.exit_code(false));
    }
    let report = configuration.applied_to(report);
    let is_complete = !tally.has_failed() && report.unread.iter().all(|one| !one.is_error);
    if !is_complete {
        message!("warning: not everything was read, so workloads may need more permissions");
    }
    let mut principals = by_principal(&report.findings);
    if let Some(selected) = &args.service_account {
        principals.retain(|name, _| label(name) == *selected);
        if principals.is_empty() {
            bail!("no Pod of ServiceAccount {selected} has a model ID; expected NAMESPACE/NAME");
        }
    }
    let policies = policies(principals, &tally.roles, args);
    if !args.against.is_empty() {
        let is_missing = compare(&policies, is_complete, args)?;
        return Ok(tally.exit_code(is_missing));
    }
    print(&policies, args)?;
    Ok(tally.exit_code(false))
}

fn policies(
    principals: BTreeMap<PrincipalName, PrincipalAccess>,
    roles: &WorkloadRoles,
    args: &Args,
) -> Vec<PrincipalPolicy> {
    let principals = principals.into_iter();
    principals
        .map(|(principal, PrincipalAccess { accesses, refused })| {
            let role = match &principal {
                PrincipalName::ServiceAccount { namespace, name } => roles
                    .get(&(namespace.as_str().into(), name.as_str().into()))
                    .map(ToString::to_string),
                PrincipalName::Readers { .. } => None,
            };
            let account = account(args, role.as_deref());
            PrincipalPolicy {
                policy: least_policy(&accesses, account),
                principal,
                role,
                refused,
                accesses,
            }
        })
        .collect()
}

/// The account in the ARNs of a principal.
fn account<'a>(args: &'a Args, role: Option<&'a str>) -> Account<'a> {
    let of_role = role.and_then(|role| role.split(':').nth(4));
    let of_role = of_role.filter(|account| account_id(account).is_ok());
    match (args.output, args.account.as_deref().or(of_role)) {
        (_, Some(account)) => Account::Id(account),
        (IamFormat::Terraform, None) => Account::Terraform,
        (IamFormat::Cloudformation, None) => Account::CloudFormation,
        (IamFormat::Text | IamFormat::Json | IamFormat::Policy, None) => Account::Any,
    }
}

/// `NAMESPACE/NAME`, or the object or the file that the ID is in.
fn label(principal: &PrincipalName) -> String {
    match principal {
        PrincipalName::ServiceAccount { namespace, name } => format!("{namespace}/{name}"),
        PrincipalName::Readers { of } => of.clone(),
    }
}

fn print(policies: &[PrincipalPolicy], args: &Args) -> anyhow::Result<()> {
    let with_statements = || {
        let policies = policies.iter();
        policies.filter(|one| !one.policy.statement.is_empty())
    };
    let text = match args.output {
        IamFormat::Text => return console::print(&text(policies)?),
        IamFormat::Json => {
            serde_json::to_string_pretty(&serde_json::json!({
                "principals": policies,
            }))? + "\n"
        }
        IamFormat::Policy => {
            let accesses = policies.iter().flat_map(|one| one.accesses.iter().cloned());
            let mut roles = with_statements().map(|one| one.role.as_deref());
            let first = roles.next().flatten();
            let common = first.filter(|_| roles.all(|role| role == first));
            let policy = least_policy(&accesses.collect(), account(args, common));
            serde_json::to_string_pretty(&policy)? + "\n"
        }
        IamFormat::Terraform => terraform(
            &with_statements()
                .map(|one| (label(&one.principal), one.policy.clone()))
                .collect::<Vec<_>>(),
        ),
        IamFormat::Cloudformation => yaml::to_string(&cloudformation(
            &with_statements()
                .map(|one| {
                    let role = one.role.as_deref().and_then(|role| role.rsplit('/').next());
                    let role = role.map(str::to_owned);
                    (label(&one.principal), role, one.policy.clone())
                })
                .collect::<Vec<_>>(),
        ))?,
    };
    for one in policies.iter().flat_map(|one| &one.refused) {
        message!("warning: {}", refusal(one));
    }
    console::print_document(text.as_bytes())
}

fn refusal(one: &RefusedUse) -> String {
    printable(&format!("{}: {}: {}", one.object, one.id, one.problem)).into_owned()
}

fn text(policies: &[PrincipalPolicy]) -> serde_json::Result<String> {
    let mut text = String::new();
    for one in policies {
        let kind = match one.principal {
            PrincipalName::ServiceAccount { .. } => "ServiceAccount ",
            PrincipalName::Readers { .. } => "readers of ",
        };
        let name = label(&one.principal);
        let role = one.role.as_deref().map(|role| format!(", role {role}"));
        let head = format!("{kind}{name}{}", role.unwrap_or_default());
        let _ = writeln!(text, "{}", printable(&head));
        for refused in &one.refused {
            entry(&mut text, &format!("not listed: {}", refusal(refused)));
        }
        if !one.policy.statement.is_empty() {
            let policy = serde_json::to_string_pretty(&one.policy)?;
            let _ = writeln!(text, "{policy}");
        }
        let size = one.policy.size();
        if size > LONGEST_MANAGED_POLICY {
            let sentence = format!(
                "the policy has {size} characters, and a managed policy at most {LONGEST_MANAGED_POLICY}: split it, or write wildcards"
            );
            entry(&mut text, &sentence);
        }
    }
    Ok(text)
}

/// Prints how the policies of `--against` differ from what is needed, and whether a permission is missing.
fn compare(policies: &[PrincipalPolicy], is_complete: bool, args: &Args) -> anyhow::Result<bool> {
    let existing: Vec<_> = args
        .against
        .iter()
        .map(|path| policy_file::read(path))
        .collect::<Result<_, _>>()?;
    let accounts = policies.iter().filter(|one| one.role.is_some());
    let mut accounts = accounts.map(|one| account(args, one.role.as_deref()));
    let account = accounts.next().unwrap_or_else(|| account(args, None));
    if accounts.any(|other| other != account) {
        bail!("the roles are of several accounts: select one with --service-account");
    }
    if !account.is_exact() {
        bail!("the account in the ARNs is unknown: add --account ID");
    }
    let accesses = policies.iter().flat_map(|one| one.accesses.iter().cloned());
    let difference = GrantDifference::of(&existing, &accesses.collect(), account);
    let mut text = String::new();
    let mut resources: BTreeMap<&[String], Vec<&str>> = BTreeMap::new();
    for (resource, actions) in &difference.missing {
        resources.entry(actions).or_default().push(resource);
    }
    for (actions, resources) in resources {
        let heading = format!("missing: {}", actions.join(", "));
        resources_under(&mut text, &heading, &resources);
    }
    // What was not read may call it.
    let unused = difference.unused.iter().filter(|_| is_complete);
    let mut by_statement: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for (sid, resource) in unused {
        let of_statement = by_statement.entry(sid.as_deref()).or_default();
        of_statement.push(resource);
    }
    for (sid, resources) in by_statement {
        let statement = sid.map(|sid| format!(", of statement {sid}"));
        let heading = format!("not needed{}", statement.unwrap_or_default());
        resources_under(&mut text, &heading, &resources);
    }
    let refused: Vec<_> = policies.iter().flat_map(|one| &one.refused).collect();
    if !refused.is_empty() {
        text += "not listed\n";
    }
    for one in refused {
        entry(&mut text, &refusal(one));
    }
    console::print(&text).context("cannot print the difference")?;
    Ok(!difference.missing.is_empty())
}

/// The indentation of the lines of a section.
const INDENTATION: usize = 2;

/// Writes a heading and the resources below it, each in one line: an ARN is to be copied.
fn resources_under(text: &mut String, heading: &str, resources: &[&str]) {
    if !resources.is_empty() {
        let _ = writeln!(text, "{heading}");
    }
    for resource in resources {
        let _ = writeln!(text, "{:INDENTATION$}{resource}", "");
    }
}

/// Writes an indented line, in lines that the terminal has room for.
fn entry(text: &mut String, line: &str) {
    let first = console::width().saturating_sub(INDENTATION);
    let rest = first.saturating_sub(INDENTATION);
    for (index, line) in wrapped(line, first, rest).iter().enumerate() {
        let indentation = INDENTATION * if index == 0 { 1 } else { 2 };
        let _ = writeln!(text, "{:indentation$}{line}", "");
    }
}
