//! The annotation that records the rewrites in an object, so that a later evaluation distinguishes them from the author's
//! own values.
//!
//! Contains IDs only, never the rest of a scalar, which may be a secret.

use serde::{Deserialize, Serialize};

use crate::domain::region::{ChosenRegion, Region, RegionSource};

/// The maximum size of the annotation, in bytes.
pub const LARGEST: usize = 16 * 1024;

/// The maximum total size of an object's annotations including this one, in bytes. The API server refuses more than
/// 256 KiB (`totalAnnotationSizeLimitB`); the rest is for other writers.
pub const LARGEST_TOGETHER: usize = 200 * 1024;

/// The rewrites in an object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The rewritten places, in document order.
    pub entries: Vec<Entry>,
    /// The number of rewrites, if the record is truncated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Whether entries were dropped for lack of room. Rewrites that are not recorded are not resolved again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

/// One rewrite.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// The location by names, as displayed by [`crate::domain::site::Location`].
    pub at: String,
    /// The ID before the rewrite.
    pub from: String,
    /// The ID after the rewrite.
    pub to: String,
    /// The region that the rewrite was resolved for.
    pub region: String,
    /// The source of the region.
    pub by: String,
    /// Which of the equal IDs at the location, in document order and from one. The annotation omits a one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub nth: usize,
    /// The number of IDs at the location that are equal to `to`, those of the author included. The annotation omits a one.
    /// An entry counts only while this number is still right, because otherwise `nth` may be the place of another ID.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub of: usize,
    /// The name and the key, joined by a slash, of the ConfigMap that the variable referred to before the rewrite.
    #[serde(default, rename = "configMap", skip_serializing_if = "Option::is_none")]
    pub config_map: Option<String>,
}

const fn one() -> usize {
    1
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_one(number: &usize) -> bool {
    *number == 1
}

impl Record {
    /// Reads an annotation; a text in any other form is an empty record.
    pub fn parse(text: &str) -> Self {
        if text.len() > LARGEST {
            Self::default()
        } else {
            serde_json::from_str(text).unwrap_or_default()
        }
    }

    /// A record of `entries` and of `left_out` more that are counted only.
    pub fn of(entries: Vec<Entry>, left_out: usize) -> Self {
        let truncated = left_out > 0;
        Self {
            count: truncated.then_some(entries.len() + left_out),
            entries,
            truncated,
        }
    }

    /// The number of entries dropped for lack of room.
    pub fn left_out(&self) -> usize {
        self.count
            .map_or(0, |count| count.saturating_sub(self.entries.len()))
    }

    /// Returns the annotation in at most `room` bytes. If not all entries fit, it holds the first ones and the count; `None`
    /// if no entry fits.
    pub fn write(mut self, room: usize) -> Option<String> {
        let room = room.min(LARGEST);
        let all = self.entries.len() + self.left_out();
        while !self.entries.is_empty() {
            let text = serde_json::to_string(&self).ok()?;
            if text.len() <= room {
                return Some(text);
            }
            // Drops the surplus, estimated by the mean size of an entry, and at least one entry.
            let mean = (text.len() / self.entries.len().max(1)).max(1);
            let keep = (self.entries.len() - 1).min(room / mean);
            self.entries.truncate(keep);
            self.count = Some(all);
            self.truncated = true;
        }
        None
    }
}

impl Entry {
    /// The region and its source; `None` if either text is not valid.
    pub fn recorded_region(&self) -> Option<ChosenRegion> {
        let source = RegionSource::ALL
            .iter()
            .find(|source| source.as_str() == self.by)?;
        Some(ChosenRegion {
            region: Region::parse(&self.region).ok()?,
            source: *source,
        })
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
            nth: 1,
            of: 1,
            config_map: None,
        };
        Record {
            entries: (0..entries).map(entry).collect(),
            ..Record::default()
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let text = record(3).write(LARGEST).unwrap();
        assert_eq!(Record::parse(&text), record(3));
        assert!(!text.contains("truncated"));
    }

    #[test]
    fn a_record_that_does_not_fit_is_truncated_with_a_count() {
        let text = record(1000).write(LARGEST).unwrap();
        let read = Record::parse(&text);
        assert!(text.len() <= LARGEST);
        assert_eq!((read.count, read.truncated), (Some(1000), true));
        assert!(read.entries.len() > 50, "{}", read.entries.len());
        assert_eq!(read.entries[..], record(1000).entries[..read.entries.len()]);
        assert_eq!(record(1).write(10), None);
        // There is room for a count, and for no entry.
        assert_eq!(record(1).write(60), None);
    }

    #[test]
    fn an_entry_of_one_id_has_no_ordinal() {
        let mut record = record(1);
        let text = record.clone().write(LARGEST).unwrap();
        assert!(
            !text.contains("\"nth\"") && !text.contains("\"of\""),
            "{text}"
        );
        (record.entries[0].nth, record.entries[0].of) = (2, 3);
        let text = record.clone().write(LARGEST).unwrap();
        assert!(text.contains("\"nth\":2,\"of\":3"), "{text}");
        assert_eq!(Record::parse(&text), record);
    }

    #[test]
    fn a_text_in_another_form_is_an_empty_record() {
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
