//! What the API server counts and logs, so that no client can claim more than happened.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{process::wait_for, world::World};

/// The sum of the API server's series that contain all of these parts.
pub(crate) fn counter(world: &World, parts: &[&str]) -> Result<f64> {
    let metrics = world
        .kubectl(&["get", "--raw", "/metrics"], None)?
        .success("kubectl get --raw")?;
    let counts = metrics
        .stdout
        .lines()
        .filter(|line| line.starts_with(parts[0]) && parts.iter().all(|part| line.contains(part)));
    counts
        .map(|line| {
            let count = line.rsplit(' ').next().context("a metric has a value")?;
            Ok(count.parse::<f64>()?)
        })
        .sum()
}

/// How many Pods the API server has created in these namespaces by its audit log, once there are at least as many as the clients
/// count. A line is written after the response; that of a create whose API server was killed is `missing`.
pub(crate) fn created_pods(
    world: &World,
    namespaces: &[&str],
    at_least: u32,
    missing: u32,
) -> Result<u32> {
    let of = |event: &Value, namespace: &str| {
        let (object, uri) = (&event["objectRef"], event["requestURI"].as_str());
        event["verb"] == "create"
            && object["resource"] == "pods"
            && object["namespace"] == namespace
            && event["responseStatus"]["code"] == 201
            && uri.is_some_and(|uri| !uri.contains("dryRun"))
    };
    wait_for("the creates in the audit log", || {
        let mut created = 0;
        for namespace in namespaces {
            let events = world.plane().audit_events(namespace)?;
            let events = events.iter().filter(|event| of(event, namespace));
            created += u32::try_from(events.count())?;
        }
        Ok((created + missing >= at_least).then_some(created))
    })
}
