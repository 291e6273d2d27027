//! Reasons that apply to a whole object: immutable, tracked, opted out.

use std::fmt::Display;

use super::{Action, Judge};
use crate::domain::annotations::{
    IGNORE, IGNORE_CONTAINERS, IGNORE_ENV, IGNORE_KEYS, lists, opts_out,
};
use crate::domain::environment::Reference;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::plan::Plan;
use crate::domain::policy::{ConfigMapRewrite, OptOut};
use crate::domain::reason::Reason;
use crate::domain::site::{Location, TextSite};

/// The maximum size of a ConfigMap's data, in bytes (`MaxSecretSize` in the API server's validation).
const LARGEST_CONFIG_MAP: usize = 1024 * 1024;

/// Labels that a `GitOps` controller sets on the objects that it tracks.
const TRACKING_LABELS: &[&str] = &[
    "argocd.argoproj.io/instance",
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
];

/// Annotations that a `GitOps` controller sets on the objects that it tracks.
const TRACKING_ANNOTATIONS: &[&str] = &["argocd.argoproj.io/tracking-id"];

impl Judge<'_, '_> {
    /// The reason that applies to the whole object, if any.
    pub(super) fn object_reason(&self) -> Option<Reason> {
        let object = self.object;
        if object.kind == ObjectKind::ConfigMap {
            let tracked = self.policy.rewrite_config_maps != ConfigMapRewrite::All
                && !matches!(self.context.action, Action::Edit);
            if object.field(&["immutable"]) == Some("true") {
                return Some(Reason::Immutable);
            }
            if tracked && is_tracked(object) {
                return Some(Reason::Tracked);
            }
        }
        if self.opt_outs(IGNORE).any(opts_out) {
            return Some(Reason::OptedOut);
        }
        (object.kind == ObjectKind::ConfigMap
            && self.policy.rewrite_config_maps == ConfigMapRewrite::Never)
            .then_some(Reason::Excluded)
    }

    /// [`Reason::OptedOut`] if the container, variable or key of the text is opted out, or the ConfigMap that it refers to.
    pub(super) fn opted_out(&self, site: &TextSite<'_>) -> Option<Reason> {
        let named = |annotation: &str, name: &dyn Display| {
            self.opt_outs(annotation)
                .any(|globs| lists(globs, &name.to_string()))
        };
        let out = match site.location {
            Location::Env {
                container,
                variable,
            } => named(IGNORE_CONTAINERS, &container) || named(IGNORE_ENV, &variable),
            Location::Args { container } | Location::Command { container } => {
                named(IGNORE_CONTAINERS, &container)
            }
            Location::Data { key } => named(IGNORE_KEYS, &key),
            Location::Volume { .. } | Location::Document => false,
        };
        let at_source = self.policy.opt_out == OptOut::Any
            && site.reference().is_some_and(Reference::is_opted_out);
        (out || at_source).then_some(Reason::OptedOut)
    }

    /// The values of an opt-out annotation on the namespace and the object, as far as the policy permits opt-outs.
    fn opt_outs(&self, annotation: &str) -> impl Iterator<Item = &str> {
        let by_namespace = self.policy.opt_out != OptOut::None;
        let by_object = self.policy.opt_out == OptOut::Any;
        let namespace = by_namespace
            .then(|| {
                self.context
                    .namespace
                    .annotations
                    .get(annotation)
                    .map(|text| &**text)
            })
            .flatten();
        let object = by_object
            .then(|| self.object.annotation(annotation))
            .flatten();
        namespace.into_iter().chain(object)
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

fn is_tracked(object: &Object<'_>) -> bool {
    object.is_controlled()
        || TRACKING_LABELS
            .iter()
            .any(|label| object.label(label).is_some())
        || TRACKING_ANNOTATIONS
            .iter()
            .any(|name| object.annotation(name).is_some())
}
