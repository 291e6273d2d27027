//! `resolve` with an environment and with standard input, which transcripts do not have.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use super::{SONNET, text};

/// Runs `resolve` with these variables and this standard input.
fn resolve(args: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command
        .arg("resolve")
        .args(args)
        .args(["--today", "2026-11-23"]);
    command
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION");
    command.envs(variables.iter().copied());
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn the_region_of_the_environment_is_used_and_reported() {
    let (first, second) = (
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    );
    for (variables, prefix, name) in [
        (&[first, second][..], "eu", "AWS_REGION"),
        (&[second], "us", "AWS_DEFAULT_REGION"),
        (&[("AWS_REGION", ""), second], "us", "AWS_DEFAULT_REGION"),
    ] {
        let done = resolve(&[SONNET, "-o", "id"], variables, "");
        assert_eq!(text(&done.stdout), format!("{prefix}.{SONNET}\n"));
        assert!(
            text(&done.stderr).contains(&format!("region of {name};")),
            "{}",
            text(&done.stderr)
        );
    }
    let done = resolve(&[SONNET, "-o", "id", "--region", "us-east-1"], &[first], "");
    assert_eq!(
        (text(&done.stdout), text(&done.stderr)),
        (&*format!("us.{SONNET}\n"), "")
    );
    let done = resolve(&[SONNET], &[], "");
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("no region: set --region"));
}

#[test]
fn ids_are_read_line_by_line() {
    let input = format!("{SONNET}\n\n  anthropic.claude-sonnet-4-6\r\n");
    let done = resolve(&["-", "--region", "eu-west-1", "-o", "id"], &[], &input);
    let expected = format!("eu.{SONNET}\neu.anthropic.claude-sonnet-4-6\n");
    assert_eq!(text(&done.stdout), expected);
    let done = resolve(&["-", "--region", "eu-west-1", "-o", "json"], &[], SONNET);
    let answers: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(answers[0]["target"], format!("eu.{SONNET}"));
    let done = resolve(&["-", "--region", "eu-west-1"], &[], "\n");
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn an_id_that_is_none_fails_and_the_others_are_answered() {
    let done = resolve(
        &["nonsense", SONNET, "--region", "eu-west-1", "-o", "id"],
        &[],
        "",
    );
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(text(&done.stdout), format!("eu.{SONNET}\n"));
}
