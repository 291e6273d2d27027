//! Conditions as the API conventions require: a closed set of types, a message of bounded length, and a transition time that
//! changes only with the status.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Longest message of a condition, in bytes.
pub(super) const MAX_LENGTH: usize = 32 * 1024;

/// Bytes of a message that are reserved for the number of omitted parts.
const RESERVED: usize = 64;

/// The types of conditions that this controller writes. `Accepted` and `Ready` always exist; the others only while they have
/// something to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ConditionType {
    /// The object is valid.
    Accepted,
    /// Two geographies remain for one model and region.
    Conflicting,
    /// The object acts as its current generation specifies.
    Ready,
    /// A policy resolves references, and the service account may not list ConfigMaps.
    ReferencesDenied,
    /// Replacements form a cycle.
    ReplacementCycle,
    /// Other policies select every object of a policy before it.
    Shadowed,
    /// The object does not become ready without a change of its spec or of the release; the type is kstatus's.
    Stalled,
    /// Geographies that this version does not know.
    UnknownGeographies,
    /// Regions that this version does not know.
    UnknownRegions,
    /// Replacements that lead to a model which no mapping contains.
    UnknownReplacements,
    /// The object equals the one that the release ships.
    UpToDate,
}

impl ConditionType {
    const ALL: [Self; 11] = [
        Self::Accepted,
        Self::Conflicting,
        Self::Ready,
        Self::ReferencesDenied,
        Self::ReplacementCycle,
        Self::Shadowed,
        Self::Stalled,
        Self::UnknownGeographies,
        Self::UnknownRegions,
        Self::UnknownReplacements,
        Self::UpToDate,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Conflicting => "Conflicting",
            Self::Ready => "Ready",
            Self::ReferencesDenied => "ReferencesDenied",
            Self::ReplacementCycle => "ReplacementCycle",
            Self::Shadowed => "Shadowed",
            Self::Stalled => "Stalled",
            Self::UnknownGeographies => "UnknownGeographies",
            Self::UnknownRegions => "UnknownRegions",
            Self::UnknownReplacements => "UnknownReplacements",
            Self::UpToDate => "UpToDate",
        }
    }
}

/// The desired content of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConditionUpdate {
    pub(super) type_: ConditionType,
    /// `None` is `Unknown`.
    pub(super) status: Option<bool>,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Finds the condition of a type.
pub(super) fn find(stored: &[Condition], type_: ConditionType) -> Option<&Condition> {
    stored.iter().find(|there| there.type_ == type_.as_str())
}

/// The stored condition of a type as an update that keeps it, if it has one of these reasons.
pub(super) fn keep(
    stored: &[Condition],
    type_: ConditionType,
    reasons: &[&'static str],
) -> Option<ConditionUpdate> {
    let there = find(stored, type_)?;
    let reason = reasons.iter().find(|reason| **reason == there.reason)?;
    Some(ConditionUpdate {
        type_,
        status: match &*there.status {
            "True" => Some(true),
            "False" => Some(false),
            _ => None,
        },
        reason,
        message: there.message.clone(),
    })
}

/// The conditions of `stored` that this controller writes, in the order in which it does.
pub(super) fn written(stored: &[Condition]) -> Vec<Condition> {
    let mut written: Vec<_> = ConditionType::ALL
        .iter()
        .filter_map(|type_| find(stored, *type_))
        .cloned()
        .collect();
    written.sort_by(|a, b| a.type_.cmp(&b.type_));
    written
}

/// The conditions to store. The transition time of a condition whose status is already stored stays.
pub(super) fn conditions(
    updates: Vec<ConditionUpdate>,
    stored: &[Condition],
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let condition = |update: ConditionUpdate| {
        let status = match update.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let since = find(stored, update.type_)
            .filter(|there| there.status == status)
            .map_or(Time(whole_seconds(now)), |there| {
                there.last_transition_time.clone()
            });
        Condition {
            type_: update.type_.as_str().to_owned(),
            status: status.to_owned(),
            reason: update.reason.to_owned(),
            message: update.message,
            last_transition_time: since,
            observed_generation: Some(generation),
        }
    };
    let mut all: Vec<_> = updates.into_iter().map(condition).collect();
    all.sort_by(|a, b| a.type_.cmp(&b.type_));
    all
}

/// The API server stores whole seconds.
fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// As many of `parts` as fit into a message, then the number of omitted parts, then `end`.
pub(super) fn message(parts: &[String], end: &str) -> String {
    let room = MAX_LENGTH - RESERVED - end.len().min(MAX_LENGTH - RESERVED);
    let mut text = String::new();
    let mut count = 0;
    for part in parts {
        let fits = part.len() + "; ".len() <= room - text.len();
        // The first part is truncated if it does not fit.
        if !fits && count > 0 {
            break;
        }
        if count > 0 {
            text.push_str("; ");
        }
        text.push_str(&part[..part.floor_char_boundary(room - text.len())]);
        count += 1;
    }
    if count < parts.len() {
        text.push_str("; and ");
        text.push_str(&(parts.len() - count).to_string());
        text.push_str(" more");
    }
    if !end.is_empty() {
        text.push_str("; ");
        text.push_str(&end[..end.floor_char_boundary(MAX_LENGTH - RESERVED)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn accepted(status: bool, reason: &'static str) -> ConditionUpdate {
        ConditionUpdate {
            type_: ConditionType::Accepted,
            status: Some(status),
            reason,
            message: reason.to_lowercase(),
        }
    }

    #[test]
    fn the_transition_time_changes_only_with_the_status() {
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
    fn conditions_of_other_controllers_are_not_written() {
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
        assert_eq!(written(&with_other), stored);
    }

    #[test]
    fn a_message_that_does_not_fit_is_truncated_with_a_count() {
        let short = ["a".to_owned(), "b".to_owned()];
        assert_eq!(message(&short, ""), "a; b");
        assert_eq!(message(&short, "end"), "a; b; end");
        let many: Vec<_> = (0..5000).map(|at| format!("problem {at} ä")).collect();
        let long = message(&many, "the end");
        assert!(long.len() <= MAX_LENGTH && long.len() > MAX_LENGTH - 200);
        let count = long.matches("problem").count();
        assert!(long.ends_with(&format!("; and {} more; the end", many.len() - count)));
        let one = message(&["ä".repeat(MAX_LENGTH)], "the end");
        assert!(one.len() <= MAX_LENGTH && one.ends_with("ä; the end"));
    }
}
