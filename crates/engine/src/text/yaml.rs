//! The YAML front end: builds trees from the events of granit-parser, and follows aliases and merge keys.
//!
//! An alias becomes a copy of the nodes that it refers to, a few dozen bytes each without their text, so that
//! parents, keys and pointers are those of the place where it is used. A budget for a whole file bounds the copies.

use super::error::{LineCounter, OVER_BUDGET};
use super::{MergeOrder, Span, SyntaxError, Tree};
use crate::budget::Budget;
use build::DocumentBuilder;
use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};
use std::ops::Range;

mod alias;
mod build;
mod merge;
mod schema;

pub(super) use schema::{makes_a_string, plain_kind};

/// How many nodes the aliases and merge keys of a file may add, about 10 MiB of them: thousands of uses of a large
/// common part, while ten levels of ten aliases each ask for 10¹⁰.
const MAX_COPIES: usize = 1 << 18;

/// How often a key may occur in its mapping.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// Once: where it occurs again, its last value counts.
    Once,
    /// Any number of times: of the branches of a template one is written.
    AnyTimes,
}

/// The trees of a file, one for each document.
pub(super) struct Documents<'t, 'b> {
    src: &'t str,
    keys: Keys,
    merge_order: MergeOrder,
    parser: Parser<'t, StrInput<'t>>,
    /// Where the document before ended.
    from: usize,
    /// A document before was an error, so where it ended is not known.
    lost: bool,
    /// How many nodes aliases may still add.
    copies: usize,
    /// What the trees may cost.
    budget: Option<&'b Budget>,
    /// The error of a text that is too large.
    refused: Option<SyntaxError>,
    /// The lines of the errors.
    lines: LineCounter<'t>,
    ended: bool,
}

/// The decoded text of the scalar that starts at an offset of a text which may break off after it.
pub(super) fn scalar_at(src: &str, offset: usize) -> Option<String> {
    for event in parser(src) {
        if let (Event::Scalar(text, style, ..), span) = event.ok()? {
            let range = bytes(&span);
            if range.start >= offset {
                let null = style == ScalarStyle::Plain && range.is_empty();
                return (range.start == offset && !null).then(|| text.into_owned());
            }
        }
    }
    None
}

// === impl Documents ===

impl<'t, 'b> Documents<'t, 'b> {
    pub(super) fn new(src: &'t str, keys: Keys, merge_order: MergeOrder) -> Self {
        let refused = SyntaxError::too_large(src);
        Self {
            src,
            keys,
            merge_order,
            parser: parser(src),
            from: 0,
            lost: false,
            copies: MAX_COPIES,
            budget: None,
            refused,
            lines: LineCounter::new(src),
            ended: false,
        }
    }

    /// The documents of a text within a budget; `None` if it does not suffice to read the text.
    pub(super) fn within(
        src: &'t str,
        keys: Keys,
        merge_order: MergeOrder,
        budget: &'b Budget,
    ) -> Option<Self> {
        budget.spend_text(src).then(|| Self {
            budget: Some(budget),
            ..Self::new(src, keys, merge_order)
        })
    }

    /// Reads on to the end of the next document; none where the file ends.
    fn document(&mut self) -> Result<Option<Tree<'t>>, SyntaxError> {
        let most_nodes = self.budget.map_or(usize::MAX, Tree::nodes_within);
        let mut builder = DocumentBuilder::new(
            self.src,
            self.keys,
            self.merge_order,
            (self.from, self.copies),
        );
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| scan_error(&mut self.lines, &error))?;
            let span = bytes(&span);
            if event == Event::DocumentEnd {
                let start = std::mem::replace(&mut self.from, span.end);
                let tree = builder.finish(Span::new(start, span.end));
                let is_within = self.budget.is_none_or(|budget| tree.spend(budget));
                return if is_within {
                    Ok(Some(tree))
                } else {
                    Err(self.lines.error(start, OVER_BUDGET))
                };
            }
            if self.lost && matches!(event, Event::DocumentStart(..)) {
                self.lost = false;
                self.from = span.start;
            }
            let added = builder.event(event, &span);
            self.copies = builder.copies;
            added.map_err(|(offset, problem)| self.lines.error(offset, problem))?;
            if builder.tree.nodes.len() > most_nodes {
                self.budget.map(Budget::exhaust_bytes);
                return Err(self.lines.error(span.start, OVER_BUDGET));
            }
        }
        Ok(None)
    }
}

impl<'t> Iterator for Documents<'t, '_> {
    type Item = Result<Tree<'t>, SyntaxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(refused) = self.refused.take() {
            self.ended = true;
            return Some(Err(refused));
        }
        if self.ended {
            return None;
        }
        let document = self.document();
        self.lost |= document.is_err();
        self.ended = match &document {
            Ok(document) => document.is_none(),
            Err(_) => !self.parser.proceed_next_document().unwrap_or(false),
        };
        document.transpose()
    }
}

// === free functions ===

fn parser(src: &str) -> Parser<'_, StrInput<'_>> {
    let mut options = granit_parser::options! { block_scalar_eof_without_line_feed: true };
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(src, options)
}

fn scan_error(lines: &mut LineCounter<'_>, error: &ScanError) -> SyntaxError {
    let offset = error.marker().byte_offset().unwrap_or_default();
    lines.error(offset, error.kind().to_string())
}

/// The bytes of a span; the parser knows them whenever it reads a string.
fn bytes(span: &granit_parser::Span) -> Range<usize> {
    span.byte_range().unwrap_or_default()
}
