//! Chooses the front end for a text by its name, or by its content.

use std::ffi::OsStr;
use std::path::Path;

use super::{
    BYTE_ORDER_MARK, Kind, MergeOrder, NodeId, TextRef, Tree, json, properties,
    properties::Dialect, template, toml,
};
use crate::budget::Budget;

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

/// Reads a text by its name, else by its content, else by its lines; nothing if the budget is exhausted.
pub(super) fn read<'t>(src: &'t str, name: &str, budget: &Budget) -> Vec<Tree<'t>> {
    let name = Path::new(name).file_name().and_then(OsStr::to_str);
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let (stem, extension) = (
        name.split('.').next().unwrap_or_default(),
        // A name such as `.env` has no extension, and is one.
        name.rsplit_once('.').map_or("", |(_, extension)| extension),
    );
    let text = EmbeddedSource { src, budget };
    let trees = match extension {
        "json" => text.json().or_else(|| text.yaml()),
        "yaml" | "yml" => text.yaml(),
        "toml" => text.toml(),
        "properties" => text.properties(Dialect::Properties),
        "env" => text.properties(Dialect::Env),
        _ if name.starts_with(".env.") => text.properties(Dialect::Env),
        _ if SCRIPTS.contains(&extension) || SCRIPTS_BY_NAME.contains(&stem) => None,
        _ => text.by_content(),
    };
    trees.unwrap_or_else(|| text.lines())
}

/// A text that is read in one format after the other.
#[derive(Clone, Copy)]
struct EmbeddedSource<'t, 'b> {
    src: &'t str,
    budget: &'b Budget,
}

impl<'t> EmbeddedSource<'t, '_> {
    fn by_content(self) -> Option<Vec<Tree<'t>>> {
        let src = self.src;
        let text = src.strip_prefix(BYTE_ORDER_MARK).unwrap_or(src);
        if text.starts_with("#!") {
            return None;
        }
        let is_json = text.trim_start().starts_with(['{', '[']);
        if is_json && let Some(trees) = self.json() {
            return Some(trees);
        }
        if self.budget.spend_text(src) && properties::looks_like_env(src) {
            return self.properties(Dialect::Env);
        }
        if src.contains('=')
            && let Some(trees) = self.toml()
        {
            return Some(trees);
        }
        // Lines of a log or of a text may begin with the same word.
        let names_once = |tree: &Tree<'_>| tree.overridden_keys().iter().all(|key| key.by_merge);
        self.yaml().filter(|trees| {
            trees
                .iter()
                .all(|tree| names_what_it_sets(tree) && names_once(tree))
        })
    }

    fn json(self) -> Option<Vec<Tree<'t>>> {
        structured(vec![json::read_file(self.src, self.budget).ok()?])
    }

    fn yaml(self) -> Option<Vec<Tree<'t>>> {
        structured(template::read_whole(
            self.src,
            MergeOrder::Unknown,
            self.budget,
        )?)
    }

    fn toml(self) -> Option<Vec<Tree<'t>>> {
        structured(vec![toml::read_within(self.src, self.budget).ok()?])
    }

    fn properties(self, dialect: Dialect) -> Option<Vec<Tree<'t>>> {
        let is_within = self.budget.spend_text(self.src);
        let tree = is_within.then(|| properties::read(self.src, dialect).ok())??;
        tree.spend(self.budget).then_some(())?;
        structured(vec![tree])
    }

    fn lines(self) -> Vec<Tree<'t>> {
        let count = memchr::memchr_iter(b'\n', self.src.as_bytes()).count() + 2;
        if count > Tree::nodes_within(self.budget) || !self.budget.spend_text(self.src) {
            self.budget.exhaust_bytes();
            return Vec::new();
        }
        let tree = Tree::lines(self.src);
        tree.spend(self.budget);
        vec![tree]
    }
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

/// The trees, if all of them are mappings or sequences: a single text has no structure.
fn structured(trees: Vec<Tree<'_>>) -> Option<Vec<Tree<'_>>> {
    let is_structured =
        |tree: &Tree<'_>| matches!(tree.kind(tree.root()), Kind::Mapping | Kind::Sequence);
    trees.iter().all(is_structured).then_some(trees)
}
