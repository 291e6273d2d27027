//! What a message about an unchanged finding names besides its reason.

use std::fmt;

use crate::budget::Limit;
use crate::domain::annotations::OptOutEnd;
use crate::domain::custom_kinds::HelmRegion;
use crate::domain::region::NearestRegions;
use crate::domain::trackers::Tracking;

/// What a message about an unchanged finding names besides its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReasonDetail<'t> {
    /// Why the object counts as tracked.
    Tracked(Tracking<'t>),
    /// The annotation that opts the text out.
    OptedOut(OptOutAnnotation),
    /// The region is misspelled, and these are the nearest ones.
    Misspelled(NearestRegions),
    /// The text comes from a ConfigMap that has opted it out.
    OptedOutConfigMap,
    /// Another field of an Application's Helm source names a region, which may override that of the ID.
    HelmConflict(HelmRegion),
    /// The evaluation of the object exceeds this limit.
    OverBudget(Limit),
}

/// An annotation that opts out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutAnnotation {
    /// The object that has the annotation.
    pub owner: OptOutOwner,
    /// The key of the annotation.
    pub name: &'static str,
    /// The text of the annotation, as its author wrote it.
    pub text: Box<str>,
    /// The last day of the opt-out.
    pub end: OptOutEnd,
}

/// The object that has an opt-out annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutOwner {
    /// The namespace of the evaluated object.
    Namespace,
    /// The evaluated object.
    Object,
}

/// The maximum length of an annotation's text in messages, in characters.
pub(super) const LONGEST_TEXT: usize = 200;

/// A clause for messages.
impl fmt::Display for ReasonDetail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tracked(tracking) => tracking.fmt(f),
            Self::OptedOut(annotation) => annotation.fmt(f),
            Self::Misspelled(nearest) => write!(f, "its region is not an AWS region; {nearest}"),
            Self::HelmConflict(beside) => beside.fmt(f),
            Self::OverBudget(limit) => {
                write!(f, "its evaluation takes more {limit} than a review may")
            }
            Self::OptedOutConfigMap => {
                f.write_str("the ConfigMap of the text has an annotation that opts it out")
            }
        }
    }
}

/// The annotation as `KEY: TEXT`. The text is limited, and its control characters are escaped.
impl fmt::Display for OptOutAnnotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = match self.owner {
            OptOutOwner::Namespace => "namespace",
            OptOutOwner::Object => "object",
        };
        write!(
            f,
            "the {owner} has {}: {}",
            self.name,
            self.printable_text()
        )?;
        if self.end == OptOutEnd::Unreadable {
            f.write_str(" (until= names no date such as 2027-01-31, so it has no end)")?;
        }
        Ok(())
    }
}

impl OptOutAnnotation {
    /// The text for a log or a terminal: limited in length, with control characters and marks of direction escaped.
    pub fn printable_text(&self) -> String {
        let mut printable = String::new();
        let mut characters = self.text.chars();
        for character in characters.by_ref().take(LONGEST_TEXT) {
            if character.is_control() || is_mark_of_direction(character) {
                printable.extend(character.escape_unicode());
            } else {
                printable.push(character);
            }
        }
        if characters.next().is_some() {
            printable.push('…');
        }
        printable
    }
}

/// Whether a character separates lines or changes the direction of a text, so that a terminal shows another text.
const fn is_mark_of_direction(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opted_out(text: &str) -> String {
        OptOutAnnotation {
            owner: OptOutOwner::Namespace,
            name: crate::domain::annotations::IGNORE,
            text: text.into(),
            end: OptOutEnd::of(text),
        }
        .to_string()
    }

    #[test]
    fn the_text_of_an_annotation_is_limited_and_escaped() {
        let start = "the namespace has bedrock-profiles.dev/ignore: ";
        assert_eq!(
            opted_out("legacy\n\u{1b}[31m\u{202e}x"),
            format!("{start}legacy\\u{{a}}\\u{{1b}}[31m\\u{{202e}}x")
        );
        assert_eq!(
            opted_out(&"é".repeat(200)),
            format!("{start}{}", "é".repeat(200))
        );
        assert_eq!(
            opted_out(&"é".repeat(201)),
            format!("{start}{}…", "é".repeat(200))
        );
        assert_eq!(
            opted_out("x; until=soon"),
            format!(
                "{start}x; until=soon (until= names no date such as 2027-01-31, so it has no end)"
            )
        );
    }
}
