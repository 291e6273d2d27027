//! The gates of one object, from what was read and evaluated.

use jiff::Timestamp;

use crate::audit::last_reviewed_write;
use crate::domain::judge::Inspection;
use crate::domain::kinds::BuiltInKind;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::{ConfigMapRewrite, Mode, Policy};
use crate::domain::trackers::Tracking;

use super::gate::{Gate, GateResult};
use super::ids::IdExplanation;
use super::input::{LiveObject, WhyInput};
use super::selection::{SelectingPolicy, action_gate};
use super::webhook::ReviewingWebhook;

/// The annotation of the kubelet's own Pods.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What the gates of an object are decided from.
pub(super) struct GateFacts<'a, 't> {
    pub(super) object: &'a Object<'t>,
    pub(super) kind: Option<&'static BuiltInKind>,
    pub(super) kind_name: &'a str,
    pub(super) input: &'a WhyInput,
    pub(super) selection: SelectingPolicy,
    pub(super) policy: &'a Policy,
    pub(super) inspection: &'a Inspection<'t>,
    pub(super) ids: &'a [IdExplanation],
}

impl GateFacts<'_, '_> {
    /// The webhook that decides about the object.
    pub(super) fn webhook(&self) -> Option<ReviewingWebhook> {
        ReviewingWebhook::of(self.object.kind, self.kind, self.policy.mode)
    }

    /// Whether the object is the template of Pods, which the webhook rewrites in its place.
    pub(super) fn is_for_its_pods(&self) -> bool {
        self.object.kind == ObjectKind::Template && self.policy.mode != Mode::Deny
    }

    /// Whether the IDs were rewritten, so that how they came through matters no more.
    fn is_rewritten(&self) -> bool {
        self.ids.iter().any(|one| one.rewritten_from.is_some())
    }

    /// The results of all gates that concern the object, in their order.
    pub(super) fn gates(&self) -> Vec<GateResult> {
        let kind = self.kind_gate();
        if kind.is_failed() {
            return vec![kind];
        }
        let mut gates = vec![kind];
        gates.extend(self.webhook_gates());
        let namespace = &self.input.namespace;
        let selects = self
            .selection
            .gate(self.policy, self.object.kind, namespace);
        let is_selected = !selects.is_failed();
        gates.push(selects);
        if is_selected {
            let has_reported = self.ids.iter().any(|one| one.report_only);
            gates.push(action_gate(self.policy, has_reported));
            gates.extend(self.time_gate());
        }
        gates.extend(self.controller_gate());
        gates.extend(self.config_map_gates());
        gates.push(self.opt_out_gate());
        if !self.ids.is_empty() {
            gates.push(self.region_gate());
            gates.push(self.profile_gate());
        }
        gates
    }

    fn kind_gate(&self) -> GateResult {
        let gate = Gate::KindReviewed;
        let kind = self.kind_name;
        if self.object.kind == ObjectKind::Pod && self.object.annotation(MIRROR).is_some() {
            return gate.failed(
                "it is a mirror Pod, which belongs to the kubelet",
                "Write the profile into the file of the static Pod on its node.",
            );
        }
        match (self.webhook(), self.object.kind) {
            (Some(_), _) if self.is_for_its_pods() => {
                gate.passed(format!("the webhook reviews the Pods of a {kind}"))
            }
            (Some(_), _) => gate.passed(format!("the webhook reviews {kind}s")),
            (None, ObjectKind::Secret) => gate.failed(
                "the webhook does not review Secrets; audits of files report their IDs",
                "Move the ID from the Secret to a variable or a ConfigMap, or write the profile into the Secret.",
            ),
            (None, _) => gate.failed(
                format!("the webhook does not review objects of the kind {kind}"),
                format!("None is needed where a controller makes Pods or ConfigMaps from it: `bedrock-profiles why Pod/NAME` explains these. Else write the profile into the {kind}."),
            ),
        }
    }

    fn webhook_gates(&self) -> Vec<GateResult> {
        let Some(webhook) = self.webhook() else {
            return Vec::new();
        };
        let mut known = self.input.configurations.iter();
        let gates = match known.find(|(of, _)| *of == webhook) {
            Some((_, lookup)) => {
                lookup.gates(webhook, self.kind, self.object, &self.input.namespace)
            }
            None => vec![Gate::WebhookExists.unknown("no cluster was read")],
        };
        let is_shown = self.input.dry_run.shows_a_call();
        let proven = |one: GateResult| match one.change {
            None if is_shown => one
                .gate
                .passed("the API server calls the webhook in the dry run"),
            _ => one,
        };
        gates.into_iter().map(proven).collect()
    }

    /// Whether a stored object was written after the policy took effect. That of a template does not matter: its Pods are written
    /// later.
    fn time_gate(&self) -> Option<GateResult> {
        let live = self.input.live.as_ref()?;
        let is_acting = self.policy.can_be_effective();
        if !is_acting || self.is_for_its_pods() || self.is_rewritten() {
            return None;
        }
        let gate = Gate::WrittenAfterPolicy;
        let written = last_reviewed_write(self.object, self.policy.mode);
        let Some(written) = written else {
            return Some(gate.unknown("the object has no time of its creation"));
        };
        Some(match self.policy_time(live) {
            Err(unknown) => gate.unknown(unknown),
            Ok(since) => self.compared(written, since, live),
        })
    }

    /// When the policy took effect, or why that is not known.
    fn policy_time(&self, live: &LiveObject) -> Result<Timestamp, String> {
        let since = live.ready_since.as_ref();
        let since = since.ok_or("the policy is not one of the cluster")?;
        let name = &self.policy.name;
        let no_time = || format!("policy {name} has no effect yet: its status has no inForceSince");
        since.get(name).copied().ok_or_else(no_time)
    }

    fn compared(&self, written: Timestamp, since: Timestamp, live: &LiveObject) -> GateResult {
        let gate = Gate::WrittenAfterPolicy;
        let name = &self.policy.name;
        // Timestamps of the API server have whole seconds.
        let (at, ready) = (written.as_second(), since.as_second());
        if at < ready {
            return gate.failed(
                format!("it was written at {written}, before policy {name} took effect at {since}"),
                self.write_again(),
            );
        }
        let changed = live.namespace_changed;
        if at == ready {
            gate.unknown(format!(
                "it was written at {written}, in the second in which policy {name} took effect"
            ))
        } else if let Some(changed) = changed.filter(|changed| changed.as_second() >= at) {
            gate.unknown(format!("its namespace was changed later, at {changed}; its labels and annotations may have been others"))
        } else {
            gate.passed(format!("written at {written}, in effect since {since}"))
        }
    }

    /// How an object is written again.
    pub(super) fn write_again(&self) -> String {
        match (self.object.kind, self.object.controller()) {
            (ObjectKind::Pod, Some((kind, name))) => format!(
                "Let {kind} {name} create the Pod again: delete the Pod, or `kubectl rollout restart` the workload."
            ),
            (ObjectKind::Pod, None) => {
                "Create the Pod again: nothing but its creation is rewritten.".to_owned()
            }
            (ObjectKind::ConfigMap, _) => {
                "Update the ConfigMap, for instance by an annotation: an update is rewritten, too."
                    .to_owned()
            }
            _ => "Create the object again.".to_owned(),
        }
    }

    /// Whether a controller owns the object, where that decides: a ConfigMap of a controller is tracked, and mode `Deny` denies only
    /// what users apply.
    fn controller_gate(&self) -> Option<GateResult> {
        let gate = Gate::NoController;
        let policy = &self.policy.name;
        let controller = self.object.controller();
        let is_tracked = matches!(self.inspection.tracking, Some(Tracking::Controller { .. }));
        match (controller, self.object.kind) {
            (Some((kind, name)), ObjectKind::ConfigMap) if is_tracked => Some(gate.failed(
                format!("its controller {kind} {name} owns it, and would undo the change"),
                format!("Write the profile where {kind} {name} has the ID; or set spec.configMaps.rewrite: All in policy {policy}."),
            )),
            (Some((kind, name)), ObjectKind::Pod | ObjectKind::Template)
                if self.policy.mode == Mode::Deny =>
            {
                Some(gate.failed(
                    format!("its controller {kind} {name} owns it, and mode Deny denies only what users apply"),
                    format!("Write the profile into the workload of {kind} {name}; or set spec.mode: Rewrite in policy {policy}."),
                ))
            }
            (Some((kind, name)), ObjectKind::Pod) => Some(gate.passed(format!(
                "{kind} {name} owns it; Pods of controllers are rewritten"
            ))),
            (None, ObjectKind::Pod | ObjectKind::ConfigMap) => {
                Some(gate.passed("no controller owns it"))
            }
            _ => None,
        }
    }

    /// The gates that only ConfigMaps have.
    fn config_map_gates(&self) -> Vec<GateResult> {
        if self.object.kind != ObjectKind::ConfigMap {
            return Vec::new();
        }
        let policy = &self.policy.name;
        let mutable = if self.inspection.immutable {
            Gate::Mutable.failed(
                "the ConfigMap is immutable",
                "Create a ConfigMap of another name with the profile, and refer to that one; an immutable one is never changed.",
            )
        } else {
            Gate::Mutable.passed("it is not immutable")
        };
        let gate = Gate::Untracked;
        let untracked = match &self.inspection.tracking {
            None if self.policy.rewrite_config_maps == ConfigMapRewrite::All => {
                gate.passed(format!("policy {policy} rewrites tracked ConfigMaps, too"))
            }
            None => gate.passed("no tracker applies it"),
            Some(Tracking::Controller { .. }) => gate.passed("only its controller tracks it"),
            Some(tracking) => gate.failed(
                tracking.to_string(),
                format!("Write the profile into the source that the tracker applies (`bedrock-profiles fix`); or set spec.configMaps.rewrite: All in policy {policy}."),
            ),
        };
        vec![mutable, untracked]
    }
}
