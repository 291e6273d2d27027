//! The first letters of words, to find names that have none of the words.

/// The first three letters of a set of words, or two of a shorter word. A cheap test that may say "maybe" to a name without
/// the words, and never "no" to one with them.
#[derive(Debug, Clone)]
pub(super) struct WordStarts {
    /// The first two letters of all words: one bit for the second letter, by the first one.
    twos: [u32; LETTERS],
    /// The words of two letters.
    short: [u32; LETTERS],
    /// One bit for the third letter of longer words, by the first two.
    threes: Box<[u32; LETTERS * LETTERS]>,
}

/// The number of letters: the lowest five bits of a byte tell them apart regardless of case.
const LETTERS: usize = 1 << 5;

impl Default for WordStarts {
    fn default() -> Self {
        Self {
            twos: [0; LETTERS],
            short: [0; LETTERS],
            threes: Box::new([0; LETTERS * LETTERS]),
        }
    }
}

impl WordStarts {
    /// Adds a word.
    pub(super) fn add(&mut self, word: &'static str) {
        let [a, b, ref rest @ ..] = *word.as_bytes() else {
            debug_assert!(false, "a word of one letter is in every name");
            return;
        };
        self.twos[letter(a)] |= bit(b);
        match rest {
            [] => self.short[letter(a)] |= bit(b),
            [c, ..] => self.threes[letter(a) * LETTERS + letter(b)] |= bit(*c),
        }
    }

    /// Whether a name may have one of the words, regardless of case.
    pub(super) fn may_be_in(&self, name: &str) -> bool {
        let name = name.as_bytes();
        let mut starts = name.windows(2).enumerate();
        starts.any(|(at, pair)| {
            let (a, b) = (letter(pair[0]), bit(pair[1]));
            let of_two = a * LETTERS + letter(pair[1]);
            let is_third = |c: &u8| self.threes[of_two] & bit(*c) != 0;
            self.twos[a] & b != 0
                && (self.short[a] & b != 0 || name.get(at + 2).is_some_and(is_third))
        })
    }
}

fn letter(byte: u8) -> usize {
    usize::from(byte) % LETTERS
}

fn bit(byte: u8) -> u32 {
    1 << letter(byte)
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
