//! A file, parsed into documents.

use crate::text::{Kind, MergeOrder, NodeId, SyntaxError, Tree};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// One JSON document.
    Json,
    /// Any number of YAML documents, which may be templates.
    Yaml,
    /// A configuration file, whose format follows from its name or content.
    Other,
}

/// A file that was parsed.
#[derive(Debug)]
pub struct ParsedFile<'t> {
    /// The name of the file for findings.
    pub name: &'t str,
    /// The text of the file.
    pub text: &'t str,
    /// The documents. Those that cannot be parsed are one tree of their lines.
    pub trees: Vec<Tree<'t>>,
    /// The errors of the documents that cannot be parsed.
    pub unread: Vec<SyntaxError>,
}

impl<'t> ParsedFile<'t> {
    /// Parses a text.
    pub fn parse(name: &'t str, text: &'t str, format: FileFormat) -> Self {
        let parsed = match format {
            FileFormat::Json => vec![Tree::json_file(text)],
            FileFormat::Yaml => Tree::yaml_template(text, MergeOrder::Kubernetes),
            FileFormat::Other => Tree::embedded(text, name).into_iter().map(Ok).collect(),
        };
        let (mut trees, mut unread) = (Vec::new(), Vec::new());
        for tree in parsed {
            match tree {
                Ok(tree) => trees.push(tree),
                Err(error) => unread.push(error),
            }
        }
        if !unread.is_empty() {
            trees.push(Tree::other_lines(text, &trees));
        }
        Self {
            name,
            text,
            trees,
            unread,
        }
    }
}

/// The objects of a document: the items of a List, or the document itself, unless it is empty.
pub(super) fn objects(tree: &Tree<'_>) -> Vec<NodeId> {
    let root = tree.root();
    let is_list = tree
        .get(root, "kind")
        .and_then(|node| tree.text(node))
        .is_some_and(|kind| kind.ends_with("List"));
    let items = tree
        .get(root, "items")
        .filter(|node| is_list && tree.kind(*node) == Kind::Sequence);
    match items {
        Some(items) => tree.children(items).collect(),
        None if tree.kind(root) == Kind::Scalar && tree.text(root) == Some("") => Vec::new(),
        None => vec![root],
    }
}
