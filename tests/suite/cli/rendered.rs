//! Manifests that another program has rendered: by Helm, into standard input, and by kustomize, for `-k`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::habits::run_with;
use super::{SONNET, text};

const RENDERED: &str = "tests/fixtures/rendered/web.yaml";

/// Runs a command that finds only these programs, each a script that prints its arguments to standard error.
fn run_beside(programs: &[(&str, &str)], args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in programs {
        let path = folder.path().join(name);
        let script = format!("#!/bin/sh\necho \"args: $*\" >&2\n{script}\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(args)
        .args(["--today", "2026-11-23"])
        .env("PATH", folder.path())
        .output()
        .unwrap()
}

/// A script that prints a manifest.
fn printing() -> String {
    format!(
        "echo 'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{AWS_REGION: eu-west-1, MODEL: {SONNET}}}'"
    )
}

#[test]
fn a_finding_in_standard_input_names_the_template_that_helm_rendered() {
    let input = fs::read_to_string(RENDERED).unwrap();
    let done = run_with(&["audit", "-", "-o", "json"], &input);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let source = &report["findings"][1]["source"];
    assert_eq!(source["template"], "web/charts/worker/templates/job.yaml");
    assert_eq!(
        (&source["file"], &source["line"]),
        (&"<stdin>".into(), &30.into())
    );
}

#[test]
fn a_folder_is_rendered_by_kustomize_or_else_by_kubectl() {
    let script = printing();
    let (kustomize, kubectl) = (("kustomize", &*script), ("kubectl", &*script));
    for (programs, command) in [
        (&[kustomize, kubectl][..], "kustomize build"),
        (&[kubectl], "kubectl kustomize"),
    ] {
        let done = run_beside(programs, &["audit", "-k", "overlays/prod", "-o", "json"]);
        let printed = text(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{printed}");
        let note = format!("note: `{command}` renders overlays/prod\n");
        assert!(printed.contains(&note), "{printed}");
        assert!(printed.contains("-- overlays/prod\n"), "{printed}");
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        let file = &report["findings"][0]["source"]["file"];
        assert_eq!(file, &format!("<{command} overlays/prod>"));
        let done = run_beside(programs, &["audit", "-k", "overlays/prod", "-q"]);
        assert!(!text(&done.stderr).contains("note: "), "{done:?}");
    }
}

#[test]
fn a_fix_of_a_rendered_folder_is_printed() {
    let done = run_beside(&[("kustomize", &printing())], &["fix", "-k", "."]);
    assert!(text(&done.stdout).contains(&format!("MODEL: eu.{SONNET}")));
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
}

#[test]
fn a_folder_that_cannot_be_rendered_is_one_sentence() {
    let failing = ("kustomize", "exit 3");
    for (programs, error) in [
        (
            &[][..],
            "error: cannot render base: neither kustomize nor kubectl is installed\n",
        ),
        (
            &[failing],
            "error: cannot render base: `kustomize build` failed (exit status: 3)\n",
        ),
    ] {
        let done = run_beside(programs, &["audit", "-k", "base"]);
        assert_eq!(done.status.code(), Some(2));
        let printed = text(&done.stderr);
        assert_eq!(printed.matches("error: ").count(), 1, "{printed}");
        assert!(printed.contains(error), "{printed}");
    }
    assert!(!Path::new("base").exists());
}
