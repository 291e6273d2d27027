//! Who may name whom, and what stays pure. The same table stands at the head of `src/lib.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms that it may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("domain", &["text"]),
    ("api", &[]),
    ("validate", &["api", "domain"]),
    ("catalog", &["api"]),
    ("report", &["domain"]),
    ("scan", &["text", "domain", "report"]),
    ("tls", &[]),
    ("runtime", &[]),
    ("webhook", &["text", "domain", "report", "tls", "runtime"]),
    (
        "cli",
        &[
            "text", "domain", "api", "validate", "catalog", "report", "scan", "tls", "runtime",
            "webhook",
        ],
    ),
];

/// What a pure room does not mention: I/O, clocks, the environment, the runtime, the cluster.
const IMPURE: &[&str] = &[
    "tokio",
    "kube::",
    "k8s_openapi",
    "hyper",
    "axum",
    "tracing",
    "std::fs",
    "std::env",
    "std::net",
    "std::thread",
    "std::process",
    "std::io",
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "println!",
    "HashMap::iter",
    "rand",
];

/// What is wrong with a source file, in sentences.
fn violations(path: &str, text: &str) -> Vec<String> {
    let room = path
        .trim_start_matches("src/")
        .split(['/', '.'])
        .next()
        .unwrap_or_default();
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![];
    };
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let mut found = Vec::new();
    for name in code.iter().flat_map(|line| named(line)) {
        if name != room && ROOMS.iter().any(|(room, _)| *room == name) && !allowed.contains(&&*name)
        {
            found.push(format!(
                "{path}: `{room}` names `{name}`, which stands above or beside it"
            ));
        }
    }
    if matches!(room, "text" | "domain") && !path.contains("tests") {
        let mentions = |word: &&&str| code.iter().any(|line| line.contains(**word));
        found.extend(
            IMPURE
                .iter()
                .filter(mentions)
                .map(|word| format!("{path}: `{room}` is pure and mentions `{word}`")),
        );
    }
    let answers = code
        .iter()
        .any(|line| line.contains("AdmissionReview\",\"apiVersion"));
    if answers && !path.starts_with("src/webhook/review") {
        found.push(format!("{path}: only src/webhook/review writes a response"));
    }
    found
}

/// The rooms that a line names by a path from the crate's root.
fn named(line: &str) -> BTreeSet<String> {
    let paths = line
        .match_indices("crate::")
        .map(|(at, start)| &line[at + start.len()..]);
    paths
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect()
        })
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn every_room_names_only_what_stands_below_it() {
    let files = sources(Path::new("src"));
    assert!(files.len() > 50);
    let found: Vec<_> = files
        .iter()
        .flat_map(|path| violations(path.to_str().unwrap(), &fs::read_to_string(path).unwrap()))
        .collect();
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn every_room_is_in_the_table() {
    let rooms: BTreeSet<_> = fs::read_to_string("src/lib.rs")
        .unwrap()
        .lines()
        .filter_map(|line| {
            Some(
                line.strip_prefix("pub mod ")?
                    .trim_end_matches(';')
                    .to_owned(),
            )
        })
        .collect();
    assert_eq!(
        rooms,
        ROOMS.iter().map(|(name, _)| (*name).to_owned()).collect()
    );
}

#[test]
fn a_violation_is_found_and_named() {
    for (path, text) in [
        ("src/domain/judge.rs", "use crate::webhook::desk;"),
        ("src/domain.rs", "let now = std::time::Instant::now();"),
        ("src/text/json.rs", "use crate::domain::id;"),
        ("src/validate.rs", "use crate::runtime::Tasks;"),
        ("src/webhook/desk.rs", "fn f() { crate::cli::run() }"),
        (
            "src/webhook/desk.rs",
            r#"let x = r"{"kind":"AdmissionReview","apiVersion":";"#,
        ),
    ] {
        assert_eq!(violations(path, text).len(), 1, "{path}: {text}");
    }
    assert_eq!(
        violations(
            "src/webhook/desk.rs",
            "use crate::domain::judge; // crate::cli"
        ),
        ["src/webhook/desk.rs: `webhook` names `cli`, which stands above or beside it"]
    );
    assert_eq!(
        violations(
            "src/domain/judge.rs",
            "// crate::webhook, Instant\nuse crate::text::Tree;"
        ),
        Vec::<String>::new()
    );
}
