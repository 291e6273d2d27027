//! Which top-level module imports which (the tables at the head of `src/lib.rs` and `crates/engine/src/lib.rs`), held both ways: an import
//! that no table has fails, and so does an arrow that no import takes. No import cycle joins the modules of a top-level module.
//!
//! The purity of the engine is held by its manifest and its `clippy.toml`; here only what neither can deny.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Top-level modules, and those that each imports; `None` is every one.
type Arrows = BTreeMap<String, Option<BTreeSet<String>>>;

/// Modules, and the modules that each imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Modules of the standard library that do I/O or read a clock.
const IMPURE: [&str; 7] = ["fs", "env", "net", "io", "process", "thread", "time"];

/// Keys that only an admission response has.
const RESPONSE_KEYS: [&str; 3] = ["\"response\"", "\"patchType\"", "\"allowed\":"];

/// The module that writes admission responses.
const RESPONSE_WRITER: &str = "webhook/response";

/// Modules that another project could copy: each imports only modules of this list, and names no product.
const REUSABLE: [&str; 7] = [
    "runtime",
    "tls",
    "cluster/backoff",
    "cluster/client",
    "cluster/leader_election",
    "controllers/certificates",
    "controllers/reconcile",
];

/// Words that only the product has.
const PRODUCT_WORDS: [&str; 2] = ["bedrock", "inferenceprofile"];

/// Names that a type has in each of several modules, which every use writes with the module.
const CONVENTIONAL_TYPES: [&str; 3] = ["Args", "Error", "Metrics"];

/// A production source file.
struct Source {
    /// Module path from the root of its crate: `["domain", "judge", "finding"]`.
    module: Vec<String>,
    /// The text without comments and without the tests at its end.
    code: String,
}

impl Source {
    fn new(file: &str, text: &str) -> Self {
        let module = file.trim_end_matches(".rs").split('/');
        Self {
            module: module.map(str::to_owned).collect(),
            code: production(text),
        }
    }

    fn top(&self) -> &str {
        &self.module[0]
    }

    /// The names of the types that are declared outside of functions and inline modules.
    fn types(&self) -> impl Iterator<Item = &str> {
        self.code.lines().filter_map(|line| {
            let declared = line.strip_prefix("pub").map_or(line, |rest| {
                let restricted = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
                restricted.map_or(rest, |(_, rest)| rest).trim_start()
            });
            let (keyword, name) = declared.split_once(' ')?;
            let is_type = matches!(keyword, "struct" | "enum" | "trait" | "type" | "union");
            let end = name.find(|c| !is_word(c)).unwrap_or(name.len());
            is_type.then_some(&name[..end])
        })
    }

    /// Absolute paths of the imports, as segments from the root of the crate.
    fn imports(&self) -> Vec<Vec<&str>> {
        let absolute = self.code.match_indices("crate::").filter_map(|(at, _)| {
            let is_whole = !self.code[..at].ends_with(is_word);
            is_whole.then(|| segments(&self.code[at + "crate::".len()..]))
        });
        let relative = self.code.match_indices("super::").filter_map(|(at, _)| {
            let is_first = !self.code[..at].ends_with("super::");
            is_first.then(|| self.relative(&self.code[at..]))
        });
        absolute.chain(relative).collect()
    }

    /// The absolute path of one that begins with `super::`.
    fn relative<'s>(&'s self, path: &'s str) -> Vec<&'s str> {
        let named = segments(path);
        let ups = named.iter().take_while(|name| **name == "super").count();
        let kept = self.module.len().saturating_sub(ups);
        let parent = self.module[..kept].iter().map(String::as_str);
        parent.chain(named[ups..].iter().copied()).collect()
    }

    /// How many modules the longest relative path of this file climbs.
    fn longest_climb(&self) -> usize {
        let climbs = self.code.match_indices("super::").map(|(at, _)| {
            let names = segments(&self.code[at..]);
            names.iter().take_while(|name| **name == "super").count()
        });
        climbs.max().unwrap_or_default()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names of a path up to what is no name: `a::b::{` has two.
fn segments(path: &str) -> Vec<&str> {
    let end = path
        .find(|c: char| !is_word(c) && c != ':')
        .unwrap_or(path.len());
    path[..end].split("::").filter(|s| !s.is_empty()).collect()
}

/// A source without comments and without the tests at its end.
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

/// Reads rows of the form `module   description -> imported modules`.
fn table(head: &str) -> Arrows {
    let row = |line: &str| {
        let (left, right) = line.strip_prefix("//! ")?.split_once(" -> ")?;
        let top = left.split_whitespace().next()?.to_owned();
        let imported = match right.trim() {
            "all" => None,
            "nothing" => Some(BTreeSet::new()),
            some => Some(some.split(", ").map(str::to_owned).collect()),
        };
        Some((top, imported))
    };
    head.lines().filter_map(row).collect()
}

/// What is wrong between a table and the imports of the sources.
fn violations(arrows: &Arrows, sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut taken: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources {
        let name = source.module.join("/");
        let Some(allowed) = arrows.get(source.top()) else {
            found.push(format!(
                "{name}: the table has no module `{}`",
                source.top()
            ));
            continue;
        };
        if source.longest_climb() >= source.module.len() {
            found.push(format!(
                "{name}: `super` leaves the top-level module; write `crate::…`"
            ));
        }
        if source.code.contains("crate::{") {
            found.push(format!(
                "{name}: `crate::{{…}}` hides the module; one `use` for each"
            ));
        }
        for import in source.imports() {
            let top = import.first().copied().unwrap_or_default();
            if top == source.top() || !arrows.contains_key(top) {
                continue;
            }
            taken.entry(source.top()).or_default().insert(top);
            if allowed
                .as_ref()
                .is_some_and(|allowed| !allowed.contains(top))
            {
                found.push(format!("{name}: imports `{top}`, which the table forbids"));
            }
        }
    }
    let here: BTreeSet<_> = sources.iter().map(Source::top).collect();
    for (top, allowed) in arrows.iter().filter(|(top, _)| here.contains(top.as_str())) {
        for arrow in allowed.iter().flatten() {
            if !taken
                .get(top.as_str())
                .is_some_and(|taken| taken.contains(arrow.as_str()))
            {
                found.push(format!("the table lets `{top}` import `{arrow}`, unused"));
            }
        }
    }
    found
}

/// The imports between the modules of a top-level module; a module is a file together with the folder of its name.
fn graph(top: &str, sources: &[Source]) -> Graph {
    let of_top = || sources.iter().filter(|source| source.top() == top);
    let modules: BTreeSet<_> = of_top()
        .filter_map(|source| source.module.get(1).cloned())
        .collect();
    let mut graph = Graph::new();
    for source in of_top() {
        let Some(module) = source.module.get(1) else {
            continue;
        };
        for import in source.imports() {
            if let [first, second, ..] = import[..]
                && first == top
                && second != module
                && modules.contains(second)
            {
                graph
                    .entry(module.clone())
                    .or_default()
                    .insert(second.to_owned());
            }
        }
    }
    graph
}

/// The modules that lie on an import cycle: what stays when modules that import none of the rest are taken away.
fn cyclic(mut graph: Graph) -> BTreeSet<String> {
    loop {
        let open: BTreeSet<_> = graph.keys().cloned().collect();
        let before = graph.len();
        graph.retain(|_, imported| imported.iter().any(|one| open.contains(one)));
        if graph.len() == before {
            return open;
        }
    }
}

// === The sources of this package ===

fn sources(folder: &Path) -> Vec<Source> {
    let mut files = Vec::new();
    collect(folder, &mut files);
    let source = |path: &PathBuf| {
        let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
        let is_test = name.ends_with("tests.rs")
            || name.contains("/tests/")
            || name.ends_with("simulation.rs")
            || name.ends_with("fixtures.rs");
        let is_root = matches!(name, "lib.rs" | "main.rs");
        let text = std::fs::read_to_string(path).unwrap();
        (!is_test && !is_root).then(|| Source::new(name, &text))
    };
    files.iter().filter_map(source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The source folders of the two crates.
fn crates() -> [PathBuf; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [root.join("src"), root.join("crates/engine/src")]
}

fn head(crate_folder: &Path) -> String {
    std::fs::read_to_string(crate_folder.join("lib.rs")).unwrap()
}

#[test]
fn imports_are_the_arrows_of_the_tables_and_no_arrow_is_unused() {
    for folder in crates() {
        let found = violations(&table(&head(&folder)), &sources(&folder));
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn the_tables_have_every_top_level_module_and_no_cycle() {
    for folder in crates() {
        let head = head(&folder);
        let arrows = table(&head);
        let modules = head
            .lines()
            .filter_map(|line| line.strip_prefix("pub mod "));
        for module in modules {
            let top = module.trim_end_matches(';');
            assert!(arrows.contains_key(top), "the table has no module `{top}`");
        }
        let closed = arrows.into_iter().map(|(top, imported)| {
            let imported = imported.unwrap_or_default();
            (top, imported)
        });
        let on_cycles = cyclic(closed.collect());
        assert!(on_cycles.is_empty(), "{on_cycles:?}");
    }
}

#[test]
fn the_modules_of_a_top_level_module_have_no_import_cycle() {
    for folder in crates() {
        let sources = sources(&folder);
        assert!(sources.len() > 50, "{}", sources.len());
        for top in table(&head(&folder)).keys() {
            let graph = graph(top, &sources);
            let on_cycles = cyclic(graph.clone());
            let edges: Vec<_> = on_cycles.iter().map(|m| (m, &graph[m])).collect();
            assert!(on_cycles.is_empty(), "cycle in `{top}`: {edges:#?}");
        }
    }
}

#[test]
fn the_engine_uses_no_module_of_the_standard_library_that_does_io() {
    let [_, engine] = crates();
    for source in sources(&engine) {
        for module in IMPURE {
            let name = source.module.join("/");
            let path = format!("std::{module}");
            assert!(!source.code.contains(&path), "{name} uses {path}");
        }
        for (at, _) in source.code.match_indices("std::{") {
            let group = source.code[at..].split(';').next().unwrap_or_default();
            let mut names = group.split(|c| !is_word(c));
            let impure = names.find(|name| IMPURE.contains(name));
            assert_eq!(impure, None, "{}", source.module.join("/"));
        }
    }
}

#[test]
fn one_module_writes_admission_responses() {
    let [product, _] = crates();
    for source in sources(&product) {
        let name = source.module.join("/");
        let bare = source.code.replace('\\', "");
        for key in RESPONSE_KEYS {
            assert!(
                !bare.contains(key) || name.starts_with(RESPONSE_WRITER),
                "{name} holds {key}, which only {RESPONSE_WRITER} writes"
            );
        }
    }
}

/// Whether a module path is that of a reusable module or of one below it.
fn is_reusable(path: &str) -> bool {
    REUSABLE.iter().any(|module| {
        let rest = path.strip_prefix(module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

#[test]
fn reusable_modules_import_no_others_and_name_no_product() {
    let [product, _] = crates();
    let mut files = Vec::new();
    collect(&product, &mut files);
    let mut found = BTreeSet::<&str>::new();
    for file in files {
        let name = file.strip_prefix(&product).unwrap().to_str().unwrap();
        if !is_reusable(name.trim_end_matches(".rs")) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for word in PRODUCT_WORDS {
            assert!(!text.to_lowercase().contains(word), "{name} names {word}");
        }
        for import in Source::new(name, &text).imports() {
            let path = import.join("/");
            assert!(is_reusable(&path), "{name} imports {path}");
        }
        let matching = REUSABLE.into_iter();
        found.extend(matching.filter(|module| name.starts_with(module)));
    }
    assert_eq!(found.len(), REUSABLE.len(), "{found:?}");
}

/// Custom resources, whose derive takes nothing but a literal; elsewhere the group is `group!()`.
#[test]
fn the_api_group_is_a_literal_in_the_derives_of_custom_resources_only() {
    use bedrock_profiles::api::{InferenceProfileMapping, InferenceProfilePolicy};
    use kube::Resource as _;
    let [mapping, policy] = [
        InferenceProfileMapping::group(&()),
        InferenceProfilePolicy::group(&()),
    ];
    assert_eq!([mapping, policy], [bedrock_profiles_engine::group!(); 2]);

    let quoted = |code: &str| code.matches(bedrock_profiles_engine::group!()).count();
    let named = crates().into_iter().flat_map(|folder| sources(&folder));
    let named: BTreeMap<_, _> = named
        .map(|source| (source.module.join("/"), quoted(&source.code)))
        .filter(|(_, count)| *count > 0)
        .collect();
    let derives = ["api/mapping", "api/policy"].map(|module| (module.to_owned(), 1));
    assert_eq!(named, BTreeMap::from(derives));
}

/// A twin is the same thing as written in a custom resource (`api`) and as decided by (`domain`).
#[test]
fn type_names_are_unique_but_for_twins_and_conventions() {
    let sources: Vec<_> = crates().iter().flat_map(|folder| sources(folder)).collect();
    let found = homonyms(&sources);
    assert!(found.is_empty(), "{found:#?}");
}

/// The modules of each type name that several types have.
fn homonyms(sources: &[Source]) -> BTreeMap<&str, Vec<String>> {
    let mut modules = BTreeMap::<&str, Vec<String>>::new();
    for source in sources {
        for name in source.types() {
            modules
                .entry(name)
                .or_default()
                .push(source.module.join("/"));
        }
    }
    modules.retain(|name, modules| {
        let count = |top: &str| modules.iter().filter(|one| one.starts_with(top)).count();
        let is_twin = modules.len() == 2 && count("api/") == 1 && count("domain/") == 1;
        modules.len() > 1 && !is_twin && !CONVENTIONAL_TYPES.contains(name)
    });
    modules
}

// === The checks themselves ===

/// A table of three modules, and one file that the checks read beside `base`.
fn found_in(file: &str, text: &str) -> Vec<String> {
    let arrows = table("//! a  lowest -> nothing\n//! b  above it -> a\n//! c  top -> all\n");
    let base = Source::new("b/base.rs", "use crate::a::Applied;");
    violations(&arrows, &[base, Source::new(file, text)])
}

#[test]
fn a_forbidden_import_is_found_in_every_spelling() {
    for (file, text) in [
        ("a/one.rs", "use crate::b::Applied;"),
        ("a/one.rs", "fn f() { crate::b::run(); }"),
        ("a/one.rs", "use crate::{b, c};"),
        ("a/one/two.rs", "use super::super::super::b::Applied;"),
        ("a.rs", "use super::b;"),
        ("b/one.rs", "use crate::c::run;"),
        ("unknown.rs", ""),
    ] {
        assert!(!found_in(file, text).is_empty(), "{file}: {text}");
    }
}

#[test]
fn an_allowed_import_is_accepted() {
    for (file, text) in [
        ("a/one/two.rs", "use super::super::other::Applied;"),
        ("b/one.rs", "// As crate::c does.\n/// [`crate::c::run`]"),
        (
            "a/one.rs",
            "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::c;\n}",
        ),
        ("c.rs", "use crate::a;\nuse crate::b;"),
    ] {
        let found = found_in(file, text);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn an_arrow_that_no_import_takes_is_found() {
    let arrows = table("//! a  lowest -> nothing\n//! b  above it -> a\n");
    let sources = [Source::new("b/one.rs", "fn f() {}")];
    assert_eq!(violations(&arrows, &sources).len(), 1);
}

#[test]
fn a_type_name_of_two_modules_is_found() {
    let sources = [
        Source::new("api/policy.rs", "pub enum Mode {\n}\nstruct Metrics;\n"),
        Source::new(
            "domain/policy.rs",
            "pub enum Mode {\n}\npub trait Metrics {\n}\n",
        ),
        Source::new(
            "a/one.rs",
            "pub(super) struct Step<'a> {\n}\npub type Lone = u8;\n",
        ),
        Source::new("b/two.rs", "    struct Lone;\ntrait Step: Sized {\n}\n"),
        Source::new("c/three.rs", "pub struct Ids(Vec<u8>);\n"),
        Source::new("domain/three.rs", "struct Ids<T>(T);\n"),
    ];
    let found = homonyms(&sources).into_keys().collect::<Vec<_>>();
    assert_eq!(found, ["Ids", "Step"]);
}

#[test]
fn an_import_cycle_between_modules_is_found() {
    let sources = [
        Source::new("a/one.rs", "use super::two::Two;"),
        Source::new("a/two/part.rs", "use crate::a::three::Three;"),
        Source::new("a/three.rs", "use super::one::One;"),
        Source::new("a/four.rs", "use super::one::One;"),
    ];
    let on_cycles = cyclic(graph("a", &sources));
    let expected: BTreeSet<_> = ["one", "two", "three", "four"].map(String::from).into();
    assert_eq!(on_cycles, expected);
    assert!(cyclic(graph("a", &sources[..2])).is_empty());
}

/// A package that is renamed or gone would silently be optimized for speed again, and the image grow.
#[test]
fn each_package_of_the_release_profile_is_in_the_lock_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| -> toml::Table {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        text.parse().unwrap()
    };
    let locked = read("Cargo.lock");
    let locked = locked["package"].as_array().unwrap();
    let locked: BTreeSet<_> = locked.iter().map(|one| one["name"].as_str()).collect();
    let manifest = read("Cargo.toml");
    let optimized_for_size = manifest["profile"]["release"]["package"].as_table();
    let named = optimized_for_size.unwrap().keys();
    let absent: Vec<_> = named
        .filter(|name| !locked.contains(&Some(name.as_str())))
        .collect();
    assert!(absent.is_empty(), "not in Cargo.lock: {absent:?}");
}
