//! Chooses the front end for a text that came with a name, or with nothing but itself.

use std::ffi::OsStr;
use std::path::Path;

use super::{Kind, Tree, properties};

/// Programs and prose, in which words before a colon are no keys.
const SCRIPTS: &[&str] = &[
    "adoc", "bash", "css", "go", "htm", "html", "java", "js", "jsx", "kt", "lua", "md", "mjs",
    "php", "py", "rb", "rs", "rst", "sh", "sql", "tf", "ts", "tsx", "txt", "xml", "zsh",
];

/// Reads a text by its name, else by its content, else by its lines.
pub(super) fn read<'t>(src: &'t str, name: &str) -> Vec<Tree<'t>> {
    // A name such as `.env` has no extension, and is one.
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    let extension = extension
        .or(name.strip_prefix('.'))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let trees = match &*extension {
        "json" => json(src).or_else(|| yaml(src)),
        "yaml" | "yml" => yaml(src),
        "toml" => toml(src),
        "properties" | "env" => properties(src),
        extension if SCRIPTS.contains(&extension) => None,
        _ => by_content(src),
    };
    trees.unwrap_or_else(|| vec![Tree::lines(src)])
}

fn by_content(src: &str) -> Option<Vec<Tree<'_>>> {
    let is_json = src.trim_start().starts_with(['{', '[']);
    if is_json && let Some(trees) = json(src) {
        return Some(trees);
    }
    if properties::looks_like_it(src) {
        return properties(src);
    }
    if src.contains('=')
        && let Some(trees) = toml(src)
    {
        return Some(trees);
    }
    yaml(src)
}

fn json(src: &str) -> Option<Vec<Tree<'_>>> {
    structured(vec![Tree::json(src).ok()?])
}

fn yaml(src: &str) -> Option<Vec<Tree<'_>>> {
    let trees: Result<_, _> = Tree::yaml_template(src).into_iter().collect();
    structured(trees.ok()?)
}

fn toml(src: &str) -> Option<Vec<Tree<'_>>> {
    structured(vec![Tree::toml(src).ok()?])
}

fn properties(src: &str) -> Option<Vec<Tree<'_>>> {
    structured(vec![Tree::properties(src).ok()?])
}

/// The trees, if all of them are mappings or sequences: a single text has no structure.
fn structured(trees: Vec<Tree<'_>>) -> Option<Vec<Tree<'_>>> {
    let is_structured =
        |tree: &Tree<'_>| matches!(tree.kind(tree.root()), Kind::Mapping | Kind::Sequence);
    trees.iter().all(is_structured).then_some(trees)
}
