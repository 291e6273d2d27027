//! Chooses the front end for a text by its name, or by its content.

use std::ffi::OsStr;
use std::path::Path;

use super::{BYTE_ORDER_MARK, Kind, MergeOrder, NodeId, TextRef, Tree, properties};

/// Extensions of programs and prose, in which words before a colon are no keys.
const SCRIPTS: &[&str] = &[
    "adoc",
    "awk",
    "bash",
    "bat",
    "c",
    "cjs",
    "cmd",
    "containerfile",
    "cpp",
    "cs",
    "css",
    "dockerfile",
    "fish",
    "go",
    "gradle",
    "groovy",
    "htm",
    "html",
    "java",
    "js",
    "jsx",
    "ksh",
    "kt",
    "kts",
    "log",
    "lua",
    "markdown",
    "md",
    "mjs",
    "mk",
    "mts",
    "php",
    "pl",
    "ps1",
    "psm1",
    "py",
    "pyi",
    "r",
    "rb",
    "rego",
    "rs",
    "rst",
    "scala",
    "sh",
    "sql",
    "swift",
    "tf",
    "ts",
    "tsx",
    "txt",
    "xml",
    "zsh",
];

/// File names of programs and prose, with any extension.
const SCRIPTS_BY_NAME: &[&str] = &[
    "changelog",
    "containerfile",
    "dockerfile",
    "gnumakefile",
    "jenkinsfile",
    "license",
    "makefile",
    "readme",
];

/// Reads a text by its name, else by its content, else by its lines.
pub(super) fn read<'t>(src: &'t str, name: &str) -> Vec<Tree<'t>> {
    let name = Path::new(name).file_name().and_then(OsStr::to_str);
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let (stem, extension) = (
        name.split('.').next().unwrap_or_default(),
        // A name such as `.env` has no extension, and is one.
        name.rsplit_once('.').map_or("", |(_, extension)| extension),
    );
    let trees = match extension {
        "json" => json(src).or_else(|| yaml(src)),
        "yaml" | "yml" => yaml(src),
        "toml" => toml(src),
        "properties" => properties(src),
        "env" => env(src),
        _ if name.starts_with(".env.") => env(src),
        _ if SCRIPTS.contains(&extension) || SCRIPTS_BY_NAME.contains(&stem) => None,
        _ => by_content(src),
    };
    trees.unwrap_or_else(|| vec![Tree::lines(src)])
}

fn by_content(src: &str) -> Option<Vec<Tree<'_>>> {
    let text = src.strip_prefix(BYTE_ORDER_MARK).unwrap_or(src);
    if text.starts_with("#!") {
        return None;
    }
    let is_json = text.trim_start().starts_with(['{', '[']);
    if is_json && let Some(trees) = json(src) {
        return Some(trees);
    }
    if properties::looks_like_env(src) {
        return env(src);
    }
    if src.contains('=')
        && let Some(trees) = toml(src)
    {
        return Some(trees);
    }
    // Lines of a log or of a text may begin with the same word.
    let names_once = |tree: &Tree<'_>| tree.overridden_keys().iter().all(|key| key.by_merge);
    yaml(src).filter(|trees| {
        trees
            .iter()
            .all(|tree| names_what_it_sets(tree) && names_once(tree))
    })
}

/// Whether a document of YAML is one by more than its colons: programs and sentences have them too. Its outermost keys are
/// names, and a name of several words is in quotes.
fn names_what_it_sets(tree: &Tree<'_>) -> bool {
    let root = tree.root();
    let outermost: Vec<NodeId> = match tree.kind(root) {
        Kind::Sequence => tree.children(root).collect(),
        Kind::Mapping | Kind::String | Kind::Scalar => vec![root],
    };
    let mut keys = outermost
        .into_iter()
        .filter(|node| tree.kind(*node) == Kind::Mapping)
        .flat_map(|mapping| tree.children(mapping))
        .filter_map(|child| tree.node(child).step.key());
    keys.all(|key| is_quoted(tree, key) || is_name(tree.parsed(key)))
}

fn is_quoted(tree: &Tree<'_>, key: TextRef) -> bool {
    tree.spelling()[..key.span.range().start].ends_with(['"', '\''])
}

/// Whether a key that is spelled without quotes has none of the signs that part words and calls.
fn is_name(key: &str) -> bool {
    let parts = |sign: char| sign.is_whitespace() || "\"'`(){}=;,|<>".contains(sign);
    !key.contains(parts)
}

fn json(src: &str) -> Option<Vec<Tree<'_>>> {
    structured(vec![Tree::json_file(src).ok()?])
}

fn yaml(src: &str) -> Option<Vec<Tree<'_>>> {
    let trees: Result<_, _> = Tree::yaml_template(src, MergeOrder::Unknown)
        .into_iter()
        .collect();
    structured(trees.ok()?)
}

fn toml(src: &str) -> Option<Vec<Tree<'_>>> {
    structured(vec![Tree::toml(src).ok()?])
}

fn properties(src: &str) -> Option<Vec<Tree<'_>>> {
    structured(vec![Tree::properties(src).ok()?])
}

fn env(src: &str) -> Option<Vec<Tree<'_>>> {
    structured(vec![Tree::env(src).ok()?])
}

/// The trees, if all of them are mappings or sequences: a single text has no structure.
fn structured(trees: Vec<Tree<'_>>) -> Option<Vec<Tree<'_>>> {
    let is_structured =
        |tree: &Tree<'_>| matches!(tree.kind(tree.root()), Kind::Mapping | Kind::Sequence);
    trees.iter().all(is_structured).then_some(trees)
}
