//! Coverage: selectors that select every namespace of another selector, and policies that shadow another policy.

use super::{Policy, Requirement, Selector};

impl Policy {
    /// Whether this policy, if evaluated first, prevents `later` from ever being the effective policy.
    pub fn shadows(&self, later: &Self) -> bool {
        self.can_be_effective()
            && later.can_be_effective()
            && (self.pods || !later.pods)
            && (self.config_maps || !later.config_maps)
            && self.namespaces.covers(&later.namespaces)
    }
}

impl Selector {
    /// Whether this selector selects every namespace that `other` selects. Requirements are compared one by one, so the
    /// result is `false` if only a combination of requirements of `other` implies one of this selector.
    pub fn covers(&self, other: &Self) -> bool {
        let implied = |own: &Requirement| other.0.iter().any(|theirs| theirs.implies(own));
        self.0.iter().all(implied)
    }
}

impl Requirement {
    /// Whether every namespace that meets this requirement also meets `other`.
    fn implies(&self, other: &Self) -> bool {
        if self.key() != other.key() {
            return false;
        }
        match (self, other) {
            (Self::In(_, left), Self::In(_, required)) => {
                left.iter().all(|value| required.contains(value))
            }
            (Self::In(_, left), Self::NotIn(_, required)) => {
                !left.iter().any(|value| required.contains(value))
            }
            (Self::NotIn(_, left), Self::NotIn(_, required)) => {
                required.iter().all(|value| left.contains(value))
            }
            (Self::In(..) | Self::Exists(_), Self::Exists(_))
            | (Self::DoesNotExist(_), Self::DoesNotExist(_) | Self::NotIn(..)) => true,
            (Self::NotIn(..) | Self::Exists(_) | Self::DoesNotExist(_), _)
            | (Self::In(..), Self::DoesNotExist(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures;
    use crate::domain::policy::Mode;

    fn values(values: &[&str]) -> Box<[Box<str>]> {
        values.iter().map(|value| (*value).into()).collect()
    }

    fn within(list: &[&str]) -> Requirement {
        Requirement::In("team".into(), values(list))
    }

    fn without(list: &[&str]) -> Requirement {
        Requirement::NotIn("team".into(), values(list))
    }

    #[test]
    fn a_requirement_implies_another_if_no_label_contradicts_it() {
        let (exists, absent) = (
            Requirement::Exists("team".into()),
            Requirement::DoesNotExist("team".into()),
        );
        let requirements = [
            within(&["a"]),
            within(&["a", "b"]),
            without(&["a"]),
            without(&["a", "b"]),
            exists,
            absent,
            Requirement::Exists("tier".into()),
        ];
        // Every requirement is checked against every namespace that one of them distinguishes.
        let namespaces = [None, Some("a"), Some("b"), Some("c")].map(|team| {
            let mut namespace = crate::domain::policy::Namespace::named("ml");
            if let Some(team) = team {
                namespace.labels.insert("team".into(), team.into());
            }
            namespace
        });
        for given in &requirements {
            for required in &requirements {
                let selects = |requirement: &Requirement, namespace| {
                    Selector::new([requirement.clone()]).selects(namespace)
                };
                let never_contradicted = namespaces
                    .iter()
                    .all(|namespace| !selects(given, namespace) || selects(required, namespace));
                let chosen = never_contradicted
                    && namespaces.iter().any(|namespace| selects(given, namespace))
                    || given == required;
                assert_eq!(given.implies(required), chosen, "{given:?} {required:?}");
            }
        }
    }

    #[test]
    fn the_empty_selector_covers_all_and_is_covered_by_itself_alone() {
        let (all, some) = (Selector::default(), Selector::new([within(&["a"])]));
        assert!(all.covers(&some) && all.covers(&all));
        assert!(!some.covers(&all));
        let narrower = Selector::new([Requirement::Exists("tier".into()), within(&["a"])]);
        assert!(some.covers(&narrower) && !narrower.covers(&some));
    }

    #[test]
    fn a_policy_shadows_a_later_one_that_selects_no_more() {
        let first = fixtures::policy();
        let mut later = fixtures::policy();
        assert!(first.shadows(&later));
        later.config_maps = false;
        assert!(first.shadows(&later));
        assert!(!later.shadows(&first));
        later.mode = Mode::DryRun;
        assert!(!first.shadows(&later), "a preview is always evaluated");
        assert!(!later.shadows(&first), "a preview shadows no policy");
    }
}
