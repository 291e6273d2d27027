//! What a text says to the rules, without the text: for those that are not kept, under a name that may still get a prefix.

use super::{Roles, Text, letters};

/// Which conditions over settings a text meets, under any name that ends as its own does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Heard(u64);

impl Heard {
    pub(super) fn meets(self, condition: usize) -> bool {
        bit(condition).is_some_and(|bit| self.0 & bit != 0)
    }
}

impl Roles {
    /// What `text` says under `name`, whatever a container puts before that.
    pub fn heard(&self, name: &str, text: &str) -> Heard {
        let mut heard = 0;
        for (at, pattern) in self.of_settings(letters(name).next_back()) {
            if may_end(pattern, name)
                && let Some(bit) = bit(*at)
                && self.says[*at].is_said_by(Text::Is(text))
            {
                heard |= bit;
            }
        }
        Heard(heard)
    }
}

/// A condition's place; `None` beyond what there is room for, which a test of the table rules out.
fn bit(condition: usize) -> Option<u64> {
    u32::try_from(condition)
        .ok()
        .and_then(|at| 1_u64.checked_shl(at))
}

/// Whether a name that ends in `end` may fit a pattern that is open at its start alone, or not at all.
fn may_end(pattern: &str, end: &str) -> bool {
    let (middle, open) = pattern
        .strip_prefix('*')
        .map_or((pattern, false), |rest| (rest, true));
    let (mut middle, mut end) = (middle.chars().rev(), letters(end).rev());
    loop {
        match (middle.next(), end.next()) {
            // Less than the pattern: what is put before it may be the rest.
            (_, None) => return true,
            (None, Some(_)) => return open,
            (Some(one), Some(other)) if one != other => return false,
            (Some(_), Some(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_may_complete_a_name_and_changes_no_end() {
        for (pattern, end, may) in [
            ("*openaibaseurl", "OPENAI_BASE_URL", true),
            ("*openaibaseurl", "MY_OPENAI_BASE_URL", true),
            ("*openaibaseurl", "BASE_URL", true),
            ("*openaibaseurl", "BASE_URI", false),
            ("modelid", "MODEL_ID", true),
            ("modelid", "ID", true),
            ("modelid", "MY_MODEL_ID", false),
        ] {
            assert_eq!(may_end(pattern, end), may, "{pattern} {end}");
        }
    }

    #[test]
    fn every_condition_has_its_place() {
        assert!(bit(Roles::all().says.len() - 1).is_some());
        assert!(bit(64).is_none());
    }
}
