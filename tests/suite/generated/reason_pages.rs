//! The pages of `docs/reasons/` are what `explain` prints. `UPDATE=1` writes them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use bedrock_profiles::report::cause::Cause;
use bedrock_profiles::report::explanation::{Example, explanation};
use serde_json::Value;

const FOLDER: &str = "docs/reasons";

fn run(args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let done = command.args(args).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn each_page_of_a_reason_is_what_explain_prints() {
    let is_update = std::env::var_os("UPDATE").is_some();
    for cause in Cause::all() {
        let file = cause.page();
        let page = run(&["explain", cause.as_str()]);
        if is_update {
            fs::write(&file, &page).unwrap();
        }
        let written = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(written, page, "{file}: UPDATE=1 writes it");
    }
    let entries = fs::read_dir(FOLDER).unwrap();
    let files: BTreeSet<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected: BTreeSet<_> = Cause::all().map(|one| format!("{one}.md")).collect();
    assert_eq!(files, expected);
}

/// The pages of the findings of `audit` in an example.
fn audited(folder: &Path, example: Example) -> Vec<String> {
    let file = folder.join(example.file);
    fs::write(&file, example.text).unwrap();
    let policy = folder.join("policy.yaml");
    let spec = example.policy.replace('\n', "\n  ");
    let manifest = format!(
        "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: {{name: test}}\nspec:\n  mode: Rewrite\n  {spec}"
    );
    fs::write(&policy, manifest).unwrap();
    let (file, policy) = (file.to_str().unwrap(), policy.to_str().unwrap());
    // The default policy of the command line is that of an empty spec in mode Rewrite.
    let printed = run(&["audit", file, "--policy", policy, "-o", "json"]);
    let report: Value = serde_json::from_str(&printed).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let pages = findings.map(|one| one["help"].as_str().unwrap().to_owned());
    pages.collect()
}

#[test]
fn each_example_has_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for cause in Cause::all() {
        let Some(example) = explanation(cause).unwrap().example else {
            continue;
        };
        let found = audited(folder.path(), example);
        if !found.contains(&cause.page()) {
            wrong.push((cause, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_reason_is_listed() {
    let list = run(&["explain"]);
    let names = list.lines().filter(|line| !line.starts_with(' '));
    let names: Vec<_> = names.filter_map(|line| line.split(' ').next()).collect();
    let expected: Vec<_> = Cause::all().map(Cause::as_str).collect();
    assert_eq!(names, expected);
    assert!(list.lines().all(|line| line.len() <= 80), "{list}");
}
