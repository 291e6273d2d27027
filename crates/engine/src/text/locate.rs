//! From pieces of decoded text back to the bytes that spell them.
//!
//! A text with escapes or folded lines is read three times, for any number of pieces: unchanged, with its
//! letters exchanged, which shows the bytes that spell them, and with all changes made. Only the expected text proves
//! these.

use std::collections::BTreeMap;
use std::ops::Range;

use letters::Letters;
use reader::TextReader;

use super::{Format, Kind, Node, NodeId, Sharing, Splice, Style, TextRef, Tree, Unmappable, yaml};

mod letters;
mod reader;

#[cfg(test)]
thread_local! {
    /// How many times a scalar was read again to prove edits.
    pub(super) static PROOFS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// See [`Tree::locate_all`].
pub(super) fn locate_all(
    tree: &Tree<'_>,
    leaf: NodeId,
    pieces: &[Range<usize>],
) -> Vec<Result<Range<usize>, Unmappable>> {
    let text = tree.text(leaf).unwrap_or_default();
    // Letters of the same number, so that lines stay as long as they were.
    let others: Vec<_> = pieces
        .iter()
        .map(|piece| letters::others(text.get(piece.clone()).unwrap_or_default()))
        .collect();
    let others = others.iter().map(String::as_str);
    let edits: Vec<_> = pieces.iter().cloned().zip(others).collect();
    replace_all(tree, leaf, &edits)
        .into_iter()
        .map(|splice| splice.map(|splice| splice.at))
        .collect()
}

/// See [`Tree::replace_all`].
pub(super) fn replace_all(
    tree: &Tree<'_>,
    leaf: NodeId,
    edits: &[(Range<usize>, &str)],
) -> Vec<Result<Splice, Unmappable>> {
    // Aliases of YAML ask for the same edit many times.
    let mut first = BTreeMap::new();
    let mut different = Vec::new();
    let answer_of: Vec<usize> = edits
        .iter()
        .map(|(piece, with)| {
            *first
                .entry((piece.start, piece.end, *with))
                .or_insert_with(|| {
                    different.push((piece.clone(), *with));
                    different.len() - 1
                })
        })
        .collect();
    let answers = replace_different(tree, leaf, &different);
    answer_of
        .into_iter()
        .map(|answer| answers[answer].clone())
        .collect()
}

/// [`replace_all`] of edits that are all different.
fn replace_different(
    tree: &Tree<'_>,
    leaf: NodeId,
    edits: &[(Range<usize>, &str)],
) -> Vec<Result<Splice, Unmappable>> {
    let mut answers = vec![Err(Unmappable); edits.len()];
    let Some(scalar) = EditedScalar::of(tree, leaf) else {
        return answers;
    };
    let edits = edits.iter().enumerate();
    let mut placed: Vec<_> = edits
        .filter_map(|(order, (piece, with))| scalar.place(order, piece, with))
        .collect();
    placed.sort_by_key(|edit| edit.at.start);
    for edits in proofs(placed) {
        if scalar.reads_as_expected(&edits) {
            for edit in edits {
                answers[edit.order] = Ok(Splice {
                    at: edit.at,
                    with: edit.with.into(),
                });
            }
        }
    }
    answers
}

/// An edit whose place is found and not proved.
struct Edit<'e> {
    /// The index of the requested edit.
    order: usize,
    /// The bytes of the decoded text.
    piece: Range<usize>,
    /// The bytes of the source.
    at: Range<usize>,
    with: &'e str,
    /// Whether nothing around it can be meant differently for what it writes.
    is_inert: bool,
}

/// A scalar of which pieces are looked for.
struct EditedScalar<'a, 't> {
    tree: &'a Tree<'t>,
    node: &'a Node,
    /// The text as it was parsed.
    text: &'a str,
    /// The bytes between the quotes.
    inner: Range<usize>,
    spelling: TextSpelling,
    reader: TextReader<'a, 't>,
}

/// How the text of a scalar is spelled.
enum TextSpelling {
    /// As it reads.
    Verbatim,
    /// With escapes or folded over lines; these letters are spelled literally.
    Letters(Letters),
}

/// The edits, in order, by what proves them: in one reading those that neither change what the others mean nor overlap,
/// each of the rest in one of its own.
fn proofs(edits: Vec<Edit<'_>>) -> impl Iterator<Item = Vec<Edit<'_>>> {
    let mut end = 0;
    let (together, alone): (Vec<_>, Vec<_>) = edits.into_iter().partition(|edit| {
        let fits = edit.is_inert && edit.at.start >= end;
        if fits {
            end = edit.at.end;
        }
        fits
    });
    let together = Some(together).filter(|edits| !edits.is_empty());
    together
        .into_iter()
        .chain(alone.into_iter().map(|edit| vec![edit]))
}

// === impl EditedScalar ===

impl<'a, 't> EditedScalar<'a, 't> {
    /// None for a node whose text cannot change or cannot be located.
    fn of(tree: &'a Tree<'t>, leaf: NodeId) -> Option<Self> {
        let node = tree.node(leaf);
        let text = tree.parsed(node.text()?);
        if node.sharing == Sharing::Key || is_read_otherwise(tree, node, text) {
            return None;
        }
        let inner = node.style.inner(node.value).range();
        let is_verbatim = node.slot == TextRef::VERBATIM;
        let reader = TextReader::new(tree, leaf);
        let spelling = if is_verbatim {
            TextSpelling::Verbatim
        } else {
            TextSpelling::Letters(Letters::of(&reader, text, &inner)?)
        };
        Some(Self {
            tree,
            node,
            text,
            inner,
            spelling,
            reader,
        })
    }

    /// An edit at its place; none where its piece is no text, is spelled otherwise, or is a part of a template.
    fn place<'e>(&self, order: usize, piece: &Range<usize>, with: &'e str) -> Option<Edit<'e>> {
        let text = self.text.get(piece.clone()).filter(|text| !text.is_empty());
        let start = match &self.spelling {
            TextSpelling::Verbatim => self.inner.start + piece.start,
            TextSpelling::Letters(letters) => letters.place(piece)?,
        };
        let at = start..start + piece.len();
        let masked = self.tree.masked.as_deref();
        let is_of_template = masked.is_some_and(|masked| masked.covers(&at));
        let is_spelled = self.tree.src.get(at.clone()) == Some(text?);
        (is_spelled && !is_of_template && !self.may_be_escaped(&at)).then(|| Edit {
            order,
            piece: piece.clone(),
            at,
            with,
            is_inert: is_inert(with) && self.keeps_its_kind(piece, with),
        })
    }

    /// Whether some dialects read the first letter of a place with the backslash before it.
    fn may_be_escaped(&self, at: &Range<usize>) -> bool {
        let before = &self.tree.src[self.inner.start..at.start];
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        matches!(self.tree.format, Format::Properties | Format::Env) && backslashes % 2 == 1
    }

    /// Whether the scalar stays of its kind when a piece is replaced. Where that hangs on more than its bytes, it does not.
    fn keeps_its_kind(&self, piece: &Range<usize>, with: &str) -> bool {
        match self.tree.format {
            Format::Yaml if self.node.style == Style::Bare => {
                let parts = [&self.text[..piece.start], with, &self.text[piece.end..]];
                let kind = if parts.iter().any(|part| yaml::makes_a_string(part)) {
                    Kind::String
                } else {
                    yaml::plain_kind(&parts.concat())
                };
                kind == self.node.kind
            }
            Format::Yaml => true,
            Format::Json | Format::Toml | Format::Properties | Format::Env | Format::Lines => {
                self.node.kind == Kind::String
            }
        }
    }

    /// Whether the scalar reads as expected once the edits are made, and nothing else reads differently.
    fn reads_as_expected(&self, edits: &[Edit<'_>]) -> bool {
        let is_inert = edits.iter().all(|edit| edit.is_inert);
        if is_inert && matches!(self.spelling, TextSpelling::Verbatim) {
            return true;
        }
        let pieces = edits.iter().map(|edit| (edit.piece.clone(), edit.with));
        let places = edits.iter().map(|edit| (edit.at.clone(), edit.with));
        #[cfg(test)]
        PROOFS.with(|proofs| proofs.set(proofs.get() + 1));
        let read = if is_inert {
            self.reader.nearby(places)
        } else {
            self.reader.widely(places)
        };
        read.is_some_and(|read| read == edited(self.text, 0, pieces))
    }
}

// === free functions ===

/// Whether libyaml and its ports, kubectl's among them, take a scalar of YAML 1.2 for something else: for the sign of a key, if it
/// starts with `?` in `[…]`; for comments, if it is a block scalar without indentation, which is the root of its document.
fn is_read_otherwise(tree: &Tree<'_>, node: &Node, text: &str) -> bool {
    let start = node.value.range().start;
    let (before, value) = tree.src.split_at(start);
    tree.format == Format::Yaml
        && match node.style {
            Style::Bare => text.starts_with('?'),
            Style::Quoted => false,
            Style::Block => {
                let is_at_margin = before.ends_with(['\n', '\r']);
                is_at_margin && !value.trim_start_matches(['\n', '\r']).starts_with(' ')
            }
        }
}

/// Letters and digits, with `. _ : / -` between them, are spelled alike everywhere and end no token of any format.
fn is_inert(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter()
        .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:/-".contains(byte))
}

/// A text that starts at `start` with ranges of it replaced, which come in order and do not overlap.
fn edited<'e>(
    text: &str,
    start: usize,
    edits: impl Iterator<Item = (Range<usize>, &'e str)>,
) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, with) in edits {
        out.push_str(&text[from..at.start - start]);
        out.push_str(with);
        from = at.end - start;
    }
    out.push_str(&text[from..]);
    out
}
