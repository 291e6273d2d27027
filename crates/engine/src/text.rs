//! One document tree over an unchanged text: a flat list of nodes with byte spans, strings decoded on demand.
//!
//! Front ends build the tree from JSON, YAML, TOML, properties and lines; its readers are independent of the format. Every scalar
//! has its span in the source, so a change is a [`Splice`] and all other bytes stay the same. This module does not interpret
//! documents, writes none and does no I/O.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
};

mod build;
mod embedded;
mod error;
mod json;
mod lines;
mod locate;
mod node;
mod overrides;
mod properties;
mod query;
pub mod shell;
mod splice;
mod template;
#[cfg(test)]
mod tests;
mod toml;
mod yaml;

pub use error::SyntaxError;
pub use json::end_of_plain_json;
pub use overrides::{MergeOrder, OverriddenKey};
pub use splice::{Splice, splice};

use crate::budget::{Budget, Limits};
use node::{
    Membership, NO_PARENT, Node, PathStep, Sharing, Span, Style, TextRef, children, narrow,
};
use overrides::Overrides;
use template::Masked;

/// A document as a flat tree of nodes over its source.
///
/// Nodes are in document order. Aliases and merge keys of YAML are resolved: the tree has copies of the nodes
/// that they refer to, with the spans of the anchor (see [`Tree::is_shared`]).
pub struct Tree<'t> {
    src: &'t str,
    /// The source as it was parsed, where that differs.
    masked: Option<Arc<Masked>>,
    format: Format,
    /// The bytes of the source that belong to this document: all of it, but for a YAML file of several.
    document: Span,
    nodes: Vec<Node>,
    /// Texts that differ from their spelling. JSON fills a slot when it is first read, YAML at once.
    decoded: Vec<OnceLock<Box<str>>>,
    /// See [`Tree::has_numeric_escapes`].
    has_numeric_escapes: bool,
    /// Who reads the merge keys.
    merge_order: MergeOrder,
    overrides: Overrides,
}

/// The byte order mark that some editors write before the text of a file; no part of the text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A node of the [`Tree`] that handed it out; of no meaning to another tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Values under keys: a JSON object.
    Mapping,
    /// Items in order: a JSON array.
    Sequence,
    /// A string.
    String,
    /// A number, a boolean or null.
    Scalar,
}

/// A piece of decoded text that cannot be pointed at in the source: it is itself written with escapes or folded over
/// lines, or is no piece of that node's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the text is written with escapes or folded over lines and cannot be changed in place; write it on one line without escapes, or change it by hand"
)]
pub struct Unmappable;

/// The format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON (RFC 8259).
    Json,
    /// YAML 1.2, templates masked where there are any.
    Yaml,
    /// TOML 1.0.
    Toml,
    /// `key=value` lines, as in Java's properties.
    Properties,
    /// `KEY=value` lines, as in `.env` files: a quoted value may span several lines.
    Env,
    /// Anything else, read line by line: a sequence of strings.
    Lines,
}

// === impl Tree ===

impl<'t> Tree<'t> {
    /// Reads one JSON document (RFC 8259).
    ///
    /// A key that occurs twice in an object, a `\u` escape of half a surrogate pair, more than 512 levels and anything
    /// after the document are errors. Go's decoder would replace half a pair by U+FFFD, but no Go program writes one.
    pub fn json(src: &'t str) -> Result<Self, SyntaxError> {
        json::read(src, &Budget::new(Limits::NONE))
    }

    /// [`Tree::json`] within a budget, which is exhausted if the tree exceeds the rest of it.
    pub fn json_within(src: &'t str, budget: &Budget) -> Result<Self, SyntaxError> {
        json::read(src, budget)
    }

    /// [`Tree::json`] of a file, which may begin with a byte order mark, and in which a key may occur twice: its last value counts.
    pub fn json_file(src: &'t str) -> Result<Self, SyntaxError> {
        json::read_file(src, &Budget::new(Limits::NONE))
    }

    /// Reads the YAML documents of a file one by one, their spans counted from the start of the file.
    ///
    /// After a document that is an error the next one is read. A key that is no scalar, an alias inside its own anchor, and
    /// aliases that multiply beyond reason are errors. The values of a key that occurs twice, or in a merge key as well, are
    /// those that kubectl reads (see [`Tree::overridden_keys`]).
    pub fn yaml(src: &'t str) -> impl Iterator<Item = Result<Self, SyntaxError>> {
        yaml::Documents::new(src, yaml::Keys::Once, MergeOrder::Kubernetes)
    }

    /// Reads the YAML documents of a file that may be a template of Helm, Handlebars or Jinja: each `{{…}}` and `{%…%}` is a
    /// part of its text, or a comment where a line holds nothing else.
    ///
    /// A text that is spelled as it reads has its templates as they are written; in one that goes over lines or has escapes
    /// they are masked by their names and `$`. No location lies inside a template. A key may occur twice, once in each branch.
    pub fn yaml_template(src: &'t str, merge_order: MergeOrder) -> Vec<Result<Self, SyntaxError>> {
        template::read(src, merge_order)
    }

    /// Reads one TOML document.
    pub fn toml(src: &'t str) -> Result<Self, SyntaxError> {
        toml::read(src)
    }

    /// Reads the lines of a properties file as one mapping; a key that occurs twice has two entries.
    pub fn properties(src: &'t str) -> Result<Self, SyntaxError> {
        properties::read(src, properties::Dialect::Properties)
    }

    /// The same of a `.env` file, in which a value between quotes may go over several lines.
    pub fn env(src: &'t str) -> Result<Self, SyntaxError> {
        properties::read(src, properties::Dialect::Env)
    }

    /// Reads a text of any format as a sequence of its lines, without their ends.
    pub fn lines(src: &'t str) -> Self {
        lines::read(src, &[])
    }

    /// Reads those lines of a text that are of no document in `read`: what could not be read otherwise.
    pub fn other_lines(src: &'t str, read: &[Self]) -> Self {
        let covered: Vec<_> = read.iter().map(|tree| tree.document.range()).collect();
        lines::read(src, &covered)
    }

    /// Reads a text in the format of its file name, or of its content where the name has none; by lines where that
    /// fails. Never fails; nothing and a comment of YAML are no documents.
    pub fn embedded(src: &'t str, name: &str) -> Vec<Self> {
        embedded::read(src, name, &Budget::new(Limits::NONE))
    }

    /// [`Tree::embedded`] within a budget; nothing if the budget is exhausted.
    pub fn embedded_within(src: &'t str, name: &str, budget: &Budget) -> Vec<Self> {
        embedded::read(src, name, budget)
    }

    /// The format of the document.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The outermost node.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// The kind of the node.
    pub fn kind(&self, node: NodeId) -> Kind {
        self.node(node).kind
    }

    /// The mapping or sequence that contains the node; none for the root.
    pub fn parent(&self, node: NodeId) -> Option<NodeId> {
        Some(self.node(node).parent)
            .filter(|&parent| parent != NO_PARENT)
            .map(NodeId)
    }

    /// The values of a mapping or the items of a sequence, in order; nothing for the others.
    ///
    /// What a YAML merge key brings in follows the mapping's own values; values that are overridden are no children.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        children(&self.nodes, node.0).map(NodeId)
    }

    /// The decoded key of the node; none for an item of a sequence and for the root.
    pub fn key(&self, node: NodeId) -> Option<&str> {
        self.node(node).step.key().map(|key| self.read(key))
    }

    /// The decoded text of a string; a number, a boolean or null as it is written (in YAML null may be empty).
    #[inline]
    pub fn text(&self, node: NodeId) -> Option<&str> {
        self.node(node).text().map(|text| self.read(text))
    }

    /// The bytes of the source that spell the node's key, without quotes; none where they do not read as they are written.
    pub fn raw_key(&self, node: NodeId) -> Option<Range<usize>> {
        let key = self.node(node).step.key()?;
        let verbatim =
            key.slot == TextRef::VERBATIM || &self.src[key.span.range()] == self.read(key);
        verbatim.then(|| key.span.range())
    }

    /// The bytes of the source that make up the value, with its quotes or brackets.
    ///
    /// For a block scalar of YAML these are its lines after the header; for a block collection, from its first entry (the
    /// first dash may be missing) to the end of its last; for a table of TOML that is not inline, what names it first.
    pub fn raw(&self, node: NodeId) -> Range<usize> {
        self.node(node).value.range()
    }

    /// Whether the bytes of the node belong to other nodes too: a YAML alias refers to it or to an ancestor, or it
    /// was reached through an alias. All the nodes that share bytes have the same [`Tree::raw`].
    pub fn is_shared(&self, node: NodeId) -> bool {
        self.node(node).sharing != Sharing::Own
    }

    /// The bytes of the source that spell a piece of a scalar's decoded text (a range of its bytes).
    ///
    /// Whatever replaces these bytes replaces that piece and nothing else, as long as it is spelled in characters that
    /// mean themselves in the syntax at hand; [`Tree::replace`] checks that for a given replacement. An empty piece
    /// cannot be located, and in a text with escapes or over lines none that does not start and end with a letter or digit
    /// of ASCII. In a shared node this is the place in the anchor.
    pub fn locate(&self, leaf: NodeId, decoded: Range<usize>) -> Result<Range<usize>, Unmappable> {
        only(self.locate_all(leaf, &[decoded]))
    }

    /// [`Tree::locate`] for many pieces of one scalar, in the time that it takes to read it a few times.
    pub fn locate_all(
        &self,
        leaf: NodeId,
        decoded: &[Range<usize>],
    ) -> Vec<Result<Range<usize>, Unmappable>> {
        locate::locate_all(self, leaf, decoded)
    }

    /// The splice that replaces a piece of a scalar's decoded text (a range of its bytes) by `with`, proved to change
    /// this text alone and to keep it of its kind; in a shared node, that of every node that shares its bytes.
    pub fn replace(
        &self,
        leaf: NodeId,
        decoded: Range<usize>,
        with: &str,
    ) -> Result<Splice, Unmappable> {
        only(self.replace_all(leaf, &[(decoded, with)]))
    }

    /// [`Tree::replace`] for many pieces of one scalar, in the time that it takes to read it a few times.
    ///
    /// The answers come in the order of the edits. Where edits overlap, each is answered as if it were alone.
    pub fn replace_all(
        &self,
        leaf: NodeId,
        edits: &[(Range<usize>, &str)],
    ) -> Vec<Result<Splice, Unmappable>> {
        locate::replace_all(self, leaf, edits)
    }

    /// The text that was read: the whole file, also for one of several documents.
    pub fn source(&self) -> &'t str {
        self.src
    }

    /// The line and the column, in characters, of an offset in bytes into the source; both from 1.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        error::line_column(self.src, offset)
    }

    /// A tree of no nodes.
    fn of_nothing(src: &'t str, format: Format) -> Self {
        Self {
            src,
            masked: None,
            format,
            document: Span::new(0, src.len()),
            nodes: Vec::new(),
            decoded: Vec::new(),
            has_numeric_escapes: false,
            merge_order: MergeOrder::default(),
            overrides: Overrides::default(),
        }
    }

    /// The number of nodes for which a budget suffices. A list that grows takes up to three times its content for a moment.
    fn nodes_within(budget: &Budget) -> usize {
        budget.bytes_left() / (2 * size_of::<Node>())
    }

    /// Spends the memory of the tree; whether the budget sufficed.
    fn spend(&self, budget: &Budget) -> bool {
        let texts = self.decoded.iter().filter_map(OnceLock::get);
        let texts: usize = texts.map(|text| text.len()).sum();
        budget.spend_bytes(
            self.nodes.len() * size_of::<Node>()
                + self.decoded.len() * size_of::<OnceLock<Box<str>>>()
                + texts,
        )
    }

    /// The offset of the first repeated key of the mapping, if there is one. `scratch` is reusable space.
    fn duplicate_key(&self, mapping: u32, scratch: &mut Vec<u32>) -> Option<usize> {
        let key = |node: u32| self.key(NodeId(node)).unwrap_or_default();
        let end = self.nodes[mapping as usize].next;
        scratch.clear();
        let mut child = mapping + 1;
        while child < end {
            let node = &self.nodes[child as usize];
            if node.membership == Membership::Child {
                scratch.push(child);
            }
            child = node.next;
        }
        // A stable sort: of two equal keys the later one stays behind.
        scratch.sort_by(|&a, &b| {
            key(a)
                .len()
                .cmp(&key(b).len())
                .then_with(|| key(a).cmp(key(b)))
        });
        let second = scratch
            .windows(2)
            .find(|pair| key(pair[0]) == key(pair[1]))?[1];
        let key = self.nodes[second as usize].step.key()?;
        Some(key.span.start as usize)
    }

    /// The source as it was parsed.
    fn spelling(&self) -> &str {
        self.masked
            .as_deref()
            .map_or(self.src, |masked| &masked.text)
    }

    fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.0 as usize]
    }

    #[inline]
    fn read(&self, text: TextRef) -> &str {
        if text.slot == TextRef::VERBATIM {
            &self.src[text.span.range()]
        } else {
            self.read_decoded(text)
        }
    }

    /// A text that differs from its spelling. Apart from [`Tree::read`], so that what most texts need is small.
    #[inline(never)]
    fn read_decoded(&self, text: TextRef) -> &str {
        let spelled = &self.src[text.span.range()];
        match self.decoded.get(text.slot as usize) {
            Some(slot) => slot.get_or_init(|| json::decode(spelled).into()),
            None => spelled,
        }
    }

    /// A text as it was parsed: of the same length as what is read, with templates masked.
    fn parsed(&self, text: TextRef) -> &str {
        if text.slot == TextRef::VERBATIM {
            &self.spelling()[text.span.range()]
        } else {
            self.read(text)
        }
    }
}

/// Where the text of a file starts: behind a byte order mark, if it has one.
fn start_of_text(src: &str) -> usize {
    src.len() - src.strip_prefix(BYTE_ORDER_MARK).unwrap_or(src).len()
}

/// The result of a single request.
fn only<T>(answers: Vec<Result<T, Unmappable>>) -> Result<T, Unmappable> {
    answers.into_iter().next().unwrap_or(Err(Unmappable))
}

/// How many times this thread has read a scalar again to prove edits.
#[cfg(test)]
pub(crate) fn proofs() -> usize {
    locate::PROOFS.get()
}

/// Prints sizes and no content: documents carry secrets.
impl fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("format", &self.format)
            .field("bytes", &self.document.range().len())
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}
