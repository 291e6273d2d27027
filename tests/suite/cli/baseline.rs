//! The baseline: only what is new fails, wherever the command runs and whatever moves.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::habits::{folder, pod};
use super::{SONNET, run_in, text};

#[test]
fn only_what_is_new_fails() {
    let known = format!(
        "{}---\n{}",
        pod(SONNET),
        pod(SONNET).replace("{name: p}", "{name: q}")
    );
    let (_folder, path) = folder(&[("deploy/a.yaml", known.as_bytes())]);
    let root = Path::new(&path);
    let written = run_in(
        root,
        &["audit", "deploy", "--write-baseline", "baseline.json"],
    );
    assert_eq!(written.status.code(), Some(0), "{}", text(&written.stderr));
    assert!(text(&written.stderr).contains("note: baseline.json has 2 findings\n"));
    let file = fs::read_to_string(root.join("baseline.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(file["findings"][0]["file"], "deploy/a.yaml");

    // Lines move, another folder is the current one, and the path is absolute.
    fs::write(
        root.join("deploy/a.yaml"),
        format!("# a comment\n\n{known}"),
    )
    .unwrap();
    let absolute = root.join("deploy/a.yaml");
    for (here, paths) in [
        ("", "deploy"),
        ("", "./deploy/a.yaml"),
        ("deploy", "a.yaml"),
        ("", absolute.to_str().unwrap()),
    ] {
        let baseline = root.join("baseline.json");
        let args = ["audit", paths, "--baseline", baseline.to_str().unwrap()];
        let done = run_in(&root.join(here), &args);
        let notes = text(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "{paths}: {notes}");
        assert!(
            notes.contains("2 notes") && notes.contains("2 exempt"),
            "{notes}"
        );
    }

    // One more of the same ID, in another place.
    let more = pod(SONNET).replace("{name: p}", "{name: r}");
    fs::write(root.join("deploy/b.yaml"), more).unwrap();
    let done = run_in(root, &["audit", "deploy", "--baseline", "baseline.json"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(
        text(&done.stdout).starts_with("deploy/b.yaml\n"),
        "{}",
        text(&done.stdout)
    );

    // What has been cured is counted.
    fs::write(root.join("deploy/a.yaml"), pod(SONNET)).unwrap();
    let done = run_in(
        root,
        &["audit", "deploy/a.yaml", "--baseline", "baseline.json"],
    );
    let note = "note: 1 of the 2 findings in baseline.json do not occur in what was read\n";
    assert!(text(&done.stderr).contains(note), "{}", text(&done.stderr));
}

#[test]
fn fix_changes_what_the_baseline_has_and_does_not_fail_for_the_rest() {
    let stays = pod(SONNET).replace("eu-west-1", "sa-east-1");
    let (_folder, path) = folder(&[
        ("a.yaml", pod(SONNET).as_bytes()),
        ("b.yaml", stays.as_bytes()),
        (".bedrock-profiles.yaml", b"baseline: baseline.json\n"),
    ]);
    let root = Path::new(&path);
    run_in(
        root,
        &[
            "audit",
            ".",
            "--write-baseline",
            "baseline.json",
            "--no-config",
        ],
    );
    let done = run_in(root, &["fix", "."]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let fixed = fs::read_to_string(root.join("a.yaml")).unwrap();
    assert!(fixed.contains(&format!("eu.{SONNET}")), "{fixed}");
    let done = run_in(root, &["fix", ".", "--no-config"]);
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn baselines_and_reports_are_no_input() {
    let (_folder, path) = folder(&[("pod.yaml", pod(SONNET).as_bytes())]);
    let root = Path::new(&path);
    let args = [
        "audit",
        ".",
        "--write-baseline",
        "known.json",
        "-o",
        "yaml=report.yaml",
    ];
    run_in(root, &args);
    let done = run_in(
        root,
        &["audit", ".", "--baseline", "known.json", "-o", "json"],
    );
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["summary"]["files"], 3);
    assert_eq!(report["summary"]["findings"], 1, "{report}");
    assert_eq!(report["summary"]["exempt"], 1);
}

#[test]
fn a_file_that_is_no_baseline_is_refused() {
    let (_folder, path) = folder(&[
        ("a.yaml", pod(SONNET).as_bytes()),
        (
            "other.json",
            br#"{"apiVersion": "v1", "kind": "List", "findings": []}"#,
        ),
        ("broken.json", b"{"),
    ]);
    for (name, problem) in [
        ("absent.json", "cannot read absent.json"),
        ("other.json", "other.json is no baseline of this version"),
        ("broken.json", "broken.json is no baseline"),
    ] {
        let done = run_in(Path::new(&path), &["audit", "a.yaml", "--baseline", name]);
        assert_eq!(done.status.code(), Some(2), "{name}");
        let printed = text(&done.stderr);
        assert!(printed.contains(problem), "{printed}");
    }
}
