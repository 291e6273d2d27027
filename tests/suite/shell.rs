//! The shell reader against real shells: scripts of a grammar are run, and each command's arguments compared with the reader's.
//!
//! A script's only commands are two functions that write their arguments to a file: `n`, and `o`, which also prints `out`. There
//! is no program in reach (`PATH` is empty), and the working directory is a temporary one. `SHELL_SEED` takes another seed,
//! `SHELL_SECONDS` runs for that long instead of a bounded number of scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bedrock_profiles::text::shell::{DollarSpelling, ShellScript, read};

mod grammar;
mod values;

use grammar::{Flavour, Generator};
use values::Fields;

/// The scripts of each shell in the test command.
const SCRIPTS: usize = 300;

/// The longest run of one script, on a machine under any load.
const LONGEST_RUN: Duration = Duration::from_mins(1);

/// The name of a broken rule, and the script as a reader with it reads it.
type Fault = (&'static str, fn(&str) -> String);

/// The functions and the variables of every script, and the limit of its CPU time in seconds. A damaged script may have a loop
/// without an end, in a process of its own, which the limit ends too, and may make a file, which no pattern matches (`set -f`).
const PRELUDE: &str = "ulimit -t 2; set -f\nn() { printf '%s\\037' \"$#\" \"$@\" >>\"$L\"; }\n\
    o() { printf '%s\\037' \"$#\" \"$@\" >>\"$L\"; printf out; }\n\
    X=xval; Y=yval; E=; unset U; PATH=\n";

/// Invocations by the marker that is their first argument.
type Invocations = BTreeMap<String, Vec<String>>;

/// A shell of this machine.
struct RealShell {
    program: PathBuf,
    flavour: Flavour,
}

/// The real shells: `sh` and `bash`, as far as there are some, each program once.
fn shells() -> Vec<RealShell> {
    let found = [
        ("sh", Flavour::Posix),
        ("dash", Flavour::Posix),
        ("bash", Flavour::Bash),
    ];
    let folders = ["/bin", "/usr/bin"];
    let path = |name: &str| {
        folders
            .iter()
            .map(|folder| Path::new(folder).join(name))
            .find(|path| path.exists())
    };
    let shells: Vec<_> = found
        .into_iter()
        .filter_map(|(name, flavour)| {
            Some(RealShell {
                program: path(name)?,
                flavour,
            })
        })
        .collect();
    assert!(!shells.is_empty(), "this machine has no shell");
    let mut known = BTreeSet::new();
    let shells: Vec<_> = shells
        .into_iter()
        .filter(|shell| known.insert(std::fs::canonicalize(&shell.program).unwrap()))
        .collect();
    shells
}

impl RealShell {
    /// Runs a script, and returns the invocations; `None` if the shell refuses the script or does not end.
    fn run(&self, folder: &Path, script: &str) -> Option<Invocations> {
        // A damaged script may make files, and may leave a process that still writes its log.
        let folder = tempfile::tempdir_in(folder).unwrap();
        let (log, empty) = (folder.path().join("log"), folder.path().join("empty"));
        std::fs::create_dir(&empty).unwrap();
        std::fs::write(&log, "").unwrap();
        let text = format!("{PRELUDE}{script}\n");
        let mut child = Command::new(&self.program)
            .args(["-c", &text])
            .env_clear()
            .env("L", &log)
            .current_dir(empty)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > LONGEST_RUN {
                child.kill().unwrap();
                child.wait().unwrap();
                return None;
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        let invocations = invocations(&std::fs::read_to_string(&log).ok()?)?;
        (status.success() || !invocations.is_empty()).then_some(invocations)
    }
}

/// The invocations that a log has.
fn invocations(log: &str) -> Option<Invocations> {
    let mut found = BTreeMap::new();
    let mut words = log.split_terminator('\u{1f}');
    while let Some(count) = words.next() {
        let arguments: Vec<_> = words
            .by_ref()
            .take(count.parse().ok()?)
            .map(str::to_owned)
            .collect();
        // A damaged script may call without a marker.
        if let Some(marker) = arguments.first() {
            found.insert(marker.clone(), arguments);
        }
    }
    Some(found)
}

/// The invocations that the reader expects, without the arguments that depend on more than the script; `None` if a marker does, which
/// may be that of any command. Only a damaged script has such a marker.
fn expected(
    script: &ShellScript<'_>,
    output: Option<&str>,
) -> Option<BTreeMap<String, Option<Vec<String>>>> {
    let mut found = BTreeMap::new();
    let fields = Fields { script, output };
    for command in &script.commands {
        let mut words = script.words_of(command).iter().map(|word| fields.of(*word));
        let Some(Some(name)) = words.next() else {
            continue;
        };
        if !matches!(&*name, [one] if one == "n" || one == "o") {
            continue;
        }
        let words: Vec<_> = words.collect();
        let Some(marker) = words.first().cloned() else {
            continue;
        };
        let marker = marker?;
        let arguments: Option<Vec<_>> = words.into_iter().collect();
        let marker = marker.into_iter().next().unwrap_or_default();
        // A damaged marker may be that of another command.
        let arguments = arguments.map(|all| all.concat());
        let known = found.remove(&marker);
        found.insert(marker, arguments.filter(|_| known.is_none()));
    }
    Some(found)
}

/// The first difference between what a shell did and what the reader expects.
fn difference(
    done: &Invocations,
    script: &ShellScript<'_>,
    output: Option<&str>,
) -> Option<String> {
    let expected = expected(script, output)?;
    done.iter()
        .find_map(|(marker, arguments)| match expected.get(marker) {
            // In a damaged script the marker may be joined with an output.
            None if script.unread.is_some() || output.is_none() => None,
            None => Some(format!("{arguments:?} has no command")),
            Some(None) => None,
            // In a damaged script a marker may be in the unread part too.
            Some(_) if output.is_none() && script.source.matches(marker.as_str()).count() > 1 => {
                None
            }
            Some(Some(expected)) if expected == arguments => None,
            Some(Some(expected)) => Some(format!("{arguments:?} is read as {expected:?}")),
        })
}

/// The scripts of a comparison.
#[derive(Clone, Copy)]
enum ScriptKind {
    /// Scripts of the grammar.
    Valid,
    /// The same with one sign too many or too few.
    Damaged,
}

/// What a comparison did.
#[derive(Default)]
struct Comparison {
    scripts: usize,
    refused: usize,
    invocations: usize,
    difference: Option<String>,
}

/// Runs scripts of the grammar in a shell, until one is read otherwise than it ran. `misread` changes what the reader reads.
fn compare(shell: &RealShell, kind: ScriptKind, misread: impl Fn(&str) -> String) -> Comparison {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seed = number("SHELL_SEED").unwrap_or(20_261_130);
    let limit = number("SHELL_SECONDS").map(Duration::from_secs);
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut comparison = Comparison::default();
    let goes_on = |scripts: usize| match limit {
        Some(limit) => start.elapsed() < limit,
        None => scripts < SCRIPTS,
    };
    while goes_on(comparison.scripts) && comparison.difference.is_none() {
        let own_seed = seed.wrapping_add(comparison.scripts as u64);
        let mut generator = Generator::new(own_seed, shell.flavour);
        let (text, output) = match kind {
            ScriptKind::Valid => (generator.script(), Some("out")),
            // A damaged substitution may print nothing.
            ScriptKind::Damaged => (generator.damaged_script(), None),
        };
        comparison.scripts += 1;
        let Some(done) = shell.run(folder.path(), &text) else {
            comparison.refused += 1;
            continue;
        };
        comparison.invocations += done.len();
        let text_read = misread(&text);
        let script = read(&text_read, DollarSpelling::Plain);
        comparison.difference = difference(&done, &script, output).map(|difference| {
            format!(
                "SHELL_SEED={own_seed} {}: {difference}\n{text}",
                shell.program.display()
            )
        });
    }
    println!(
        "{}: SHELL_SEED={seed}, {} scripts, {} refused, {} invocations",
        shell.program.display(),
        comparison.scripts,
        comparison.refused,
        comparison.invocations
    );
    comparison
}

#[test]
fn arguments_are_read_as_real_shells_read_them() {
    for shell in shells() {
        let comparison = compare(&shell, ScriptKind::Valid, str::to_owned);
        assert_eq!(
            comparison.difference,
            None,
            "{}",
            comparison.difference.as_deref().unwrap_or_default()
        );
        assert!(
            comparison.refused * 20 < comparison.scripts,
            "{} refused",
            comparison.refused
        );
        assert!(
            comparison.invocations > comparison.scripts,
            "{} invocations",
            comparison.invocations
        );
    }
}

#[test]
fn every_script_of_the_grammar_is_understood() {
    for seed in 0..SCRIPTS as u64 {
        for flavour in [Flavour::Posix, Flavour::Bash] {
            let text = Generator::new(seed, flavour).script();
            let script = read(&text, DollarSpelling::Plain);
            let unread = script.unread.map(|start| &text[start..]);
            assert_eq!(unread, None, "{seed}:\n{text}");
        }
    }
}

/// A character more, or one less, may change what a script means: then the reader follows the shell, or reads no further.
#[test]
fn damaged_scripts_are_read_as_real_shells_read_them_or_not_at_all() {
    for shell in shells() {
        let comparison = compare(&shell, ScriptKind::Damaged, str::to_owned);
        assert_eq!(
            comparison.difference,
            None,
            "{}",
            comparison.difference.as_deref().unwrap_or_default()
        );
    }
}

/// The comparison finds a reader that breaks a rule of quotes, of continuations or of comments.
#[test]
fn a_broken_rule_is_found() {
    let faults: [Fault; 4] = [
        ("single quotes as double quotes", |text| {
            text.replace('\'', "\"")
        }),
        ("no backslashes", |text| text.replace('\\', "")),
        ("no line continuations", |text| text.replace("\\\n", " ")),
        ("no expansions in double quotes", |text| {
            text.replace("\"$", "\"\\$")
        }),
    ];
    for shell in shells() {
        for (name, fault) in faults {
            let comparison = compare(&shell, ScriptKind::Valid, fault);
            assert!(
                comparison.difference.is_some(),
                "{name} in {}",
                shell.program.display()
            );
        }
    }
}
