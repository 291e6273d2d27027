//! The command `preview`: what it lists is exactly what differs between two audits.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{run, text};
use crate::json_schemas::{assert_valid, published_schema};

const SHAPES: &str = "../shared/shapes";
const OBJECTS: &str = "tests/fixtures/preview/objects.yaml";
const DRY_RUN: &str = "tests/fixtures/preview/dry-run.yaml";
const REWRITE: &str = "tests/fixtures/preview/rewrite.yaml";

fn json(args: &[&str]) -> Value {
    let done = run(args);
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

fn previewed(args: &[&str]) -> Value {
    let report = json(&[&["preview", "-o", "json"], args].concat());
    assert_valid(&published_schema("preview.json"), &report);
    report
}

/// Where a finding is.
fn place(one: &Value) -> String {
    let parts = ["object", "source", "pointer", "innerPointer"];
    parts.map(|part| one[part].to_string()).concat()
}

/// The answers of an audit for each ID, by place: the outcome, the reason, the replacement, the region and the destinations.
fn audited(args: &[&str]) -> BTreeMap<String, Vec<Value>> {
    let report = json(&[&["audit", "-o", "json"], args].concat());
    let mut findings: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for one in report["findings"].as_array().unwrap() {
        let parts = ["reason", "after", "region", "destinations"];
        let answer = parts.map(|part| one[part].clone());
        findings
            .entry(place(one))
            .or_default()
            .push(answer.to_vec().into());
    }
    findings
}

#[test]
fn the_changes_are_those_that_differ_between_two_audits() {
    let samples = "docs/samples";
    let own = "docs/samples/london.yaml";
    let consent = "tests/fixtures/preview/consent.yaml";
    let mut changed = 0;
    for folder in [SHAPES, samples] {
        for (now, with) in [
            (vec![REWRITE], vec![consent]),
            (vec![consent], vec![REWRITE]),
            (vec![REWRITE], vec![own]),
        ] {
            let policies = |files: &[&'static str]| -> Vec<&str> {
                let flag = |file: &str| if file == own { "--mapping" } else { "--policy" };
                files.iter().flat_map(|file| [flag(file), *file]).collect()
            };
            let flags = policies(&now);
            let now_audited = audited(&[&[folder], flags.as_slice()].concat());
            let planned = if with == [own] {
                policies(&[REWRITE, own])
            } else {
                policies(&with)
            };
            let planned = audited(&[&[folder], planned.as_slice()].concat());
            let differs = |at: &&String| now_audited.get(*at) != planned.get(*at);
            let mut expected: Vec<_> = planned.keys().filter(differs).cloned().collect();
            let with: Vec<_> = with.iter().flat_map(|file| ["--with", *file]).collect();
            let report = previewed(&[&[folder], flags.as_slice(), &with].concat());
            let found = report["findings"].as_array().unwrap();
            let mut found: Vec<_> = found.iter().map(place).collect();
            found.sort_unstable();
            found.dedup();
            expected.sort_unstable();
            assert_eq!(found, expected, "{folder} {now:?} {with:?}");
            changed += found.len();
        }
    }
    assert!(changed > 20, "{changed}");
}

#[test]
fn a_move_is_what_an_audit_finds_in_texts_with_the_other_region() {
    let folder = tempfile::tempdir().unwrap();
    let moved = folder.path().join("moved.yaml");
    for (from, to) in [
        ("eu-west-1", "us-east-1"),
        ("eu-west-1", "eu-south-2"),
        ("eu-west-1", "eu-central-2"),
    ] {
        let written = std::fs::read_to_string(OBJECTS).unwrap();
        std::fs::write(&moved, written.replace(from, to)).unwrap();
        let answers = |args: &[&str]| -> Vec<_> {
            let report = json(args);
            let findings = report["findings"].as_array().unwrap();
            let answer = |one: &Value| {
                ["reason", "after", "region", "destinations"].map(|part| one[part].to_string())
            };
            findings.iter().map(answer).collect()
        };
        let expected = answers(&["audit", "-o", "json", moved.to_str().unwrap()]);
        let unmoved = answers(&["audit", "-o", "json", OBJECTS]);
        let differing: Vec<_> = expected
            .iter()
            .zip(&unmoved)
            .filter(|(a, b)| a != b)
            .map(|(a, _)| a.clone())
            .collect();
        let report = previewed(&[OBJECTS, "--move", &format!("{from}={to}")]);
        let planned = report["findings"].as_array().unwrap().iter();
        let planned: Vec<_> = planned
            .map(|one| {
                ["reason", "replacement", "region", "destinations"]
                    .map(|part| one["planned"][part].to_string())
            })
            .collect();
        assert_eq!(planned, differing, "{to}");
        assert!(!planned.is_empty());
    }
}

#[test]
fn what_applies_already_changes_nothing() {
    for flags in [["--with", "builtin"], ["--with", REWRITE]] {
        let report = previewed(&[&[SHAPES, "--policy", REWRITE], &flags[..]].concat());
        assert_eq!(report["findings"].as_array().unwrap().len(), 0);
        assert_eq!(report["routes"].as_array().unwrap().len(), 0);
        assert!(report["summary"]["findings"].as_u64().unwrap() > 50);
    }
}

#[test]
fn standard_input_is_read_once_and_evaluated_twice() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command.args([
        "preview",
        "-",
        "--policy",
        DRY_RUN,
        "--with",
        REWRITE,
        "--today",
        "2026-11-23",
    ]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let input = std::fs::read(OBJECTS).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(
        text(&done.stderr).starts_with("changed: 3 of"),
        "{}",
        text(&done.stderr)
    );
}

#[test]
fn what_is_wrong_with_a_file_is_printed_once() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, "a: [\n").unwrap();
    let path = broken.to_str().unwrap();
    let done = run(&["preview", path, OBJECTS, "--with", REWRITE]);
    assert_eq!(done.status.code(), Some(2));
    let errors = text(&done.stderr).lines();
    let errors: Vec<_> = errors.filter(|line| line.starts_with("error:")).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(
        errors[1].contains("the preview may lack changes"),
        "{errors:?}"
    );
    let report = json(&["preview", "-o", "json", path, OBJECTS, "--with", REWRITE]);
    assert_eq!(report["incomplete"].as_array().unwrap().len(), 1);
}
