//! Reasons that apply to a whole object: immutable, tracked, opted out.

use super::{Action, Judge, ReasonDetail};
use crate::domain::custom_kinds::{FieldRole, HelmRegion, region_beside};
use crate::domain::environment::Reference;
use crate::domain::object::ObjectKind;
use crate::domain::plan::Plan;
use crate::domain::policy::{ConfigMapRewrite, OptOut};
use crate::domain::reason::Reason;
use crate::domain::site::TextSite;
use crate::domain::trackers::Tracking;

/// The maximum size of a ConfigMap's data, in bytes (`MaxSecretSize` in the API server's validation).
const LARGEST_CONFIG_MAP: usize = 1024 * 1024;

impl<'t> Judge<'t, '_> {
    /// The reason that applies to the whole object, if any.
    pub(super) fn object_reason(&self) -> Option<Reason> {
        let object = self.object;
        if object.kind == ObjectKind::ConfigMap {
            let tracked = self.policy.rewrite_config_maps != ConfigMapRewrite::All
                && !matches!(self.context.action, Action::Edit(_));
            if object.field(&["immutable"]) == Some("true") {
                return Some(Reason::Immutable);
            }
            if tracked && self.tracking().is_some() {
                return Some(Reason::Tracked);
            }
        }
        if self.opt_outs.whole().is_some() {
            return Some(Reason::OptedOut);
        }
        (object.kind == ObjectKind::ConfigMap
            && self.policy.rewrite_config_maps == ConfigMapRewrite::Never)
            .then_some(Reason::Excluded)
    }

    /// Why the object counts as tracked.
    pub(super) fn tracking(&self) -> Option<Tracking<'t>> {
        Tracking::of(self.object, &self.policy.tracked_by)
    }

    /// [`Reason::OptedOut`] if the container, variable or key of the text is opted out, or the ConfigMap that it refers to.
    pub(super) fn opted_out(&self, site: &TextSite<'_>) -> Option<Reason> {
        self.context.budget.spend_steps(self.opt_outs.globs());
        let out = self.opt_outs.at(site).is_some() || self.is_opted_out_at_source(site);
        out.then_some(Reason::OptedOut)
    }

    /// What a message about an unchanged finding names besides its reason.
    pub(super) fn detail(&self, reason: Reason, site: &TextSite<'_>) -> Option<ReasonDetail<'t>> {
        if reason == Reason::Tracked {
            return self.tracking().map(ReasonDetail::Tracked);
        }
        if reason == Reason::RegionConflict {
            return self.helm_region(site).map(ReasonDetail::HelmConflict);
        }
        if reason != Reason::OptedOut {
            return None;
        }
        self.context.budget.spend_steps(self.opt_outs.globs());
        let here = self.opt_outs.longest(site);
        let at_source = || {
            let is_opted_out = self.is_opted_out_at_source(site);
            is_opted_out.then_some(ReasonDetail::OptedOutConfigMap)
        };
        here.cloned().map(ReasonDetail::OptedOut).or_else(at_source)
    }

    /// The region beside the field of an Application's Helm source that a text is in.
    fn helm_region(&self, site: &TextSite<'_>) -> Option<HelmRegion> {
        let object = self.object;
        if object.kind != ObjectKind::Custom {
            return None;
        }
        match object.role_in_custom_resource(site.node()) {
            FieldRole::Helm(field) => {
                let mut known = self.helm_regions.borrow_mut();
                let beside = known.entry(field);
                *beside.or_insert_with(|| region_beside(object.tree, field))
            }
            FieldRole::Controller | FieldRole::File => None,
        }
    }

    /// Whether the author of the ConfigMap that the text comes from has opted it out.
    fn is_opted_out_at_source(&self, site: &TextSite<'_>) -> bool {
        let today = self.context.today;
        let is_opted_out = |reference: &Reference<'_>| reference.is_opted_out(today);
        self.policy.opt_out == OptOut::Any && site.reference().is_some_and(is_opted_out)
    }

    /// Whether the plan makes the object larger than the API server's limit.
    pub(super) fn outgrows(&self, plan: &Plan<'_>) -> bool {
        if self.object.kind != ObjectKind::ConfigMap {
            return false;
        }
        let tree = self.object.tree;
        let size_of = |field, scale: fn(usize) -> usize| -> usize {
            let values = tree
                .get(self.object.root, field)
                .into_iter()
                .flat_map(|node| tree.children(node));
            values
                .filter_map(|node| tree.text(node))
                .map(|text| scale(text.len()))
                .sum()
        };
        // Base64 represents three bytes with four characters.
        size_of("data", |len| len) + size_of("binaryData", |len| len / 4 * 3) + plan.growth()
            > LARGEST_CONFIG_MAP
    }
}
