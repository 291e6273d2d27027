//! The audits of a leader: their results in the status of policies, reports, events and metrics, with the RBAC of the release.

use anyhow::{Result, ensure};
use bedrock_profiles::cluster::rbac::Switch;
use serde_json::{Value, json};

use super::{
    super::product::{asking, list},
    Planted, planted, workload,
};
use crate::{
    exposition, open_reports,
    process::wait_for,
    release::{Chart, NAME, Release, Replica},
    world::World,
};

/// The maximum number of series of a replica.
const MAX_SERIES: usize = 500;

/// Audits every two seconds, without a limit of objects each second.
const FLAGS: &[&str] = &[
    "--audit-every=2s",
    "--audit-settle=1s",
    "--audit-pace=0",
    "--events-on-owners=true",
];

/// A release whose leader audits planted objects.
struct LeaderAudit<'w> {
    world: &'w World,
    apps: String,
    replica: Replica,
}

pub(super) fn writes_its_results(world: &World) -> Result<()> {
    world.apply(&open_reports::definitions()?)?;
    let release = Release::install(
        world,
        &Chart {
            on: &[Switch::DEFAULTS, &[Switch::EventsOnOwners]].concat(),
            ..Chart::default()
        },
    )?;
    let apps = world.neighbour("apps")?;
    let planted = Planted::of(&apps, 22);
    world.create_in(&apps, &list(planted.objects.iter().cloned()))?;
    let mut chat = workload("apps", "Deployment", "chat", planted::SONNET, "us-west-2");
    chat["spec"]["replicas"] = json!(2);
    world.create_in(&apps, &chat.to_string())?;
    wait_for("the Pods of the Deployment", || {
        let args = [
            "get",
            "pods",
            "-l",
            "app=chat",
            "-o",
            "name",
            "--namespace",
            &apps,
        ];
        let output = world.kubectl(&args, None)?;
        Ok((output.stdout.lines().count() == 2).then_some(()))
    })?;

    let replica = release.start_ready("one", FLAGS)?;
    release.wait_until_active()?;
    let audit = LeaderAudit {
        world,
        apps,
        replica,
    };
    audit.writes_a_report()?;
    audit.writes_the_status_of_the_policy(&planted)?;
    audit.creates_events()?;
    audit.sets_metrics()?;
    audit.keeps_an_unchanged_report()?;
    audit.reports_a_missed_pod()?;
    audit.keeps_results_when_a_list_fails()?;
    audit.deletes_an_empty_report()
}

impl LeaderAudit<'_> {
    fn report(&self) -> Result<Option<Value>> {
        let args = [
            "get",
            "reports.openreports.io",
            NAME,
            "-o",
            "json",
            "--namespace",
            &self.apps,
        ];
        let output = self.world.kubectl(&args, None)?;
        output
            .ok
            .then(|| Ok(serde_json::from_str(&output.stdout)?))
            .transpose()
    }

    fn wait_for_report(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        wait_for(what, || Ok(self.report()?.filter(|report| wanted(report))))
    }

    fn policy(&self) -> Result<Value> {
        self.world.get("inferenceprofilepolicy", "default")
    }

    fn wait_for_policy(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        wait_for(what, || {
            Ok(Some(self.policy()?).filter(|policy| wanted(policy)))
        })
    }

    /// The report has two findings of each seed, as a ConfigMap and as a Pod, and the Deployment. The API server validates it
    /// with the real definition, and the release's `ClusterRole` owns it.
    fn writes_a_report(&self) -> Result<()> {
        let counts = json!({"pass": 0, "fail": 8, "error": 0, "warn": 21, "skip": 4});
        let report =
            self.wait_for_report("a report of all findings", |one| one["summary"] == counts)?;
        let owner = &report["metadata"]["ownerReferences"][0];
        assert_eq!(
            (&owner["kind"], &owner["name"]),
            (&json!("ClusterRole"), &json!(NAME))
        );
        let of_chat = report["results"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|one| one["resources"][0]["name"] == "chat");
        let of_chat: Vec<_> = of_chat.collect();
        ensure!(of_chat.len() == 1, "{of_chat:?}");
        assert_eq!(of_chat[0]["properties"]["instances"], "3");
        let none = self
            .world
            .kubectl(&["get", "reports.openreports.io", "-o", "name"], None)?;
        assert_eq!(none.stdout, "", "the release's namespace is skipped");
        Ok(())
    }

    fn writes_the_status_of_the_policy(&self, planted: &Planted) -> Result<()> {
        let findings = planted.findings.len() + 1;
        let policy = self.wait_for_policy("an audit in the status", |policy| {
            policy["status"]["lastAudit"]["findings"] == findings
        })?;
        let last = &policy["status"]["lastAudit"];
        assert_eq!(last["byReason"]["OptedOut"], 4);
        assert_eq!(last["byReason"]["OnlyGlobalServes"], 4);
        ensure!(last["scanned"].as_u64() >= Some(47), "{last}");
        Ok(())
    }

    fn creates_events(&self) -> Result<()> {
        let events = |namespace: &str, kind: &str| -> Result<Vec<Value>> {
            let selector = format!("regarding.kind={kind}");
            let args = [
                "get",
                "events.v1.events.k8s.io",
                "-o",
                "json",
                "--namespace",
                namespace,
            ];
            let output = self.world.kubectl(&args, None)?.success(&selector)?;
            let list: Value = serde_json::from_str(&output.stdout)?;
            let all = list["items"].as_array().cloned().unwrap_or_default();
            let ours = |event: &Value| {
                event["regarding"]["kind"] == kind
                    && event["reportingController"] == "bedrock-profiles.dev/audit"
            };
            Ok(all.into_iter().filter(ours).collect())
        };
        wait_for("an event on the policy", || {
            let events = events("default", "InferenceProfilePolicy")?;
            Ok(events
                .iter()
                .any(|one| one["reason"] == "AuditCompleted")
                .then_some(()))
        })?;
        let on_pods = wait_for("events on Pods with unavailable models", || {
            let events = events(&self.apps, "Pod")?;
            Ok((events.len() >= 4).then_some(events))
        })?;
        for event in on_pods {
            assert_eq!(
                (&event["type"], &event["reason"]),
                (&json!("Warning"), &json!("ModelUnavailable"))
            );
        }
        Ok(())
    }

    fn sets_metrics(&self) -> Result<()> {
        let metric = |series: &str| self.replica.metric(&format!("bedrock_profiles_{series}"));
        assert_eq!(metric("audit_findings{reason=\"OptedOut\"}")?, Some(4.0));
        ensure!(metric("audits_total{outcome=\"complete\"}")? > Some(0.0));
        assert_eq!(metric("audits_total{outcome=\"incomplete\"}")?, None);
        assert_eq!(metric("audit_writes_total{result=\"failed\"}")?, Some(0.0));
        wait_for("an audit that has read everything", || {
            Ok((metric("audit_objects{}")? >= Some(47.0)).then_some(()))
        })?;
        let answer = self.replica.get("/metrics")?;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let series = exposition::check(body)?;
        ensure!(
            (60..=MAX_SERIES).contains(&series),
            "{series} series:\n{body}"
        );
        Ok(())
    }

    /// An audit with the same findings does not write the report again.
    fn keeps_an_unchanged_report(&self) -> Result<()> {
        let version =
            |report: Option<Value>| report.map(|one| one["metadata"]["resourceVersion"].clone());
        let before = version(self.report()?);
        let time = self.policy()?["status"]["lastAudit"]["time"].clone();
        self.wait_for_policy("another audit", |policy| {
            policy["status"]["lastAudit"]["time"] != time
        })?;
        let time = self.policy()?["status"]["lastAudit"]["time"].clone();
        self.wait_for_policy("and one more", |policy| {
            policy["status"]["lastAudit"]["time"] != time
        })?;
        assert_eq!(version(self.report()?), before);
        Ok(())
    }

    /// A Pod that is stored unchanged while the policy is ready.
    fn reports_a_missed_pod(&self) -> Result<()> {
        let (kind, name) = (
            "mutatingwebhookconfiguration",
            "webhook-pods.bedrock-profiles.dev",
        );
        let mut entry = self.world.get(kind, name)?;
        entry["metadata"] = json!({"name": name});
        let since =
            json!({"status": {"inForceSince": self.policy()?["metadata"]["creationTimestamp"]}})
                .to_string();
        let args = [
            "patch",
            "ipp",
            "default",
            "--subresource=status",
            "--type=merge",
            "-p",
            &since,
        ];
        self.world.kubectl(&args, None)?.success("kubectl patch")?;
        self.world
            .kubectl(&["delete", kind, name], None)?
            .success("kubectl delete")?;
        let stored = wait_for("a Pod that is stored unchanged", || {
            let pod = asking(
                &format!("missed-{:08x}", fastrand::u32(..)),
                planted::SONNET,
                "us-west-2",
            );
            self.world.create_in(&self.apps, &pod.to_string())?;
            let name = pod["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let stored = self.world.get_in(&self.apps, "pod", &name)?;
            Ok((stored["metadata"]["annotations"].is_null()).then_some(name))
        })?;
        self.world.apply(&entry.to_string())?;
        let missed = |report: &Value| {
            let results = report["results"].as_array();
            let mut results = results.into_iter().flatten().cloned();
            results.find(|one| one["properties"]["missed"] == "Missed")
        };
        let report = self.wait_for_report("a report of the missed Pod", |report| {
            missed(report).is_some()
        })?;
        let result = missed(&report).unwrap_or_default();
        assert_eq!(
            (&result["result"], &result["resources"][0]["name"]),
            (&json!("fail"), &json!(stored))
        );
        ensure!(
            result["message"].to_string().contains("failed-open"),
            "{result}"
        );
        Ok(())
    }

    /// A forbidden list makes the audit incomplete: the last complete result and the report stay.
    fn keeps_results_when_a_list_fails(&self) -> Result<()> {
        let role = self.world.get("clusterrole", NAME)?;
        let mut less = json!({"apiVersion": role["apiVersion"], "kind": role["kind"], "metadata": {"name": NAME}, "rules": role["rules"]});
        for rule in less["rules"].as_array_mut().into_iter().flatten() {
            if let Some(resources) = rule["resources"].as_array_mut() {
                resources.retain(|resource| resource != "pods");
            }
        }
        self.world.apply(&less.to_string())?;
        let condition = |policy: &Value| {
            let conditions = policy["status"]["conditions"].as_array();
            let mut conditions = conditions.into_iter().flatten().cloned();
            conditions.find(|one| one["type"] == "AuditIncomplete")
        };
        let policy = self.wait_for_policy("the condition", |policy| condition(policy).is_some())?;
        let condition_now = condition(&policy).unwrap_or_default();
        ensure!(
            condition_now["message"]
                .to_string()
                .contains("pods: forbidden"),
            "{condition_now}"
        );
        let last = policy["status"]["lastAudit"].clone();
        ensure!(last["findings"].as_u64() > Some(30), "{last}");
        assert_eq!(self.policy()?["status"]["lastAudit"], last);
        ensure!(self.report()?.is_some());
        less["rules"] = role["rules"].clone();
        self.world.apply(&less.to_string())?;
        self.wait_for_policy("the condition to go", |policy| condition(policy).is_none())?;
        Ok(())
    }

    fn deletes_an_empty_report(&self) -> Result<()> {
        let args = [
            "delete",
            "configmaps,pods,deployments",
            "--all",
            "--wait=false",
            "--namespace",
            &self.apps,
        ];
        self.world.kubectl(&args, None)?.success("kubectl delete")?;
        wait_for("the report to go", || {
            Ok(self.report()?.is_none().then_some(()))
        })
    }
}
