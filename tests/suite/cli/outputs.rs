//! The formats of `audit`, as their consumers read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{SONNET, copies, run, text};
use crate::json_schemas::{assert_valid, sarif_schema};

/// Runs `audit` in this folder.
fn audit_in(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command
        .current_dir(folder)
        .args(["audit", "--today", "2026-11-23"])
        .args(args)
        .output()
        .unwrap()
}

/// What `audit` prints about a folder in a format that is JSON.
fn json_in(folder: &Path, format: &str) -> Value {
    let done = audit_in(folder, &[".", "-o", format, "--show", "all"]);
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

fn results(log: &Value) -> &Vec<Value> {
    log["runs"][0]["results"].as_array().unwrap()
}

#[test]
fn one_format_is_printed_and_any_number_is_written() {
    let folder = copies();
    let args = [".", "-o", "sarif=a.sarif", "-o", "junit=b.xml"];
    let done = audit_in(folder.path(), &args);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stdout).starts_with("./chat.yaml\n"));
    let alone = audit_in(folder.path(), &["."]);
    assert_eq!(done.stdout, alone.stdout);
    for (file, start) in [("a.sarif", "{\n"), ("b.xml", "<?xml ")] {
        let written = fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(written.starts_with(start), "{written}");
    }
    let done = audit_in(folder.path(), &[".", "-o", "jsonl", "-o", "text=c.txt"]);
    assert!(text(&done.stdout).starts_with("{\"severity\":"));
    assert_eq!(fs::read(folder.path().join("c.txt")).unwrap(), alone.stdout);
    let done = audit_in(folder.path(), &[".", "--summary", "-o", "json=d.json"]);
    assert_eq!(text(&done.stdout), "");
    assert!(folder.path().join("d.json").exists());
}

#[test]
fn outputs_that_cannot_be_written_end_with_2() {
    let folder = copies();
    for (args, message) in [
        (
            &["-o", "json", "-o", "yaml"][..],
            "names two formats for standard output",
        ),
        (
            &["-o", "json=a", "-o", "yaml=a"],
            "names a twice: two formats cannot be in one file",
        ),
        (&["-o", "json="], "expected the name of a file after `=`"),
        (&["-o", "sarf=a"], "tip: a similar value exists: 'sarif'"),
        (
            &["-o", "json=none/a.json"],
            "cannot write none/a.json: No such file or directory",
        ),
        (
            &["-o", "json=/dev/full"],
            "cannot write /dev/full: No space",
        ),
    ] {
        let done = audit_in(folder.path(), &[&["."], args].concat());
        assert_eq!(done.status.code(), Some(2), "{args:?}");
        let errors = text(&done.stderr);
        assert_eq!(errors.matches(message).count(), 1, "{errors}");
    }
}

#[test]
fn a_written_file_keeps_its_mode_and_its_link() {
    let folder = copies();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("old.json"), "old").unwrap();
    fs::set_permissions(path("old.json"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("old.json", path("link.json")).unwrap();
    let done = audit_in(folder.path(), &["chat.yaml", "-o", "json=link.json"]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    assert!(
        fs::symlink_metadata(path("link.json"))
            .unwrap()
            .is_symlink()
    );
    let metadata = fs::metadata(path("old.json")).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o640);
    assert!(metadata.len() > 100);
    audit_in(folder.path(), &["chat.yaml", "-o", "json=new.json"]);
    fs::write(path("plain"), "").unwrap();
    let mode = |name: &str| fs::metadata(path(name)).unwrap().mode();
    assert_eq!(mode("new.json"), mode("plain"), "the umask decides");
}

#[test]
fn sarif_is_valid() {
    let schema = sarif_schema();
    for folder in ["tests/fixtures/manifests", "tests/fixtures/roles"] {
        let log = json_in(Path::new(folder), "sarif");
        assert!(results(&log).len() > 5);
        assert_valid(&schema, &log);
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a b.yaml"), "a: [\n").unwrap();
    let done = audit_in(folder.path(), &[".", "none.yaml", "-o", "sarif"]);
    let log: Value = serde_json::from_slice(&done.stdout).unwrap();
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notifications = invocation["toolExecutionNotifications"].as_array();
    assert_eq!(notifications.unwrap().len(), 2);
    assert_valid(&schema, &log);
    let mut wrong = log;
    wrong["runs"][0]["tool"] = Value::Null;
    assert!(!schema.is_valid(&wrong), "the schema finds a mistake");
}

/// Applies the fixes of a log to the files of a folder, those at the end of a line first.
fn apply_fixes(folder: &Path, log: &Value) {
    let mut edits: BTreeMap<(String, u64, u64), (u64, String)> = BTreeMap::new();
    let fixes = results(log)
        .iter()
        .filter_map(|one| one["fixes"].as_array());
    for fix in fixes.flatten() {
        let change = &fix["artifactChanges"][0];
        let file = change["artifactLocation"]["uri"].as_str().unwrap();
        let replacement = &change["replacements"][0];
        let number = |name: &str| replacement["deletedRegion"][name].as_u64().unwrap();
        let new = replacement["insertedContent"]["text"].as_str().unwrap();
        let key = (file.to_owned(), number("startLine"), number("startColumn"));
        edits.insert(key, (number("endColumn"), new.to_owned()));
    }
    for ((file, line, start), (end, new)) in edits.into_iter().rev() {
        let path = folder.join(file);
        let old = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = old.split('\n').map(str::to_owned).collect();
        let line = &mut lines[usize::try_from(line).unwrap() - 1];
        let part = |from: u64, to: u64| {
            let count = usize::try_from(to - from).unwrap();
            let characters = line.chars().skip(usize::try_from(from).unwrap() - 1);
            characters.take(count).collect::<String>()
        };
        let rest = part(end, 1 << 20);
        *line = [part(1, start), new, rest].concat();
        fs::write(path, lines.join("\n")).unwrap();
    }
}

fn texts(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap();
    let text = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(|entry| text(entry.unwrap())).collect()
}

#[test]
fn a_finding_that_does_not_count_is_suppressed_in_sarif() {
    let folder = tempfile::tempdir().unwrap();
    let pod = |name: &str, annotations: &str, comment: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\nspec:\n  containers:\n  - name: c\n    env:\n    \
             - {{name: AWS_REGION, value: eu-west-1}}\n    - {{name: M, value: {SONNET}}}{comment}\n"
        )
    };
    let comment = " # bedrock-profiles: ignore until=2027-01-31 ticket=OPS-7";
    let config = "exemptions: [{path: vendor.yaml, owner: team-a}]\n";
    let opt_out = "bedrock-profiles.dev/ignore: 'ticket 42'";
    for (name, text) in [
        ("comment.yaml", pod("comment", "", comment)),
        ("known.yaml", pod("known", "", "")),
        ("new.yaml", pod("new", "", "")),
        ("opted-out.yaml", pod("opted-out", opt_out, "")),
        ("vendor.yaml", pod("vendor", "", "")),
        (".bedrock-profiles.yaml", config.to_owned()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    audit_in(
        folder.path(),
        &["known.yaml", "--write-baseline", "known.json"],
    );
    let args = [".", "--baseline", "known.json", "-o", "sarif"];
    let by_default = audit_in(folder.path(), &args);
    let by_default: Value = serde_json::from_slice(&by_default.stdout).unwrap();
    assert_eq!(
        results(&by_default).len(),
        1,
        "GitHub opens alerts for each"
    );
    let shown = ["--show", "error,change,warning,Exempt,OptedOut"];
    let done = audit_in(folder.path(), &[&args[..], &shown].concat());
    let log: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_valid(&sarif_schema(), &log);
    let suppressions: Vec<_> = results(&log)
        .iter()
        .map(|one| {
            let file = &one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
            let suppression = &one["suppressions"][0];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            assert!(one["suppressions"].is_array(), "{one}");
            [
                text(file),
                text(&suppression["kind"]),
                text(&suppression["justification"]),
            ]
            .join(": ")
        })
        .collect();
    assert_eq!(
        suppressions,
        [
            "comment.yaml: inSource: until 2027-01-31, ticket OPS-7 (./comment.yaml:9)",
            "known.yaml: external: by known.json",
            "new.yaml: : ",
            "opted-out.yaml: inSource: the object has bedrock-profiles.dev/ignore: ticket 42",
            "vendor.yaml: external: owner team-a (.bedrock-profiles.yaml, exemptions[0])",
        ]
    );
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn the_fixes_of_sarif_are_what_fix_does() {
    let (by_sarif, by_fix) = (copies(), copies());
    let folders = ["tests/fixtures/roles", "tests/fixtures/edges"];
    for entry in folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
    {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        // `fix` edits the manifest of an object that another controller tracks, and anchors whose uses agree.
        let skipped = [".expected.", "role-tracked", "anchors"];
        if !skipped
            .iter()
            .any(|part| name.to_str().unwrap().contains(part))
        {
            for folder in [&by_sarif, &by_fix] {
                fs::copy(&path, folder.path().join(name)).unwrap();
            }
        }
    }
    let before = texts(by_fix.path());
    apply_fixes(by_sarif.path(), &json_in(by_sarif.path(), "sarif"));
    run(&["fix", by_fix.path().to_str().unwrap()]);
    let fixed = texts(by_fix.path());
    assert_eq!(texts(by_sarif.path()), fixed);
    assert_ne!(before, fixed);
}

#[test]
fn no_fix_is_offered_for_an_anchor() {
    let log = json_in(Path::new("tests/fixtures/edges"), "sarif");
    let uri =
        |one: &Value| one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
    let shared = results(&log)
        .iter()
        .filter(|one| uri(one) == "tests/fixtures/edges/anchors.yaml" && one["ruleId"] == "change");
    let fixes: Vec<_> = shared.map(|one| one.get("fixes")).collect();
    assert!(fixes.len() > 3, "{}", fixes.len());
    assert!(fixes.iter().all(Option::is_none), "{fixes:#?}");
}

/// The fingerprints of a format.
fn fingerprints(folder: &Path, format: &str) -> Vec<String> {
    let report = json_in(folder, format);
    let all = report.as_array().unwrap_or_else(|| results(&report));
    let fingerprint = |one: &Value| {
        let gitlab = one["fingerprint"].as_str();
        let sarif = one["partialFingerprints"]["bedrockProfiles/v1"].as_str();
        gitlab.or(sarif).unwrap().to_owned()
    };
    all.iter().map(fingerprint).collect()
}

#[test]
fn fingerprints_are_unique_and_survive_moved_lines() {
    let folder = copies();
    let before = fingerprints(folder.path(), "sarif");
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len());
    assert_eq!(before, fingerprints(folder.path(), "gitlab"));
    let path = folder.path().join("chat.yaml");
    let moved = format!("# one\n# two\n{}", fs::read_to_string(&path).unwrap());
    fs::write(path, moved).unwrap();
    assert_eq!(before, fingerprints(folder.path(), "sarif"));
}

#[test]
fn junit_is_read_and_counts_as_the_report_does() {
    let folder = copies();
    fs::write(folder.path().join("x\u{1b}<&\".yaml"), "a: [\n").unwrap();
    let xml = audit_in(folder.path(), &[".", "-o", "junit"]);
    let junit = quick_junit::Report::deserialize_from_str(text(&xml.stdout)).unwrap();
    let report = json_in(folder.path(), "json");
    let count = |severity: &str| {
        let count = &report["summary"]["severities"][severity];
        usize::try_from(count.as_u64().unwrap()).unwrap()
    };
    assert_eq!(junit.failures, count("error") + count("change"));
    assert_eq!(junit.errors, 1);
    let cases = || junit.test_suites.iter().flat_map(|one| &one.test_cases);
    let skipped =
        cases().filter(|one| matches!(one.status, quick_junit::TestCaseStatus::Skipped { .. }));
    assert_eq!(skipped.count(), count("note"));
    assert_eq!(cases().count(), junit.tests);
    let names: Vec<_> = junit
        .test_suites
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let expected = [
        "chat.yaml",
        "models.yaml",
        "windows.json",
        "x\u{fffd}<&\".yaml",
    ];
    assert_eq!(names, expected);
}

#[test]
fn gitlab_has_the_documented_fields() {
    let folder = copies();
    let done = audit_in(folder.path(), &["./chat.yaml", "-o", "gitlab"]);
    let findings: Vec<Value> = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(findings.len(), 3, "what is not urgent is not listed");
    for one in &findings {
        let fields: BTreeSet<_> = one.as_object().unwrap().keys().collect();
        let documented = [
            "check_name",
            "description",
            "fingerprint",
            "location",
            "severity",
        ];
        assert_eq!(fields, documented.map(str::to_owned).iter().collect());
        assert_eq!(one["location"]["path"], "chat.yaml");
        assert!(one["location"]["lines"]["begin"].is_u64());
        let severities = ["info", "minor", "major", "critical", "blocker"];
        assert!(severities.contains(&one["severity"].as_str().unwrap()));
    }
}

#[test]
fn files_are_named_from_the_root_of_the_repository() {
    let folder = copies();
    fs::create_dir(folder.path().join(".git")).unwrap();
    let sub = folder.path().join("sub");
    fs::create_dir(&sub).unwrap();
    let done = audit_in(&sub, &["../chat.yaml", "-o", "github"]);
    let printed = text(&done.stdout);
    assert!(
        printed.starts_with("::warning file=chat.yaml,line=15,col=44,"),
        "{printed}"
    );
}
