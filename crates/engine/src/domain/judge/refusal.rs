//! The findings that an object is denied for: only in objects without a controller, and on an update only new ones.

use std::collections::BTreeSet;

use super::views::{everything, follows};
use super::{Action, Judge, JudgedFinding};
use crate::domain::catalog::Confidence;
use crate::domain::object::Object;
use crate::domain::policy::{Mode, Unresolved};
use crate::domain::resolve::Resolution;
use crate::domain::site::Location;

impl<'t> Judge<'t, '_> {
    /// The indices of the findings for which the object is denied; `None` if it is admitted.
    pub(super) fn refused(&self, judged: &[JudgedFinding<'t>]) -> Option<Vec<usize>> {
        let old = match self.context.action {
            Action::Read | Action::Edit => return None,
            Action::CreatePod | Action::AddEphemeralContainers(_) => None,
            Action::Apply(old) => old,
        };
        if self.object.is_controlled() || self.object.is_being_deleted() {
            return None;
        }
        let existing = old.map(|old| self.existing_ids(old)).unwrap_or_default();
        let is_refused = |one: &JudgedFinding<'_>| match &one.resolution {
            _ if one.report_only => false,
            Resolution::Rewrite { .. } => self.policy.mode == Mode::Deny,
            Resolution::Leave(reason) => {
                reason.is_unresolved()
                    && self.policy.unresolved == Unresolved::Deny
                    && one.evidence.confidence() == Confidence::High
            }
        };
        let is_new = |one: &JudgedFinding<'_>| {
            !existing.contains(&(one.finding.site.location, one.finding.text()))
        };
        let refused: Vec<_> = (0..)
            .zip(judged)
            .filter(|(_, one)| is_refused(one) && is_new(one))
            .map(|(at, _)| at)
            .collect();
        (!refused.is_empty()).then_some(refused)
    }

    /// The IDs of an object with their locations. Only an ID that is not among them is a reason to deny an update.
    fn existing_ids(&self, object: &Object<'t>) -> BTreeSet<(Location<'t>, &'t str)> {
        everything(object, self.context, follows(self.policy))
            .into_iter()
            .map(|finding| (finding.site.location, finding.text()))
            .collect()
    }
}
