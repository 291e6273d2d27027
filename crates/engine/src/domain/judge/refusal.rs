//! The findings that an object is denied for: only in objects without a controller, and on an update only new ones.

use std::collections::BTreeSet;

use super::views::{ObjectVariables, everything, follows};
use super::{Action, Judge, JudgedFinding};
use crate::domain::catalog::Confidence;
use crate::domain::object::Object;
use crate::domain::policy::{Mode, Policy, Unresolved};
use crate::domain::resolve::Resolution;
use crate::domain::site::Location;

impl JudgedFinding<'_> {
    /// Whether `policy` denies an object without a controller for this finding, unless the object had it before.
    pub fn is_deniable(&self, policy: &Policy) -> bool {
        match &self.resolution {
            _ if self.report_only => false,
            Resolution::Rewrite { .. } => policy.mode == Mode::Deny,
            Resolution::Leave(reason) => {
                reason.is_unresolved()
                    && policy.unresolved == Unresolved::Deny
                    && self.evidence.confidence() == Confidence::High
            }
        }
    }
}

impl<'t> Judge<'t, '_> {
    /// Marks the findings for which the object is denied, and returns whether there are any.
    pub(super) fn mark_denied(&self, judged: &mut [JudgedFinding<'t>]) -> bool {
        let old = match self.context.action {
            Action::Read | Action::Edit(_) => return false,
            Action::CreatePod | Action::AddEphemeralContainers(_) => None,
            Action::Apply(old) => old,
        };
        if self.object.is_controlled() || self.object.is_being_deleted() {
            return false;
        }
        let existing = old.map(|old| self.existing_ids(old)).unwrap_or_default();
        let is_new = |one: &JudgedFinding<'_>| {
            !existing.contains(&(one.finding.site.location, one.finding.text()))
        };
        let mut denies = false;
        for one in judged {
            one.denied = one.is_deniable(self.policy) && is_new(one);
            denies |= one.denied;
        }
        denies
    }

    /// The IDs of an object with their locations. Only an ID that is not among them is a reason to deny an update.
    fn existing_ids(&self, object: &Object<'t>) -> BTreeSet<(Location<'t>, &'t str)> {
        let variables = ObjectVariables::of(object, self.context);
        everything(object, self.context, &variables, follows(self.policy))
            .into_iter()
            .map(|finding| (finding.site.location, finding.text()))
            .collect()
    }
}
