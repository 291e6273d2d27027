//! The first letters of words, to find names that have none of the words.

/// The first three letters of a set of words, or two of a shorter word. A cheap test that may say "maybe" to a name without
/// the words, and never "no" to one with them.
#[derive(Debug, Clone)]
pub(super) struct WordStarts {
    /// One bit for the third letter of a word, by the first two; [`ANY`] for a word of two letters.
    thirds: Box<[u32; LETTERS * LETTERS]>,
}

/// The number of letters: the lowest five bits of a byte tell them apart regardless of case.
const LETTERS: usize = 1 << 5;

/// The bits of all letters: whatever follows the first two, or nothing.
const ANY: u32 = u32::MAX;

impl Default for WordStarts {
    fn default() -> Self {
        Self {
            thirds: Box::new([0; LETTERS * LETTERS]),
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
        self.thirds[index(a, b)] |= rest.first().map_or(ANY, |c| bit(*c));
    }

    /// Whether a name may have one of the words, regardless of case.
    pub(super) fn may_be_in(&self, name: &str) -> bool {
        // No branch for each letter: names are short, and few of them end the search before their end.
        let (mut pair, mut found) = (0, 0);
        for byte in name.bytes() {
            found |= self.thirds[pair] & bit(byte);
            pair = (pair * LETTERS + letter(byte)) % (LETTERS * LETTERS);
        }
        // A word of two letters may be the end.
        found != 0 || self.thirds[pair] == ANY
    }
}

/// The position of two letters in [`WordStarts`].
fn index(a: u8, b: u8) -> usize {
    letter(a) * LETTERS + letter(b)
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
