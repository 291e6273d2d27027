//! Files that are read in parts have the results of the same files read as a whole.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use bedrock_profiles::text::{MergeOrder, Tree};

use super::SONNET;

/// The size from which on files are read in parts.
const LARGE: usize = 1 << 20;

/// A comment for which a file is read as a whole, although it exempts nothing.
const WHOLE: &str = "# bedrock-profiles: this comment has no effect\n";

/// What a command prints about `file.yaml` in a folder, and the file afterwards.
fn results(folder: &Path, args: &[&str]) -> (String, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(args)
        .args(["file.yaml", "--today", "2026-11-23", "--no-config"])
        .current_dir(folder)
        .output()
        .unwrap();
    (
        String::from_utf8(done.stdout).unwrap(),
        String::from_utf8(done.stderr).unwrap(),
        fs::read_to_string(folder.join("file.yaml")).unwrap(),
    )
}

/// Compares a text that is read in parts with the same text read as a whole, and returns the number of changed IDs.
fn compare(text: &str) -> usize {
    assert!(text.len() > LARGE, "{} bytes", text.len());
    let (parts, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(parts.path().join("file.yaml"), text).unwrap();
    fs::write(whole.path().join("file.yaml"), format!("{text}{WHOLE}")).unwrap();
    let audit = |folder: &tempfile::TempDir| results(folder.path(), &["audit", "-o", "json"]);
    let (by_parts, by_whole) = (audit(&parts), audit(&whole));
    assert!(by_parts.0 == by_whole.0, "the reports differ");
    assert_eq!(by_parts.1, by_whole.1);
    let fix = |folder: &tempfile::TempDir| results(folder.path(), &["fix"]);
    let (by_parts, by_whole) = (fix(&parts), fix(&whole));
    assert_eq!(by_parts.1, by_whole.1);
    assert!(by_parts.2 + WHOLE == by_whole.2, "the files differ");
    let changed = text.lines().zip(by_whole.2.lines());
    changed.filter(|(before, after)| before != after).count()
}

/// Documents of the fixtures that can be read, each with every way to begin and to end.
fn fixtures() -> String {
    let mut text = String::new();
    for folder in ["tests/fixtures/manifests", "tests/fixtures/edges"] {
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "yaml")
            })
            .collect();
        paths.sort();
        for path in paths {
            let document = fs::read_to_string(path).unwrap();
            let is_read = Tree::yaml_template(&document, MergeOrder::Kubernetes)
                .iter()
                .all(Result::is_ok);
            let is_alone = ["{{", "{%", "bedrock-profiles:", "\n%", "ENC["];
            if is_read && !is_alone.iter().any(|mark| document.contains(mark)) {
                let _ = write!(text, "--- # {}\n{}", text.len(), document.trim_end());
                text += ["\n", "\n\n", "\n...\n", "\n---\n", "\n# end\n"][text.len() % 5];
            }
        }
    }
    text
}

#[test]
fn parts_of_a_file_have_the_findings_and_edits_of_the_whole() {
    let fixtures = fixtures();
    let repeated = fixtures.repeat(LARGE / fixtures.len() + 1);
    let changed = compare(&repeated);
    assert!(changed > 100, "{changed} lines");
}

/// What one document says of others: the namespace, its region, and the ConfigMap of a Pod.
#[test]
fn parts_of_a_file_know_its_namespaces_and_config_maps() {
    let mut text = String::new();
    for number in 0..200 {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, namespace: n{number}}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: {SONNET}}}, {{name: R, valueFrom: {{configMapKeyRef: {{name: m{number}, key: model}}}}}}]}}]}}\n"
        );
        let _ = writeln!(text, "# {}", "padding ".repeat(700));
    }
    for number in 0..200 {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}, namespace: n{number}}}\ndata: {{model: {SONNET}}}\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: n{number}\n  annotations: {{bedrock-profiles.dev/region: eu-west-1}}\n"
        );
    }
    assert_eq!(compare(&text), 400);
}

/// What no part shows by itself is looked for in the whole file.
#[test]
fn a_file_whose_documents_belong_together_is_read_as_a_whole() {
    let padding = format!("# {}\n", "padding ".repeat(LARGE / 8));
    for (first, last) in [
        // A later document of Spring may set another region.
        (
            format!("aws: {{region: eu-west-1}}\nmodel: {SONNET}\n"),
            "spring: {config: {activate: {on-profile: us}}}\naws: {region: us-east-1}\n",
        ),
        // SOPS signs all documents.
        (
            format!("aws: {{region: eu-west-1}}\nmodel: {SONNET}\n"),
            "sops: {mac: 'ENC[x]'}\n",
        ),
        // What cannot be read is read line by line.
        (
            format!("aws: {{region: eu-west-1}}\nmodel: {SONNET}\n"),
            "a: [\n",
        ),
    ] {
        compare(&format!("{first}{padding}---\n{last}"));
    }
}
