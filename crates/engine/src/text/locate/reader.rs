//! Reading a scalar again, with bytes of it replaced.

use std::cell::OnceCell;
use std::iter;
use std::ops::Range;

use super::edited;
use crate::text::{Format, Node, NodeId, Style, SyntaxError, Tree, yaml};

/// The prefix that makes a single TOML value a document.
const TOML_KEY: &str = "k = ";

/// Reads one scalar of a tree again.
pub(super) struct TextReader<'a, 't> {
    tree: &'a Tree<'t>,
    leaf: NodeId,
    node: &'a Node,
    /// From where in a YAML file the scalar reads as it does in its document, if that is known.
    start: OnceCell<Option<usize>>,
}

impl<'a, 't> TextReader<'a, 't> {
    pub(super) fn new(tree: &'a Tree<'t>, leaf: NodeId) -> Self {
        Self {
            tree,
            leaf,
            node: tree.node(leaf),
            start: OnceCell::new(),
        }
    }

    /// The source as it was parsed.
    pub(super) fn spelling(&self) -> &'a str {
        self.tree.spelling()
    }

    /// Whether a backslash means more than itself and what follows it.
    pub(super) fn has_escapes(&self) -> bool {
        let start = match (self.tree.format, self.node.style) {
            (Format::Json | Format::Yaml, Style::Quoted) => self.node.value.range().start,
            (Format::Toml, Style::Quoted | Style::Block) => self.whole_toml().start,
            _ => return false,
        };
        self.spelling().as_bytes()[start] == b'"'
    }

    /// The text of the scalar once bytes of it are replaced by others that end no scalar, read with as little around it as
    /// tells what it means.
    pub(super) fn nearby<'e>(
        &self,
        edits: impl Iterator<Item = (Range<usize>, &'e str)>,
    ) -> Option<String> {
        match self.tree.format {
            Format::Yaml => match self.start.get_or_init(|| self.find_start()) {
                Some(start) => self.read_from(*start, edits),
                None => self.document(edits),
            },
            Format::Properties | Format::Env => {
                let start = self.node.step.key()?.span.range().start;
                let entry = start..self.node.value.range().end;
                self.alone("", entry, edits, |src| Tree::env(src))
            }
            Format::Json | Format::Toml | Format::Lines => self.widely(edits),
        }
    }

    /// The text of the scalar once bytes of it are replaced by any others, if everything else reads as before.
    pub(super) fn widely<'e>(
        &self,
        edits: impl Iterator<Item = (Range<usize>, &'e str)>,
    ) -> Option<String> {
        match self.tree.format {
            // Nothing around a string matters.
            Format::Json => {
                let whole = self.node.value.range();
                self.alone("", whole, edits, |src| Tree::json(src))
            }
            Format::Toml => {
                let whole = self.whole_toml();
                self.alone(TOML_KEY, whole, edits, |src| Tree::toml(src))
            }
            Format::Yaml => self.document(edits),
            // The dialects differ in what they take signs for.
            Format::Properties | Format::Env | Format::Lines => None,
        }
    }

    /// Reads a part of the source as a document of no other scalar.
    fn alone<'e>(
        &self,
        before: &str,
        part: Range<usize>,
        edits: impl Iterator<Item = (Range<usize>, &'e str)>,
        read: impl Fn(&str) -> Result<Tree<'_>, SyntaxError>,
    ) -> Option<String> {
        let changed = before.to_owned() + &self.edited(part, edits);
        let tree = read(&changed).ok()?;
        let mut scalars = tree.nodes.iter().filter(|node| node.text().is_some());
        let (only, None) = (scalars.next()?, scalars.next()) else {
            return None;
        };
        let text = only.text().filter(|_| only.kind == self.node.kind)?;
        Some(tree.read(text).to_owned())
    }

    /// From where a scalar of YAML reads as it does in its document: from its own start, else from that of the line that it
    /// or its header is on.
    ///
    /// To its end that is much less than the document. It may lack what the scalar's meaning depends on (an indentation, an
    /// open bracket), which shows in what it reads without a change.
    fn find_start(&self) -> Option<usize> {
        let start = self.node.value.range().start;
        let before = &self.spelling()[..start];
        let line = line_start(before);
        let starts = match self.node.style {
            Style::Bare | Style::Quoted => [start, line],
            Style::Block => [line_start(before[..line].trim_end()); 2],
        };
        let text = self.tree.parsed(self.node.text()?);
        let reads_as_text =
            |from: &usize| self.read_from(*from, iter::empty()).as_deref() == Some(text);
        starts.into_iter().find(reads_as_text)
    }

    fn read_from<'e>(
        &self,
        from: usize,
        edits: impl Iterator<Item = (Range<usize>, &'e str)>,
    ) -> Option<String> {
        let Range { start, end } = self.node.value.range();
        yaml::scalar_at(&self.edited(from..end, edits), start - from)
    }

    /// Reads the whole document, and compares every other node.
    fn document<'e>(&self, edits: impl Iterator<Item = (Range<usize>, &'e str)>) -> Option<String> {
        let tree = self.tree;
        let changed = self.edited(tree.document.range(), edits);
        let keys = match tree.masked {
            Some(_) => yaml::Keys::AnyTimes,
            None => yaml::Keys::Once,
        };
        let mut documents = yaml::Documents::new(&changed, keys, tree.merge_order);
        let (Some(Ok(read)), None) = (documents.next(), documents.next()) else {
            return None;
        };
        let text = read.nodes.get(self.leaf.0 as usize)?.text()?;
        let text = read.read(text);
        let is_same = |(old, new): (&Node, &Node)| {
            let expected = if old.value == self.node.value {
                Some(text)
            } else {
                old.text().map(|text| tree.parsed(text))
            };
            let keys = [old, new].map(|node| node.step.key());
            (old.kind, old.parent, old.next, old.membership)
                == (new.kind, new.parent, new.next, new.membership)
                && keys[0].map(|key| tree.parsed(key)) == keys[1].map(|key| read.read(key))
                && expected == new.text().map(|text| read.read(text))
        };
        let is_as_before =
            read.nodes.len() == tree.nodes.len() && tree.nodes.iter().zip(&read.nodes).all(is_same);
        is_as_before.then(|| text.to_owned())
    }

    /// A string of TOML with its quotes: the span of one between three quotes has none of them.
    fn whole_toml(&self) -> Range<usize> {
        let Range { start, end } = self.node.value.range();
        if self.node.style != Style::Block {
            return start..end;
        }
        let before = &self.spelling()[..start];
        let before = before.strip_suffix('\n').unwrap_or(before);
        let before = before.strip_suffix('\r').unwrap_or(before);
        before.len() - 3..end + 3
    }

    fn edited<'e>(
        &self,
        range: Range<usize>,
        edits: impl Iterator<Item = (Range<usize>, &'e str)>,
    ) -> String {
        edited(&self.spelling()[range.clone()], range.start, edits)
    }
}

fn line_start(before: &str) -> usize {
    before.rfind('\n').map_or(0, |newline| newline + 1)
}
