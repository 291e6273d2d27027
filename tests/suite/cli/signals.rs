//! What a signal does to `audit PATH` and `fix`. The tests wait for what the process does, never for time.

use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use super::SONNET;

/// More than a pipe holds, so that its writer waits for its reader.
const MORE_THAN_A_PIPE: usize = 1 << 20;

/// Each signal that stops the work, and the exit code.
const SIGNALS: [(&str, i32); 3] = [("HUP", 129), ("INT", 130), ("TERM", 143)];

fn pod(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec: {{containers: [{{name: c, env: [{{name: M, value: {SONNET}}}, {{name: AWS_REGION, value: eu-west-1}}]}}]}}\n"
    )
}

fn padding() -> String {
    "# a comment that fills the pipe\n".repeat(MORE_THAN_A_PIPE / 32)
}

fn start(folder: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"))
        .args(args)
        .args(["--today", "2026-11-23"])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn send(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &id])
        .status();
    assert!(sent.unwrap().success());
}

/// Sends a signal and returns once the process has handled it, with what it has printed to standard error until then.
fn stop(child: &mut Child, stderr: &mut impl std::io::BufRead, signal: &str) -> String {
    send(child, signal);
    let mut printed = String::new();
    while !printed.contains("the work stops here") {
        let read = stderr.read_line(&mut printed).unwrap();
        assert_ne!(read, 0, "the process has ended: {printed}");
    }
    printed
}

fn read_all(mut from: impl std::io::Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}

/// The names of the files of a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A process that has read most of its standard input, and waits for the rest of it.
fn waiting_for_input(folder: &Path, args: &[&str]) -> Child {
    let mut child = start(folder, args);
    // Returns once the process has read more than the pipe does not hold.
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(padding().as_bytes()).unwrap();
    child
}

#[test]
fn a_stopped_audit_prints_what_it_has_read() {
    for (signal, code) in SIGNALS {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.yaml"), pod("a")).unwrap();
        fs::write(folder.path().join("b.yaml"), pod("b")).unwrap();
        let args = [
            "audit",
            "a.yaml",
            "-",
            "b.yaml",
            "-o",
            "json",
            "-o",
            "text=a.txt",
            "--write-baseline",
            "known.json",
        ];
        let mut child = waiting_for_input(folder.path(), &args);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut printed = stop(&mut child, &mut stderr, signal);
        let done = child.wait_with_output().unwrap();
        printed += &read_all(stderr);
        assert_eq!(done.status.code(), Some(code), "{printed}");
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(
            report["incomplete"],
            serde_json::json!([format!("files: SIG{signal}")])
        );
        assert_eq!(report["findings"][0]["source"]["file"], "a.yaml");
        assert_eq!(report["summary"]["findings"], 1);
        let text = fs::read_to_string(folder.path().join("a.txt")).unwrap();
        assert!(
            text.ends_with(&format!("incomplete: files: SIG{signal}\n")),
            "{text}"
        );
        assert!(printed.contains("known.json is not written"), "{printed}");
        assert_eq!(names(folder.path()), ["a.txt", "a.yaml", "b.yaml"]);
    }
}

#[test]
fn a_fix_that_is_stopped_before_it_has_read_every_file_changes_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), pod("a")).unwrap();
    let mut child = waiting_for_input(folder.path(), &["fix", "a.yaml", "-"]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stop(&mut child, &mut stderr, "INT");
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130));
    assert!(done.stdout.is_empty());
    let printed = read_all(stderr);
    assert!(printed.contains("incomplete: files: SIGINT"), "{printed}");
    assert_eq!(
        fs::read_to_string(folder.path().join("a.yaml")).unwrap(),
        pod("a")
    );
    assert_eq!(names(folder.path()), ["a.yaml"]);
}

/// A `fix` of `a.yaml`, standard input and `b.yaml` that has changed the first one, and waits until the second one is read.
fn fix_between_files(folder: &Path) -> Child {
    fs::write(folder.join("a.yaml"), pod("a")).unwrap();
    fs::write(folder.join("b.yaml"), pod("b")).unwrap();
    let mut child = start(folder, &["fix", "a.yaml", "-", "b.yaml"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((pod("s") + &padding()).as_bytes()).unwrap();
    drop(stdin);
    let mut first = [0];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    child
}

fn is_changed(folder: &Path, name: &str) -> bool {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let (before, after) = (
        pod(&name[..1]),
        pod(&name[..1]).replacen(SONNET, &format!("eu.{SONNET}"), 1),
    );
    assert!(text == before || text == after, "{name} is torn: {text}");
    text == after
}

#[test]
fn a_stopped_fix_leaves_whole_files_and_no_temporary_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = fix_between_files(folder.path());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stop(&mut child, &mut stderr, "TERM");
    let done = child.wait_with_output().unwrap();
    let printed = read_all(stderr);
    assert_eq!(done.status.code(), Some(143), "{printed}");
    assert!(
        printed.contains("the files that were not evaluated are unchanged"),
        "{printed}"
    );
    assert!(is_changed(folder.path(), "a.yaml"));
    assert!(!is_changed(folder.path(), "b.yaml"));
    assert_eq!(names(folder.path()), ["a.yaml", "b.yaml"]);
}

#[test]
fn a_second_signal_ends_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = fix_between_files(folder.path());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stop(&mut child, &mut stderr, "INT");
    send(&child, "INT");
    // It ends although its output is not read.
    let ended: ExitStatus = child.wait().unwrap();
    assert_eq!(ended.code(), Some(130));
    assert!(is_changed(folder.path(), "a.yaml"));
    assert!(!is_changed(folder.path(), "b.yaml"));
    assert_eq!(names(folder.path()), ["a.yaml", "b.yaml"]);
}

#[test]
fn two_signals_while_a_file_is_replaced_leave_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    let old = pod("a") + &padding().repeat(8);
    fs::write(&path, &old).unwrap();
    let mut child = start(folder.path(), &["fix", "a.yaml"]);
    while names(folder.path()).len() == 1 && child.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    // Different ones: of two equal signals a process may see one.
    send(&child, "INT");
    send(&child, "TERM");
    let ended = child.wait().unwrap();
    assert!(matches!(ended.code(), Some(0 | 130 | 143)), "{ended}");
    let new = fs::read_to_string(&path).unwrap();
    assert!(new == old || new == old.replacen(SONNET, &format!("eu.{SONNET}"), 1));
    assert_eq!(names(folder.path()), ["a.yaml"]);
}

#[test]
fn a_signal_that_the_process_was_started_to_ignore_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let command = format!(
        "trap '' HUP; exec {} audit -",
        env!("CARGO_BIN_EXE_bedrock-profiles")
    );
    let mut child = Command::new("sh")
        .args(["-c", &command])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(padding().as_bytes()).unwrap();
    send(&child, "HUP");
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0));
}
