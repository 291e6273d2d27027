//! In which order workloads are restarted so that their Pods are created anew, and their IDs replaced. Nothing is restarted here.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::outdated_pods::OutdatedPod;
use crate::domain::policy::Selector;
use crate::validate;

/// A workload, or a Pod without a controller, by kind, namespace and name; the API group distinguishes kinds of one name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadName {
    /// Namespace.
    pub namespace: Box<str>,
    /// API group; empty for the core group.
    pub group: Box<str>,
    /// Kind.
    pub kind: Box<str>,
    /// Name.
    pub name: Box<str>,
}

/// What a workload is restarted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartMethod {
    /// `kubectl rollout restart` of this resource.
    Rollout(&'static str),
    /// `kubectl argo rollouts restart`.
    ArgoRollout,
    /// No command replaces its Pods one after the other; this is why, and what to do.
    ByHand(&'static str),
}

/// A disruption budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisruptionBudget {
    /// Namespace.
    pub namespace: Box<str>,
    /// Name.
    pub name: Box<str>,
    /// How many Pods may be disrupted now; 0 if its controller has not computed it.
    pub allowed: u64,
    selector: Selector,
}

/// What the restart of a workload depends on, from the stored object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkloadState {
    /// Whether its rollouts are paused.
    is_paused: bool,
    /// Whether it replaces Pods only after they are deleted.
    is_on_delete: bool,
    /// Whether its rollouts keep the Pods below an ordinal.
    is_partitioned: bool,
    /// How many Pods a rollout makes unavailable at once.
    at_once: u64,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// The workload.
    pub workload: WorkloadName,
    /// How it is restarted.
    pub method: RestartMethod,
    /// Its Pods with IDs that the restart changes.
    pub pods: usize,
    /// How many Pods its rollout makes unavailable at once; `None` if it has no rollout.
    pub at_once: Option<u64>,
    /// The budgets of its Pods: name, and how many Pods may be disrupted now.
    pub budgets: Vec<(Box<str>, u64)>,
}

/// The steps, in the order in which they are to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RestartPlan {
    /// Restarts that keep to the budgets.
    pub restarts: Vec<Restart>,
    /// Restarts that would exceed a budget now.
    pub postponed: Vec<Restart>,
    /// Workloads that no command restarts.
    pub by_hand: Vec<Restart>,
    /// How many Pods have IDs to change, and no webhook that is known to review their creation.
    pub unreviewed: usize,
}

impl WorkloadName {
    /// The workload of a Pod: its topmost owner, or itself.
    pub fn of(pod: &OutdatedPod) -> Self {
        let namespace = pod.namespace.clone();
        let Some(owner) = &pod.owner else {
            return Self {
                namespace,
                group: "".into(),
                kind: "Pod".into(),
                name: pod.name.clone(),
            };
        };
        let group = owner.api_version.split_once('/');
        Self {
            namespace,
            group: group.map_or("", |(group, _)| group).into(),
            kind: owner.kind.clone(),
            name: owner.name.clone(),
        }
    }

    /// The plural name of the resource if its state decides about the restart; all are of the group `apps`, version `v1`.
    pub fn plural(&self) -> Option<&'static str> {
        match (&*self.group, &*self.kind) {
            ("apps", "Deployment") => Some("deployments"),
            ("apps", "StatefulSet") => Some("statefulsets"),
            ("apps", "DaemonSet") => Some("daemonsets"),
            _ => None,
        }
    }

    fn method(&self, state: Option<WorkloadState>) -> RestartMethod {
        use RestartMethod::{ArgoRollout, ByHand, Rollout};
        let resource = match (&*self.group, &*self.kind) {
            ("apps", "Deployment") => "deployment",
            ("apps", "StatefulSet") => "statefulset",
            ("apps", "DaemonSet") => "daemonset",
            ("argoproj.io", "Rollout") => return ArgoRollout,
            ("", "Pod") => {
                return ByHand("no controller creates it again: delete it and create it again");
            }
            ("batch", "Job") => return ByHand("its Pods end by themselves"),
            ("batch", "CronJob") => return ByHand("its next Job has the replaced IDs"),
            ("apps", "ReplicaSet") | ("", "ReplicationController") => {
                return ByHand("delete its Pods one after the other");
            }
            _ => return ByHand("restart it as its controller documents"),
        };
        match state {
            None => ByHand("it cannot be read, so how it is updated is unknown"),
            Some(state) if state.is_paused => ByHand("its rollouts are paused: resume them first"),
            Some(state) if state.is_on_delete => {
                ByHand("its update strategy is OnDelete: delete its Pods one after the other")
            }
            Some(state) if state.is_partitioned => ByHand(
                "its update strategy has a partition, below which a rollout keeps the Pods: set it to 0 first",
            ),
            Some(_) => Rollout(resource),
        }
    }
}

impl DisruptionBudget {
    /// The budget in the JSON of a `policy/v1` object; `None` if it has no selector, and so no Pods, or one that is not valid.
    pub fn of(object: &Value) -> Option<Self> {
        let (metadata, status) = (&object["metadata"], &object["status"]);
        let selector = object["spec"]
            .get("selector")
            .filter(|one| !one.is_null())?;
        let selector: LabelSelector = serde_json::from_value(selector.clone()).ok()?;
        let is_current = status["observedGeneration"].as_i64() >= metadata["generation"].as_i64();
        let allowed = status["disruptionsAllowed"].as_u64().filter(|_| is_current);
        Some(Self {
            namespace: metadata["namespace"].as_str()?.into(),
            name: metadata["name"].as_str()?.into(),
            allowed: allowed.unwrap_or_default(),
            selector: validate::label_selector("the selector", &selector).ok()?,
        })
    }

    fn selects(&self, pod: &OutdatedPod) -> bool {
        let label = |key: &str| pod.labels.get(key).map(|value| &**value);
        self.namespace == pod.namespace && self.selector.matches(label)
    }
}

impl WorkloadState {
    /// The state of a `Deployment`, `StatefulSet` or `DaemonSet` in its JSON. The API server sets the defaults of all fields that are read.
    pub fn of(object: &Value) -> Self {
        let spec = &object["spec"];
        let is_daemon_set = object["kind"] == "DaemonSet";
        let pods = if is_daemon_set {
            object["status"]["desiredNumberScheduled"].as_u64()
        } else {
            spec["replicas"].as_u64()
        };
        let pods = pods.unwrap_or(1);
        let is_deployment = object["kind"] == "Deployment";
        let strategy = &spec[if is_deployment {
            "strategy"
        } else {
            "updateStrategy"
        }];
        let rolling = &strategy["rollingUpdate"];
        let share = |field: &str, default, rounds_up| {
            resolved(&rolling[field], pods, rounds_up).unwrap_or(default)
        };
        let at_once = if strategy["type"] == "Recreate" {
            pods
        } else if is_deployment {
            // As the Deployment's controller resolves them: if both come to zero, one Pod may be unavailable.
            let surge = share("maxSurge", 0, true);
            share("maxUnavailable", 0, false).max(u64::from(surge == 0))
        } else if is_daemon_set {
            share("maxUnavailable", 1, true)
        } else {
            share("maxUnavailable", 1, false).max(1)
        };
        Self {
            is_paused: spec["paused"] == true,
            is_on_delete: strategy["type"] == "OnDelete",
            is_partitioned: rolling["partition"].as_u64() > Some(0),
            at_once: at_once.min(pods),
        }
    }
}

/// A number of Pods, or a percentage of `pods`.
fn resolved(value: &Value, pods: u64, rounds_up: bool) -> Option<u64> {
    if let Some(number) = value.as_u64() {
        return Some(number);
    }
    let percentage: u64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    let hundredths = pods.checked_mul(percentage)?;
    Some(if rounds_up {
        hundredths.div_ceil(100)
    } else {
        hundredths / 100
    })
}

impl RestartPlan {
    /// The plan for these Pods. Workloads whose state is absent from `states` could not be read.
    ///
    /// A rollout does not consult budgets: it is restrained by its own strategy alone. So a workload is restarted if its strategy
    /// keeps to each budget of its Pods, those with the most room first, and else postponed.
    pub fn new(
        pods: &[OutdatedPod],
        budgets: &[DisruptionBudget],
        states: &BTreeMap<WorkloadName, WorkloadState>,
    ) -> Self {
        let mut by_workload: BTreeMap<WorkloadName, Vec<&OutdatedPod>> = BTreeMap::new();
        for pod in pods.iter().filter(|pod| pod.is_reviewed) {
            let workload = WorkloadName::of(pod);
            by_workload.entry(workload).or_default().push(pod);
        }
        let mut plan = Self {
            unreviewed: pods.iter().filter(|pod| !pod.is_reviewed).count(),
            ..Self::default()
        };
        for (workload, pods) in by_workload {
            let state = states.get(&workload).copied();
            let selecting = budgets
                .iter()
                .filter(|one| pods.iter().any(|pod| one.selects(pod)));
            let method = workload.method(state);
            let restart = Restart {
                method,
                pods: pods.len(),
                at_once: match method {
                    RestartMethod::Rollout(_) => state.map(|state| state.at_once),
                    RestartMethod::ArgoRollout | RestartMethod::ByHand(_) => None,
                },
                budgets: selecting
                    .map(|one| (one.name.clone(), one.allowed))
                    .collect(),
                workload,
            };
            match method {
                RestartMethod::ByHand(_) => plan.by_hand.push(restart),
                _ if restart.exceeds().is_some() => plan.postponed.push(restart),
                RestartMethod::Rollout(_) | RestartMethod::ArgoRollout => {
                    plan.restarts.push(restart);
                }
            }
        }
        plan.restarts
            .sort_by_key(|one| std::cmp::Reverse(one.room()));
        plan
    }

    /// Whether there is nothing to restart.
    pub const fn is_empty(&self) -> bool {
        self.restarts.is_empty() && self.postponed.is_empty() && self.by_hand.is_empty()
    }
}

impl Restart {
    /// The budget that the restart would exceed now.
    pub fn exceeds(&self) -> Option<&(Box<str>, u64)> {
        // How many Pods a foreign controller takes down is unknown: one at least.
        let at_once = self.at_once.unwrap_or(1);
        self.budgets.iter().find(|(_, allowed)| *allowed < at_once)
    }

    /// The number of Pods that the strictest budget allows to be disrupted.
    fn room(&self) -> u64 {
        let allowed = self.budgets.iter().map(|(_, allowed)| *allowed);
        allowed.min().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests;
