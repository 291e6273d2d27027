//! The help: every command has examples, every example is a valid command line, and completion knows every command.

use std::process::Command;

use bedrock_profiles::cli::Cli;
use clap::CommandFactory as _;

use super::text;

/// The help of a command that users see.
fn helps() -> Vec<(String, String)> {
    let mut command = Cli::command();
    command.build();
    let mut helps = Vec::new();
    add_helps(&mut command, &mut helps);
    helps.push((String::new(), command.render_long_help().to_string()));
    helps
}

/// Adds the helps of the subcommands, and of theirs.
fn add_helps(command: &mut clap::Command, helps: &mut Vec<(String, String)>) {
    let visible = command
        .get_subcommands_mut()
        .filter(|one| !one.is_hide_set() && one.get_name() != "help");
    for one in visible {
        helps.push((
            one.get_name().to_owned(),
            one.render_long_help().to_string(),
        ));
        add_helps(one, helps);
    }
}

/// The words of the command in an example, without what the shell does around it.
fn words(example: &str) -> Option<Vec<String>> {
    let start = example.find("bedrock-profiles ")?;
    let command = &example[start..];
    let ends = ["  ", " | ", " <", " >", ")"];
    let end = ends.iter().filter_map(|end| command.find(end)).min();
    let command = &command[..end.unwrap_or(command.len())];
    let words = command.split_whitespace();
    Some(
        words
            .map(|word| word.trim_matches('"').to_owned())
            .collect(),
    )
}

#[test]
fn every_command_has_examples_that_are_valid() {
    let helps = helps();
    assert!(helps.len() > 14, "{helps:?}");
    for (name, help) in helps {
        let (_, examples) = help
            .split_once("Examples:\n")
            .unwrap_or_else(|| panic!("{name}: {help}"));
        let examples = examples.lines().take_while(|line| !line.is_empty());
        let mut tried = 0;
        for words in examples.filter_map(words) {
            let parsed = Cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
            tried += 1;
        }
        assert!(tried > 0, "{name}: {help}");
    }
}

#[test]
fn the_long_help_names_exit_codes_and_environment() {
    let (_, help) = helps().pop().unwrap();
    for part in [
        "Exit codes:",
        "KUBECONFIG",
        "AWS_REGION",
        "NO_COLOR",
        "FORCE_COLOR",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

/// What the shells call.
fn completed(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let done = command
        .args(["__complete", "--"])
        .args(words)
        .output()
        .unwrap();
    text(&done.stdout).to_owned()
}

#[test]
fn candidates_are_printed_in_the_protocol_of_kubectl_plugins() {
    assert_eq!(
        completed(&["audit", "--fail-on", "ne"]),
        "never\tNo finding\n:4\n"
    );
    assert!(completed(&["audit", ""]).ends_with(":0\n"));
    assert!(completed(&[""]).contains("resolve\t"));
}

#[test]
fn bash_completes_commands_options_and_values() {
    let script = r#"
        source <("$BEDROCK_PROFILES" completion bash)
        complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bedrock_profiles; echo "${COMPREPLY[*]}"; }
        complete_line "$BEDROCK_PROFILES" aud
        complete_line "$BEDROCK_PROFILES" audit --fail-on ne
        complete_line "$BEDROCK_PROFILES" audit --fail-on = ne
        complete_line "$BEDROCK_PROFILES" resolve amazon.nova-pro-v1 : ""
        complete_line "$BEDROCK_PROFILES" audit Cargo.tom
    "#;
    let mut command = Command::new("bash");
    let binary = env!("CARGO_BIN_EXE_bedrock-profiles");
    let done = command
        .args(["-c", script])
        .env("BEDROCK_PROFILES", binary)
        .output()
        .unwrap();
    assert_eq!(
        text(&done.stdout),
        "audit\nnever\nnever\n0\nCargo.toml\n",
        "{}",
        text(&done.stderr)
    );
}
