//! How far two texts are apart, for questions such as `did you mean eu-west-1?`.

/// A text that is compared with many others. A review may have thousands of misspelled regions, so the memory of a comparison is used
/// again, and a comparison ends when the texts are too far apart.
pub(super) struct Spelling {
    text: Vec<char>,
    other: Vec<char>,
    /// The rows of the comparison: the last one and the two above it.
    rows: [Vec<usize>; 3],
}

impl Spelling {
    /// The letters of `text`.
    pub(super) fn of(text: impl IntoIterator<Item = char>) -> Self {
        Self {
            text: text.into_iter().collect(),
            other: Vec::new(),
            rows: Default::default(),
        }
    }

    /// Number of letters.
    pub(super) const fn len(&self) -> usize {
        self.text.len()
    }

    /// The number of insertions, deletions, changes and swaps of neighbours that lead to `other`; `None` if it exceeds `most`.
    pub(super) fn distance(&mut self, other: &str, most: usize) -> Option<usize> {
        let Self {
            text,
            other: letters,
            rows: [row, above, before],
        } = self;
        letters.clear();
        letters.extend(other.chars());
        if text.len().abs_diff(letters.len()) > most {
            return None;
        }
        for one in [&mut *row, &mut *above, &mut *before] {
            one.clear();
            one.extend(0..=letters.len());
        }
        for (at, letter) in text.iter().enumerate() {
            std::mem::swap(above, before);
            std::mem::swap(row, above);
            row[0] = at + 1;
            for (to, wanted) in letters.iter().enumerate() {
                let changed = above[to] + usize::from(letter != wanted);
                let mut best = changed.min(above[to + 1] + 1).min(row[to] + 1);
                let is_swap =
                    at > 0 && to > 0 && text[at - 1] == *wanted && *letter == letters[to - 1];
                if is_swap {
                    best = best.min(before[to - 1] + 1);
                }
                row[to + 1] = best;
            }
            // A swap leads from the row above to the one below, and costs one.
            if row.iter().chain(&*above).all(|distance| *distance > most) {
                return None;
            }
        }
        row.last().copied().filter(|distance| *distance <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_of_neighbours_is_one_change() {
        for (one, other, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("abc", "acb", 1),
            ("abc", "abcd", 1),
            ("kitten", "sitting", 3),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let mut spelling = Spelling::of(one.chars());
                assert_eq!(spelling.distance(other, 9), Some(expected), "{one} {other}");
                let most = spelling.distance(other, expected);
                assert_eq!(most, Some(expected), "{one} {other}");
                if expected > 0 {
                    let fewer = spelling.distance(other, expected - 1);
                    assert_eq!(fewer, None, "{one} {other}");
                }
            }
        }
    }
}
