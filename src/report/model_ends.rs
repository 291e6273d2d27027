//! The ends of life of the models in use: which day, where, and what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::Date;

use crate::domain::catalog::{Confidence, LifecycleState};
use crate::domain::region::Region;

use super::FindingRecord;
use super::printable::{printable, wrapped};

/// How many users of a model a line names.
const MOST_NAMED: usize = 3;

/// The indentation of what follows the line of a day.
const INDENTATION: usize = 2;

/// A day on which a model ends for those who use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelEnd {
    /// The first day without service.
    pub date: Date,
    /// The direct ID of the model.
    pub model: String,
    /// Whether the sources of the date disagree.
    pub is_uncertain: bool,
    /// Whether AWS already refuses it to accounts that have not called it of late.
    pub is_legacy: bool,
    /// The objects and files that use it, by region; `None` if the region is unknown.
    pub users: BTreeMap<Option<Region>, BTreeSet<String>>,
    /// The recommended successor, and the regions of the users in which the policy permits a target for it; unknown regions included.
    pub successor: BTreeMap<String, BTreeSet<Option<Region>>>,
}

/// The ends of the models that findings use, through `last`, or all that are known; the first is first.
///
/// An ID that a policy replaces by another model is skipped, and so is one that nothing calls.
pub fn model_ends<'r>(
    findings: impl IntoIterator<Item = &'r FindingRecord>,
    last: Option<Date>,
) -> Vec<ModelEnd> {
    let mut ends: BTreeMap<(Date, &str), ModelEnd> = BTreeMap::new();
    let findings = findings.into_iter();
    for one in findings.filter(|one| !one.preview && is_used(one)) {
        let Some(life) = &one.lifecycle else { continue };
        let Some(date) = life.end_of_life_date else {
            continue;
        };
        if last.is_some_and(|last| date > last) {
            continue;
        }
        let end = ends
            .entry((date, &one.model_id))
            .or_insert_with(|| ModelEnd {
                date,
                model: one.model_id.clone(),
                is_uncertain: false,
                is_legacy: false,
                users: BTreeMap::new(),
                successor: BTreeMap::new(),
            });
        end.is_uncertain |= life.end_of_life_confidence == Some(Confidence::Medium);
        end.is_legacy |= life.state == LifecycleState::Legacy;
        end.users.entry(one.region).or_default().insert(one.place());
        if let Some(successor) = &life.successor {
            let regions = end.successor.entry(successor.clone()).or_default();
            regions.insert(one.region);
        }
    }
    ends.into_values().collect()
}

/// Whether a workload calls the model of a finding, also after a policy has replaced the ID.
fn is_used(one: &FindingRecord) -> bool {
    let is_of_model = |after: &String| after.ends_with(&one.model_id) || after.starts_with("arn:");
    one.is_called() && one.after.as_ref().is_none_or(is_of_model)
}

impl ModelEnd {
    /// The end in relation to a day: `in 46 days`, `today`, `40 days ago`.
    pub fn when(&self, today: Date) -> String {
        let days = (self.date - today).get_days();
        match days {
            0 => "today".to_owned(),
            1 => "in 1 day".to_owned(),
            -1 => "1 day ago".to_owned(),
            2.. => format!("in {days} days"),
            ..-1 => format!("{} days ago", -days),
        }
    }

    /// Who uses the model, a sentence for each region.
    pub fn users_by_region(&self) -> impl Iterator<Item = String> {
        self.users.iter().map(|(region, users)| {
            let named: Vec<_> = users.iter().take(MOST_NAMED).map(String::as_str).collect();
            let more = match users.len().saturating_sub(MOST_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("{}: {}{more}", name_of(*region), named.join(", "))
        })
    }

    /// What follows the model, a sentence for each successor.
    pub fn successors(&self) -> impl Iterator<Item = String> {
        self.successor.iter().map(|(successor, regions)| {
            let known: Vec<_> = regions.iter().flatten().map(Region::to_string).collect();
            if known.is_empty() {
                format!("successor {successor}")
            } else {
                format!("successor {successor}, served in {}", known.join(", "))
            }
        })
    }

    /// What is known of the end besides the day.
    pub fn notes(&self, today: Date) -> impl Iterator<Item = &'static str> {
        let uncertain = self
            .is_uncertain
            .then_some("sources disagree about the day");
        let legacy = (self.is_legacy && self.date > today).then_some(
            "Legacy: AWS refuses it to accounts that have not called it in the last 15 days",
        );
        uncertain.into_iter().chain(legacy)
    }
}

fn name_of(region: Option<Region>) -> String {
    region.map_or_else(|| "region unknown".to_owned(), |region| region.to_string())
}

/// The ends as text for people, in lines of at most `width` columns.
pub fn calendar(ends: &[ModelEnd], today: Date, width: usize) -> String {
    let mut text = String::new();
    for end in ends {
        let _ = writeln!(text, "{} ({}): {}", end.date, end.when(today), end.model);
        let notes = end.notes(today).map(str::to_owned);
        let sentences = end.users_by_region().chain(end.successors()).chain(notes);
        for sentence in sentences {
            let width = width.saturating_sub(INDENTATION);
            for line in wrapped(&printable(&sentence), width, width) {
                let _ = writeln!(text, "{:INDENTATION$}{line}", "");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reason::Reason;
    use crate::report::LifecycleRecord;
    use crate::report::fixtures::record;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn ending(name: &str, date: Date, region: Option<&str>) -> FindingRecord {
        FindingRecord {
            lifecycle: Some(LifecycleRecord {
                state: LifecycleState::Legacy,
                end_of_life_date: Some(date),
                end_of_life_confidence: Some(Confidence::High),
                successor: region.map(|_| "anthropic.claude-y".to_owned()),
            }),
            region: region.map(|region| Region::parse(region).unwrap()),
            ..record(name, None)
        }
    }

    #[test]
    fn ends_are_in_the_order_of_their_days_and_within_the_horizon() {
        let days = [
            jiff::civil::date(2027, 4, 8),
            jiff::civil::date(2026, 10, 14),
        ];
        let findings = vec![
            ending("a", days[0], Some("us-east-1")),
            ending("b", days[1], Some("eu-west-1")),
            FindingRecord {
                preview: true,
                ..ending("d", days[0], None)
            },
            FindingRecord {
                after: Some("us.anthropic.claude-other".to_owned()),
                ..ending("e", days[0], None)
            },
            FindingRecord {
                reason: Some(Reason::NotIncluded),
                after: None,
                ..ending("c", days[0], None)
            },
            FindingRecord {
                reason: Some(Reason::Prose),
                after: None,
                ..ending("f", days[0], None)
            },
        ];
        let found = |last| {
            let ends = model_ends(&findings, last);
            ends.iter().map(|end| end.date).collect::<Vec<_>>()
        };
        assert_eq!(found(None), [days[1], days[0]]);
        assert_eq!(found(Some(days[0])), [days[1], days[0]]);
        assert_eq!(found(days[0].yesterday().ok()), [days[1]]);
        let ends = model_ends(&findings, None);
        assert_eq!(
            calendar(&ends, TODAY, 80),
            "2026-10-14 (40 days ago): anthropic.claude-x\n\
             \x20 eu-west-1: ml/Pod/b\n\
             \x20 successor anthropic.claude-y, served in eu-west-1\n\
             2027-04-08 (in 136 days): anthropic.claude-x\n\
             \x20 region unknown: ml/Pod/c\n\
             \x20 us-east-1: ml/Pod/a\n\
             \x20 successor anthropic.claude-y, served in us-east-1\n\
             \x20 Legacy: AWS refuses it to accounts that have not called it in the last 15 days\n"
        );
    }

    #[test]
    fn a_day_is_written_in_relation_to_today() {
        let at = |days: i32| {
            let mut end = model_ends(&[ending("a", TODAY, None)], None).remove(0);
            end.date = TODAY.checked_add(jiff::Span::new().days(days)).unwrap();
            end.when(TODAY)
        };
        assert_eq!(
            [at(-2), at(-1), at(0), at(1), at(2), at(400)],
            [
                "2 days ago",
                "1 day ago",
                "today",
                "in 1 day",
                "in 2 days",
                "in 400 days"
            ]
        );
    }
}
