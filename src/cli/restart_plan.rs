//! `audit --restart-plan`: what restarts the workloads whose Pods have IDs that the webhook would replace, as a shell script to read
//! and to run.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context as _;
use jiff::civil::Date;
use kube::config::Kubeconfig;
use serde_json::Value;

use crate::audit::{
    DisruptionBudget, ListScope, OutdatedPod, Restart, RestartMethod, RestartPlan, WorkloadName,
    WorkloadState,
};
use crate::cluster::list::{ListRequest, Pager};
use crate::report::printable::{counted, printable, wrapped};

use super::cluster_args::ClusterArgs;
use super::console;

/// The start of a line that the shell skips.
const COMMENT: &str = "# ";

/// How long `kubectl rollout status` waits.
const TIMEOUT: &str = "10m";

/// Reads what the restarts of these Pods depend on, and plans them.
pub(super) async fn read(
    pager: &Pager,
    scope: &ListScope,
    pods: &[OutdatedPod],
) -> anyhow::Result<RestartPlan> {
    let budgets = match &scope.namespace {
        Some(namespace) => format!("/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"),
        None => "/apis/policy/v1/poddisruptionbudgets".to_owned(),
    };
    let request = ListRequest {
        path: budgets,
        ..ListRequest::default()
    };
    let budgets: Vec<Value> = pager.collect(&request).await.context(
        "cannot list poddisruptionbudgets, to which the plan has to keep: get the right to list them",
    )?;
    let budgets: Vec<_> = budgets.iter().filter_map(DisruptionBudget::of).collect();
    let mut states = BTreeMap::new();
    let workloads: BTreeSet<_> = pods.iter().map(WorkloadName::of).collect();
    for workload in workloads {
        let Some(plural) = workload.plural() else {
            continue;
        };
        let (namespace, name) = (&workload.namespace, &workload.name);
        let path = format!("/apis/apps/v1/namespaces/{namespace}/{plural}/{name}");
        let found = pager.get(&path).await;
        let found = found.with_context(|| format!("cannot read {plural} {namespace}/{name}"))?;
        if let Some(found) = found {
            let state = WorkloadState::of(&serde_json::from_str(&found)?);
            states.insert(workload, state);
        }
    }
    Ok(RestartPlan::new(pods, &budgets, &states))
}

/// The flags of the cluster that was read, for commands that run later: by then, another context may be the current one.
pub(super) fn pinned(cluster: &ClusterArgs) -> ClusterArgs {
    let kubeconfig = match &cluster.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    // Without a kubeconfig, the cluster is the one that the process runs in.
    let current = || kubeconfig.ok().and_then(|file| file.current_context);
    ClusterArgs {
        context: cluster.context.clone().or_else(current),
        ..cluster.clone()
    }
}

/// The plan as a script: commands for what can be restarted now, and comments for everything else.
pub(super) fn script(plan: &RestartPlan, cluster: &ClusterArgs, today: Date) -> String {
    let mut script = String::from("#!/bin/sh\n");
    let mut comment = |text: &str| comments(&mut script, text);
    comment(&format!("Restart plan of {today}. Nothing was restarted."));
    if plan.unreviewed > 0 {
        comment(&format!(
            "{} with IDs to replace would keep them: no active webhook is known to review the creation of Pods in their namespaces.",
            counted(plan.unreviewed, "Pod")
        ));
    }
    if plan.is_empty() {
        comment("No workload has to be restarted.");
        return script;
    }
    comment(
        "A rollout does not consult disruption budgets. So each one ends before the next begins, and is postponed if its strategy makes \
         more Pods unavailable than a budget allows now.",
    );
    script.push_str("set -eu\n");
    for restart in &plan.restarts {
        let _ = writeln!(script);
        comments(&mut script, &sentence(restart));
        for command in commands(restart, cluster) {
            let _ = writeln!(script, "{command}");
        }
    }
    for restart in &plan.postponed {
        let _ = writeln!(script);
        comments(&mut script, &sentence(restart));
        for command in commands(restart, cluster) {
            // Each line of a command is a comment: a name of a context may have several.
            for line in command.split('\n') {
                let _ = writeln!(script, "{COMMENT}{line}");
            }
        }
    }
    if !plan.by_hand.is_empty() {
        let _ = writeln!(script);
        comments(&mut script, "By hand:");
    }
    for restart in &plan.by_hand {
        comments(&mut script, &sentence(restart));
    }
    script
}

/// Writes a text as comments.
fn comments(script: &mut String, text: &str) {
    let width = console::width().saturating_sub(COMMENT.len());
    for line in wrapped(&printable(text), width, width) {
        let _ = writeln!(script, "{COMMENT}{line}");
    }
}

/// The workload, its Pods, and how it is with its budgets.
fn sentence(restart: &Restart) -> String {
    let WorkloadName {
        namespace,
        kind,
        name,
        ..
    } = &restart.workload;
    let mut sentence = format!(
        "{namespace}/{kind}/{name}: {}",
        counted(restart.pods, "Pod")
    );
    if let RestartMethod::ByHand(what_to_do) = restart.method {
        let _ = write!(sentence, "; {what_to_do}");
        return sentence;
    }
    if let Some(at_once) = restart.at_once {
        let _ = write!(sentence, ", {at_once} unavailable at once");
    }
    for (budget, allowed) in &restart.budgets {
        let _ = write!(sentence, ", budget {budget} allows {allowed}");
    }
    if restart.exceeds().is_some() {
        sentence +=
            "; postponed until its budget allows more: run it now only if its Pods do not work";
    }
    sentence
}

fn commands(restart: &Restart, cluster: &ClusterArgs) -> Vec<String> {
    let mut flags = format!("-n {}", quoted(&restart.workload.namespace));
    if let Some(context) = &cluster.context {
        let _ = write!(flags, " --context {}", quoted(context));
    }
    if let Some(file) = &cluster.kubeconfig {
        let _ = write!(flags, " --kubeconfig {}", quoted(&file.to_string_lossy()));
    }
    let name = quoted(&restart.workload.name);
    match restart.method {
        RestartMethod::Rollout(resource) => vec![
            format!("kubectl rollout restart {resource} {name} {flags}"),
            format!("kubectl rollout status {resource} {name} {flags} --timeout {TIMEOUT}"),
        ],
        RestartMethod::ArgoRollout => vec![
            format!("kubectl argo rollouts restart {name} {flags}"),
            format!("kubectl argo rollouts status {name} {flags} --timeout {TIMEOUT}"),
        ],
        RestartMethod::ByHand(_) => Vec::new(),
    }
}

/// A word of the shell.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/@:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_was_current_is_named_and_stays_in_a_comment() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let config = "{apiVersion: v1, kind: Config, current-context: \"ours\\nrm x\"}";
        std::io::Write::write_all(&mut file, config.as_bytes()).unwrap();
        let mut cluster = ClusterArgs {
            kubeconfig: Some(file.path().to_owned()),
            ..ClusterArgs::default()
        };
        let pinned_cluster = pinned(&cluster);
        assert_eq!(pinned_cluster.context.as_deref(), Some("ours\nrm x"));
        let restart = Restart {
            workload: WorkloadName {
                namespace: "ml".into(),
                group: "apps".into(),
                kind: "Deployment".into(),
                name: "chat".into(),
            },
            method: RestartMethod::Rollout("deployment"),
            pods: 1,
            at_once: Some(1),
            budgets: vec![("chat".into(), 0)],
        };
        let plan = RestartPlan {
            postponed: vec![restart],
            ..RestartPlan::default()
        };
        let script = script(&plan, &pinned_cluster, jiff::civil::date(2026, 12, 1));
        let is_inert = |line: &str| line.is_empty() || line == "set -eu" || line.starts_with('#');
        assert!(script.lines().all(is_inert), "{script}");
        assert!(script.contains("--context 'ours\n# rm x'"), "{script}");
        cluster.context = Some("other".to_owned());
        assert_eq!(pinned(&cluster).context.as_deref(), Some("other"));
    }
}
