//! Which of the shipped objects the leader has to write. Pure.
//!
//! The hash of each object that was written is stored beside the release: an object that a user deleted stays deleted, and the
//! hashes end with the release.

use jiff::civil::Date;

/// The state of the policy `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PolicyState<'a> {
    /// The hash of the configured policy; `None` if the chart configures none.
    pub configured: Option<&'a str>,
    /// The hash of the policy that this release applied last.
    pub applied: Option<&'a str>,
    /// Who owns the object; `None` if it does not exist.
    pub owner: Option<ObjectOwner>,
}

/// Who owns the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectOwner {
    /// The bootstrap: it carries its annotation.
    Bootstrap,
    /// Another client.
    Other,
}

/// What is due for the policy `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyStep {
    /// Nothing.
    UpToDate,
    /// Nothing: another client owns the policy of this name.
    NotOwned,
    /// Apply the configured policy.
    Apply,
}

impl PolicyState<'_> {
    /// The step that is due.
    pub(super) fn step(&self) -> PolicyStep {
        match (self.configured, self.owner) {
            (None, _) => PolicyStep::UpToDate,
            (Some(_), Some(ObjectOwner::Other)) => PolicyStep::NotOwned,
            // Also if it does not exist: a user deleted it, and it stays deleted until the chart configures another one.
            (configured, _) if configured == self.applied => PolicyStep::UpToDate,
            (Some(_), _) => PolicyStep::Apply,
        }
    }
}

/// The state of the mapping `builtin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CatalogState<'a> {
    /// Whether the chart enables it.
    pub enabled: bool,
    /// The date of the catalog in this binary.
    pub shipped: Option<Date>,
    /// The mapping in the cluster.
    pub observed: Option<ObservedCatalog>,
    /// The hash of the catalog that this release applied last; `None` if it never applied one.
    pub applied: Option<&'a str>,
    /// Whether this replica has written it since it became the leader.
    pub written_this_term: bool,
}

/// The mapping `builtin` as observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ObservedCatalog {
    /// Its date; `None` if it cannot be parsed.
    pub date: Option<Date>,
    /// Whether its annotation stops updates.
    pub frozen: bool,
    /// Whether its spec equals the binary's catalog.
    pub up_to_date: bool,
}

/// What is due for the mapping `builtin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CatalogStep {
    /// Nothing.
    UpToDate,
    /// Nothing: its annotation stops updates.
    Frozen,
    /// Nothing: a newer version of the product has written a later catalog.
    NewerInCluster,
    /// Apply the binary's catalog.
    Apply {
        /// Whether this overwrites changes of another client: the dates are equal and the specs are not.
        overwrites: bool,
    },
}

impl CatalogState<'_> {
    /// The step that is due for a leader.
    pub(super) fn step(&self) -> CatalogStep {
        let Some(observed) = self.observed.filter(|_| self.enabled) else {
            // A mapping that is deleted during this replica's term stays deleted until the next leader.
            return if self.enabled && !self.written_this_term {
                CatalogStep::Apply { overwrites: false }
            } else {
                CatalogStep::UpToDate
            };
        };
        if observed.up_to_date {
            CatalogStep::UpToDate
        } else if observed.frozen {
            CatalogStep::Frozen
        } else if observed.date > self.shipped {
            CatalogStep::NewerInCluster
        } else {
            CatalogStep::Apply {
                overwrites: observed.date == self.shipped,
            }
        }
    }

    /// Whether a replica has a catalog to evaluate with. A replica that is not the leader does not wait for its own catalog: in
    /// a rollout, an older leader does not write it.
    pub(super) fn is_settled(&self) -> bool {
        !self.enabled || self.observed.is_some() || self.applied.is_some()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table of cases")]
    fn the_default_policy_is_applied_once_for_each_configuration() {
        let step = |configured, applied, owner| {
            PolicyState {
                configured,
                applied,
                owner,
            }
            .step()
        };
        let (bootstrap, other) = (Some(ObjectOwner::Bootstrap), Some(ObjectOwner::Other));
        for (configured, applied, owner, expected, why) in [
            (Some("a"), None, None, PolicyStep::Apply, "a first install"),
            (
                Some("a"),
                Some("a"),
                bootstrap,
                PolicyStep::UpToDate,
                "nothing new",
            ),
            (
                Some("a"),
                Some("a"),
                None,
                PolicyStep::UpToDate,
                "a user deleted it",
            ),
            (
                Some("b"),
                Some("a"),
                bootstrap,
                PolicyStep::Apply,
                "new values",
            ),
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
                bootstrap,
                PolicyStep::Apply,
                "a reinstall finds the old one",
            ),
            (
                Some("a"),
                None,
                other,
                PolicyStep::NotOwned,
                "owned by another client",
            ),
            (
                Some("b"),
                Some("a"),
                other,
                PolicyStep::NotOwned,
                "another client created one of the name",
            ),
            (None, None, None, PolicyStep::UpToDate, "disabled"),
            (
                None,
                Some("a"),
                bootstrap,
                PolicyStep::UpToDate,
                "disabled later: the policy stays",
            ),
        ] {
            assert_eq!(step(configured, applied, owner), expected, "{why}");
        }
    }

    fn catalog(existing: Option<ObservedCatalog>) -> CatalogState<'static> {
        CatalogState {
            enabled: true,
            shipped: Some(date(2026, 10, 27)),
            observed: existing,
            applied: None,
            written_this_term: false,
        }
    }

    fn builtin(month: i8, up_to_date: bool) -> ObservedCatalog {
        ObservedCatalog {
            date: Some(date(2026, month, 27)),
            frozen: false,
            up_to_date,
        }
    }

    #[test]
    fn the_catalog_is_applied_unless_it_is_frozen_or_newer() {
        let frozen = ObservedCatalog {
            frozen: true,
            ..builtin(9, false)
        };
        let unreadable = ObservedCatalog {
            date: None,
            ..builtin(9, false)
        };
        let apply = |overwrites| CatalogStep::Apply { overwrites };
        for (existing, expected, why) in [
            (None, apply(false), "there is none"),
            (
                Some(builtin(10, true)),
                CatalogStep::UpToDate,
                "it is up to date",
            ),
            (Some(builtin(9, false)), apply(false), "an older one"),
            (
                Some(builtin(10, false)),
                apply(true),
                "another client changed it",
            ),
            (
                Some(builtin(11, false)),
                CatalogStep::NewerInCluster,
                "a rollback",
            ),
            (Some(frozen), CatalogStep::Frozen, "frozen"),
            (Some(unreadable), apply(false), "unreadable"),
        ] {
            assert_eq!(catalog(existing).step(), expected, "{why}");
        }
    }

    #[test]
    fn a_deleted_catalog_comes_back_with_the_next_leader() {
        let deleted = CatalogState {
            written_this_term: true,
            applied: Some("hash"),
            ..catalog(None)
        };
        assert_eq!(deleted.step(), CatalogStep::UpToDate);
        assert!(deleted.is_settled());
        let next = CatalogState {
            written_this_term: false,
            ..deleted
        };
        assert_eq!(next.step(), CatalogStep::Apply { overwrites: false });
    }

    #[test]
    fn a_replica_waits_for_the_first_catalog_but_not_for_its_own() {
        assert!(!catalog(None).is_settled());
        assert!(catalog(Some(builtin(9, false))).is_settled());
        let disabled = CatalogState {
            enabled: false,
            ..catalog(None)
        };
        assert!(disabled.is_settled());
        assert_eq!(disabled.step(), CatalogStep::UpToDate);
    }
}
