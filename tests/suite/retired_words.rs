//! No retired word is used: the project has one word for one thing, and `tests/data/retired-words.txt` lists the words that were
//! replaced. Words are compared whole, in prose and in the parts of identifiers, and regardless of case.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const LIST: &str = "tests/data/retired-words.txt";

/// Files and folders whose whole text is checked.
const TEXTS: &[&str] = &[
    "docs",
    "src",
    "crates",
    "charts",
    "manifests",
    "catalog",
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "Makefile",
    "Dockerfile",
];

/// Folders of tests, in which the names of files and functions are checked.
const NAMES: &[&str] = &["tests", "benches", "fuzz/targets"];

/// Folders in which texts of other people are kept.
const FOREIGN: &[&str] = &["tests/fixtures", "tests/data", "target"];

/// What the list holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    /// Words and phrases, each as its words in lower case.
    retired: Vec<Vec<String>>,
    /// Identifiers in which a retired word is permitted.
    allowed: BTreeSet<String>,
}

impl List {
    /// Reads `word or phrase: what to write instead` and `allow identifier: why`, one a line.
    fn parse(text: &str) -> Self {
        let mut list = Self::default();
        for line in text.lines() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (entry, explanation) = line.split_once(": ").expect("`entry: explanation`");
            assert!(!explanation.trim().is_empty(), "{line}");
            if let Some(identifier) = entry.strip_prefix("allow ") {
                list.allowed.insert(identifier.to_owned());
            } else {
                list.retired
                    .push(entry.split(' ').map(str::to_owned).collect());
            }
        }
        list
    }

    /// Each retired word in `text`, as `line: phrase`.
    fn findings(&self, text: &str) -> Vec<String> {
        let words = self.words(text);
        let mut findings = Vec::new();
        for at in 0..words.len() {
            for phrase in &self.retired {
                let end = (at + phrase.len()).min(words.len());
                if words[at..end].iter().map(|(_, word)| word).eq(phrase) {
                    findings.push(format!("{}: {}", words[at].0, phrase.join(" ")));
                }
            }
        }
        findings
    }

    /// The words of `text` with their lines; identifiers are split at `_` and before capitals.
    fn words(&self, text: &str) -> Vec<(usize, String)> {
        let mut words = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let identifiers = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            for identifier in identifiers.filter(|one| !self.allowed.contains(*one)) {
                words.extend(parts(identifier).into_iter().map(|word| (at + 1, word)));
            }
        }
        words
    }
}

/// The words of an identifier: `GenerationInForce`, `generation_in_force`.
fn parts(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in identifier.chars() {
        if c == '_' || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if c != '_' {
            words
                .last_mut()
                .expect("never empty")
                .extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every file below `path` that is no text of other people.
fn files(path: &Path) -> Vec<PathBuf> {
    if FOREIGN.iter().any(|foreign| path.starts_with(foreign)) {
        return Vec::new();
    }
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<_> = fs::read_dir(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    entries.iter().flat_map(|entry| files(entry)).collect()
}

/// The names of the functions of a Rust source, one a line at its place.
fn function_names(text: &str) -> String {
    let name = |line: &str| {
        let (_, rest) = line.split_once("fn ")?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        Some(rest[..end].to_owned())
    };
    let names: Vec<_> = text
        .lines()
        .map(|line| name(line).unwrap_or_default())
        .collect();
    names.join("\n")
}

#[test]
fn no_retired_word_is_used() {
    let list = List::parse(&fs::read_to_string(LIST).unwrap());
    let mut findings = Vec::new();
    let mut check = |path: &Path, text: &str| {
        let path = path.display();
        findings.extend(
            list.findings(text)
                .into_iter()
                .map(|one| format!("{path}:{one}")),
        );
        let in_the_name = list.findings(&path.to_string());
        findings.extend(
            in_the_name
                .iter()
                .map(|one| format!("{path}: the name of the file: {one}")),
        );
    };
    let (mut texts, mut names) = (0, 0);
    for path in TEXTS.iter().flat_map(|path| files(Path::new(path))) {
        check(&path, &String::from_utf8_lossy(&fs::read(&path).unwrap()));
        texts += 1;
    }
    for path in NAMES.iter().flat_map(|path| files(Path::new(path))) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            check(&path, &function_names(&fs::read_to_string(&path).unwrap()));
            names += 1;
        }
    }
    assert!(texts > 250 && names > 100, "{texts} texts, {names} tests");
    assert!(
        findings.is_empty(),
        "{LIST} says what to write instead:\n{}",
        findings.join("\n")
    );
}

#[test]
fn a_retired_word_is_found_in_prose_and_in_identifiers() {
    let list = List::parse(
        "# a comment\n\ntold: reported\nin force: active\nallow inForceSince: a field of the API\n",
    );
    for (text, findings) in [
        ("nothing here, toldest, untold", &[][..]),
        ("It is told.", &["1: told"]),
        ("TOLD", &["1: told"]),
        (
            "let told_twice;\nstruct ToldTwice;",
            &["1: told", "2: told"],
        ),
        ("in\n/// force", &["1: in force"]),
        (
            "GenerationInForce generation_in_force",
            &["1: in force", "1: in force"],
        ),
        ("what it is in; forced, enforced", &[]),
        ("inForceSince", &[]),
        ("inForceSinceWhen", &["1: in force"]),
    ] {
        assert_eq!(list.findings(text), findings, "{text}");
    }
}

#[test]
fn the_names_of_functions_are_read_with_their_lines() {
    let source = "// fn is a word\nfn one() {}\npub async fn two<T>() {}\nlet three = 3;";
    assert_eq!(function_names(source), "is\none\ntwo\n");
}
