//! Which selectors select whatever another one does, and which policies leave nothing to another.

use super::{Policy, Requirement, Selector};

impl Policy {
    /// Whether this policy, asked first, leaves nothing for `later` to decide.
    pub fn leaves_nothing_to(&self, later: &Self) -> bool {
        self.decides()
            && later.decides()
            && (self.pods || !later.pods)
            && (self.config_maps || !later.config_maps)
            && self.namespaces.covers(&later.namespaces)
    }
}

impl Selector {
    /// Whether whatever `other` selects is selected by this one too, as far as each requirement shows by itself: two of
    /// another selector that only together leave no namespace are taken for some.
    pub fn covers(&self, other: &Self) -> bool {
        let implied = |ours: &Requirement| other.0.iter().any(|theirs| theirs.implies(ours));
        self.0.iter().all(implied)
    }
}

impl Requirement {
    /// Whether a namespace that meets this requirement meets `other` too.
    fn implies(&self, other: &Self) -> bool {
        if self.key() != other.key() {
            return false;
        }
        match (self, other) {
            (Self::In(_, ours), Self::In(_, asked)) => {
                ours.iter().all(|value| asked.contains(value))
            }
            (Self::In(_, ours), Self::NotIn(_, asked)) => {
                !ours.iter().any(|value| asked.contains(value))
            }
            (Self::NotIn(_, ours), Self::NotIn(_, asked)) => {
                asked.iter().all(|value| ours.contains(value))
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
    fn a_requirement_implies_what_no_label_can_contradict() {
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
        // Every requirement is asked of every namespace that matters to one of them.
        let namespaces = [None, Some("a"), Some("b"), Some("c")].map(|team| {
            let mut namespace = crate::domain::policy::Namespace::named("ml");
            if let Some(team) = team {
                namespace.labels.insert("team".into(), team.into());
            }
            namespace
        });
        for given in &requirements {
            for asked in &requirements {
                let selects = |requirement: &Requirement, namespace| {
                    Selector::new([requirement.clone()]).selects(namespace)
                };
                let never_contradicted = namespaces
                    .iter()
                    .all(|namespace| !selects(given, namespace) || selects(asked, namespace));
                let chosen = never_contradicted
                    && namespaces.iter().any(|namespace| selects(given, namespace))
                    || given == asked;
                assert_eq!(given.implies(asked), chosen, "{given:?} {asked:?}");
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
    fn a_policy_leaves_nothing_to_one_that_selects_no_more() {
        let first = fixtures::policy();
        let mut later = fixtures::policy();
        assert!(first.leaves_nothing_to(&later));
        later.config_maps = false;
        assert!(first.leaves_nothing_to(&later));
        assert!(!later.leaves_nothing_to(&first));
        later.mode = Mode::DryRun;
        assert!(!first.leaves_nothing_to(&later), "it speaks beside");
        assert!(!later.leaves_nothing_to(&first), "it never decides");
    }
}
