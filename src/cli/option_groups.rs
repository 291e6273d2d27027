//! The groups of options in the help of all commands, in the order of their use: what to read, what to print, what to evaluate with, and
//! the cluster.

use clap::Command;

use super::cluster_args::HEADING as CLUSTER;

/// The heading of options that decide what is printed, and how the command ends.
const OUTPUT: &str = "Output";

/// The heading of options that decide what is evaluated with.
const EVALUATION: &str = "Policies and mappings";

/// Puts the options of a command into their groups.
pub(super) fn group(command: Command) -> Command {
    command.mut_args(|arg| {
        let heading = heading(arg.get_id().as_str());
        match heading.filter(|_| !arg.is_positional()) {
            Some(heading) => arg.help_heading(heading),
            None => arg,
        }
    })
}

/// The group of an option; `None` of those that are particular to a command.
fn heading(id: &str) -> Option<&'static str> {
    Some(match id {
        "color" | "output" | "outputs" | "show" | "group_by" | "summary" | "quiet" | "fail_on"
        | "diff" | "check" | "interactive" | "explain" => OUTPUT,
        "policies" | "mappings" | "no_builtin" | "today" => EVALUATION,
        "all_namespaces" => CLUSTER,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use crate::cli::Cli;

    #[test]
    fn the_options_of_audit_are_grouped_in_the_order_of_their_use() {
        let mut command = Cli::command();
        command.build();
        let audit = command.find_subcommand_mut("audit").unwrap();
        let help = audit.render_help().to_string();
        let heading = |line: &&str| line.ends_with(':') && !line.starts_with(' ');
        let headings: Vec<_> = help.lines().filter(heading).collect();
        let expected = [
            "Options:",
            "Output:",
            "Policies and mappings:",
            "Cluster:",
            "Examples:",
        ];
        assert_eq!(
            headings
                .iter()
                .filter(|one| expected.contains(one))
                .copied()
                .collect::<Vec<_>>(),
            expected,
            "{help}"
        );
    }
}
