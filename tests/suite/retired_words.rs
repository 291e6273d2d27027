//! No retired word is used: the project has one word for one thing, and `tests/data/retired-words.txt` lists the words that were
//! replaced. Words are compared whole, in prose and in the parts of identifiers, and regardless of case. Some are English in prose
//! and retired in identifiers only. In tests, only identifiers are checked.

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
    "SECURITY.md",
    "Makefile",
    "Dockerfile",
];

/// Folders whose sources' identifiers and file names are checked.
const SOURCES: &[&str] = &["src", "crates", "tests", "benches", "fuzz/targets"];

/// Folders in which texts of other people are kept.
const FOREIGN: &[&str] = &["tests/fixtures", "tests/data", "target"];

/// What the list holds.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    /// Words and phrases, each as its words in lower case.
    retired: Vec<Vec<String>>,
    /// Words that are retired in identifiers only.
    in_identifiers: Vec<Vec<String>>,
    /// Identifiers in which a retired word is permitted.
    allowed: BTreeSet<String>,
}

impl List {
    /// Reads `word or phrase: what to write instead`, `identifier word: what to write instead` and `allow identifier: why`, one a
    /// line.
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
            } else if let Some(word) = entry.strip_prefix("identifier ") {
                list.in_identifiers.push(vec![word.to_owned()]);
            } else {
                list.retired
                    .push(entry.split(' ').map(str::to_owned).collect());
            }
        }
        list
    }

    /// Each retired word in `text`, as `line: phrase`.
    fn findings(&self, text: &str) -> Vec<String> {
        self.search(text, &self.retired)
    }

    /// Each word in `identifiers` that is retired in identifiers, as `line: phrase`.
    fn findings_in_identifiers(&self, identifiers: &str) -> Vec<String> {
        let everywhere = self.search(identifiers, &self.retired);
        let here = self.search(identifiers, &self.in_identifiers);
        [everywhere, here].concat()
    }

    fn search(&self, text: &str, phrases: &[Vec<String>]) -> Vec<String> {
        let words = self.words(text);
        let mut findings = Vec::new();
        for at in 0..words.len() {
            for phrase in phrases {
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

/// The identifiers of a Rust source, at their lines: the source without comments and literals.
fn identifiers(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().filter(|c| *c == '\n'));
            code.push(' ');
            rest = &rest[length..];
        }
    }
    code
}

/// The length of the comment or literal that `text` begins with; 0 where it begins with code.
fn skipped(text: &str) -> usize {
    let through = |from: usize, end: &str| {
        text[from..]
            .find(end)
            .map_or(text.len(), |at| from + at + end.len())
    };
    let hashes = text[1..].len() - text[1..].trim_start_matches('#').len();
    if text.starts_with("//") {
        text.find('\n').unwrap_or(text.len())
    } else if text.starts_with("/*") {
        through(2, "*/")
    } else if text.starts_with('r') && text[1 + hashes..].starts_with('"') {
        through(hashes + 2, &format!("\"{}", "#".repeat(hashes)))
    } else if text.starts_with('"') {
        end_of_literal(text, '"')
    } else if text.starts_with('\'') && is_character(text) {
        end_of_literal(text, '\'')
    } else {
        0
    }
}

/// Whether a quote begins a character and no lifetime.
fn is_character(text: &str) -> bool {
    text.starts_with("'\\") || text.chars().nth(2) == Some('\'')
}

/// The length of a literal in `quote`s, in which a backslash escapes the next character.
fn end_of_literal(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return at + c.len_utf8();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

#[test]
fn no_retired_word_is_used() {
    let list = List::parse(&fs::read_to_string(LIST).unwrap());
    let mut findings = Vec::new();
    let mut check = |path: &Path, found: Vec<String>| {
        let path = path.display();
        findings.extend(found.into_iter().map(|one| format!("{path}:{one}")));
        let in_the_name = list.findings(&path.to_string());
        findings.extend(
            in_the_name
                .iter()
                .map(|one| format!("{path}: the name of the file: {one}")),
        );
    };
    let (mut texts, mut sources) = (0, 0);
    for path in TEXTS.iter().flat_map(|path| files(Path::new(path))) {
        let text = fs::read(&path).unwrap();
        check(&path, list.findings(&String::from_utf8_lossy(&text)));
        texts += 1;
    }
    for path in SOURCES.iter().flat_map(|path| files(Path::new(path))) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let code = identifiers(&fs::read_to_string(&path).unwrap());
            check(&path, list.findings_in_identifiers(&code));
            sources += 1;
        }
    }
    assert!(
        texts > 250 && sources > 300,
        "{texts} texts, {sources} sources"
    );
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
fn a_word_that_is_retired_in_identifiers_is_permitted_in_prose() {
    let list = List::parse("identifier seen: observed\nallow seen_in: a field of the API\n");
    assert_eq!(list.findings("as seen by the API server"), [""; 0]);
    let code = identifiers("// seen\nlet seen = \"seen\";\nlet not_seen = one.seen_in;");
    assert_eq!(list.findings_in_identifiers(&code), ["2: seen", "3: seen"]);
}

#[test]
fn identifiers_are_read_without_comments_and_literals() {
    for (source, code) in [
        ("one // two\nthree", "one  \nthree"),
        ("one /* two\n */ three", "one \n  three"),
        (r#"one "two \" three" four"#, "one   four"),
        ("one r#\"two \" three\"# four", "one   four"),
        ("one 'a' two '\\'' three", "one   two   three"),
        ("fn one<'a>(two: &'a str)", "fn one<'a>(two: &'a str)"),
        ("for rust in r", "for rust in r"),
    ] {
        assert_eq!(identifiers(source), code, "{source}");
    }
}
