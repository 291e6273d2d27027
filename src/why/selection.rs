//! Which policy selects an object. Where none does, the policy that would: the object is evaluated by it, so that the answer has what
//! would become of its IDs.

use std::sync::Arc;

use crate::domain::judge::selects;
use crate::domain::object::ObjectKind;
use crate::domain::policy::{ConfigMapRewrite, Mode, Namespace, Policy, References, Selector};
use crate::domain::view::View;

use super::gate::{Gate, GateResult};

/// How the policies select an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SelectingPolicy {
    /// The position of the policy to evaluate with.
    pub(super) policy: usize,
    obstacle: Option<Obstacle>,
}

/// Why no policy selects an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Obstacle {
    /// The cluster has no policy.
    NoPolicy,
    /// No policy selects the namespace.
    Namespace,
    /// Policies select the namespace, and none of them the kind.
    Kind,
}

impl SelectingPolicy {
    /// The effective policy for an object, or else a `DryRun` policy that selects it, or else one that could; `None` without a policy.
    pub(super) fn of(
        view: &View,
        no_policy: bool,
        kind: ObjectKind,
        namespace: &Namespace,
    ) -> Option<Self> {
        let policies = &view.snapshot.policies;
        let position = |is_it: &dyn Fn(&Policy) -> bool| {
            let acting = |policy: &Policy| policy.can_be_effective() && is_it(policy);
            let acting = policies.iter().position(acting);
            acting.or_else(|| policies.iter().position(is_it))
        };
        let selected = position(&|policy| selects(policy, kind, namespace));
        let of_namespace = || position(&|policy| policy.namespaces.selects(namespace));
        let (policy, obstacle) = match selected {
            Some(policy) if no_policy => (policy, Some(Obstacle::NoPolicy)),
            Some(policy) => (policy, None),
            None => match of_namespace() {
                Some(policy) => (policy, Some(Obstacle::Kind)),
                None => (position(&|_| true)?, Some(Obstacle::Namespace)),
            },
        };
        Some(Self { policy, obstacle })
    }

    /// Makes the policy select the object, if it does not.
    pub(super) fn lift(self, view: &mut View) {
        if self.obstacle.is_none() {
            return;
        }
        let policies = Arc::get_mut(&mut view.snapshot).map(|snapshot| &mut snapshot.policies);
        if let Some(policy) = policies.and_then(|policies| policies.get_mut(self.policy)) {
            policy.namespaces = Selector::default();
            (policy.pods, policy.config_maps) = (true, true);
        }
    }

    /// Whether the policy selects the object.
    pub(super) const fn is_selected(self) -> bool {
        self.obstacle.is_none()
    }

    /// Whether a policy selects the object.
    pub(super) fn gate(
        self,
        policy: &Policy,
        kind: ObjectKind,
        namespace: &Namespace,
    ) -> GateResult {
        let gate = Gate::PolicySelects;
        let (name, namespace) = (&policy.name, &namespace.name);
        let resource = resource_of(kind);
        match self.obstacle {
            None if kind == ObjectKind::ConfigMap
                && policy.rewrite_config_maps == ConfigMapRewrite::Never =>
            {
                gate.failed(
                    format!("policy {name} rewrites no ConfigMaps: configMaps.rewrite is Never"),
                    format!("Set spec.configMaps.rewrite: Untracked in policy {name}."),
                )
            }
            None => gate.passed(format!("policy {name} selects it")),
            Some(Obstacle::NoPolicy) => gate.failed(
                "the cluster has no policy",
                "Create an InferenceProfilePolicy in mode Rewrite, or set policy.create in the chart's values.",
            ),
            Some(Obstacle::Namespace) => gate.failed(
                format!("no policy selects the namespace {namespace}"),
                format!("Give the namespace {namespace} the labels of spec.match.namespaceSelector of a policy such as {name}."),
            ),
            Some(Obstacle::Kind) => gate.failed(
                format!("policy {name} does not select {resource}s: they are not in match.resources"),
                format!("Add {resource} to spec.match.resources of policy {name}."),
            ),
        }
    }
}

/// Whether a dry run of the object shows what would become of its IDs: that of a workload creates no Pods, and is denied at most.
pub fn is_answered_by_dry_run(view: &View, kind: ObjectKind, namespace: &Namespace) -> bool {
    let mut policies = view.snapshot.policies.iter();
    let effective = policies.find(|one| one.can_be_effective() && selects(one, kind, namespace));
    match kind {
        ObjectKind::Pod | ObjectKind::ConfigMap => true,
        ObjectKind::Template => effective.is_some_and(|policy| policy.mode == Mode::Deny),
        ObjectKind::Secret | ObjectKind::Custom | ObjectKind::Plain => false,
    }
}

/// The name in `match.resources`.
const fn resource_of(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::ConfigMap => "ConfigMap",
        ObjectKind::Pod
        | ObjectKind::Template
        | ObjectKind::Secret
        | ObjectKind::Custom
        | ObjectKind::Plain => "Pod",
    }
}

/// Whether the policy changes or denies what it selects.
pub(super) fn action_gate(policy: &Policy, has_reported: bool) -> GateResult {
    let gate = Gate::PolicyActs;
    let (name, mode) = (&policy.name, policy.mode);
    match mode {
        Mode::DryRun => gate.failed(
            format!("policy {name} is in mode DryRun, which reports and changes nothing"),
            format!("Set spec.mode: Rewrite in policy {name}."),
        ),
        Mode::Rewrite | Mode::Deny if has_reported && policy.references == References::Report => {
            gate.failed(
                format!("policy {name} only reports IDs from ConfigMaps: references is Report"),
                format!("Set spec.references: Resolve in policy {name}, or rewrite the ConfigMap."),
            )
        }
        Mode::Rewrite => gate.passed("mode Rewrite"),
        Mode::Deny => gate.passed("mode Deny: it denies, and rewrites nothing"),
    }
}
