//! Reasons that apply to a whole object: immutable, tracked, opted out.

use std::fmt::Display;

use super::{Action, Judge, OptOutAnnotation, OptOutOwner, ReasonDetail};
use crate::domain::annotations::{
    IGNORE, IGNORE_CONTAINERS, IGNORE_ENV, IGNORE_KEYS, lists, opts_out,
};
use crate::domain::environment::Reference;
use crate::domain::object::ObjectKind;
use crate::domain::plan::Plan;
use crate::domain::policy::{ConfigMapRewrite, OptOut};
use crate::domain::reason::Reason;
use crate::domain::site::{Location, TextSite};
use crate::domain::trackers::Tracking;

/// The maximum size of a ConfigMap's data, in bytes (`MaxSecretSize` in the API server's validation).
const LARGEST_CONFIG_MAP: usize = 1024 * 1024;

impl<'t> Judge<'t, '_> {
    /// The reason that applies to the whole object, if any.
    pub(super) fn object_reason(&self) -> Option<Reason> {
        let object = self.object;
        if object.kind == ObjectKind::ConfigMap {
            let tracked = self.policy.rewrite_config_maps != ConfigMapRewrite::All
                && !matches!(self.context.action, Action::Edit);
            if object.field(&["immutable"]) == Some("true") {
                return Some(Reason::Immutable);
            }
            if tracked && self.tracking().is_some() {
                return Some(Reason::Tracked);
            }
        }
        if self.whole_opt_out().is_some() {
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
        let out = self.opt_out_of(site).is_some() || self.is_opted_out_at_source(site);
        out.then_some(Reason::OptedOut)
    }

    /// What a message about an unchanged finding names besides its reason.
    pub(super) fn detail(&self, reason: Reason, site: &TextSite<'_>) -> Option<ReasonDetail<'t>> {
        if reason == Reason::Tracked {
            return self.tracking().map(ReasonDetail::Tracked);
        }
        if reason != Reason::OptedOut {
            return None;
        }
        let here = self.whole_opt_out().or_else(|| self.opt_out_of(site));
        let at_source = || {
            let is_opted_out = self.is_opted_out_at_source(site);
            is_opted_out.then_some(ReasonDetail::OptedOutConfigMap)
        };
        here.map(ReasonDetail::OptedOut).or_else(at_source)
    }

    /// The annotation that opts the whole object out.
    fn whole_opt_out(&self) -> Option<OptOutAnnotation> {
        self.opt_outs(IGNORE)
            .find(|annotation| opts_out(&annotation.text))
    }

    /// The annotation that opts the container, variable or key of the text out.
    fn opt_out_of(&self, site: &TextSite<'_>) -> Option<OptOutAnnotation> {
        let named = |annotation: &'static str, name: &dyn Display| {
            let name = name.to_string();
            self.opt_outs(annotation)
                .find(|annotation| lists(&annotation.text, &name))
        };
        match site.location {
            Location::Env {
                container,
                variable,
            } => named(IGNORE_CONTAINERS, &container).or_else(|| named(IGNORE_ENV, &variable)),
            Location::Args { container }
            | Location::Command { container }
            | Location::Handler { container, .. } => named(IGNORE_CONTAINERS, &container),
            Location::Data { key } => named(IGNORE_KEYS, &key),
            Location::Volume { .. } | Location::Document => None,
        }
    }

    /// Whether the author of the ConfigMap that the text comes from has opted it out.
    fn is_opted_out_at_source(&self, site: &TextSite<'_>) -> bool {
        self.policy.opt_out == OptOut::Any && site.reference().is_some_and(Reference::is_opted_out)
    }

    /// An opt-out annotation on the namespace and on the object, as far as the policy permits opt-outs.
    fn opt_outs(&self, annotation: &'static str) -> impl Iterator<Item = OptOutAnnotation> {
        let by_namespace = self.policy.opt_out != OptOut::None;
        let by_object = self.policy.opt_out == OptOut::Any;
        let namespace = by_namespace
            .then(|| self.context.namespace.annotations.get(annotation))
            .flatten()
            .map(|text| (OptOutOwner::Namespace, &**text));
        let object = by_object
            .then(|| self.object.annotation(annotation))
            .flatten()
            .map(|text| (OptOutOwner::Object, text));
        let both = namespace.into_iter().chain(object);
        both.map(move |(owner, text)| OptOutAnnotation {
            owner,
            name: annotation,
            text: text.into(),
        })
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
