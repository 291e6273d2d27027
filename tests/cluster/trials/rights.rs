//! That the account of a release may do what a release does and nothing else: by what the API server saw of it.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use bedrock_profiles::cluster::{
    rbac::{self, Switch},
    release::ReleaseNames,
};
use serde_json::{Value, json};

use super::product::{ONLY_GLOBAL, asking};
use crate::{
    open_reports,
    process::wait_for,
    release::{Chart, NAME, Release},
    trial::{Trial, alone},
    world::World,
};

/// An audit every two seconds, without a pause between pages.
const FLAGS: &[&str] = &["--audit-every=2s", "--audit-settle=1s", "--audit-pace=0"];

pub(super) fn trials() -> Vec<Trial> {
    vec![alone(
        "every_right_is_needed_and_none_is_missing",
        every_right_is_needed_and_none_is_missing,
    )]
}

/// One way to install, and the flags that go with it.
struct Phase {
    on: Vec<Switch>,
    policy: Value,
    flags: &'static [&'static str],
}

/// What one rule of a role grants, taken apart: one verb on one resource, and on objects of one name where it has names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    verb: String,
    group: String,
    /// With its subresource.
    resource: String,
    /// `None` is everywhere.
    namespace: Option<String>,
    /// `None` is every name.
    name: Option<String>,
}

/// What was asked of the API server, as far as a grant can speak of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Request {
    verbs: Vec<String>,
    group: String,
    resource: String,
    namespace: String,
    name: String,
}

impl Phase {
    /// A right that is contained in another is needed only where the other is switched off, so each is tried without what
    /// contains it.
    fn all() -> [Self; 3] {
        let without = |off: &[Switch]| -> Vec<Switch> {
            let on = Switch::DEFAULTS.iter().copied();
            on.filter(|switch| !off.contains(switch)).collect()
        };
        [
            Self {
                on: Switch::DEFAULTS.to_vec(),
                policy: json!({"mode": "Rewrite"}),
                flags: &[],
            },
            Self {
                on: [without(&[Switch::References]), vec![Switch::EventsOnOwners]].concat(),
                policy: json!({"mode": "Rewrite", "references": "Off"}),
                flags: &["--events-on-owners=true"],
            },
            Self {
                on: without(&[Switch::References, Switch::AuditConfigMaps]),
                policy: json!({"mode": "DryRun", "references": "Off"}),
                flags: &["--audit-config-maps=false"],
            },
        ]
    }

    fn grants(&self, installation: &ReleaseNames) -> Vec<Grant> {
        let objects = rbac::objects(rbac::TABLE, &self.on, installation);
        objects.iter().flat_map(granted).collect()
    }
}

impl Grant {
    fn permits(&self, request: &Request) -> bool {
        let limited_to =
            |limit: &Option<String>, to: &String| limit.as_ref().is_none_or(|one| one == to);
        request.verbs.contains(&self.verb)
            && self.group == request.group
            && self.resource == request.resource
            && limited_to(&self.namespace, &request.namespace)
            && limited_to(&self.name, &request.name)
    }
}

impl Request {
    /// A line of the audit log. Who creates by applying needs the right to create beside the one to patch.
    fn of(event: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &event["objectRef"];
        let mut verbs = vec![text(&event["verb"])];
        if verbs == ["patch"] && event["responseStatus"]["code"] == 201 {
            verbs.push("create".to_owned());
        }
        let resource = match object["subresource"].as_str() {
            Some(sub) => format!("{}/{sub}", text(&object["resource"])),
            None => text(&object["resource"]),
        };
        Self {
            verbs,
            group: text(&object["apiGroup"]),
            resource,
            namespace: text(&object["namespace"]),
            name: text(&object["name"]),
        }
    }
}

fn every_right_is_needed_and_none_is_missing(world: &World) -> Result<()> {
    world.apply(&open_reports::definitions()?)?;
    let apps = world.neighbour("apps")?;
    let installation = ReleaseNames {
        namespace: world.namespace().to_owned(),
        name: NAME.to_owned(),
    };
    let (mut granted, mut needed) = (BTreeSet::new(), BTreeSet::new());
    let mut count = 0;
    for phase in Phase::all() {
        run_phase(world, &apps, &phase)?;
        let events = requests_of_release(world)?;
        let requests: BTreeSet<_> = events[count..].iter().map(Request::of).collect();
        count = events.len();
        let grants = phase.grants(&installation);
        for request in &requests {
            needed.extend(only_permission(&grants, request));
        }
        granted.extend(grants);
    }
    let spare: Vec<_> = granted.difference(&needed).collect();
    ensure!(spare.is_empty(), "granted and not needed: {spare:#?}");
    Ok(())
}

/// A release from its first replica to its last, with a finding that comes and goes, and a change of the chart's policy.
fn run_phase(world: &World, apps: &str, phase: &Phase) -> Result<()> {
    let chart = Chart {
        policy: phase.policy.clone(),
        failure_policy: "Ignore", // between two phases nobody answers
        on: &phase.on,
        ..Chart::default()
    };
    let pod = asking("cannot-work", ONLY_GLOBAL, "sa-east-1");
    world.create_in(apps, &pod.to_string())?;
    let release = Release::install(world, &chart)?;
    let replica = release.start_ready("one", &[FLAGS, phase.flags].concat())?;
    release.wait_until_active()?;
    wait_for_report(world, apps, true)?;
    wait_for_events(world, apps, phase)?;
    let args = ["delete", "pod", "cannot-work", "--now", "--namespace", apps];
    world.kubectl(&args, None)?.success("kubectl delete")?;
    wait_for_report(world, apps, false)?;
    replica.end()?;
    // The next phase begins with its own policy, and asks for nothing that only this one's wants. One that is deleted comes
    // back only where the chart's wish differs.
    let args = ["delete", "ipp", "default"];
    world.kubectl(&args, None)?.success("kubectl delete")?;
    Ok(())
}

fn wait_for_report(world: &World, apps: &str, wanted: bool) -> Result<()> {
    let args = [
        "get",
        "reports.openreports.io",
        NAME,
        "-o",
        "name",
        "--namespace",
        apps,
    ];
    wait_for(&format!("a report to be there: {wanted}"), || {
        requests_of_release(world)?;
        Ok((world.kubectl(&args, None)?.ok == wanted).then_some(()))
    })
}

/// On policies always, on the Pod where they are switched on.
fn wait_for_events(world: &World, apps: &str, phase: &Phase) -> Result<()> {
    let namespace = if phase.on.contains(&Switch::EventsOnOwners) {
        apps
    } else {
        "default"
    };
    wait_for(&format!("an event in {namespace}"), || {
        let requests_of_release = requests_of_release(world)?;
        let mut requests = requests_of_release.iter().map(Request::of);
        let made =
            requests.any(|request| request.resource == "events" && request.namespace == namespace);
        Ok(made.then_some(()))
    })
}

/// What the service account of the release has asked for, none of which was refused.
fn requests_of_release(world: &World) -> Result<Vec<Value>> {
    let user = format!("system:serviceaccount:{}:{NAME}", world.namespace());
    let mut events = world.plane().audit_events(&user)?;
    events.retain(|event| event["user"]["username"] == user);
    let refused = events
        .iter()
        .find(|event| event["responseStatus"]["code"] == 403);
    ensure!(
        refused.is_none(),
        "not granted, and asked for: {refused:#?}"
    );
    Ok(events)
}

/// The grants of a role, as the API server reads them.
fn granted(role: &Value) -> Vec<Grant> {
    let namespace = role["metadata"]["namespace"].as_str();
    let mut grants = Vec::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        let names = match rule["resourceNames"].as_array() {
            Some(_) => texts(&rule["resourceNames"])
                .into_iter()
                .map(Some)
                .collect(),
            None => vec![None],
        };
        for resource in texts(&rule["resources"]) {
            for verb in texts(&rule["verbs"]) {
                grants.extend(names.iter().map(|name| Grant {
                    verb: verb.clone(),
                    group: texts(&rule["apiGroups"]).concat(),
                    resource: resource.clone(),
                    namespace: namespace.map(str::to_owned),
                    name: name.clone(),
                }));
            }
        }
    }
    grants
}

fn texts(list: &Value) -> Vec<String> {
    let all = list.as_array().into_iter().flatten();
    all.filter_map(|one| one.as_str().map(str::to_owned))
        .collect()
}

/// For each verb that a request needs, its grant where there is no other: without it the request would be refused.
fn only_permission(grants: &[Grant], request: &Request) -> Vec<Grant> {
    let of = |verb: &String| {
        let mut permitting = grants
            .iter()
            .filter(|grant| grant.verb == *verb && grant.permits(request));
        permitting
            .next()
            .filter(|_| permitting.next().is_none())
            .cloned()
    };
    request.verbs.iter().filter_map(of).collect()
}
