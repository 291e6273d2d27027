//! Conditions as the API conventions want them: a closed set of types, a message that fits, and a time that moves only when the
//! status does.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Longest message of a condition, in bytes.
pub(super) const LONGEST: usize = 32 * 1024;

/// What is kept free for saying how much was left out.
const REST: usize = 64;

/// The conditions that this controller writes. Those that say that something is wrong are there only while it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// The object is valid and used.
    Accepted,
    /// The object is what this release ships.
    AsShipped,
    /// Two geographies are left for one model and region.
    Conflicting,
    /// The API server asks by this policy.
    InForce,
    /// A policy looks at ConfigMaps, and they may not be read.
    ReferencesDenied,
    /// Replacements lead back to where they started.
    ReplacementCycle,
    /// A policy never decides.
    Shadowed,
    /// Geographies are named that nobody knows.
    UnknownGeographies,
    /// Regions are named that nobody knows.
    UnknownRegions,
}

impl Sort {
    const ALL: [Self; 9] = [
        Self::Accepted,
        Self::AsShipped,
        Self::Conflicting,
        Self::InForce,
        Self::ReferencesDenied,
        Self::ReplacementCycle,
        Self::Shadowed,
        Self::UnknownGeographies,
        Self::UnknownRegions,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::AsShipped => "AsShipped",
            Self::Conflicting => "Conflicting",
            Self::InForce => "InForce",
            Self::ReferencesDenied => "ReferencesDenied",
            Self::ReplacementCycle => "ReplacementCycle",
            Self::Shadowed => "Shadowed",
            Self::UnknownGeographies => "UnknownGeographies",
            Self::UnknownRegions => "UnknownRegions",
        }
    }
}

/// What a condition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) sort: Sort,
    /// `None` is unknown.
    pub(super) holds: Option<bool>,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Finds the condition of a sort.
pub(super) fn find(stored: &[Condition], sort: Sort) -> Option<&Condition> {
    stored.iter().find(|there| there.type_ == sort.as_str())
}

/// What the stored condition of a sort says, if it has one of these reasons.
pub(super) fn kept(stored: &[Condition], sort: Sort, reasons: &[&'static str]) -> Option<Said> {
    let there = find(stored, sort)?;
    let reason = reasons.iter().find(|reason| **reason == there.reason)?;
    Some(Said {
        sort,
        holds: match &*there.status {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        },
        reason,
        message: there.message.clone(),
    })
}

/// Those of `stored` that this controller writes, in the order in which it does.
pub(super) fn ours(stored: &[Condition]) -> Vec<Condition> {
    let mut ours: Vec<_> = Sort::ALL
        .iter()
        .filter_map(|sort| find(stored, *sort))
        .cloned()
        .collect();
    ours.sort_by(|a, b| a.type_.cmp(&b.type_));
    ours
}

/// The conditions to be stored, beside those that are. `now` counts in whole seconds, as the API server keeps them.
pub(super) fn conditions(
    said: Vec<Said>,
    stored: &[Condition],
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let condition = |said: Said| {
        let status = match said.holds {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let since = find(stored, said.sort)
            .filter(|there| there.status == status)
            .map_or(Time(whole_seconds(now)), |there| {
                there.last_transition_time.clone()
            });
        Condition {
            type_: said.sort.as_str().to_owned(),
            status: status.to_owned(),
            reason: said.reason.to_owned(),
            message: said.message,
            last_transition_time: since,
            observed_generation: Some(generation),
        }
    };
    let mut all: Vec<_> = said.into_iter().map(condition).collect();
    all.sort_by(|a, b| a.type_.cmp(&b.type_));
    all
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// As many of `parts` as a message holds, with `end` after them and the count of those that are left out.
pub(super) fn message(parts: &[String], end: &str) -> String {
    let room = LONGEST - REST - end.len().min(LONGEST - REST);
    let mut text = String::new();
    let mut told = 0;
    for part in parts {
        let fits = part.len() + "; ".len() <= room - text.len();
        // One that is too long by itself is cut, rather than nothing told.
        if !fits && told > 0 {
            break;
        }
        if told > 0 {
            text.push_str("; ");
        }
        text.push_str(&part[..part.floor_char_boundary(room - text.len())]);
        told += 1;
    }
    if told < parts.len() {
        text.push_str("; and ");
        text.push_str(&(parts.len() - told).to_string());
        text.push_str(" more");
    }
    if !end.is_empty() {
        text.push_str("; ");
        text.push_str(&end[..end.floor_char_boundary(LONGEST - REST)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn accepted(holds: bool, reason: &'static str) -> Said {
        Said {
            sort: Sort::Accepted,
            holds: Some(holds),
            reason,
            message: reason.to_lowercase(),
        }
    }

    #[test]
    fn the_time_moves_only_with_the_status() {
        let first = conditions(
            vec![accepted(true, "Valid")],
            &[],
            1,
            at("2026-11-23T10:00:00.7Z"),
        );
        assert_eq!(first[0].last_transition_time.0, at("2026-11-23T10:00:00Z"));
        let later = at("2026-11-23T11:00:00Z");
        let same = conditions(vec![accepted(true, "Other")], &first, 2, later);
        assert_eq!(same[0].last_transition_time, first[0].last_transition_time);
        assert_eq!(
            (&*same[0].reason, same[0].observed_generation),
            ("Other", Some(2))
        );
        let other = conditions(vec![accepted(false, "Invalid")], &same, 2, later);
        assert_eq!(other[0].last_transition_time.0, later);
    }

    #[test]
    fn conditions_of_others_are_not_ours() {
        let stored = conditions(
            vec![accepted(true, "Valid")],
            &[],
            1,
            at("2026-11-23T10:00:00Z"),
        );
        let mut with_other = stored.clone();
        with_other.insert(
            0,
            Condition {
                type_: "AuditIncomplete".to_owned(),
                ..stored[0].clone()
            },
        );
        assert_eq!(ours(&with_other), stored);
    }

    #[test]
    fn a_message_holds_what_fits_and_counts_the_rest() {
        let short = ["a".to_owned(), "b".to_owned()];
        assert_eq!(message(&short, ""), "a; b");
        assert_eq!(message(&short, "end"), "a; b; end");
        let many: Vec<_> = (0..5000).map(|at| format!("problem {at} ä")).collect();
        let long = message(&many, "the end");
        assert!(long.len() <= LONGEST && long.len() > LONGEST - 200);
        let told = long.matches("problem").count();
        assert!(long.ends_with(&format!("; and {} more; the end", many.len() - told)));
        let one = message(&["ä".repeat(LONGEST)], "the end");
        assert!(one.len() <= LONGEST && one.ends_with("ä; the end"));
    }
}
