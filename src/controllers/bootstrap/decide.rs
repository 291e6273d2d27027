//! What the leader has to write of the shipped catalog and the chart's default policy, and when nothing is left to do. Pure.
//!
//! What was written once is remembered beside the release, so that an object that somebody deleted stays deleted, and that the
//! memory ends with the release.

use jiff::civil::Date;

/// The policy `default`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish<'a> {
    /// Tells what the chart wishes from what it wished before; `None` where it wishes none.
    pub wished: Option<&'a str>,
    /// What was written last under this release.
    pub remembered: Option<&'a str>,
    /// Whether there is one, and whether it is ours: it carries our annotation.
    pub existing: Option<Owner>,
}

/// Whose an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// We have made it.
    Us,
    /// Somebody else has.
    Other,
}

/// What becomes of the policy `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyStep {
    /// Nothing is left to do.
    Settled,
    /// Somebody else's policy has the name; it is left alone.
    Foreign,
    /// It is to be applied.
    Apply,
}

impl Wish<'_> {
    /// The step that is due.
    pub(super) fn step(&self) -> PolicyStep {
        match (self.wished, self.existing) {
            (None, _) => PolicyStep::Settled,
            (Some(_), Some(Owner::Other)) => PolicyStep::Foreign,
            // Also where it is gone: somebody deleted it, and it stays deleted until the chart wishes another.
            (wished, _) if wished == self.remembered => PolicyStep::Settled,
            (Some(_), _) => PolicyStep::Apply,
        }
    }
}

/// The mapping `builtin`, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catalog<'a> {
    /// Whether the chart wishes it at all.
    pub wished: bool,
    /// The date of the catalog in this binary.
    pub shipped: Option<Date>,
    /// The one in the cluster.
    pub existing: Option<Builtin>,
    /// What was written last under this release; where it is absent, `builtin` was never written.
    pub remembered: Option<&'a str>,
    /// Whether this leader has written it already since it leads.
    pub written_this_term: bool,
}

/// The mapping `builtin` as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Builtin {
    /// Its date; absent where it cannot be read.
    pub date: Option<Date>,
    /// Its annotation freezes it.
    pub frozen: bool,
    /// It says what the binary's catalog says.
    pub same: bool,
}

/// What becomes of the mapping `builtin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CatalogStep {
    /// Nothing is left to do.
    Settled,
    /// Its annotation freezes it.
    Frozen,
    /// A newer version of the product has written a later catalog.
    NewerInCluster,
    /// It is to be applied. What somebody has written over ours is lost, and said, where the date is the same.
    Apply {
        /// Whether somebody else has changed it since we wrote it.
        overwrites: bool,
    },
}

impl Catalog<'_> {
    /// The step that is due for a leader.
    pub(super) fn step(&self) -> CatalogStep {
        let Some(existing) = self.existing.filter(|_| self.wished) else {
            // One that was deleted while we lead stays away until the next leader.
            return if self.wished && !self.written_this_term {
                CatalogStep::Apply { overwrites: false }
            } else {
                CatalogStep::Settled
            };
        };
        if existing.same {
            CatalogStep::Settled
        } else if existing.frozen {
            CatalogStep::Frozen
        } else if existing.date > self.shipped {
            CatalogStep::NewerInCluster
        } else {
            CatalogStep::Apply {
                overwrites: existing.date == self.shipped,
            }
        }
    }

    /// Whether a replica has something to answer by: a follower does not wait for its own catalog, since in a rollout an older
    /// leader would not write it.
    pub(super) fn is_settled(&self) -> bool {
        !self.wished || self.existing.is_some() || self.remembered.is_some()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_default_policy_is_written_once_for_each_wish() {
        let step = |wished, remembered, existing| {
            Wish {
                wished,
                remembered,
                existing,
            }
            .step()
        };
        let (us, other) = (Some(Owner::Us), Some(Owner::Other));
        for (wished, remembered, existing, expected, why) in [
            (Some("a"), None, None, PolicyStep::Apply, "a first install"),
            (Some("a"), Some("a"), us, PolicyStep::Settled, "nothing new"),
            (
                Some("a"),
                Some("a"),
                None,
                PolicyStep::Settled,
                "somebody deleted it",
            ),
            (Some("b"), Some("a"), us, PolicyStep::Apply, "new values"),
            (
                Some("b"),
                Some("a"),
                None,
                PolicyStep::Apply,
                "new values bring it back",
            ),
            (
                Some("a"),
                None,
                us,
                PolicyStep::Apply,
                "a reinstall finds the old one",
            ),
            (
                Some("a"),
                None,
                other,
                PolicyStep::Foreign,
                "somebody else's",
            ),
            (
                Some("b"),
                Some("a"),
                other,
                PolicyStep::Foreign,
                "somebody made one of the name",
            ),
            (None, None, None, PolicyStep::Settled, "switched off"),
            (
                None,
                Some("a"),
                us,
                PolicyStep::Settled,
                "switched off later, what is there stays",
            ),
        ] {
            assert_eq!(step(wished, remembered, existing), expected, "{why}");
        }
    }

    fn catalog(existing: Option<Builtin>) -> Catalog<'static> {
        Catalog {
            wished: true,
            shipped: Some(date(2026, 10, 27)),
            existing,
            remembered: None,
            written_this_term: false,
        }
    }

    fn builtin(month: i8, same: bool) -> Builtin {
        Builtin {
            date: Some(date(2026, month, 27)),
            frozen: false,
            same,
        }
    }

    #[test]
    fn the_catalog_is_written_unless_it_is_frozen_or_later_than_ours() {
        let frozen = Builtin {
            frozen: true,
            ..builtin(9, false)
        };
        let unreadable = Builtin {
            date: None,
            ..builtin(9, false)
        };
        let apply = |overwrites| CatalogStep::Apply { overwrites };
        for (existing, expected, why) in [
            (None, apply(false), "there is none"),
            (Some(builtin(10, true)), CatalogStep::Settled, "it is ours"),
            (Some(builtin(9, false)), apply(false), "an older one"),
            (Some(builtin(10, false)), apply(true), "somebody changed it"),
            (
                Some(builtin(11, false)),
                CatalogStep::NewerInCluster,
                "a rollback",
            ),
            (Some(frozen), CatalogStep::Frozen, "frozen"),
            (Some(unreadable), apply(false), "nobody can read it"),
        ] {
            assert_eq!(catalog(existing).step(), expected, "{why}");
        }
    }

    #[test]
    fn a_deleted_catalog_comes_back_with_the_next_leader() {
        let deleted = Catalog {
            written_this_term: true,
            remembered: Some("hash"),
            ..catalog(None)
        };
        assert_eq!(deleted.step(), CatalogStep::Settled);
        assert!(deleted.is_settled());
        let next = Catalog {
            written_this_term: false,
            ..deleted
        };
        assert_eq!(next.step(), CatalogStep::Apply { overwrites: false });
    }

    #[test]
    fn a_replica_waits_for_the_first_catalog_and_not_for_its_own() {
        assert!(!catalog(None).is_settled());
        assert!(catalog(Some(builtin(9, false))).is_settled());
        let unwished = Catalog {
            wished: false,
            ..catalog(None)
        };
        assert!(unwished.is_settled());
        assert_eq!(unwished.step(), CatalogStep::Settled);
    }
}
