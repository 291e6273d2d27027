//! What `fix` does to files: the IDs, in every way to write a text, and no other byte.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{SONNET, run, text};

const EDGES: &str = "tests/fixtures/edges";

/// Where an ID would be rewritten in a cluster, but its text cannot be edited: file and line.
const LEFT: &[(&str, u64)] = &[
    ("anchors.yaml", 19),
    ("anchors.yaml", 25),
    ("anchors.yaml", 37),
    ("escaped.yaml", 10),
];

fn pod(region: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: {SONNET}}}, {{name: AWS_REGION, value: {region}}}]}}]}}\n"
    )
}

/// Every file of a folder by its name.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// A folder with a copy of the edge cases.
fn copies() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in contents(Path::new(EDGES)) {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// The rewrites that an audit of `folder` reports: file, line, column, before and after; each once.
fn rewrites(folder: &str) -> Vec<(String, u64, u64, String, String)> {
    let done = run(&["audit", "-f", folder, "-o", "json"]);
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    let mut rewrites: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["outcome"] == "Rewrite")
        .map(|one| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let file = text(&one["source"]["file"]);
            (
                file.rsplit('/').next().unwrap().to_owned(),
                one["source"]["line"].as_u64().unwrap(),
                one["source"]["column"].as_u64().unwrap(),
                text(&one["before"]),
                text(&one["after"]),
            )
        })
        .collect();
    rewrites.sort();
    rewrites.dedup();
    rewrites
}

/// The offset of a line and a column, counted here by other means than in the scan.
fn offset(text: &str, line: u64, column: u64) -> usize {
    let skip = usize::try_from(line - 1).unwrap();
    let start: usize = text.split_inclusive('\n').take(skip).map(str::len).sum();
    let before = text[start..]
        .chars()
        .take(usize::try_from(column - 1).unwrap());
    start + before.map(char::len_utf8).sum::<usize>()
}

#[test]
fn every_edit_is_at_the_reported_place_and_no_other_byte_changes() {
    let mut expected: BTreeMap<String, String> = contents(Path::new(EDGES))
        .into_iter()
        .map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap()))
        .collect();
    let mut edits = rewrites(EDGES);
    edits.retain(|(file, line, ..)| !LEFT.contains(&(file, *line)));
    assert!(edits.len() > 25, "{}", edits.len());
    // From the end, so that the places before stay where they are.
    for (file, line, column, before, after) in edits.iter().rev() {
        let text = expected.get_mut(file).unwrap();
        let at = offset(text, *line, *column);
        assert_eq!(
            text.get(at..at + before.len()),
            Some(&**before),
            "{file}:{line}"
        );
        text.replace_range(at..at + before.len(), after);
    }
    let folder = copies();
    let done = run(&["fix", "-f", folder.path().to_str().unwrap()]);
    // One file is no YAML, which is an error for `fix` as for `audit`.
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    for (name, bytes) in contents(folder.path()) {
        assert_eq!(text(&bytes), expected[&name], "{name}");
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let folder = copies();
    let path = folder.path().to_str().unwrap();
    run(&["fix", "-f", path]);
    let once = contents(folder.path());
    run(&["fix", "-f", path]);
    assert_eq!(contents(folder.path()), once);
    let left: Vec<_> = rewrites(path)
        .into_iter()
        .map(|(file, line, ..)| (file, line))
        .collect();
    let expected = LEFT.iter().map(|(file, line)| ((*file).to_owned(), *line));
    // An anchor whose uses lead to two geographies is reported for both.
    let mut unique = left.clone();
    unique.dedup();
    assert_eq!(unique, expected.collect::<Vec<_>>());
}

#[test]
fn the_patch_gives_the_same_bytes_as_the_edit() {
    let (patched, edited) = (copies(), copies());
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command
            .args(args)
            .current_dir(patched.path())
            .output()
            .unwrap()
    };
    assert!(git(&["init", "--quiet"]).status.success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let diff = command
        .args(["fix", "-f", ".", "--diff", "--today", "2026-11-23"])
        .current_dir(patched.path())
        .output()
        .unwrap();
    let patch = patched.path().join("changes.patch");
    fs::write(&patch, &diff.stdout).unwrap();
    let applied = git(&["apply", "changes.patch"]);
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    fs::remove_file(patch).unwrap();
    run(&["fix", "-f", edited.path().to_str().unwrap()]);
    assert_eq!(contents(patched.path()), contents(edited.path()));
}

#[test]
fn a_patch_applies_in_the_folder_of_its_files_and_above() {
    let folder = tempfile::tempdir().unwrap();
    let (deploy, other) = (folder.path().join("deploy"), folder.path().join("other"));
    for path in [&deploy, &other] {
        fs::create_dir(path).unwrap();
    }
    let run_in = |folder: &Path, program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        let done = command.args(args).current_dir(folder).output().unwrap();
        (text(&done.stdout).to_owned(), text(&done.stderr).to_owned())
    };
    run_in(folder.path(), "git", &["init", "--quiet"]);
    let patch = folder.path().join("changes");
    for (name, here, path, is_outside) in [
        ("pod.yaml", &deploy, "pod.yaml", false),
        ("a b.yaml", &deploy, "a b.yaml", false),
        ("ä\n\"x\".yaml", &deploy, ".", false),
        ("pod.yaml", &other, "../deploy/pod.yaml", true),
    ] {
        let file = deploy.join(name);
        fs::write(&file, pod("us-east-1")).unwrap();
        let args = ["fix", path, "--diff", "--quiet", "--today", "2026-11-23"];
        let (diff, messages) = run_in(here, env!("CARGO_BIN_EXE_bedrock-profiles"), &args);
        fs::write(&patch, diff).unwrap();
        assert_eq!(
            messages.contains("apply the patch in "),
            is_outside,
            "{messages}"
        );
        let apply_in = if is_outside { folder.path() } else { here };
        let (_, errors) = run_in(apply_in, "git", &["apply", patch.to_str().unwrap()]);
        assert_eq!(errors, "");
        let fixed = fs::read_to_string(&file).unwrap();
        assert!(fixed.contains(&format!("us.{SONNET}")), "{name:?}: {fixed}");
    }
}

#[test]
fn a_diff_keeps_inner_carriage_returns_and_names_the_target_of_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let json = "{\r\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\r\n\"data\":{\"AWS_REGION\":\"eu-west-1\",\"m\":\"anthropic.claude-sonnet-4-6\"}}";
    fs::create_dir(folder.path().join("real")).unwrap();
    fs::write(folder.path().join("real/map.json"), json).unwrap();
    std::os::unix::fs::symlink("real/map.json", folder.path().join("link.json")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let diff = command
        .args(["fix", "-f", "link.json", "--diff", "--today", "2026-11-23"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let diff = text(&diff.stdout);
    assert!(
        diff.starts_with(
            "diff --git a/real/map.json b/real/map.json\n--- a/real/map.json\n+++ b/real/map.json\n"
        ),
        "{diff}"
    );
    assert_eq!(
        diff.lines().filter(|line| line.starts_with('-')).count(),
        2,
        "{diff:?}"
    );
}

#[test]
fn a_link_is_followed_and_the_rights_of_the_file_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (
        folder.path().join("real.yaml"),
        folder.path().join("link.yaml"),
    );
    fs::write(&file, pod("eu-west-1")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real.yaml", &link).unwrap();
    let done = run(&["fix", "-f", link.to_str().unwrap()]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(link.is_symlink());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );
    let fixed = fs::read_to_string(&file).unwrap();
    assert_eq!(
        fixed,
        pod("eu-west-1").replace(SONNET, &format!("eu.{SONNET}"))
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        2,
        "nothing is left behind"
    );
}

#[test]
fn a_file_that_cannot_be_written_is_not_counted_as_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.yaml");
    fs::write(&file, pod("us-east-1")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let mut child = command
        // A pipe, which can be read by its name and has no folder to write beside it.
        .args(["fix", "--today", "2026-11-23", "-f", "/dev/stdin", "-f"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(pod("eu-west-1").as_bytes()).unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    let printed = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{printed}");
    assert!(printed.contains("cannot write /dev/stdin"), "{printed}");
    assert!(printed.contains("1 changed, 1 change"), "{printed}");
    assert!(fs::read_to_string(&file).unwrap().contains("us.anthropic"));
}

#[test]
fn the_standard_input_is_printed_with_its_ids_rewritten() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    let mut child = command
        .args(["fix", "-f", "-", "--today", "2026-11-23"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(pod("eu-west-1").as_bytes()).unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    assert_eq!(
        text(&done.stdout),
        pod("eu-west-1").replace(SONNET, &format!("eu.{SONNET}"))
    );
}

#[test]
fn fix_applies_a_deny_policy_and_nothing_under_dry_run() {
    for (policy, expected) in [("deny", true), ("dryrun", false)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pod.yaml");
        fs::write(&file, pod("eu-west-1")).unwrap();
        let policy = format!("tests/fixtures/policies/{policy}.yaml");
        let done = run(&["fix", "-f", file.to_str().unwrap(), "--policy", &policy]);
        let printed = text(&done.stderr);
        let changed = fs::read_to_string(&file).unwrap().contains("eu.anthropic");
        assert_eq!(changed, expected, "{policy}: {printed}");
        assert_eq!(
            printed.contains("1 changed"),
            expected,
            "{policy}: {printed}"
        );
        assert_eq!(
            printed.contains("no file was changed"),
            !expected,
            "{policy}: {printed}"
        );
    }
}

#[test]
fn no_output_about_files_holds_a_secret() {
    for output in ["text", "wide", "json", "jsonl", "yaml"] {
        let done = run(&["audit", "-f", EDGES, "-o", output]);
        assert!(
            !done.stdout.is_empty() && !text(&done.stdout).contains("s3cr3t"),
            "{output}"
        );
        assert!(
            !done.stderr.is_empty() && !text(&done.stderr).contains("s3cr3t"),
            "{output}"
        );
    }
    let folder = copies();
    let done = run(&["fix", "-f", folder.path().to_str().unwrap()]);
    assert!(done.stdout.is_empty());
    assert!(!done.stderr.is_empty() && !text(&done.stderr).contains("s3cr3t"));
}
