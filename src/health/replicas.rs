//! The Lease, and what each replica publishes: the metrics of its admin port.

use jiff::Timestamp;
use serde_json::Value;

use super::check::{Check, CheckResult};
use super::replica_metrics::ReplicaMetrics;
use super::resources::ResourceState;
use super::unread::{Reading, Unread, array, known, string};

/// After this many seconds without a renewal, no replica leads: the leader renews every two seconds, and another replica takes the
/// Lease after 15. The rest is for clocks that differ.
const LEASE_SECONDS: i64 = 60;

/// The seconds before the expiry of a certificate from which on it is a warning, as in the alert `BedrockProfilesCertificateExpiresSoon`.
const CERTIFICATE_SECONDS: i64 = 4 * 60 * 60;

/// How many objects of a kind have a series of their own, see the metric `active_generation`.
const MAX_SERIES: usize = 24;

/// A running Pod of the release.
#[derive(Debug, Clone)]
pub struct ReplicaPod {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// What its admin port publishes.
    pub metrics: Reading<ReplicaMetrics>,
}

/// The Lease as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseState {
    /// The replica that holds it; empty if none does.
    pub holder: String,
    /// When it was renewed last, by the clock of the holder.
    pub renewed: Option<Timestamp>,
}

impl ReplicaPod {
    /// The name, the image and the admin port of a running Pod; `None` for one that is not running or ends.
    pub fn running(pod: &Value) -> Option<(String, String, u16)> {
        let is_running =
            pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null();
        let containers = pod["spec"]["containers"].as_array()?;
        let mut ports = containers
            .iter()
            .filter_map(|one| one["ports"].as_array())
            .flatten();
        let port = ports.find(|port| port["name"] == "admin")?["containerPort"].as_u64()?;
        let port = u16::try_from(port).ok().filter(|_| is_running)?;
        Some((string(&pod["metadata"]["name"]), image_of(pod), port))
    }
}

impl LeaseState {
    /// Reads a Lease.
    pub fn of(lease: &Value) -> Self {
        let spec = &lease["spec"];
        Self {
            holder: string(&spec["holderIdentity"]),
            renewed: spec["renewTime"]
                .as_str()
                .and_then(|time| time.parse().ok()),
        }
    }
}

/// The image of the program in a Pod.
fn image_of(pod: &Value) -> String {
    let containers = array(&pod["spec"]["containers"]);
    let webhook = containers.iter().find(|one| one["name"] == "webhook");
    webhook.map(|one| string(&one["image"])).unwrap_or_default()
}

/// Whether a replica holds the Lease.
pub(super) fn check_lease(lease: &Reading<Option<LeaseState>>, now: Timestamp) -> CheckResult {
    let check = Check::LeaseHeld;
    let hint = "The log of the replicas has the error, mostly a missing right on the Lease; docs/runbook.md, BedrockProfilesNoLeader.";
    known(check, lease.as_ref().map_err(Unread::clone).map(|lease| {
        let Some(lease) = lease else {
            return check.failed("the Lease of the release does not exist", "Create it again: `helm upgrade`.");
        };
        if lease.holder.is_empty() {
            return check.failed("no replica holds the Lease", hint);
        }
        let age = lease.renewed.map(|renewed| now.as_second() - renewed.as_second());
        match age {
            Some(age) if age <= LEASE_SECONDS => check.passed(format!("{} leads", lease.holder)),
            Some(age) => check.failed(
                format!("{} has not renewed the Lease for {age} seconds, by the clock of this machine", lease.holder),
                hint,
            ),
            None => check.failed(format!("{} has never renewed the Lease", lease.holder), hint),
        }
    }))
}

/// Whether the certificate of each replica is valid for long enough.
pub(super) fn check_certificates(pods: &Reading<Vec<ReplicaPod>>, now: Timestamp) -> CheckResult {
    let check = Check::ServingCertificates;
    let hint = "The log of the replicas has the error; docs/runbook.md, BedrockProfilesCertificateExpiresSoon.";
    let mut first: Option<i64> = None;
    let result = each(pods, |pod, metrics| {
        let Some(until) = metrics.certificate_until else {
            return Some(check.failed(format!("replica {} has no certificate", pod.name), hint));
        };
        let left = until - now.as_second();
        first = Some(first.map_or(left, |first| first.min(left)));
        if left <= 0 {
            return Some(check.failed(
                format!("the certificate of replica {} has expired", pod.name),
                hint,
            ));
        }
        (left < CERTIFICATE_SECONDS).then(|| {
            check.warning(
                format!(
                    "the certificate of replica {} expires in {}",
                    pod.name,
                    duration(left)
                ),
                hint,
            )
        })
    });
    known(
        check,
        result.map(|found| {
            found.unwrap_or_else(|| {
                let left = first.map(duration).unwrap_or_default();
                check.passed(format!(
                    "the first one expires in {left}, and is renewed before"
                ))
            })
        }),
    )
}

/// Whether each replica uses the newest generation of each valid policy and mapping.
pub(super) fn check_agreement(
    pods: &Reading<Vec<ReplicaPod>>,
    kinds: [(&str, &Reading<Vec<ResourceState>>); 2],
) -> CheckResult {
    let check = Check::ReplicasAgree;
    let result = || {
        let mut expected = Vec::new();
        for (kind, objects) in kinds {
            let objects = objects.as_ref().map_err(Unread::clone)?;
            let is_complete = objects.len() <= MAX_SERIES;
            let valid = objects.iter().filter(|object| object.is_accepted());
            expected.extend(valid.map(|object| (kind, object, is_complete)));
        }
        each(pods, |pod, metrics| {
            expected.iter().find_map(|(kind, object, is_complete)| {
                let (name, generation) = (&object.name, object.generation);
                let used = match metrics.generation(kind, name) {
                    Some(used) if used == generation => return None,
                    Some(used) => format!("uses generation {used}"),
                    None if *is_complete => "uses no generation".to_owned(),
                    None => return None,
                };
                Some(check.failed(
                    format!("replica {} {used} of {kind} {name}, which has generation {generation}", pod.name),
                    "Run the check again after some seconds. If it fails again, keep the log of the replica and delete its Pod; docs/runbook.md, BedrockProfilesReplicasOutOfSync.",
                ))
            })
        })
    };
    known(
        check,
        result().map(|found| {
            found.unwrap_or_else(|| check.passed("each uses the newest policies and mappings"))
        }),
    )
}

/// Whether each webhook configuration has the configured rules and trusts the current CAs, as the leader observes it.
pub(super) fn check_trust(pods: &Reading<Vec<ReplicaPod>>) -> CheckResult {
    let check = Check::WebhooksTrust;
    let result = || {
        let (mut has_leader, mut count) = (false, 0);
        let found = each(pods, |pod, metrics| {
            if !metrics.is_leader {
                return None;
            }
            (has_leader, count) = (true, metrics.webhooks.len());
            let mut webhooks = metrics.webhooks.iter();
            let (inactive, _) = webhooks.find(|(_, is_active)| !**is_active)?;
            Some(check.failed(
                format!("{inactive} does not trust the current CAs, or has other rules, and the leader {} has not corrected it", pod.name),
                "The log of the leader has the error of the write: mostly a missing right, or another field manager; docs/runbook.md, BedrockProfilesWebhookInactive.",
            ))
        })?;
        match found {
            Some(found) => Ok(found),
            None if has_leader => Ok(check.passed(format!(
                "the leader observes {count} active webhook configurations"
            ))),
            None => Err(Unread::because_of(Check::LeaseHeld)),
        }
    };
    known(check, result())
}

/// The first problem of a replica: a failure before a warning. Without one, every replica must have been read.
fn each(
    pods: &Reading<Vec<ReplicaPod>>,
    mut problem: impl FnMut(&ReplicaPod, &ReplicaMetrics) -> Option<CheckResult>,
) -> Result<Option<CheckResult>, Unread> {
    let pods = pods.as_ref().map_err(Unread::clone)?;
    if pods.is_empty() {
        return Err(Unread::because_of(Check::ReplicasReady));
    }
    let (mut unread, mut found) = (None, None::<CheckResult>);
    for pod in pods {
        match &pod.metrics {
            Ok(metrics) => {
                let new = problem(pod, metrics);
                let is_worse = new.as_ref().is_some_and(CheckResult::is_failed);
                if found.is_none() || is_worse {
                    found = new.or(found);
                }
            }
            Err(error) => unread = Some(error.clone()),
        }
    }
    match (found, unread) {
        (None, Some(unread)) => Err(unread),
        (found, _) => Ok(found),
    }
}

/// A number of seconds in hours or days.
pub(super) fn duration(seconds: i64) -> String {
    let hours = seconds / 3600;
    match hours {
        0 => format!("{} minutes", seconds / 60),
        1..48 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::check::CheckState;
    use super::*;

    use super::super::replica_metrics::SAMPLE as TEXT;

    const POLICY: &str = "InferenceProfilePolicy";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn pod(text: &str) -> ReplicaPod {
        ReplicaPod {
            name: "one".to_owned(),
            image: String::new(),
            metrics: Ok(ReplicaMetrics::parse(text)),
        }
    }

    fn policy(generation: i64) -> ResourceState {
        ResourceState::of(&json!({
            "metadata": {"name": "default", "generation": generation},
            "status": {"conditions": [{"type": "Accepted", "status": "True"}]}}))
    }

    fn agreement(pods: &Reading<Vec<ReplicaPod>>, generation: i64) -> CheckState {
        check_agreement(
            pods,
            [
                (POLICY, &Ok(vec![policy(generation)])),
                ("X", &Ok(Vec::new())),
            ],
        )
        .state
    }

    #[test]
    fn only_a_running_pod_with_an_admin_port_is_a_replica() {
        let pod = |phase: &str, port: &str| {
            json!({"metadata": {"name": "one"}, "status": {"phase": phase},
            "spec": {"containers": [{"name": "webhook", "image": "i", "ports": [{"name": port, "containerPort": 8080}]}]}})
        };
        let found = ReplicaPod::running(&pod("Running", "admin")).unwrap();
        assert_eq!(found, ("one".to_owned(), "i".to_owned(), 8080));
        assert_eq!(ReplicaPod::running(&pod("Pending", "admin")), None);
        assert_eq!(ReplicaPod::running(&pod("Running", "other")), None);
    }

    #[test]
    fn a_certificate_expires_soon_or_has_expired() {
        let state = |now| check_certificates(&Ok(vec![pod(TEXT)]), at(now)).state;
        assert_eq!(state(100_000 - CERTIFICATE_SECONDS), CheckState::Passed);
        assert_eq!(state(100_001 - CERTIFICATE_SECONDS), CheckState::Warning);
        assert_eq!(state(100_000), CheckState::Failed);
        assert_eq!(
            check_certificates(&Ok(vec![pod("")]), at(0)).state,
            CheckState::Failed
        );
    }

    #[test]
    fn replicas_agree_with_the_stored_generations() {
        assert_eq!(agreement(&Ok(vec![pod(TEXT)]), 2), CheckState::Passed);
        assert_eq!(agreement(&Ok(vec![pod(TEXT)]), 3), CheckState::Failed);
        assert_eq!(agreement(&Ok(vec![pod("")]), 2), CheckState::Failed);
    }

    #[test]
    fn the_leader_observes_inactive_webhooks() {
        assert_eq!(check_trust(&Ok(vec![pod(TEXT)])).state, CheckState::Passed);
        let inactive = TEXT.replace("webhook=\"w\"} 1", "webhook=\"w\"} 0");
        assert_eq!(
            check_trust(&Ok(vec![pod(&inactive)])).state,
            CheckState::Failed
        );
        let follower = TEXT.replace("leader 1", "leader 0");
        assert_eq!(
            check_trust(&Ok(vec![pod(&follower)])).state,
            CheckState::Unknown
        );
    }

    #[test]
    fn a_replica_that_cannot_be_read_is_no_proof() {
        let unread = || Unread::forbidden(&"get pods/proxy");
        let mut some = vec![pod(TEXT)];
        some.push(ReplicaPod {
            metrics: Err(unread()),
            ..some[0].clone()
        });
        assert_eq!(agreement(&Ok(some.clone()), 2), CheckState::Unknown);
        assert_eq!(agreement(&Ok(some), 3), CheckState::Failed);
        assert_eq!(agreement(&Err(unread()), 2), CheckState::Unknown);
        assert_eq!(agreement(&Ok(Vec::new()), 2), CheckState::Unknown);
    }

    #[test]
    fn the_lease_is_held_and_renewed() {
        let lease = |holder: &str, renewed: &str| {
            let spec = json!({"spec": {"holderIdentity": holder, "renewTime": renewed}});
            Ok(Some(LeaseState::of(&spec)))
        };
        let now: Timestamp = "2026-11-30T10:01:00Z".parse().unwrap();
        let state = |lease: Reading<Option<LeaseState>>| check_lease(&lease, now).state;
        assert_eq!(
            state(lease("one", "2026-11-30T10:00:00.000000Z")),
            CheckState::Passed
        );
        assert_eq!(
            state(lease("one", "2026-11-30T09:59:59.000000Z")),
            CheckState::Failed
        );
        assert_eq!(state(lease("one", "")), CheckState::Failed);
        assert_eq!(
            state(lease("", "2026-11-30T10:00:00.000000Z")),
            CheckState::Failed
        );
        assert_eq!(state(Ok(None)), CheckState::Failed);
    }

    #[test]
    fn durations_are_in_minutes_hours_or_days() {
        assert_eq!(duration(1_800), "30 minutes");
        assert_eq!(duration(86_000), "23 hours");
        assert_eq!(duration(90 * 86_400), "90 days");
    }
}
