//! `fix -i` asks on a terminal, and only there.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{SONNET, text};

/// A file with IDs that are too far from each other for one hunk.
fn variables() -> String {
    let setting = |name| format!("{name}_REGION=us-east-1\n{name}_MODEL={SONNET}\n");
    let between = "# nothing\n".repeat(9);
    [setting("A"), setting("B"), setting("C")].join(&between)
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bedrock-profiles"));
    command
        .args([
            "fix",
            "-i",
            ".",
            "--region",
            "us-east-1",
            "--today",
            "2026-11-23",
        ])
        .current_dir(folder);
    command
}

/// Both ends of a new terminal: that of the user, and that of the command.
fn terminal() -> (File, File) {
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&user).unwrap();
    unlockpt(&user).unwrap();
    let name = ptsname(&user, Vec::new()).unwrap().into_string().unwrap();
    let other = OpenOptions::new()
        .read(true)
        .write(true)
        .open(name)
        .unwrap();
    (File::from(user), other)
}

/// Runs `fix -i` on a terminal with these answers, and returns what it has printed there and its exit code.
fn answered(folder: &Path, answers: &str) -> (String, Option<i32>) {
    let (mut user, other) = terminal();
    user.write_all(answers.as_bytes()).unwrap();
    let mut child = command(folder)
        .stdin(other.try_clone().unwrap())
        .stderr(other)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut printed = Vec::new();
    // The last end that is closed ends the reading, with an error on Linux.
    let _ = user.read_to_end(&mut printed);
    let ended = child.wait().unwrap();
    (String::from_utf8(printed).unwrap(), ended.code())
}

#[test]
fn each_change_is_made_as_the_user_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a.env"), folder.path().join("b.env"));
    let old = variables();
    fs::write(&a, &old).unwrap();
    fs::write(&b, &old).unwrap();
    let (printed, code) = answered(folder.path(), "y\nn\ny\nd\n");
    let changed = |count| old.replacen(SONNET, &format!("us.{SONNET}"), count);
    let all = changed(3);
    let (one, two) = (changed(1), changed(2));
    let expected = one.clone() + &all[two.len()..];
    assert_eq!(
        fs::read_to_string(&a).unwrap().len(),
        expected.len(),
        "{printed}"
    );
    assert_eq!(fs::read_to_string(&b).unwrap(), old);
    assert!(
        printed.contains("(2/3) Make this change [y,n,q,a,d,?]?"),
        "{printed}"
    );
    assert!(printed.contains("2 changed, 4 changes"), "{printed}");
    assert_eq!(
        code,
        Some(1),
        "what the user does not want stays: {printed}"
    );
    let (_, code) = answered(folder.path(), "a\na\n");
    assert_eq!(code, Some(0));
    for file in [a, b] {
        assert_eq!(fs::read_to_string(file).unwrap(), all);
    }
}

#[test]
fn without_a_terminal_nothing_is_asked_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.env");
    fs::write(&file, variables()).unwrap();
    let done = command(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(
        text(&done.stderr),
        "error: -i asks about each change, and standard input is no terminal: --diff prints the changes as a patch, which can be edited and applied\n"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), variables());
}
