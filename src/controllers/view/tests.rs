use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::DynamicObject;
use serde_json::json;

use super::{Cluster, Told, Written};
use crate::cluster::watch::{Change, Trouble};
use crate::domain::policy::Namespace;
use crate::domain::region::Region;

fn policy(generation: i64, spec: &serde_json::Value) -> Told {
    Told::Policy(Change::Applied(written(
        "InferenceProfilePolicy",
        "default",
        generation,
        spec,
    )))
}

fn written<W: serde::de::DeserializeOwned>(
    kind: &str,
    name: &str,
    generation: i64,
    spec: &serde_json::Value,
) -> (Box<str>, Arc<Written<W>>) {
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "uid": "1", "generation": generation}, "spec": spec,
    }))
    .unwrap();
    Written::read(object)
}

fn node(name: &str, region: Option<&str>) -> Told {
    let region = region.map(|region| Region::parse(region).unwrap());
    Told::Node(Change::Applied((name.into(), region)))
}

fn config_map(data: &serde_json::Value) -> Box<ConfigMap> {
    let map = json!({"metadata": {"name": "models", "namespace": "ml"}, "data": data});
    Box::new(serde_json::from_value(map).unwrap())
}

/// A cluster of which everything has been listed, and there is nothing.
fn empty() -> Cluster {
    let mut cluster = Cluster::new(true);
    for told in [
        Told::Mapping(Change::Complete),
        Told::Policy(Change::Complete),
        Told::Namespace(Change::Complete),
        Told::Node(Change::Complete),
    ] {
        assert!(!cluster.is_complete() && cluster.view(None).is_none());
        cluster.take(told);
    }
    assert!(cluster.is_complete());
    cluster
}

#[test]
fn a_view_is_made_when_everything_has_been_listed_and_again_when_something_changed() {
    let mut cluster = empty();
    let view = cluster.view(None).unwrap();
    assert!(cluster.view(Some(&view)).is_none(), "nothing changed");
    let namespace = Arc::new(Namespace::named("ml"));
    cluster.take(Told::Namespace(Change::Applied(("ml".into(), namespace))));
    let next = cluster.view(Some(&view)).unwrap();
    assert!(next.namespace("ml").is_some() && next.namespace("web").is_none());
    assert!(
        Arc::ptr_eq(&view.snapshot, &next.snapshot),
        "no rule changed"
    );
}

#[test]
fn custom_resources_are_handed_out_again_only_where_they_are_others() {
    let mut cluster = empty();
    let view = cluster.view(None).unwrap();
    assert!(cluster.objects().unwrap().complete);
    let namespace = Arc::new(Namespace::named("ml"));
    cluster.take(Told::Namespace(Change::Applied(("ml".into(), namespace))));
    assert!(cluster.view(Some(&view)).is_some() && cluster.objects().is_none());
    cluster.take(policy(1, &json!({})));
    assert!(cluster.view(Some(&view)).is_some());
    let objects = cluster.objects().unwrap();
    assert!(objects.policies.contains_key("default"));
    let era = cluster.config_maps_era().unwrap();
    cluster.take(Told::ConfigMap(era, Err(Trouble::Denied)));
    assert!(cluster.view(Some(&view)).is_some());
    assert!(cluster.objects().unwrap().references_denied);
    cluster.take(Told::ConfigMap(era, Ok(Change::Restarted)));
    assert!(cluster.view(Some(&view)).is_none(), "a list only begins");
    let map = config_map(&json!({}));
    cluster.take(Told::ConfigMap(era, Ok(Change::Applied(map))));
    assert!(cluster.view(Some(&view)).is_some());
    assert!(!cluster.objects().unwrap().references_denied);
}

#[test]
fn a_policy_that_turns_bad_stays_in_force_as_it_was() {
    let mut cluster = empty();
    cluster.take(policy(1, &json!({"priority": 7})));
    cluster.take(policy(2, &json!({"priority": "high"})));
    assert!(cluster.policies().invalid().contains_key("default"));
    let view = cluster.view(None).unwrap();
    assert_eq!(view.snapshot.policies[0].priority, 7);

    cluster.take(policy(3, &json!({"geography": {"allowed": ["global"]}})));
    let problem = cluster.policies().invalid()["default"].to_string();
    assert!(problem.contains("spec.geography.allowed"), "{problem}");
    cluster.take(policy(4, &json!({"priority": 8})));
    assert!(cluster.policies().invalid().is_empty());
    assert_eq!(cluster.view(None).unwrap().snapshot.policies[0].priority, 8);

    let gone = written("InferenceProfilePolicy", "default", 4, &json!({}));
    cluster.take(Told::Policy(Change::Deleted(gone)));
    assert!(cluster.view(None).unwrap().snapshot.policies.is_empty());
}

#[test]
fn a_bad_object_is_nobody_elses_trouble() {
    let mut cluster = empty();
    let kind = "InferenceProfilePolicy";
    cluster.take(Told::Policy(Change::Restarted));
    cluster.take(Told::Policy(Change::Listed(written(
        kind,
        "bad",
        1,
        &json!({"mode": "Maybe"}),
    ))));
    cluster.take(Told::Policy(Change::Listed(written(
        kind,
        "good",
        1,
        &json!({}),
    ))));
    cluster.take(Told::Policy(Change::Complete));
    let view = cluster.view(None).unwrap();
    assert_eq!(view.snapshot.policies.len(), 1);
    assert!(
        cluster.policies().invalid()["bad"]
            .to_string()
            .contains("Maybe")
    );
}

#[test]
fn the_clusters_region_is_the_one_that_all_labelled_nodes_say() {
    let mut cluster = empty();
    let mut region = |told: Vec<Told>| {
        for told in told {
            cluster.take(told);
        }
        let view = cluster.view(None).unwrap();
        view.cluster_region.map(|region| region.to_string())
    };
    assert_eq!(region(vec![node("a", None)]), None);
    assert_eq!(
        region(vec![node("b", Some("eu-west-1"))]).as_deref(),
        Some("eu-west-1")
    );
    assert_eq!(region(vec![node("c", Some("us-east-1"))]), None);
    let gone = Told::Node(Change::Deleted(("c".into(), None)));
    assert_eq!(region(vec![gone]).as_deref(), Some("eu-west-1"));
}

#[test]
fn config_maps_are_followed_while_a_policy_looks_at_them_and_anew_for_other_vendors() {
    let mut cluster = empty();
    assert_eq!(cluster.config_maps_era(), None);
    assert!(cluster.has_references());
    cluster.take(policy(
        1,
        &json!({"replacements": [{"from": "acme.one-v1:0", "to": "acme.two-v1:0"}]}),
    ));
    let seen = |cluster: &mut Cluster| {
        let view = cluster.view(None).unwrap();
        view.references.in_namespace("ml").have_words()
    };
    assert!(!seen(&mut cluster));
    let era = cluster.config_maps_era().unwrap();
    assert!(!cluster.has_references(), "asked for and not yet there");
    let map = || config_map(&json!({"MODEL": "acme.one-v1:0"}));
    cluster.take(Told::ConfigMap(era, Ok(Change::Restarted)));
    cluster.take(Told::ConfigMap(era, Ok(Change::Listed(map()))));
    cluster.take(Told::ConfigMap(era, Ok(Change::Complete)));
    assert!(cluster.has_references());
    assert!(seen(&mut cluster));

    cluster.take(policy(
        2,
        &json!({"replacements": [{"from": "other.one-v1:0", "to": "other.two-v1:0"}]}),
    ));
    assert!(
        seen(&mut cluster),
        "what is known stays until the next list is complete"
    );
    let next = cluster.config_maps_era().unwrap();
    assert_ne!(era, next);
    cluster.take(Told::ConfigMap(era, Ok(Change::Deleted(map()))));
    cluster.take(Told::ConfigMap(next, Ok(Change::Restarted)));
    cluster.take(Told::ConfigMap(next, Ok(Change::Listed(map()))));
    cluster.take(Told::ConfigMap(next, Ok(Change::Complete)));
    assert!(!seen(&mut cluster), "nobody speaks of that vendor any more");

    cluster.take(policy(3, &json!({"references": "Off"})));
    assert_eq!(cluster.config_maps_era(), None);
}

#[test]
fn config_maps_are_read_anew_for_other_aliases() {
    let mut cluster = empty();
    let model = json!({"models": [{"modelId": "acme.one-v1:0", "aliases": ["one"]}]});
    cluster.take(Told::Mapping(Change::Applied(written(
        "InferenceProfileMapping",
        "models",
        1,
        &model,
    ))));
    let mut era_under = |generation, spec: serde_json::Value| {
        cluster.take(policy(generation, &spec));
        cluster.view(None).unwrap();
        cluster.config_maps_era().unwrap()
    };
    let off = era_under(1, json!({}));
    let on = era_under(2, json!({"models": {"aliases": {"enabled": true}}}));
    assert_ne!(off, on);
    let names = json!({"models": {"aliases": {"enabled": true, "envNames": ["MODEL"]}}});
    assert_eq!(era_under(3, names), on, "the names are asked for each time");
    assert_ne!(era_under(4, json!({})), on);
}

#[test]
fn config_maps_that_may_not_be_read_keep_nobody_waiting() {
    let mut cluster = empty();
    cluster.take(policy(1, &json!({})));
    cluster.view(None).unwrap();
    let era = cluster.config_maps_era().unwrap();
    cluster.take(Told::ConfigMap(era, Err(Trouble::Other)));
    assert!(!cluster.has_references());
    cluster.take(Told::ConfigMap(era, Err(Trouble::Denied)));
    assert!(cluster.has_references() && cluster.is_denied_config_maps());
    assert!(!cluster.view(None).unwrap().references.are_complete());
}
