//! When an entry is put in force, and with what. Pure.

use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;

/// A webhook configuration as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Standing {
    /// What its entry is called for.
    pub rules: Vec<RuleWithOperations>,
    /// Whom the API server trusts when it calls the entry, as PEM.
    pub ca_bundle: Vec<u8>,
}

/// What belongs into an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// What it is to be called for.
    pub rules: &'a [RuleWithOperations],
    /// Whom the API server is to trust, as PEM.
    pub ca_bundle: &'a [u8],
}

/// What becomes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It stands as it should.
    Armed,
    /// There is no such configuration: it was deleted, or its switch in the chart is off. It cannot be made, only filled.
    Absent,
    /// Rules and bundle are to be applied.
    Arm,
    /// It is in force with something else, which is corrected at once.
    Correct,
    /// Nobody can answer yet.
    Wait,
}

impl Wanted<'_> {
    /// The step that is due; `answerable`: somebody is known to answer.
    pub(super) fn step(&self, standing: Option<&Standing>, answerable: bool) -> Step {
        let Some(standing) = standing else {
            return Step::Absent;
        };
        let same_rules = same(&standing.rules, self.rules);
        if same_rules && standing.ca_bundle == self.ca_bundle {
            Step::Armed
        } else if !standing.rules.is_empty() && !standing.ca_bundle.is_empty() {
            Step::Correct
        } else if answerable {
            Step::Arm
        } else {
            Step::Wait
        }
    }
}

/// Whether rules mean the same: the API server fills in what is absent.
fn same(one: &[RuleWithOperations], other: &[RuleWithOperations]) -> bool {
    let whole = |rule: &RuleWithOperations| RuleWithOperations {
        scope: Some(rule.scope.clone().unwrap_or_else(|| "*".to_owned())),
        ..rule.clone()
    };
    one.iter().map(whole).eq(other.iter().map(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(resource: &str, scope: Option<&str>) -> Vec<RuleWithOperations> {
        vec![RuleWithOperations {
            api_groups: Some(vec![String::new()]),
            api_versions: Some(vec!["v1".to_owned()]),
            operations: Some(vec!["CREATE".to_owned()]),
            resources: Some(vec![resource.to_owned()]),
            scope: scope.map(str::to_owned),
        }]
    }

    #[test]
    fn an_entry_is_armed_when_somebody_can_answer_and_kept_current_then() {
        let wanted_rules = rules("pods", None);
        let wanted = Wanted {
            rules: &wanted_rules,
            ca_bundle: b"new",
        };
        let standing = |rules: Vec<RuleWithOperations>, ca: &[u8]| Standing {
            rules,
            ca_bundle: ca.to_vec(),
        };
        let stored = rules("pods", Some("*"));
        for (standing, answerable, expected, why) in [
            (None, true, Step::Absent, "nothing to fill"),
            (Some(standing(vec![], b"")), false, Step::Wait, "as shipped"),
            (
                Some(standing(vec![], b"")),
                true,
                Step::Arm,
                "as shipped, and we can answer",
            ),
            (
                Some(standing(stored.clone(), b"")),
                true,
                Step::Arm,
                "the bundle was wiped",
            ),
            (
                Some(standing(vec![], b"new")),
                true,
                Step::Arm,
                "the rules were wiped",
            ),
            (
                Some(standing(stored.clone(), b"new")),
                false,
                Step::Armed,
                "as it should be",
            ),
            (
                Some(standing(stored, b"old")),
                false,
                Step::Correct,
                "a rotation waits for nobody",
            ),
            (
                Some(standing(rules("jobs", None), b"new")),
                true,
                Step::Correct,
                "other values",
            ),
        ] {
            assert_eq!(
                wanted.step(standing.as_ref(), answerable),
                expected,
                "{why}"
            );
        }
    }
}
