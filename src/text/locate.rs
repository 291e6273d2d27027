//! From a piece of decoded text back to the bytes that spell it.
//!
//! No quoting style is known here: the k-th occurrence of the piece in the decoded text is taken for the k-th in the
//! source, the source is changed there and decoded again, and only the expected text proves the place.

use super::{Format, Kind, NodeId, Sharing, Splice, Style, Text, Tree, Unmappable, yaml};
use std::ops::Range;

/// See [`Tree::locate`].
pub(super) fn locate(
    tree: &Tree<'_>,
    leaf: NodeId,
    decoded: Range<usize>,
) -> Result<Range<usize>, Unmappable> {
    let piece = tree
        .text(leaf)
        .and_then(|text| text.get(decoded.clone()))
        .ok_or(Unmappable)?;
    // Letters of the same number, so that lines stay as long as they were.
    let other = if piece.bytes().all(|byte| byte == b'x') {
        "y"
    } else {
        "x"
    };
    replace(tree, leaf, decoded, &other.repeat(piece.len())).map(|splice| splice.at)
}

/// See [`Tree::replace`].
pub(super) fn replace(
    tree: &Tree<'_>,
    leaf: NodeId,
    decoded: Range<usize>,
    with: &str,
) -> Result<Splice, Unmappable> {
    let node = tree.node(leaf);
    let text = tree.text(leaf).ok_or(Unmappable)?;
    let piece = text
        .get(decoded.clone())
        .filter(|piece| !piece.is_empty())
        .ok_or(Unmappable)?;
    if node.sharing == Sharing::Key {
        return Err(Unmappable);
    }
    let expected = [&text[..decoded.start], with, &text[decoded.end..]].concat();
    let proved = |start: usize| {
        let splice = Splice {
            at: start..start + piece.len(),
            with: with.into(),
        };
        let is_masked = tree.src.get(splice.at.clone()) != tree.spelling().get(splice.at.clone());
        if is_masked {
            return None;
        }
        proves(tree, leaf, &splice, &expected).then_some(splice)
    };
    let inner = node.style.inner(node.value).range();
    if node.slot == Text::VERBATIM {
        return proved(inner.start + decoded.start).ok_or(Unmappable);
    }
    // Counted from the front, and where an escape hides one of those before, from the back.
    let spelled = occurrences(&tree.spelling()[inner.clone()], piece);
    let before = occurrences(&text[..decoded.end], piece).len();
    let after = occurrences(&text[decoded.start..], piece).len();
    let front = spelled.get(before.wrapping_sub(1)).copied();
    let back = spelled.len().checked_sub(after).map(|place| spelled[place]);
    let places = front.into_iter().chain(back.filter(|_| back != front));
    places
        .map(|place| inner.start + place)
        .find_map(proved)
        .ok_or(Unmappable)
}

/// Whether the scalar reads as expected once the splice is applied, and nothing else reads differently.
fn proves(tree: &Tree<'_>, leaf: NodeId, splice: &Splice, expected: &str) -> bool {
    let node = tree.node(leaf);
    let keeps_its_kind = match tree.format {
        Format::Yaml => node.style != Style::Bare || yaml::plain_kind(expected) == node.kind,
        Format::Json | Format::Toml | Format::Properties | Format::Lines => {
            node.kind == Kind::String
        }
    };
    let inert = is_inert(&splice.with) && keeps_its_kind;
    if inert && node.slot == Text::VERBATIM {
        return true;
    }
    match tree.format {
        Format::Json => json_reads(tree, leaf, splice, expected),
        Format::Yaml => {
            (inert && yaml_reads(tree, leaf, splice, expected))
                || document_reads(tree, leaf, splice, expected)
        }
        Format::Properties => inert && entry_reads(tree, leaf, splice, expected),
        // What is not spelled as it reads is left there: it is rare, and people can change it.
        Format::Toml | Format::Lines => false,
    }
}

/// Letters and digits, with `. _ : / -` between them, are spelled alike everywhere and end no token of either syntax.
fn is_inert(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter()
        .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._:/-".contains(byte))
}

/// Reads the changed scalar alone: in JSON nothing around it matters.
fn json_reads(tree: &Tree<'_>, leaf: NodeId, splice: &Splice, expected: &str) -> bool {
    let changed = spliced(tree.spelling(), &tree.raw(leaf), splice);
    Tree::json(&changed).is_ok_and(|read| {
        read.kind(read.root()) == tree.kind(leaf) && read.text(read.root()) == Some(expected)
    })
}

/// Reads the changed entry alone: in properties nothing around it matters.
fn entry_reads(tree: &Tree<'_>, leaf: NodeId, splice: &Splice, expected: &str) -> bool {
    let Some(key) = tree.node(leaf).step.key() else {
        return false;
    };
    let Range { start, .. } = key.span.range();
    let changed = spliced(tree.spelling(), &(start..tree.raw(leaf).end), splice);
    Tree::properties(&changed).is_ok_and(|read| {
        let entries: Vec<_> = read.children(read.root()).collect();
        matches!(entries[..], [entry] if read.text(entry) == Some(expected))
    })
}

/// Reads the scalar before and after the change, from the start of the line that its value or header stands on.
///
/// This is much shorter than the document. It may lack what the scalar's meaning depends on (an indentation, an open
/// bracket), which shows in what it reads before the change.
fn yaml_reads(tree: &Tree<'_>, leaf: NodeId, splice: &Splice, expected: &str) -> bool {
    let raw = tree.raw(leaf);
    let document = &tree.spelling()[..raw.start];
    let line = match tree.node(leaf).style {
        Style::Bare | Style::Quoted => line_start(document),
        Style::Block => line_start(document[..line_start(document)].trim_end()),
    };
    let reads =
        |text: &str, expected| yaml::scalar_at(text, raw.start - line).as_deref() == Some(expected);
    let lines = line..raw.end;
    tree.text(leaf)
        .is_some_and(|text| reads(&tree.spelling()[lines.clone()], text))
        && reads(&spliced(tree.spelling(), &lines, splice), expected)
}

/// Reads the whole document again and compares every node.
fn document_reads(tree: &Tree<'_>, leaf: NodeId, splice: &Splice, expected: &str) -> bool {
    let changed = spliced(tree.spelling(), &tree.document.range(), splice);
    let mut documents = Tree::yaml(&changed);
    let (Some(Ok(read)), None) = (documents.next(), documents.next()) else {
        return false;
    };
    let place = tree.node(leaf).value;
    read.nodes.len() == tree.nodes.len()
        && tree.nodes.iter().zip(&read.nodes).all(|(old, new)| {
            let text = if old.value == place {
                Some(expected)
            } else {
                old.text().map(|text| tree.read(text))
            };
            (old.kind, old.parent, old.next, old.hidden)
                == (new.kind, new.parent, new.next, new.hidden)
                && old.step.key().map(|key| tree.read(key))
                    == new.step.key().map(|key| read.read(key))
                && text == new.text().map(|text| read.read(text))
        })
}

/// A range of the source with the splice, which lies in it, applied.
fn spliced(src: &str, range: &Range<usize>, splice: &Splice) -> String {
    [
        &src[range.start..splice.at.start],
        &splice.with,
        &src[splice.at.end..range.end],
    ]
    .concat()
}

fn line_start(before: &str) -> usize {
    before.rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where a piece occurs, occurrences that overlap counted each.
fn occurrences(text: &str, piece: &str) -> Vec<usize> {
    let finder = memchr::memmem::Finder::new(piece);
    let next = |from: usize| Some(from + finder.find(text.as_bytes().get(from..)?)?);
    std::iter::successors(next(0), |&at| next(at + 1)).collect()
}
