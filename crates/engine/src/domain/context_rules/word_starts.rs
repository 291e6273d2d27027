//! The first letters of words, to find names that have none of the words.

/// The first three letters of a set of words, or two of a shorter word. A cheap test that may say "maybe" to a name without
/// the words, and never "no" to one with them.
#[derive(Debug, Clone)]
pub(super) struct WordStarts {
    /// One bit for each three letters, by [`next`]; a word of two letters has those of each letter before it.
    threes: Box<[u64; WORDS]>,
}

/// The bits of one letter: its lowest five, which tell the letters apart regardless of case.
const BITS: u32 = 5;

/// The integers that have a bit for each three letters.
const WORDS: usize = (1 << (3 * BITS)) / 64;

impl Default for WordStarts {
    fn default() -> Self {
        Self {
            threes: Box::new([0; WORDS]),
        }
    }
}

impl WordStarts {
    /// Adds a word.
    pub(super) fn add(&mut self, word: &'static str) {
        let mut add = |letters: [u8; 3]| {
            let index = letters.into_iter().fold(0, next);
            self.threes[index / 64] |= 1 << (index % 64);
        };
        match *word.as_bytes() {
            [a, b, c, ..] => add([a, b, c]),
            [a, b] => (0..1 << BITS).for_each(|before| add([before, a, b])),
            _ => debug_assert!(false, "a word of one letter is in every name"),
        }
    }

    /// Whether a name may have one of the words, regardless of case.
    pub(super) fn may_be_in(&self, name: &str) -> bool {
        // The first indices are of fewer letters, which does no harm.
        let mut index = 0;
        let mut bytes = name.as_bytes().iter();
        bytes.any(|byte| {
            index = next(index, *byte);
            self.threes[index / 64] & (1 << (index % 64)) != 0
        })
    }
}

/// The index of the last three letters, from that of the three before the last.
fn next(index: usize, byte: u8) -> usize {
    const MASK: usize = (1 << (3 * BITS)) - 1;
    (index << BITS | usize::from(byte & ((1 << BITS) - 1))) & MASK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_word_is_never_excluded() {
        let words = ["endpoint", "url", "ai", "mantle"];
        let mut starts = WordStarts::default();
        for word in words {
            starts.add(word);
        }
        for word in words {
            for name in [
                word.to_owned(),
                word.to_uppercase(),
                format!("X_{word}_Y"),
                format!("my{}", word.to_uppercase()),
            ] {
                assert!(starts.may_be_in(&name), "{name}");
            }
        }
        for name in ["", "x", "PORT", "SETTING_NUMBER_12", "LOG_LEVEL"] {
            assert!(!starts.may_be_in(name), "{name}");
        }
    }
}
