//! YAML that is a template of Helm, Handlebars or Jinja: what a program fills in is masked, the rest is read.
//!
//! A mask has the length of what it covers, so that every span is one of the source, and a text that is spelled as it reads
//! is taken from there. What is put together from pieces keeps the mask: it starts and ends with `$`, so that a name that
//! touches it is found and not taken for whole, and readers see a text with filled-in parts.

use std::ops::Range;
use std::sync::Arc;

use super::{BYTE_ORDER_MARK, MergeOrder, SyntaxError, Tree, yaml};
use crate::budget::Budget;

/// How templates open and close what a program fills in.
const DELIMITERS: [(&str, &str); 2] = [("{{", "}}"), ("{%", "%}")];

/// A source as it is parsed: of the same length, with templates masked.
pub(super) struct Masked {
    pub(super) text: Box<str>,
    /// What is masked, line by line, in order.
    places: Vec<Range<usize>>,
}

/// How a line that holds nothing but templates is masked, and the end of one that began on a line before.
#[derive(Clone, Copy)]
enum Alone {
    /// As a comment, or a line of a block scalar.
    Comment,
    /// As an empty line, which no indentation is wrong for.
    Space,
}

/// How a piece is masked.
#[derive(Clone, Copy)]
enum Mask {
    /// As a line of its own.
    Line(Alone),
    /// As the indentation of the rest of the line on which the template ends.
    Indentation,
    /// As a part of its text.
    Text,
}

/// The part of a template on one line.
struct Piece {
    at: Range<usize>,
    /// Whether the template began on a line before.
    is_continued: bool,
}

/// The trees of a text of which every document can be read; `None` if one is an error, or if the budget does not suffice.
pub(super) fn read_whole<'t>(
    src: &'t str,
    merge_order: MergeOrder,
    budget: &Budget,
) -> Option<Vec<Tree<'t>>> {
    let plain = whole(src, yaml::Keys::Once, merge_order, budget);
    let places = places(src);
    if places.is_empty() {
        return plain;
    }
    if let Some(plain) = plain.filter(|trees| !trees.iter().any(repeats_a_key)) {
        let text = src.into();
        return Some(with_masks(src, plain, &Arc::new(Masked { text, places })));
    }
    [Alone::Comment, Alone::Space]
        .into_iter()
        .find_map(|alone| {
            let masked = Arc::new(Masked::of(src, alone));
            budget.spend_bytes(masked.text.len()).then_some(())?;
            let trees = whole(&masked.text, yaml::Keys::AnyTimes, merge_order, budget)?;
            Some(with_masks(src, trees, &masked))
        })
}

/// The documents of a text; `None` if one is an error, or if the budget does not suffice.
fn whole<'t>(
    text: &'t str,
    keys: yaml::Keys,
    merge_order: MergeOrder,
    budget: &Budget,
) -> Option<Vec<Tree<'t>>> {
    let documents = yaml::Documents::within(text, keys, merge_order, budget)?;
    documents.collect::<Result<_, _>>().ok()
}

/// The pieces of templates in a text, in order.
fn places(src: &str) -> Vec<Range<usize>> {
    templates(src)
        .flat_map(|template| pieces(src, template))
        .map(|piece| piece.at)
        .collect()
}

/// Whether a key occurs twice in a mapping, as in two branches of a template.
fn repeats_a_key(tree: &Tree<'_>) -> bool {
    tree.overridden_keys().iter().any(|key| !key.by_merge)
}

/// The trees of a file, one for each document, with its templates masked in the way that has the fewest errors.
///
/// A text that is YAML as it is written is read as it is, unless a key occurs twice, as in two branches of a template.
pub(super) fn read(src: &str, merge_order: MergeOrder) -> Vec<Result<Tree<'_>, SyntaxError>> {
    let places = places(src);
    let plain: Vec<_> = yaml::Documents::new(src, yaml::Keys::Once, merge_order).collect();
    if places.is_empty() {
        return plain;
    }
    let is_plain =
        |tree: &Result<Tree<'_>, _>| tree.as_ref().is_ok_and(|tree| !repeats_a_key(tree));
    if plain.iter().all(is_plain) {
        let masked = Arc::new(Masked {
            text: src.into(),
            places,
        });
        let trees = plain.into_iter();
        return trees
            .map(|tree| tree.map(|tree| of_source(src, tree, &masked)))
            .collect();
    }
    let errors = |trees: &Vec<Result<Tree<'_>, SyntaxError>>| {
        trees.iter().filter(|tree| tree.is_err()).count()
    };
    let attempts = [Alone::Comment, Alone::Space].map(|alone| {
        let masked = Arc::new(Masked::of(src, alone));
        let trees = yaml::Documents::new(&masked.text, yaml::Keys::AnyTimes, merge_order);
        trees
            .map(|tree| tree.map(|tree| of_source(src, tree, &masked)))
            .collect::<Vec<_>>()
    });
    attempts.into_iter().min_by_key(errors).unwrap_or_default()
}

/// Trees of a text that was parsed as `masked`.
fn with_masks<'t>(src: &'t str, trees: Vec<Tree<'_>>, masked: &Arc<Masked>) -> Vec<Tree<'t>> {
    let trees = trees.into_iter();
    trees.map(|tree| of_source(src, tree, masked)).collect()
}

/// A tree of a text that was parsed as `masked`.
fn of_source<'t>(src: &'t str, tree: Tree<'_>, masked: &Arc<Masked>) -> Tree<'t> {
    Tree {
        src,
        masked: Some(Arc::clone(masked)),
        format: tree.format,
        document: tree.document,
        nodes: tree.nodes,
        decoded: tree.decoded,
        has_numeric_escapes: tree.has_numeric_escapes,
        merge_order: tree.merge_order,
        overrides: tree.overrides,
    }
}

// === impl Masked ===

impl Masked {
    /// Masks the templates of a text, line ends kept.
    fn of(src: &str, alone: Alone) -> Self {
        let mut text = String::with_capacity(src.len());
        let mut places = Vec::new();
        let mut pieces = templates(src)
            .flat_map(|template| pieces(src, template))
            .peekable();
        let mut start = 0;
        for line in src.split_inclusive('\n') {
            let end = start + line.len();
            let of_line: Vec<_> =
                std::iter::from_fn(|| pieces.next_if(|piece| piece.at.start < end)).collect();
            let are_alone = are_alone(src, start..end, &of_line);
            for Piece { at, is_continued } in of_line {
                text.push_str(&src[start..at.start]);
                let mask = if are_alone || (is_continued && is_over(&src[at.end..end])) {
                    Mask::Line(alone)
                } else if is_continued {
                    Mask::Indentation
                } else {
                    Mask::Text
                };
                mask.fill(&mut text, &src[at.clone()]);
                start = at.end;
                places.extend(Some(at).filter(|at| !at.is_empty()));
            }
            text.push_str(&src[start..end]);
            start = end;
        }
        Self {
            text: text.into(),
            places,
        }
    }

    /// Whether a part of the range is masked.
    pub(super) fn covers(&self, range: &Range<usize>) -> bool {
        let behind = self
            .places
            .partition_point(|place| place.end <= range.start);
        self.places
            .get(behind)
            .is_some_and(|place| place.start < range.end)
    }
}

// === impl Mask ===

impl Mask {
    /// Writes the mask of a piece.
    fn fill(self, masked: &mut String, piece: &str) {
        let last = piece.len().saturating_sub(1);
        let mask = |(at, byte): (usize, u8)| match self {
            Self::Line(Alone::Comment) => '#',
            Self::Line(Alone::Space) => ' ',
            Self::Indentation if at < last => ' ',
            // Names stay, so that an ID in a template is seen, and which key it is that is filled in.
            Self::Text if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) => {
                char::from(byte)
            }
            Self::Indentation | Self::Text => '$',
        };
        masked.extend(piece.bytes().enumerate().map(mask));
    }
}

// === free functions ===

/// A template line by line, without line ends.
fn pieces(src: &str, template: Range<usize>) -> impl Iterator<Item = Piece> {
    let mut start = template.start;
    src[template.clone()]
        .split_inclusive('\n')
        .map(move |line| {
            let text = line.trim_end_matches(['\n', '\r']);
            let piece = Piece {
                at: start..start + text.len(),
                is_continued: start > template.start,
            };
            start += line.len();
            piece
        })
}

/// Whether a line holds nothing but these pieces, and maybe a comment.
fn are_alone(src: &str, line: Range<usize>, pieces: &[Piece]) -> bool {
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
        return false;
    };
    let before = &src[line.start..first.at.start];
    let is_blank = |pair: &[Piece]| src[pair[0].at.end..pair[1].at.start].trim().is_empty();
    before
        .trim_matches([BYTE_ORDER_MARK, '#', ' ', '\t'])
        .is_empty()
        && is_over(&src[last.at.end..line.end])
        && pieces.windows(2).all(is_blank)
}

/// Whether the last template of a line is followed by nothing or a comment.
fn is_over(after: &str) -> bool {
    // A sign of a comment that touches the template may as well be text.
    after.trim().is_empty() || after.starts_with([' ', '\t']) && after.trim_start().starts_with('#')
}

/// The ranges of the templates, in order.
fn templates(src: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut ends = DELIMITERS.map(|(open, close)| TemplateEnds::new(src, open, close));
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + memchr::memchr(b'{', &src.as_bytes()[from..])?;
            let Some(end) = ends.iter_mut().find_map(|ends| ends.of(start)) else {
                from = start + 1;
                continue;
            };
            // Handlebars encloses what is not escaped in three.
            let has_three = src[start..].starts_with("{{{") && src[end..].starts_with('}');
            from = end + usize::from(has_three);
            return Some(start..from);
        }
    })
}

/// The ends of templates with one pair of delimiters. What was searched for one beginning is kept for the next ones, so that a text
/// of beginnings is read once.
struct TemplateEnds<'t> {
    src: &'t str,
    open: &'static str,
    close: &'static str,
    /// The first closing delimiter behind the last beginning; the end of the text if there is none.
    next_close: usize,
    /// The end of the line of the last beginning.
    line_end: usize,
    /// The closing delimiter and the end of the line of a beginning that does not belong to it; nor do the others on that line.
    rejected: Option<(usize, usize)>,
}

impl<'t> TemplateEnds<'t> {
    fn new(src: &'t str, open: &'static str, close: &'static str) -> Self {
        Self {
            src,
            open,
            close,
            next_close: 0,
            line_end: 0,
            rejected: None,
        }
    }

    /// The end of the template that begins at `start`. Beginnings come in order.
    fn of(&mut self, start: usize) -> Option<usize> {
        let inner = start + self.open.len();
        if self.next_close == self.src.len() || !self.src[start..].starts_with(self.open) {
            return None;
        }
        let next = |from: usize, text: &str| {
            let found = memchr::memmem::find(&self.src.as_bytes()[from..], text.as_bytes());
            found.map_or(self.src.len(), |at| from + at)
        };
        if self.next_close < inner {
            self.next_close = next(inner, self.close);
        }
        if self.line_end < start {
            self.line_end = next(start, "\n");
        }
        if self.next_close == self.src.len() {
            return None;
        }
        let end = self.next_close + self.close.len();
        let is_known = self.rejected == Some((self.next_close, self.line_end));
        let belongs = self.next_close < self.line_end
            || self.is_comment(inner)
            || (!is_known && self.is_continued(start..end));
        if !belongs {
            self.rejected = Some((self.next_close, self.line_end));
        }
        belongs.then_some(end)
    }

    /// Whether a template that begins before `inner` is a comment.
    fn is_comment(&self, inner: usize) -> bool {
        self.src[inner..]
            .trim_start_matches(['-', ' '])
            .starts_with("/*")
    }

    /// Whether delimiters on different lines belong together: no entry of YAML and no other template begins between them.
    fn is_continued(&self, template: Range<usize>) -> bool {
        let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let continued = &self.src[(self.line_end + 1).min(template.end)..template.end];
        let line_start = self.src[..template.start]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let level = indentation(&self.src[line_start..]);
        let begins_an_entry =
            |line: &str| indentation(line) <= level && is_entry(line.trim_start());
        !continued.contains(self.open) && !continued.lines().any(begins_an_entry)
    }
}

/// Whether a line reads as an entry of a mapping or a sequence of YAML.
fn is_entry(line: &str) -> bool {
    let is_item = line == "-" || line.starts_with("- ");
    let key = line.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-./".contains(c));
    is_item || key.len() < line.len() && (key == ":" || key.starts_with(": "))
}
