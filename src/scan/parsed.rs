//! A file, parsed into documents.

use std::ffi::OsStr;
use std::path::Path;

use crate::domain::object::{FileDocuments, Object};
use crate::domain::region_lookup::{is_of_profile, profiles_of};
use crate::domain::written_by_tool::is_written_by_tool;
use crate::report::API_VERSION;
use crate::text::{Kind, MergeOrder, NodeId, SyntaxError, Tree};

use super::parts::{FilePart, PartStart};

/// How a file is split into documents. The format of each document is a [`Format`](crate::text::Format), which follows from its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// One JSON document.
    Json,
    /// Any number of YAML documents, which may be templates.
    Yaml,
    /// A configuration file, whose format follows from its name or content.
    Other,
}

impl FileFormat {
    /// The format of the file at a path, by its extension.
    pub(super) fn of(path: &Path) -> Self {
        match path.extension().and_then(OsStr::to_str) {
            Some("json") => Self::Json,
            Some("yaml" | "yml") => Self::Yaml,
            Some(_) | None => Self::Other,
        }
    }
}

/// The position of a key whose value a later one overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverriddenKeyPosition {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Whether a merge key overrides the value, else the same key further below.
    pub by_merge: bool,
    /// Number of other keys of the file whose values are overridden.
    pub others: usize,
}

/// A file that was parsed.
#[derive(Debug)]
pub struct ParsedFile<'t> {
    /// The name of the file for findings.
    pub name: &'t str,
    /// The text of the file, or of a part of it.
    pub text: &'t str,
    /// What is in the file before the text.
    pub start: PartStart,
    /// The documents. Those that cannot be parsed are one tree of their lines.
    pub trees: Vec<Tree<'t>>,
    /// The errors of the documents that cannot be parsed.
    pub unread: Vec<SyntaxError>,
    /// Whether a tool writes the file, so that it must not be edited.
    pub written_by_tool: bool,
    /// Whether each document belongs to a profile of Spring.
    profiles: Vec<bool>,
}

impl<'t> ParsedFile<'t> {
    /// Parses a text.
    pub fn parse(name: &'t str, text: &'t str, format: FileFormat) -> Self {
        let parsed = match format {
            FileFormat::Json => vec![Tree::json_file(text)],
            FileFormat::Yaml => yaml(name, text),
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
            start: PartStart::default(),
            written_by_tool: is_written_by_tool(name, text, &trees),
            profiles: profiles_of(&trees),
            trees,
            unread,
        }
    }

    /// Parses some documents of a YAML file. What was written by a tool is known only once all of them are parsed.
    pub(super) fn parse_part(name: &'t str, part: &'t FilePart) -> Self {
        let start = part.start;
        let mut parsed = Self::parse(name, &part.text, FileFormat::Yaml);
        if start.offset > 0 {
            // A comment at the beginning of a document says nothing of the file.
            parsed.written_by_tool = is_written_by_tool(name, "", &parsed.trees);
        }
        Self { start, ..parsed }
    }

    /// Whether no document of the file says anything about another one, as far as the text that was parsed shows.
    pub(super) fn has_separate_documents(&self) -> bool {
        let has_profile = match &*self.profiles {
            [] => self.trees.iter().any(is_of_profile),
            profiles => profiles.contains(&true),
        };
        self.unread.is_empty() && !has_profile
    }
}

/// The documents of a YAML file. kubectl and Helm read manifests and values; who reads any other file is unknown.
fn yaml<'t>(name: &str, text: &'t str) -> Vec<Result<Tree<'t>, SyntaxError>> {
    let mut trees = Tree::yaml_template(text, MergeOrder::Kubernetes);
    let is_other = |tree: &Result<Tree<'_>, _>| {
        let Ok(tree) = tree else { return false };
        tree.overridden_keys().iter().any(|key| key.by_merge) && !is_manifest(tree)
    };
    if !is_values_file(name) && trees.iter().any(is_other) {
        let unknown = Tree::yaml_template(text, MergeOrder::Unknown);
        for (tree, other) in trees.iter_mut().zip(unknown) {
            if is_other(tree) {
                *tree = other;
            }
        }
    }
    trees
}

/// Whether a document is a Kubernetes object.
fn is_manifest(tree: &Tree<'_>) -> bool {
    let root = tree.root();
    tree.get(root, "apiVersion").is_some() && tree.get(root, "kind").is_some()
}

/// Whether the name of a file is one that charts use for their values: `values.yaml`, `values-prod.yaml`, `prod.values.yml`.
fn is_values_file(name: &str) -> bool {
    let name = Path::new(name).file_name().and_then(OsStr::to_str);
    let mut words = name
        .unwrap_or_default()
        .split(|character: char| !character.is_ascii_alphanumeric());
    words.any(|word| word == "values")
}

impl ParsedFile<'_> {
    /// The objects of the file.
    pub fn objects(&self) -> impl Iterator<Item = Object<'_>> {
        (0..self.trees.len()).flat_map(|document| self.objects_of(document))
    }

    /// The objects of a document of the file; `document` is its position in `trees`.
    pub(super) fn objects_of(&self, document: usize) -> Vec<Object<'_>> {
        let tree = &self.trees[document];
        let object = |root| {
            let mut object = Object::at(tree, root);
            object.written_by_tool = self.written_by_tool;
            object.documents = FileDocuments {
                trees: &self.trees,
                own: document,
                profiles: &self.profiles,
            };
            object
        };
        objects(tree).into_iter().map(object).collect()
    }

    /// The first key of the file whose value a later one overrides.
    pub fn overridden_key(&self) -> Option<OverriddenKeyPosition> {
        let keys = self.trees.iter().flat_map(|tree| {
            let keys = tree.overridden_keys().iter();
            keys.map(move |key| (key, tree))
        });
        let others = keys.clone().count().saturating_sub(1);
        let (key, tree) = keys.min_by_key(|(key, _)| key.offset)?;
        let (line, column) = tree.line_column(key.offset);
        Some(OverriddenKeyPosition {
            line: line + self.start.lines,
            column,
            by_merge: key.by_merge,
            others,
        })
    }
}

/// The kinds of the documents that this program writes, such as a baseline beside the files that it is about.
const OUTPUT_KINDS: [&str; 2] = ["AuditReport", "Baseline"];

/// Whether this program has written a document.
fn is_own_output(tree: &Tree<'_>) -> bool {
    let field = |name| {
        let node = tree.get(tree.root(), name);
        node.and_then(|node| tree.text(node)).unwrap_or_default()
    };
    field("apiVersion") == API_VERSION && OUTPUT_KINDS.contains(&field("kind"))
}

/// The objects of a document: the items of a List, or the document itself, unless it is empty or an output of this program.
fn objects(tree: &Tree<'_>) -> Vec<NodeId> {
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
        None if is_own_output(tree) => Vec::new(),
        None => vec![root],
    }
}
