//! The command line: its documentation is run, and what it does to files is compared byte by byte.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

mod admission_policies;
mod api_server;
mod baseline;
mod check;
mod cluster;
mod config;
mod end_of_life;
mod exemptions;
mod files;
mod habits;
mod help;
mod input;
mod interactive;
mod large_files;
mod outputs;
mod policies;
mod preview;
mod rendered;
mod report_page;
mod report_schema;
mod resolve;
mod signals;
mod unreachable;
mod version;
mod why;

const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

fn run(args: &[&str]) -> Output {
    run_in(Path::new("."), args)
}

/// Runs the command in a folder.
fn run_in(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command
        .current_dir(folder)
        .args(args)
        .args(["--today", "2026-11-23"])
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A folder with a copy of the fixtures.
fn copies() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir("tests/fixtures/manifests").unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn the_documentation_of_the_command_line_is_true() {
    trycmd::TestCases::new()
        .case("docs/catalog-check.md")
        .case("docs/cli.md")
        .case("docs/custom-resources.md")
        .case("docs/iam.md")
        .case("docs/preview.md")
        .case("docs/report.md")
        .case("docs/residency.md")
        .case("docs/why.md")
        .insert_var("[VERSION]", env!("CARGO_PKG_VERSION"))
        .unwrap()
        .run();
}

#[test]
fn the_commands_answer_as_the_transcripts_say() {
    trycmd::TestCases::new()
        .case("tests/cmd/*.md")
        .insert_var("[VERSION]", env!("CARGO_PKG_VERSION"))
        .unwrap()
        .run();
}

#[test]
fn fix_changes_the_ids_and_no_other_byte() {
    let folder = copies();
    let path = folder.path().to_str().unwrap();
    let done = run(&["fix", "-f", path]);
    assert_eq!(
        done.status.code(),
        Some(1),
        "two IDs that cannot work stay: {}",
        text(&done.stderr)
    );
    for (name, ids) in [
        (
            "chat.yaml",
            &[
                ("'", SONNET, "us."),
                (
                    "bedrock/",
                    "anthropic.claude-haiku-4-5-20251001-v1:0",
                    "us.",
                ),
                ("--model ", "anthropic.claude-sonnet-4-6", "eu."),
            ][..],
        ),
        (
            "windows.json",
            &[("\"", "anthropic.claude-sonnet-4-6", "eu.")],
        ),
        ("models.yaml", &[]),
    ] {
        let mut expected = read(Path::new("tests/fixtures/manifests"), name);
        for (before, id, prefix) in ids {
            expected = expected.replacen(
                &format!("{before}{id}"),
                &format!("{before}{prefix}{id}"),
                1,
            );
        }
        assert_eq!(read(folder.path(), name), expected, "{name}");
    }
    let again = run(&["audit", "-f", path, "-o", "json"]);
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(
        report["summary"]["rewrite"], 0,
        "a second run finds nothing to rewrite"
    );
    assert_eq!(report["summary"]["severities"]["error"], 2);
    assert_eq!(again.status.code(), Some(1));
}

#[test]
fn the_diff_of_fix_is_one_that_git_applies() {
    let folder = copies();
    let git = |args: &[&str]| {
        Command::new("git")
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap()
    };
    assert!(git(&["init", "--quiet"]).status.success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let diff = command
        .current_dir(folder.path())
        .args(["fix", "-f", ".", "--diff", "--today", "2026-11-23"])
        .output()
        .unwrap();
    fs::write(folder.path().join("changes.patch"), &diff.stdout).unwrap();
    let applied = git(&["apply", "changes.patch"]);
    assert!(
        applied.status.success(),
        "{}\n{}",
        text(&applied.stderr),
        text(&diff.stdout)
    );
    assert!(read(folder.path(), "windows.json").contains("\"eu.anthropic.claude-sonnet-4-6\""));
    assert!(read(folder.path(), "chat.yaml").contains(&format!("'us.{SONNET}'")));
}

#[test]
fn the_report_has_every_field_of_the_schema() {
    let done = run(&[
        "audit",
        "-f",
        "tests/fixtures/manifests/chat.yaml",
        "-o",
        "json",
    ]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(
        (&report["apiVersion"], &report["kind"]),
        (
            &"bedrock-profiles.dev/v1alpha1".into(),
            &"AuditReport".into()
        )
    );
    let finding = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["modelId"] == SONNET)
        .unwrap();
    let expected = serde_json::json!({
        "severity": "change", "help": "docs/reasons/change.md", "object": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "ml", "name": "chat"},
        "seenIn": null, "serviceAccount": "default", "instances": 0,
        "source": {"file": "tests/fixtures/manifests/chat.yaml", "line": 15, "column": 44, "endColumn": 85, "document": 0},
        "pointer": "/spec/template/spec/containers/0/env/0/value", "reference": null, "innerPointer": null, "span": [0, 41],
        "modelId": SONNET, "outcome": "Rewrite", "reason": null, "message": null, "suggestion": null, "profile": format!("us.{SONNET}"),
        "before": SONNET, "after": format!("us.{SONNET}"),
        "region": "us-west-2", "regionSource": "ContainerEnv", "destinations": ["us-east-1", "us-east-2", "us-west-2"], "crosses": [],
        "mode": "Rewrite", "shadow": false, "note": null, "missed": null, "policy": "default",
        "mapping": "builtin", "catalogDate": "2026-11-30",
        "lifecycle": {"state": "Legacy", "endOfLifeDate": "2027-04-08", "successor": "anthropic.claude-sonnet-4-6"},
    });
    assert_eq!(*finding, expected);
}

#[test]
fn a_secret_beside_an_id_is_in_no_output() {
    for output in ["text", "wide", "json", "jsonl", "yaml"] {
        let done = run(&["audit", "-f", "tests/fixtures/manifests", "-o", output]);
        assert!(!text(&done.stdout).contains("s3cr3t"), "{output}");
        assert!(!text(&done.stderr).contains("s3cr3t"), "{output}");
    }
}

#[test]
fn a_broken_document_is_reported_by_line_and_the_rest_is_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mixed.yaml");
    let pod = |id: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: {id}}}, {{name: AWS_REGION, value: eu-west-1}}]}}]}}\n"
        )
    };
    fs::write(
        &path,
        format!(
            "{}---\na: [\n---\n{}---\nkind: Other\n",
            pod(SONNET),
            pod("anthropic.claude-sonnet-4-6")
        ),
    )
    .unwrap();
    let done = run(&["audit", "-f", path.to_str().unwrap(), "-o", "json"]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["summary"]["rewrite"], 2, "{}", text(&done.stderr));
    assert_eq!(done.status.code(), Some(1));
    assert!(
        text(&done.stderr).contains("mixed.yaml:") && text(&done.stderr).contains("line by line"),
        "{}",
        text(&done.stderr)
    );
}

#[test]
fn an_invalid_policy_is_an_input_error_with_every_problem() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    let policy = "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: {name: p}\nspec: {region: {default: asia-1}, geography: {allowed: [global]}}\n";
    fs::write(&path, policy).unwrap();
    let done = run(&[
        "resolve",
        SONNET,
        "--region",
        "eu-west-1",
        "--policy",
        path.to_str().unwrap(),
    ]);
    assert_eq!(done.status.code(), Some(2));
    let printed = text(&done.stderr);
    assert!(
        printed.contains("spec.region.default")
            && printed.contains("spec.geography.allowed[0]")
            && printed.contains("geography.global"),
        "{printed}"
    );
}
