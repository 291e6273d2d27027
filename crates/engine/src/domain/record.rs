//! The annotation in which an object carries what was rewritten in it, so that a later round can tell ours from theirs.
//!
//! Holds IDs only, never the rest of a scalar, which may be a secret.

use serde::{Deserialize, Serialize};

use crate::domain::region::{Region, RegionSource};

/// The annotation's name.
pub const ANNOTATION: &str = "bedrock-profiles.dev/rewrites";

/// How large our annotation may become, in bytes.
pub const LARGEST: usize = 16 * 1024;

/// How large all annotations of an object together may become through ours, in bytes: the API server refuses 256 KiB
/// (`totalAnnotationSizeLimitB`), and others need room too.
pub const LARGEST_TOGETHER: usize = 200 * 1024;

/// What was rewritten in an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Places, in the order of the object.
    pub entries: Vec<Entry>,
    /// How many there would be, where some are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Whether some are left out; what is not recorded is not resolved again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// One rewritten place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The place by names, as [`crate::domain::site::Location`] writes it.
    pub at: String,
    /// The ID that stood there.
    pub from: String,
    /// The answer.
    pub to: String,
    /// The region that decided.
    pub region: String,
    /// Where the region was found.
    pub by: String,
}

impl Record {
    /// Reads an annotation; anything that we did not write in this form is an empty record.
    pub fn parse(text: &str) -> Self {
        if text.len() > LARGEST {
            Self::default()
        } else {
            serde_json::from_str(text).unwrap_or_default()
        }
    }

    /// A record of `entries`, and of `left_out` more that there was no room for.
    pub fn of(entries: Vec<Entry>, left_out: usize) -> Self {
        let truncated = left_out > 0;
        Self {
            count: truncated.then_some(entries.len() + left_out),
            entries,
            truncated,
        }
    }

    /// How many places there was no room for.
    pub fn left_out(&self) -> usize {
        self.count
            .map_or(0, |count| count.saturating_sub(self.entries.len()))
    }

    /// Writes the annotation into at most `room` bytes: with the first entries and a count where not all fit, `None` where
    /// nothing fits.
    pub fn write(mut self, room: usize) -> Option<String> {
        let room = room.min(LARGEST);
        let all = self.entries.len() + self.left_out();
        loop {
            let text = serde_json::to_string(&self).ok()?;
            if text.len() <= room {
                return Some(text);
            }
            // Drops as many as are too many by their mean size, and at least one.
            let mean = (text.len() / self.entries.len().max(1)).max(1);
            let keep = self.entries.len().checked_sub(1)?.min(room / mean);
            self.entries.truncate(keep);
            self.count = Some(all);
            self.truncated = true;
        }
    }
}

impl Entry {
    /// The region that decided, with its source; `None` where the entry holds neither.
    pub fn recorded_region(&self) -> Option<(Region, RegionSource)> {
        let source = RegionSource::ALL
            .iter()
            .find(|source| source.as_str() == self.by)?;
        Some((Region::parse(&self.region).ok()?, *source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(entries: usize) -> Record {
        let entry = |at| Entry {
            at: format!("app/env/MODEL_{at}"),
            from: "anthropic.claude-sonnet-5".into(),
            to: "eu.anthropic.claude-sonnet-5".into(),
            region: "eu-west-1".into(),
            by: "ContainerEnv".into(),
        };
        Record {
            entries: (0..entries).map(entry).collect(),
            ..Record::default()
        }
    }

    #[test]
    fn is_read_as_it_was_written() {
        let text = record(3).write(LARGEST).unwrap();
        assert_eq!(Record::parse(&text), record(3));
        assert!(!text.contains("truncated"));
    }

    #[test]
    fn is_cut_with_a_count_where_it_does_not_fit() {
        let text = record(1000).write(LARGEST).unwrap();
        let read = Record::parse(&text);
        assert!(text.len() <= LARGEST);
        assert_eq!((read.count, read.truncated), (Some(1000), true));
        assert!(read.entries.len() > 50, "{}", read.entries.len());
        assert_eq!(read.entries[..], record(1000).entries[..read.entries.len()]);
        assert_eq!(record(1).write(10), None);
    }

    #[test]
    fn what_is_not_ours_is_empty() {
        for text in [
            "",
            "null",
            "[]",
            "{\"entries\":1}",
            "{\"entries\":[{\"at\":1}]}",
            "\u{0}",
        ] {
            assert_eq!(Record::parse(text), Record::default(), "{text}");
        }
    }
}
