//! The candidates for a word of a command line.

use clap::builder::PossibleValue;
use clap::{Arg, Command, ValueHint};

use crate::catalog;

/// The candidates for a word.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    /// Candidates with their descriptions.
    pub candidates: Vec<(String, String)>,
    /// Whether names of files are candidates too.
    pub files: bool,
}

impl Candidates {
    /// The directive of the protocol: 0 completes names of files, 4 does not.
    pub(super) const fn directive(&self) -> u8 {
        if self.files { 0 } else { 4 }
    }

    fn add(&mut self, candidate: String, description: Option<&clap::builder::StyledStr>) {
        let description = description.map(ToString::to_string).unwrap_or_default();
        let first = description.lines().next().unwrap_or_default();
        self.candidates.push((candidate, first.to_owned()));
    }
}

/// The candidates for the last of `words`, which follow the name of `root`.
pub(super) fn complete(root: &Command, words: &[String]) -> Candidates {
    let (current, before) = match words.split_last() {
        Some((current, before)) => (current.as_str(), before),
        None => ("", &[][..]),
    };
    let (mut command, mut positionals, mut awaiting) = (root, 0, None);
    for word in before {
        if awaiting.take().is_some() {
            continue;
        }
        if word.starts_with('-') && word.len() > 1 {
            awaiting = option(command, word).filter(|arg| takes_value(arg));
        } else if let Some(subcommand) = command.find_subcommand(word) {
            (command, positionals) = (subcommand, 0);
        } else {
            positionals += 1;
        }
    }
    let mut found = Candidates::default();
    if let Some(option) = awaiting {
        add_values(&mut found, option, "");
    } else if let Some((name, _)) = current
        .split_once('=')
        .filter(|_| current.starts_with("--"))
    {
        let option = command.get_arguments().find(|arg| is_named(arg, name));
        if let Some(option) = option {
            add_values(&mut found, option, &format!("{name}="));
        }
    } else if current.starts_with('-') {
        add_options(&mut found, command);
    } else {
        add_subcommands(&mut found, command);
        let mut args = command.get_positionals();
        let last = command.get_positionals().last();
        let arg = args.nth(positionals);
        let repeated = last.filter(|arg| arg.get_action().takes_values() && is_repeated(arg));
        if let Some(arg) = arg.or(repeated) {
            add_values(&mut found, arg, "");
        }
    }
    found
        .candidates
        .retain(|(candidate, _)| candidate.starts_with(current));
    found
}

/// The option that a word names, unless the word contains its value too.
fn option<'c>(command: &'c Command, word: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| is_named(arg, word))
}

fn is_named(arg: &Arg, word: &str) -> bool {
    let long = arg
        .get_long()
        .is_some_and(|long| word.strip_prefix("--") == Some(long));
    let short = arg.get_short().is_some_and(|short| {
        let mut letters = word.strip_prefix('-').unwrap_or_default().chars();
        letters.next() == Some(short) && letters.next().is_none()
    });
    long || short
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn is_repeated(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|count| count.max_values() > 1)
}

fn add_options(found: &mut Candidates, command: &Command) {
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        if let Some(long) = arg.get_long() {
            found.add(format!("--{long}"), arg.get_help());
        }
    }
}

fn add_subcommands(found: &mut Candidates, command: &Command) {
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        found.add(subcommand.get_name().to_owned(), subcommand.get_about());
    }
}

/// The values of an argument: those that it names, the IDs of the catalog, or files.
fn add_values(found: &mut Candidates, arg: &Arg, before: &str) {
    let possible = arg.get_possible_values();
    for value in possible
        .iter()
        .filter(|value| !PossibleValue::is_hide_set(value))
    {
        found.add(format!("{before}{}", value.get_name()), value.get_help());
    }
    if arg.get_id() == "ids" {
        let models = catalog::builtin().map(|mapping| mapping.spec.models);
        for model in models.unwrap_or_default() {
            found.add(format!("{before}{}", model.model_id), None);
        }
    }
    found.files |= matches!(
        arg.get_value_hint(),
        ValueHint::AnyPath | ValueHint::FilePath | ValueHint::DirPath
    );
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn of(line: &str) -> (Vec<String>, bool) {
        let mut command = Cli::command();
        command.build();
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let found = complete(&command, &words);
        let names = found.candidates.into_iter().map(|(name, _)| name);
        (names.collect(), found.files)
    }

    #[test]
    fn commands_options_and_values_are_candidates() {
        assert_eq!(of("aud"), (vec!["audit".to_owned()], false));
        assert_eq!(of("audit --fail").0, ["--fail-on"]);
        assert_eq!(of("audit --fail-on ch").0, ["change"]);
        assert_eq!(of("audit --fail-on=ch").0, ["--fail-on=change"]);
        assert_eq!(of("audit --fail-on change --fail-o").0, ["--fail-on"]);
        assert_eq!(of("export cr").0, ["crds"]);
        assert_eq!(of("completion f").0, ["fish"]);
        assert!(of("").0.contains(&"resolve".to_owned()));
        assert!(!of("").0.contains(&"__complete".to_owned()));
    }

    #[test]
    fn files_are_candidates_where_a_file_is_expected() {
        for line in [
            "audit ",
            "audit a.yaml ",
            "fix --policy ",
            "audit -f ",
            "check --ca-file ",
        ] {
            assert!(of(line).1, "{line}");
        }
        for line in [
            "",
            "audit --fail-on ",
            "audit --context ",
            "resolve ",
            "completion ",
        ] {
            assert!(!of(line).1, "{line}");
        }
    }

    #[test]
    fn the_ids_of_the_catalog_are_candidates_of_resolve() {
        let id = "anthropic.claude-sonnet-4-6";
        assert_eq!(of(&format!("resolve {id}")).0, [id]);
        assert!(of(&format!("resolve {id} amazon.")).0.len() > 5);
    }
}
