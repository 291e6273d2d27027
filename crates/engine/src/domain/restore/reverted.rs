//! Whether a text is another one with recorded originals in place of their targets.

use crate::domain::record::Entry;

/// The maximum number of different rewrites in one text. More are not restored, because every position of a text is compared
/// with each.
const MOST: usize = 16;

/// The recorded rewrites of one location, without repetitions.
#[derive(Default)]
pub(super) struct Originals<'r> {
    /// Original and target.
    pairs: Vec<(&'r str, &'r str)>,
    is_full: bool,
}

impl<'r> Originals<'r> {
    /// Adds the rewrite of an entry.
    pub(super) fn add(&mut self, entry: &'r Entry) {
        let pair = (&*entry.from, &*entry.to);
        if pair.0.is_empty() || pair.1.is_empty() || self.pairs.contains(&pair) {
            return;
        }
        if self.pairs.len() < MOST {
            self.pairs.push(pair);
        } else {
            self.is_full = true;
        }
    }

    /// Whether `new` is `stored` with originals in place of some targets, and equal to it in every other byte.
    pub(super) fn explain(&self, new: &str, stored: &str) -> bool {
        let (mut new, mut stored) = (new.as_bytes(), stored.as_bytes());
        if self.is_full {
            return false;
        }
        while !stored.is_empty() {
            let target = self.pairs.iter().find_map(|(original, target)| {
                let behind = stored.strip_prefix(target.as_bytes())?;
                // A target that the update has too is not reverted.
                let rest = new
                    .strip_prefix(target.as_bytes())
                    .or_else(|| new.strip_prefix(original.as_bytes()))?;
                Some((rest, behind))
            });
            let next = target.or_else(|| {
                let (byte, behind) = stored.split_first()?;
                let (other, rest) = new.split_first()?;
                (byte == other).then_some((rest, behind))
            });
            let Some((rest, behind)) = next else {
                return false;
            };
            (new, stored) = (rest, behind);
        }
        new.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explains(rewrites: &[(&str, &str)], new: &str, stored: &str) -> bool {
        let entries: Vec<Entry> = rewrites
            .iter()
            .map(|(from, to)| Entry {
                at: String::new(),
                from: (*from).to_owned(),
                to: (*to).to_owned(),
                region: String::new(),
                by: String::new(),
                nth: 1,
                of: 1,
                config_map: None,
            })
            .collect();
        let mut originals = Originals::default();
        for entry in &entries {
            originals.add(entry);
        }
        originals.explain(new, stored)
    }

    #[test]
    fn only_originals_in_place_of_their_targets_explain_a_text() {
        let one = [("a.b", "us.a.b")];
        for (new, stored, expected) in [
            ("a.b", "us.a.b", true),
            ("--m=a.b é", "--m=us.a.b é", true),
            ("a.b us.a.b a.b", "us.a.b us.a.b us.a.b", true),
            ("us.a.b", "us.a.b", true),
            ("a.b", "eu.a.b", false),
            ("a.b ", "us.a.b", false),
            ("a.b", "us.a.b ", false),
            ("a.b x", "us.a.b y", false),
            ("", "us.a.b", false),
            ("", "", true),
        ] {
            assert_eq!(explains(&one, new, stored), expected, "{new} {stored}");
        }
        let two = [("a.b", "us.a.b"), ("c", "arn:x"), ("", "y"), ("z", "")];
        assert!(explains(&two, "a.b,c", "us.a.b,arn:x"));
        assert!(!explains(&two, "c,a.b", "us.a.b,arn:x"));
        assert!(!explains(&two, "", "y"));
    }

    #[test]
    fn a_text_with_more_rewrites_than_the_limit_is_not_explained() {
        let names: Vec<(String, String)> = (0..=MOST)
            .map(|at| (format!("m{at}"), format!("us.m{at}")))
            .collect();
        let all: Vec<_> = names
            .iter()
            .map(|(from, to)| (from.as_str(), to.as_str()))
            .collect();
        assert!(explains(&all[1..], "m1", "us.m1"));
        assert!(!explains(&all, "m1", "us.m1"));
    }
}
