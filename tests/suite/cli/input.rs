//! What the commands are given, and how they end.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::{SONNET, run, text};

const POLICIES: &str = "tests/fixtures/policies";

fn policy(name: &str) -> String {
    format!("{POLICIES}/{name}.yaml")
}

/// A folder with one file.
fn folder(name: &str, content: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

fn pod(id: &str, region: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: '{id}'}}, {{name: AWS_REGION, value: {region}}}]}}]}}\n"
    )
}

fn report(args: &[&str]) -> Value {
    let done = run(&[args, &["-o", "json"]].concat());
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

#[test]
fn the_exit_code_follows_fail_on() {
    let sonnet = pod(SONNET, "eu-west-1");
    let unresolved = pod(SONNET, "sa-east-1");
    let works = pod("anthropic.claude-sonnet-4-6", "eu-west-2");
    let no_region = pod(SONNET, "");
    let nothing = pod("none", "eu-west-1");
    for (content, expected) in [
        (&unresolved, [1, 1, 1, 0]),
        (&sonnet, [0, 1, 1, 0]),
        (&no_region, [0, 0, 1, 0]),
        (&works, [0, 0, 0, 0]),
        (&nothing, [0, 0, 0, 0]),
    ] {
        let (_folder, path) = folder("pod.yaml", content);
        for (fail_on, code) in ["error", "change", "warning", "never"].iter().zip(expected) {
            let done = run(&["audit", "-f", &path, "--fail-on", fail_on]);
            assert_eq!(done.status.code(), Some(code), "{fail_on}: {content}");
        }
    }
}

#[test]
fn a_preview_is_listed_as_a_note_and_not_counted_as_a_rewrite() {
    let (_folder, path) = folder(
        "pod.yaml",
        &pod("anthropic.claude-3-haiku-20240307-v1:0", "us-east-1"),
    );
    let args = [
        "audit",
        "-f",
        &path,
        "--policy",
        &policy("fallback"),
        "--policy",
        &policy("dryrun"),
    ];
    let printed = report(&args);
    assert_eq!(printed["summary"]["shadow"], 1, "{printed:#}");
    assert_eq!(printed["summary"]["rewrite"], 0, "{printed:#}");
    assert_eq!(
        printed["summary"]["leave"],
        serde_json::json!({"EndOfLife": 1})
    );
    assert_eq!(printed["summary"]["findings"], 2);
    let preview = &printed["findings"][1];
    assert_eq!(
        (&preview["shadow"], &preview["mode"]),
        (&true.into(), &"DryRun".into())
    );
    assert_eq!(preview["outcome"], "Rewrite");
    assert_eq!(preview["severity"], "note");
    // The exit code is that of the other finding.
    assert_eq!(printed["findings"][0]["severity"], "error");
    assert_eq!(run(&args).status.code(), Some(1));
}

#[test]
fn a_namespace_in_any_of_the_files_gives_its_labels_and_annotations() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let object = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: ml}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: '{SONNET}'}}]}}]}}\n"
    );
    fs::write(folder.path().join("a.yaml"), object).unwrap();
    let args = ["audit", "-f", path, "--policy", &policy("team-a")];
    assert_eq!(
        report(&args)["summary"]["findings"],
        0,
        "the policy selects by a label"
    );
    let namespace = |region: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: ml, labels: {{team: a}}, annotations: {{bedrock-profiles.dev/region: {region}}}}}\n"
        )
    };
    fs::write(folder.path().join("b.yaml"), namespace("eu-west-1")).unwrap();
    let printed = report(&args);
    assert_eq!(
        printed["findings"][0]["after"],
        format!("eu.{SONNET}"),
        "{printed:#}"
    );
    assert_eq!(
        printed["findings"][0]["regionSource"],
        "NamespaceAnnotation"
    );
    // Another overlay says otherwise: the label still holds, the region does not.
    fs::write(folder.path().join("c.yaml"), namespace("us-east-1")).unwrap();
    let done = run(&[&args[..], &["-o", "json"]].concat());
    let printed: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(printed["findings"][0]["reason"], "NoRegion", "{printed:#}");
    let errors = text(&done.stderr);
    assert!(
        errors.contains("ml: bedrock-profiles.dev/region"),
        "{errors}"
    );
}

#[test]
fn a_file_named_twice_is_read_once() {
    let (_folder, path) = folder("pod.yaml", &pod(SONNET, "eu-west-1"));
    let parent = path.trim_end_matches("/pod.yaml");
    let printed = report(&[
        "audit",
        "-f",
        &path,
        "-f",
        parent,
        "-f",
        &format!("{parent}/./pod.yaml"),
    ]);
    assert_eq!(printed["summary"]["objects"], 1);
}

#[test]
fn every_invalid_object_of_every_file_is_reported() {
    let (_folder, empty) = folder("empty.yaml", "# nothing\n");
    let done = run(&[
        "audit",
        "-f",
        "tests/fixtures/manifests",
        "--policy",
        &policy("invalid"),
        "--mapping",
        &empty,
        "--policy",
        "absent.yaml",
    ]);
    let printed = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2));
    assert!(done.stdout.is_empty());
    for part in [
        "InferenceProfilePolicy/one",
        "spec.region.default",
        "spec.geography.allowed[0]",
        "InferenceProfilePolicy/two",
        "empty.yaml contains no InferenceProfileMapping",
        "cannot read absent.yaml",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
}

#[test]
fn evaluation_without_a_mapping_is_refused() {
    let done = run(&["audit", "-f", "tests/fixtures/manifests", "--no-builtin"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("--mapping"),
        "{}",
        text(&done.stderr)
    );
}

#[test]
fn a_mapping_from_a_file_is_enough() {
    let mapping = "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfileMapping\nmetadata: {name: mine}\nspec:\n  models:\n  - modelId: anthropic.claude-test-1\n    profiles:\n    - id: eu.anthropic.claude-test-1\n      geography: eu\n      routes: [{sourceRegions: [eu-west-1], destinationRegions: [eu-west-1, eu-west-3]}]\n";
    let (_folder, path) = folder("mapping.yaml", mapping);
    let done = run(&[
        "resolve",
        "anthropic.claude-test-1",
        "--region",
        "eu-west-1",
        "--no-builtin",
        "--mapping",
        &path,
    ]);
    let printed = text(&done.stdout);
    assert!(
        printed.starts_with("eu.anthropic.claude-test-1\n"),
        "{printed}{}",
        text(&done.stderr)
    );
    assert!(printed.contains("mapping: mine"), "{printed}");
}

#[test]
fn names_reach_the_terminal_without_control_characters() {
    let content = pod(SONNET, "eu-west-1").replace("name: p", "name: \"a\\e[2Jb\\nc\"");
    let (_folder, path) = folder("pod.yaml", &content);
    // Forced, since colours (and all else that begins with an escape) are taken out of a pipe.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let done = command
        .args(["audit", "-f", &path, "-o", "wide", "--today", "2026-11-23"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let printed = text(&done.stdout);
    assert!(printed.contains("Pod/a\\u{1b}[2Jb\\nc"), "{printed:?}");
    assert!(
        printed.contains("\u{1b}[32m") && !printed.contains("\u{1b}[2J"),
        "{printed:?}"
    );
}

#[test]
fn colours_are_for_terminals() {
    let done = run(&["audit", "-f", "tests/fixtures/manifests"]);
    assert!(!text(&done.stdout).contains('\u{1b}'));
    assert!(!text(&done.stderr).contains('\u{1b}'));
}

#[test]
fn an_audit_without_files_looks_for_a_cluster_and_a_fix_without_files_is_no_command() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let folder = tempfile::tempdir().unwrap();
    let done = command
        .arg("audit")
        .env_remove("KUBECONFIG")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env("HOME", folder.path())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(2));
    let printed = text(&done.stderr);
    assert!(printed.contains("no cluster is configured"), "{printed}");
    let done = run(&["fix"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("<PATH>"),
        "{}",
        text(&done.stderr)
    );
    let done = run(&["audit", "-A", "-f", "."]);
    assert_eq!(done.status.code(), Some(2));
}
