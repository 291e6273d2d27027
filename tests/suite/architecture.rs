//! The direction of the layers, and that `text` and `domain` are pure. The arrows are read from the head of `src/lib.rs`.
//!
//! Reads sources as words, which is enough: a path that is not written cannot be taken, and no macro here makes one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which rooms a room may name; `None` is every room.
type Arrows = BTreeMap<String, Option<BTreeSet<String>>>;

/// Rooms without a clock, I/O or a global state.
const PURE: [&str; 2] = ["text", "domain"];

/// Paths that a pure room must not take, by their first segments.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::io",
    "std::process",
    "std::thread",
    "std::time",
    "tokio",
    "kube",
    "k8s_openapi",
    "axum",
    "hyper",
    "rustls",
    "tracing",
    "arc_swap",
    "prometheus_client",
];

/// Names that read a clock or write to the process's streams, wherever they stand in a path.
const CLOCKS: &[&str] = &[
    "Instant",
    "SystemTime",
    "println",
    "eprintln",
    "dbg",
    "thread_local",
];

/// What only the answer to a review says.
const RESPONSE: &[&str] = &["\"response\"", "\"patchType\"", "\"allowed\":"];

/// Where it may be said.
const ANSWERS: &str = "webhook/review";

// === Reading ===

/// The production part of a source: without comments, and without the tests at its end.
fn production(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let code = |line: &str| match line.find("//") {
        Some(at) if line[..at].trim().is_empty() || line[..at].ends_with(' ') => {
            line[..at].to_owned()
        }
        _ => line.to_owned(),
    };
    text[..end].lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Words and the signs that matter between them.
fn words(code: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let word = &rest[..length];
        if !word.trim().is_empty() {
            words.push(word);
        }
        rest = &rest[length..];
    }
    words
}

/// Every path of `code`, with the groups of `use` opened.
fn paths(code: &str) -> Vec<Vec<&str>> {
    let words = words(code);
    let mut paths = Vec::new();
    let mut at = 0;
    while at < words.len() {
        at = path(&words, at, &[], &mut paths).max(at + 1);
    }
    paths
}

/// Reads the path at `at` behind `before`, and returns where it ends.
fn path<'c>(
    words: &[&'c str],
    mut at: usize,
    before: &[&'c str],
    paths: &mut Vec<Vec<&'c str>>,
) -> usize {
    let mut segments = before.to_vec();
    let is_name = |word: &str| word.starts_with(|c: char| c.is_alphabetic() || c == '_');
    while at < words.len() && is_name(words[at]) {
        segments.push(words[at]);
        at += 1;
        if words.get(at) != Some(&"::") {
            break;
        }
        at += 1;
        if words.get(at) == Some(&"{") {
            at += 1;
            while at < words.len() && words[at] != "}" {
                at = path(words, at, &segments, paths).max(at + 1);
            }
            return at + 1;
        }
    }
    if segments.len() > before.len() {
        paths.push(segments);
    }
    at
}

// === Rules ===

/// The module of a file below `src/`, as path segments.
fn module(file: &str) -> Vec<&str> {
    file.trim_end_matches(".rs").split('/').collect()
}

/// The room that a path of a file leads to, if it leaves by way of the crate's root.
fn destination<'c>(module: &[&str], path: &[&'c str]) -> Option<&'c str> {
    let ups = path
        .iter()
        .take_while(|segment| **segment == "super")
        .count();
    match *path.first()? {
        "crate" => path.get(1).copied(),
        "super" if ups >= module.len() => path.get(ups).copied(),
        _ => None,
    }
}

/// Names of the variables and fields of `code` that are hash maps or hash sets, and whether it is a variable of a `let`.
fn hashed(code: &str) -> BTreeSet<(&str, bool)> {
    let words = words(code);
    let opens = |at: usize| {
        let named: Vec<_> = words[at..].iter().take(8).copied().collect();
        let typed = named
            .iter()
            .position(|word| matches!(*word, "HashMap" | "HashSet"));
        typed.is_some_and(|end| {
            named[..end].iter().all(|word| {
                matches!(
                    *word,
                    ":" | "=" | "&" | "mut" | "std" | "collections" | "::"
                )
            }) && matches!(named[0], ":" | "=")
        })
    };
    (1..words.len())
        .filter(|&at| opens(at))
        .map(|at| {
            let before = &words[at.saturating_sub(3)..at - 1];
            (words[at - 1], before.contains(&"let"))
        })
        .collect()
}

/// What is wrong with one file below `src/`.
fn violations(file: &str, text: &str, arrows: &Arrows) -> Vec<String> {
    let code = production(text);
    let module = module(file);
    let room = module[0];
    if matches!(room, "lib" | "main") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let Some(allowed) = arrows.get(room) else {
        return vec![format!(
            "{file}: the room `{room}` is not in the table of src/lib.rs"
        )];
    };
    let paths = paths(&code);
    for path in &paths {
        if let (Some(to), Some(allowed)) = (destination(&module, path), allowed)
            && to != room
            && !allowed.contains(to)
        {
            found.push(format!("{file}: `{room}` must not name `{to}`"));
        }
    }
    if PURE.contains(&room) {
        found.extend(impure(file, &code, &paths));
    }
    for said in RESPONSE {
        let bare = code.replace('\\', "");
        if bare.contains(said) && !file.starts_with(ANSWERS) {
            found.push(format!(
                "{file}: only {ANSWERS}.rs builds a response, and {said} stands here"
            ));
        }
    }
    found
}

/// What a pure room must not do.
fn impure(file: &str, code: &str, paths: &[Vec<&str>]) -> Vec<String> {
    let mut found = Vec::new();
    for path in paths {
        let whole = path.join("::");
        let taken = |impure: &&&str| whole == **impure || whole.starts_with(&format!("{impure}::"));
        if let Some(impure) = IMPURE.iter().find(taken) {
            found.push(format!("{file}: `{impure}` is not pure"));
        }
        let mut segments = path.iter();
        let clock = segments
            .find(|segment| CLOCKS.contains(segment))
            .or_else(|| path[1..].iter().find(|segment| **segment == "now"));
        found.extend(clock.map(|clock| format!("{file}: `{clock}` in `{whole}` is not pure")));
    }
    let words = words(code);
    for (name, local) in hashed(code) {
        let iterated = (0..words.len().saturating_sub(2)).any(|at| {
            let three = &words[at..at + 3];
            let is_field = at > 0 && words[at - 1] == ".";
            three[0] == name
                && !(local && is_field)
                && three[1] == "."
                && matches!(
                    three[2],
                    "iter"
                        | "iter_mut"
                        | "into_iter"
                        | "keys"
                        | "values"
                        | "values_mut"
                        | "into_values"
                        | "drain"
                        | "retain"
                )
        });
        let looped = words.windows(6).any(|some| {
            some[0] == "in"
                && some[1..]
                    .iter()
                    .take_while(|word| {
                        matches!(**word, "&" | "mut" | "self" | ".") || **word == name
                    })
                    .any(|word| *word == name)
                && some[1..]
                    .iter()
                    .find(|word| !matches!(**word, "&" | "mut" | "self" | ".") && **word != name)
                    == Some(&"{")
        });
        if iterated || looped {
            found.push(format!(
                "{file}: the order of the hash map `{name}` would decide"
            ));
        }
    }
    found
}

/// Reads `room   what it is -> rooms that it names`.
fn table(head: &str) -> Arrows {
    let line = |line: &str| {
        let (left, right) = line.strip_prefix("//! ")?.split_once(" -> ")?;
        let room = left.split_whitespace().next()?.to_owned();
        let named = match right.trim() {
            "all" => None,
            "nothing" => Some(BTreeSet::new()),
            some => Some(some.split(", ").map(str::to_owned).collect()),
        };
        Some((room, named))
    };
    head.lines().filter_map(line).collect()
}

// === Tests ===

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn head() -> String {
    std::fs::read_to_string(root().join("lib.rs")).unwrap()
}

#[test]
fn no_room_names_one_that_it_must_not() {
    let arrows = table(&head());
    let mut files = Vec::new();
    sources(&root(), &mut files);
    assert!(files.len() > 50, "{}", files.len());
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap();
        // Tests may ask whomever they like.
        if !name.ends_with("tests.rs") && !name.contains("/tests/") {
            found.extend(violations(name, &text, &arrows));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_table_has_every_room_and_its_arrows_make_no_circle() {
    let head = head();
    let arrows = table(&head);
    let rooms: BTreeSet<_> = head
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .chain(["text", "domain"])
        .map(str::to_owned)
        .collect();
    assert_eq!(arrows.keys().cloned().collect::<BTreeSet<_>>(), rooms);
    for (room, named) in &arrows {
        let mut reached: BTreeSet<_> = named.clone().unwrap_or_else(|| {
            rooms
                .iter()
                .filter(|other| *other != room)
                .cloned()
                .collect()
        });
        for _ in &rooms {
            let next: Vec<_> = reached
                .iter()
                .filter_map(|one| arrows[one].clone())
                .flatten()
                .collect();
            reached.extend(next);
        }
        assert!(!reached.contains(room), "{room} leads back to itself");
    }
}

#[test]
fn a_violation_is_found_wherever_it_stands() {
    let arrows = table(&head());
    for (file, text) in [
        ("domain/resolve.rs", "use crate::report::Record;"),
        (
            "domain/resolve.rs",
            "use crate::{text::Tree, webhook::desk};",
        ),
        (
            "domain/resolve.rs",
            "use crate::{\n    text::{Tree, NodeId},\n    api,\n};",
        ),
        (
            "domain/resolve/rules.rs",
            "use super::super::super::api::Model;",
        ),
        ("domain/resolve.rs", "fn f() { crate::cli::run(); }"),
        ("text.rs", "use super::domain::judge;"),
        ("text/json.rs", "use crate::domain::judge;"),
        ("tls/schedule.rs", "use crate::runtime::Shutdown;"),
        ("report.rs", "use crate::validate;"),
        ("webhook/desk.rs", "use crate::cli::serve;"),
        ("rooms.rs", ""),
        ("domain/region.rs", "use std::fs;"),
        (
            "domain/region.rs",
            "use std::{collections::BTreeMap, env::var};",
        ),
        (
            "domain/judge.rs",
            "fn f() { let t = std::time::Instant::now(); }",
        ),
        ("domain/judge.rs", "fn f() { let t = jiff::Zoned::now(); }"),
        ("domain/judge.rs", "fn f() { let t = Timestamp::now(); }"),
        (
            "domain/judge.rs",
            "async fn f() { tokio::task::yield_now().await; }",
        ),
        ("domain/object.rs", "use kube::Resource;"),
        ("text/yaml.rs", "fn f() { println!(\"x\"); }"),
        (
            "domain/catalog.rs",
            "struct C { ids: HashMap<u8, u8> }\nfn f(c: C) { c.ids.values().count(); }",
        ),
        (
            "domain/catalog.rs",
            "fn f(ids: &HashMap<u8, u8>) { for id in ids { g(id); } }",
        ),
        (
            "domain/catalog.rs",
            "fn f() { let seen = HashSet::new(); for id in &seen { g(id); } }",
        ),
        (
            "webhook/answer.rs",
            "const A: &str = r#\"{\"response\":{}}\"#;",
        ),
        (
            "cli/serve.rs",
            "const A: &str = \"{\\\"allowed\\\":true}\";",
        ),
    ] {
        assert!(
            !violations(file, text, &arrows).is_empty(),
            "{file}: {text}"
        );
    }
}

#[test]
fn what_is_allowed_is_let_be() {
    let arrows = table(&head());
    for (file, text) in [
        (
            "domain/resolve.rs",
            "use crate::text::Tree;\nuse super::catalog::Model;",
        ),
        (
            "domain/resolve/rules.rs",
            "use super::super::catalog::Model;",
        ),
        (
            "domain/judge.rs",
            "// The clock is std::time::Instant::now, asked elsewhere.\n/// As [`crate::webhook::desk`] does.",
        ),
        (
            "domain/judge.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::validate;\n}",
        ),
        (
            "domain/catalog.rs",
            "struct C { ids: HashMap<u8, u8> }\nfn f(c: C) { c.ids.get(&1); for x in list { c.ids.len(); } }",
        ),
        (
            "webhook/review/answer.rs",
            "const A: &str = r#\"{\"response\":{}}\"#;",
        ),
        ("cli.rs", "use crate::{webhook, domain, tls};"),
        ("main.rs", "use bedrock_profiles::cli;"),
    ] {
        let found = violations(file, text, &arrows);
        assert!(found.is_empty(), "{found:?}");
    }
}
