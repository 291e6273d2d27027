//! The annotations that the decision reads or writes, and opting out. The policy defines where opting out is permitted.

use jiff::civil::Date;
use wildmatch::WildMatch;

/// The start of the names of all annotations of this product.
pub const PREFIX: &str = in_group!("");

/// Opts a namespace or an object out. The text is the author's reason; `false` does not opt out.
pub const IGNORE: &str = in_group!("ignore");

/// Opts containers out: globs over their names, separated by commas.
pub const IGNORE_CONTAINERS: &str = in_group!("ignore-containers");

/// Opts variables out: globs over their names, separated by commas.
pub const IGNORE_ENV: &str = in_group!("ignore-env");

/// Opts keys of a ConfigMap out: globs over their names, separated by commas.
pub const IGNORE_KEYS: &str = in_group!("ignore-keys");

/// Sets the region of an object or of a namespace.
pub const REGION: &str = in_group!("region");

/// The record of the rewrites in an object, which the webhook writes.
pub const REWRITES: &str = in_group!("rewrites");

/// The last day of an opt-out; an earlier one is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptOutEnd {
    /// It counts through this day, in UTC.
    Through(Date),
    /// The author wants an end, and the text has no date: the opt-out has no end.
    Unreadable,
    /// It has no end.
    Never,
}

/// What names the last day in the text of an [`IGNORE`] annotation, behind a semicolon: `gateway; until=2027-01-31`.
const UNTIL: &str = "until=";

impl OptOutEnd {
    /// The end that the text of an [`IGNORE`] annotation names.
    pub fn of(text: &str) -> Self {
        let mut terms = text.split(';').map(str::trim);
        let Some(date) = terms.find_map(|term| term.strip_prefix(UNTIL)) else {
            return Self::Never;
        };
        date.parse().map_or(Self::Unreadable, Self::Through)
    }

    /// The last day, if the opt-out has one.
    pub const fn last_day(self) -> Option<Date> {
        match self {
            Self::Through(day) => Some(day),
            Self::Never | Self::Unreadable => None,
        }
    }

    /// Whether the last day is over.
    pub fn is_over(self, today: Date) -> bool {
        matches!(self, Self::Through(day) if day < today)
    }
}

/// The end of the opt-out of an [`IGNORE`] annotation with this text; `None` if it does not opt out.
pub fn opt_out(text: &str) -> Option<OptOutEnd> {
    (text != "false").then(|| OptOutEnd::of(text))
}

/// Globs over names, separated by commas, each compiled once.
pub struct NameGlobs(Result<Vec<WildMatch>, TooLong>);

/// A list or a name that is longer than any real one, so that it is not compared.
#[derive(Debug, Clone, Copy)]
struct TooLong;

/// The maximum length of a list of globs, in bytes.
const LONGEST_LIST: usize = 8 * 1024;

/// The maximum length of a name that is compared with globs, in bytes; Kubernetes' own names have 253.
const LONGEST_NAME: usize = 1024;

impl NameGlobs {
    /// Compiles a list. A list of more than 8 KiB has every name: its author opts out, and it is not known what.
    pub fn parse(list: &str) -> Self {
        Self(if list.len() > LONGEST_LIST {
            Err(TooLong)
        } else {
            let globs = list.split(',').map(|glob| WildMatch::new(glob.trim()));
            Ok(globs.collect())
        })
    }

    /// Whether a glob matches `name`. A name of more than 1 KiB counts as matched.
    pub fn matches(&self, name: &str) -> bool {
        let is_long = name.len() > LONGEST_NAME;
        self.0.as_ref().map_or(true, |globs| {
            is_long || globs.iter().any(|glob| glob.matches(name))
        })
    }

    /// The number of globs, which is what a comparison costs.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opt_out_counts_through_its_last_day() {
        use OptOutEnd::{Never, Through, Unreadable};
        let day = |day| jiff::civil::date(2027, 1, day);
        for (text, expected) in [
            ("", Some(Never)),
            ("false", None),
            ("the gateway is ours", Some(Never)),
            ("ours; until=2027-01-30", Some(Through(day(30)))),
            ("until=2027-01-30; ticket OPS-7", Some(Through(day(30)))),
            ("ours until=2027-01-30", Some(Never)),
            ("ours; until=2027-02-30", Some(Unreadable)),
            ("ours; until=", Some(Unreadable)),
            ("ours; until=2027-01-30T00:00:00Z", Some(Unreadable)),
        ] {
            assert_eq!(opt_out(text), expected, "{text}");
        }
        assert!(!Through(day(30)).is_over(day(30)));
        assert!(Through(day(30)).is_over(day(31)));
        assert!(Through(day(30)) < Through(day(31)) && Through(day(31)) < Unreadable);
        assert!(!Unreadable.is_over(day(31)) && !Never.is_over(day(31)));
    }
}
