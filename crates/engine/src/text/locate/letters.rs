//! Which letters of a decoded text are spelled by themselves, and where.
//!
//! No quoting style is known here but that escapes exist: all other letters of the source are exchanged, the source is
//! decoded again, and the letters that differ then are the exchanged ones in their order.

use std::ops::Range;

use super::TextReader;

/// The letters and digits that are spelled by themselves, in order: the place of each in the text and in the source.
pub(super) struct Letters(Vec<(usize, usize)>);

/// Letters in the place of a text, of the same number and different from it.
pub(super) fn others(text: &str) -> String {
    let other = if text.bytes().all(|byte| byte == b'x') {
        "y"
    } else {
        "x"
    };
    other.repeat(text.len())
}

// === impl Letters ===

impl Letters {
    /// Those of a text that is spelled by `inner`.
    pub(super) fn of(
        reader: &TextReader<'_, '_>,
        text: &str,
        inner: &Range<usize>,
    ) -> Option<Self> {
        let spelled = &reader.spelling()[inner.clone()];
        let (exchanged, places) = exchange(spelled, reader.has_escapes());
        let read = reader.nearby(std::iter::once((inner.clone(), &*exchanged)))?;
        let bytes = text.bytes().zip(read.bytes()).enumerate();
        let differing: Vec<_> = bytes
            .filter(|(_, (byte, other))| byte != other)
            .map(|(at, _)| at)
            .collect();
        // A comment behind a block scalar has letters that are none of its text.
        let fits = text.len() == read.len() && differing.len() <= places.len();
        let pairs: Vec<_> = differing.into_iter().zip(places).collect();
        let are_equal = |&(at, place): &(usize, usize)| {
            text.as_bytes().get(at) == spelled.as_bytes().get(place)
        };
        (fits && pairs.iter().all(are_equal)).then(|| {
            let in_source = |(at, place)| (at, inner.start + place);
            Self(pairs.into_iter().map(in_source).collect())
        })
    }

    /// Where in the source a piece of the text starts that begins and ends with a letter and may be spelled as it reads.
    pub(super) fn place(&self, piece: &Range<usize>) -> Option<usize> {
        let place = |at: usize| {
            let found = self.0.binary_search_by_key(&at, |(at, _)| *at).ok()?;
            Some(self.0[found].1)
        };
        let first = place(piece.start)?;
        let last = place(piece.end.checked_sub(1)?)?;
        (last + 1 == first + piece.len()).then_some(first)
    }
}

// === free functions ===

/// A source with its letters and digits exchanged, but for those that may be of an escape, and their places.
fn exchange(spelled: &str, has_escapes: bool) -> (String, Vec<usize>) {
    let mut exchanged = String::with_capacity(spelled.len());
    let mut places = Vec::new();
    let mut characters = spelled.char_indices();
    while let Some((at, character)) = characters.next() {
        if character.is_ascii_alphanumeric() {
            places.push(at);
            exchanged.push(if character == 'x' { 'y' } else { 'x' });
            continue;
        }
        exchanged.push(character);
        if has_escapes
            && character == '\\'
            && let Some((_, letter)) = characters.next()
        {
            exchanged.push(letter);
            let digits = characters.by_ref().take(digits(letter));
            exchanged.extend(digits.map(|(_, digit)| digit));
        }
    }
    (exchanged, places)
}

/// How many digits follow the letter of an escape.
fn digits(letter: char) -> usize {
    match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    }
}
