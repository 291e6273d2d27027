//! The flags of `serve` that have no effect with `--standalone`, or none without it. They are usage errors.

use clap::ArgMatches;
use clap::error::ErrorKind;
use clap::parser::ValueSource;

/// The argument that selects the server without a cluster.
const STANDALONE: &str = "standalone";

/// The arguments that require `--standalone`, and what replaces them in a cluster.
const STANDALONE_ONLY: &[(&str, &str)] = &[
    (
        "dns_names",
        "in a cluster, the certificate is for the names of the Service",
    ),
    (
        "ip_addresses",
        "in a cluster, the certificate is for the names of the Service",
    ),
    (
        "ca_file",
        "in a cluster, the CA is in the webhook configurations",
    ),
    (
        "policies",
        "in a cluster, apply the file as a custom resource",
    ),
    (
        "mappings",
        "in a cluster, apply the file as a custom resource",
    ),
    (
        "no_builtin",
        "in a cluster, the chart value catalog.apply installs the catalog",
    ),
];

/// The arguments that conflict with `--standalone`, and why they have no effect there.
const CLUSTER_ONLY: &[(&str, &str)] = &[
    ("name", "which belongs to no Helm release"),
    ("namespace", "which belongs to no Helm release"),
    ("context", "which connects to no cluster"),
    ("identity", "which takes part in no leader election"),
    ("region_from_nodes", "which reads no nodes"),
    ("ca_bundle_file", "which writes no webhook configuration"),
    ("audit", "which audits nothing"),
    ("audit_every", "which audits nothing"),
    ("audit_settle", "which audits nothing"),
    ("audit_pace", "which audits nothing"),
    ("audit_config_maps", "which audits nothing"),
    ("reports", "which audits nothing"),
    ("events_on_owners", "which audits nothing"),
];

/// Checks the flags on the command line of `serve`, the given subcommand. Environment variables are no flags: a Pod has them anyway.
pub fn check(serve: &mut clap::Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let given = |table: &'static [(&str, &str)]| table.iter().find(|(id, _)| is_given(id));
    let message = if is_given(STANDALONE) {
        given(CLUSTER_ONLY)
            .map(|(id, why)| format!("{} conflicts with --standalone, {why}", flag(serve, id)))
    } else {
        given(STANDALONE_ONLY)
            .map(|(id, instead)| format!("{} requires --standalone; {instead}", flag(serve, id)))
    };
    message.map_or(Ok(()), |message| {
        Err(serve.error(ErrorKind::ArgumentConflict, message))
    })
}

/// The flag of an argument.
fn flag(serve: &clap::Command, id: &str) -> String {
    let argument = serve
        .get_arguments()
        .find(|argument| argument.get_id() == id);
    let long = argument.and_then(clap::Arg::get_long).unwrap_or(id);
    format!("--{long}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Args as _, CommandFactory as _};

    use super::*;
    use crate::cli::Cli;

    /// The arguments that have an effect with `--standalone` and without it.
    const BOTH: &[&str] = &[
        "standalone",
        "listen",
        "admin_listen",
        "tls_cert_file",
        "tls_key_file",
        "client_ca_file",
        "client_common_names",
        "excluded",
        "region_injected",
        "log_format",
        "log",
        "today",
    ];

    fn error(flags: &[&str]) -> Option<String> {
        let mut command = Cli::command();
        let line = ["bedrock-profiles", "serve"].iter().chain(flags);
        let matches = command.try_get_matches_from_mut(line).unwrap();
        let (_, matches) = matches.subcommand().unwrap();
        let serve = command.find_subcommand_mut("serve").unwrap();
        check(serve, matches).err().map(|error| error.to_string())
    }

    #[test]
    fn every_flag_is_in_exactly_one_table() {
        let command = crate::cli::serve::Args::augment_args(clap::Command::new("serve"));
        let flags: BTreeSet<_> = command
            .get_arguments()
            .map(|argument| argument.get_id().as_str().to_owned())
            .collect();
        let tables = STANDALONE_ONLY.iter().chain(CLUSTER_ONLY);
        let listed: Vec<_> = tables
            .map(|(id, _)| *id)
            .chain(BOTH.iter().copied())
            .collect();
        let unique: BTreeSet<_> = listed.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!((listed.len(), unique), (flags.len(), flags));
    }

    #[test]
    fn a_flag_without_effect_is_an_error_that_names_it() {
        let error = |flags: &[&str]| error(flags).unwrap_or_default();
        assert!(
            error(&["--dns-name", "x"]).contains("--dns-name requires --standalone; in a cluster")
        );
        assert!(
            error(&["--standalone", "--audit=false"])
                .contains("--audit conflicts with --standalone, which audits nothing")
        );
    }

    #[test]
    fn the_flags_of_the_chosen_server_are_accepted() {
        assert_eq!(error(&["--standalone", "--ca-file", "ca.crt"]), None);
        assert_eq!(error(&["--namespace", "ai", "--audit-every", "2h"]), None);
    }
}
