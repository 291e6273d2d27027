//! Positions of IDs in a file, as line and column.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::domain::judge::{JudgedFinding, Judgement};
use crate::report::Source;
use crate::text::{NodeId, Tree};

use super::rendered::RenderedTemplates;

/// A document of a file.
#[derive(Clone, Copy)]
pub(super) struct DocumentPosition<'a> {
    /// The name of the file.
    pub(super) file: &'a str,
    /// The index of the document in the file.
    pub(super) index: usize,
    /// The lines of the file.
    pub(super) lines: &'a LineIndex<'a>,
    /// The chart templates of the file.
    pub(super) templates: &'a RenderedTemplates<'a>,
}

/// The starts of the lines of a text, so that each position takes a binary search. They are read when the first position is asked for.
pub(super) struct LineIndex<'t> {
    text: &'t str,
    /// The lines of the file before the text.
    before: usize,
    starts: OnceCell<Vec<usize>>,
}

impl<'t> LineIndex<'t> {
    /// The lines of a text before which a file has `before` lines.
    pub(super) const fn new(text: &'t str, before: usize) -> Self {
        Self {
            text,
            before,
            starts: OnceCell::new(),
        }
    }

    fn starts(&self) -> &[usize] {
        self.starts.get_or_init(|| {
            let newlines = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0)
                .chain(newlines.map(|at| at + 1))
                .collect()
        })
    }

    /// The line in the file, and the column in characters, of a byte offset in the text; both from 1.
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let starts = self.starts();
        let line = starts.partition_point(|start| *start <= offset);
        let start = starts[line - 1];
        let before = &self.text[start..self.text.floor_char_boundary(offset)];
        (self.before + line, before.chars().count() + 1)
    }
}

/// The byte ranges of the IDs of one object in the source.
pub(super) struct IdPositions<'t> {
    tree: &'t Tree<'t>,
    /// By the start of the scalar in the source and that of the ID in its text; only those that can be located.
    ranges: BTreeMap<(usize, usize), Range<usize>>,
}

impl<'t> IdPositions<'t> {
    /// Locates the IDs of all findings. Those of one scalar are located together, so that it is read once; so are those of the
    /// aliases of YAML, which spell it once.
    pub(super) fn of(tree: &'t Tree<'t>, judgement: &Judgement<'_>) -> Self {
        let mut scalars: BTreeMap<usize, (NodeId, Vec<Range<usize>>)> = BTreeMap::new();
        for judged in judgement.findings() {
            let leaf = judged.finding.site.node();
            let scalar = scalars.entry(tree.raw(leaf).start);
            let (_, spans) = scalar.or_insert_with(|| (leaf, Vec::new()));
            spans.push(judged.finding.span().clone());
        }
        let mut ranges = BTreeMap::new();
        for (start, (leaf, spans)) in scalars {
            let located = tree.locate_all(leaf, &spans).into_iter().zip(&spans);
            ranges.extend(located.filter_map(|(at, span)| Some(((start, span.start), at.ok()?))));
        }
        Self { tree, ranges }
    }

    /// The start of an ID in the file; that of its scalar if the ID cannot be located.
    fn start(&self, judged: &JudgedFinding<'_>) -> usize {
        let (tree, leaf) = (self.tree, judged.finding.site.node());
        let key = tree.raw_key(leaf).filter(|_| judged.finding.is_key);
        let range = key.unwrap_or_else(|| {
            let located = self.located(judged);
            located.cloned().unwrap_or_else(|| tree.raw(leaf))
        });
        range.start
    }

    /// The range of an ID in a scalar, if it can be located.
    fn located(&self, judged: &JudgedFinding<'_>) -> Option<&Range<usize>> {
        let scalar = self.tree.raw(judged.finding.site.node()).start;
        self.ranges.get(&(scalar, judged.finding.span().start))
    }

    /// The line of an ID, and that of the key of its text, from 1. A text of several lines has no place for a comment inside.
    pub(super) fn lines(
        &self,
        judged: &JudgedFinding<'_>,
        document: DocumentPosition<'_>,
    ) -> [usize; 2] {
        let start = self.start(judged);
        let key = self.tree.raw_key(judged.finding.site.node());
        let key = key.map_or(start, |key| key.start);
        [start, key].map(|offset| document.lines.line_and_column(offset).0)
    }

    /// The position of an ID in the file; that of its scalar if the ID cannot be located.
    pub(super) fn source(
        &self,
        judged: &JudgedFinding<'_>,
        document: DocumentPosition<'_>,
    ) -> Source {
        let (line, column) = document.lines.line_and_column(self.start(judged));
        // What other uses of an anchor become is not known here.
        let leaf = judged.finding.site.node();
        let alone = self
            .located(judged)
            .filter(|_| !judged.finding.is_key && !self.tree.is_shared(leaf));
        let end = alone.map(|range| document.lines.line_and_column(range.end));
        let end_column = end.and_then(|(last, column)| (last == line).then_some(column));
        Source {
            file: document.file.to_owned(),
            line,
            column,
            end_column,
            document: document.index,
            template: document.templates.at(line).map(str::to_owned),
        }
    }
}
