use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::DynamicObject;
use serde_json::json;

use super::{ClusterEvent, ClusterState, Observed};
use crate::cluster::watch::{Event, WatchError};
use crate::domain::policy::Namespace;
use crate::domain::region::Region;

fn policy(generation: i64, spec: &serde_json::Value) -> ClusterEvent {
    ClusterEvent::Policy(Event::Apply(observed(
        "InferenceProfilePolicy",
        "default",
        generation,
        spec,
    )))
}

fn observed<W: serde::de::DeserializeOwned>(
    kind: &str,
    name: &str,
    generation: i64,
    spec: &serde_json::Value,
) -> (Box<str>, Arc<Observed<W>>) {
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "uid": "1", "generation": generation}, "spec": spec,
    }))
    .unwrap();
    Observed::read(object)
}

fn node(name: &str, region: Option<&str>) -> ClusterEvent {
    let region = region.map(|region| Region::parse(region).unwrap());
    ClusterEvent::Node(Event::Apply((name.into(), region)))
}

fn config_map_event(
    generation: u64,
    event: Result<Event<Box<ConfigMap>>, WatchError>,
) -> ClusterEvent {
    ClusterEvent::ConfigMap { generation, event }
}

fn config_map(data: &serde_json::Value) -> Box<ConfigMap> {
    let map = json!({"metadata": {"name": "models", "namespace": "ml"}, "data": data});
    Box::new(serde_json::from_value(map).unwrap())
}

/// A cluster of which everything has been listed, and there is nothing.
fn empty() -> ClusterState {
    let mut cluster = ClusterState::new(true);
    for event in [
        ClusterEvent::Mapping(Event::InitDone),
        ClusterEvent::Policy(Event::InitDone),
        ClusterEvent::Namespace(Event::InitDone),
        ClusterEvent::Node(Event::InitDone),
    ] {
        assert!(!cluster.is_complete() && cluster.view(None).is_none());
        cluster.apply(event);
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
    cluster.apply(ClusterEvent::Namespace(Event::Apply((
        "ml".into(),
        namespace,
    ))));
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
    assert!(cluster.custom_resources().unwrap().complete);
    let namespace = Arc::new(Namespace::named("ml"));
    cluster.apply(ClusterEvent::Namespace(Event::Apply((
        "ml".into(),
        namespace,
    ))));
    assert!(cluster.view(Some(&view)).is_some() && cluster.custom_resources().is_none());
    cluster.apply(policy(1, &json!({})));
    assert!(cluster.view(Some(&view)).is_some());
    let objects = cluster.custom_resources().unwrap();
    assert!(objects.policies.contains_key("default"));
    let generation = cluster.config_map_generation().unwrap();
    cluster.apply(config_map_event(generation, Err(WatchError::Forbidden)));
    assert!(cluster.view(Some(&view)).is_some());
    assert!(cluster.custom_resources().unwrap().references_denied);
    cluster.apply(config_map_event(generation, Ok(Event::Init)));
    assert!(cluster.view(Some(&view)).is_none(), "a list only begins");
    let map = config_map(&json!({}));
    cluster.apply(config_map_event(generation, Ok(Event::Apply(map))));
    assert!(cluster.view(Some(&view)).is_some());
    assert!(!cluster.custom_resources().unwrap().references_denied);
}

#[test]
fn a_policy_that_becomes_invalid_keeps_its_last_valid_form() {
    let mut cluster = empty();
    cluster.apply(policy(1, &json!({"priority": 7})));
    cluster.apply(policy(2, &json!({"priority": "high"})));
    assert!(
        cluster
            .current_custom_resources()
            .invalid_policies
            .contains_key("default")
    );
    let view = cluster.view(None).unwrap();
    assert_eq!(view.snapshot.policies[0].priority, 7);

    cluster.apply(policy(3, &json!({"geography": {"allowed": ["global"]}})));
    let problem = cluster.current_custom_resources().invalid_policies["default"].to_string();
    assert!(problem.contains("spec.geography.allowed"), "{problem}");
    cluster.apply(policy(4, &json!({"priority": 8})));
    assert!(
        cluster
            .current_custom_resources()
            .invalid_policies
            .is_empty()
    );
    assert_eq!(cluster.view(None).unwrap().snapshot.policies[0].priority, 8);

    let gone = observed("InferenceProfilePolicy", "default", 4, &json!({}));
    cluster.apply(ClusterEvent::Policy(Event::Delete(gone)));
    assert!(cluster.view(None).unwrap().snapshot.policies.is_empty());
}

#[test]
fn an_invalid_object_affects_no_other() {
    let mut cluster = empty();
    let kind = "InferenceProfilePolicy";
    cluster.apply(ClusterEvent::Policy(Event::Init));
    cluster.apply(ClusterEvent::Policy(Event::InitApply(observed(
        kind,
        "bad",
        1,
        &json!({"mode": "Maybe"}),
    ))));
    cluster.apply(ClusterEvent::Policy(Event::InitApply(observed(
        kind,
        "good",
        1,
        &json!({}),
    ))));
    cluster.apply(ClusterEvent::Policy(Event::InitDone));
    let view = cluster.view(None).unwrap();
    assert_eq!(view.snapshot.policies.len(), 1);
    assert!(
        cluster.current_custom_resources().invalid_policies["bad"]
            .to_string()
            .contains("Maybe")
    );
}

#[test]
fn the_clusters_region_is_the_one_that_all_labelled_nodes_say() {
    let mut cluster = empty();
    let mut region = |event: Vec<ClusterEvent>| {
        for event in event {
            cluster.apply(event);
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
    let gone = ClusterEvent::Node(Event::Delete(("c".into(), None)));
    assert_eq!(region(vec![gone]).as_deref(), Some("eu-west-1"));
}

#[test]
fn config_maps_are_followed_while_a_policy_looks_at_them_and_anew_for_other_vendors() {
    let mut cluster = empty();
    assert_eq!(cluster.config_map_generation(), None);
    assert!(cluster.has_references());
    cluster.apply(policy(
        1,
        &json!({"replacements": [{"from": "acme.one-v1:0", "to": "acme.two-v1:0"}]}),
    ));
    let has_words = |cluster: &mut ClusterState| {
        let view = cluster.view(None).unwrap();
        view.config_maps.in_namespace("ml").have_words()
    };
    assert!(!has_words(&mut cluster));
    let generation = cluster.config_map_generation().unwrap();
    assert!(!cluster.has_references(), "asked for and not yet there");
    let map = || config_map(&json!({"MODEL": "acme.one-v1:0"}));
    cluster.apply(config_map_event(generation, Ok(Event::Init)));
    cluster.apply(config_map_event(generation, Ok(Event::InitApply(map()))));
    cluster.apply(config_map_event(generation, Ok(Event::InitDone)));
    assert!(cluster.has_references());
    assert!(has_words(&mut cluster));

    cluster.apply(policy(
        2,
        &json!({"replacements": [{"from": "other.one-v1:0", "to": "other.two-v1:0"}]}),
    ));
    assert!(
        has_words(&mut cluster),
        "what is known stays until the next list is complete"
    );
    let next = cluster.config_map_generation().unwrap();
    assert_ne!(generation, next);
    cluster.apply(config_map_event(generation, Ok(Event::Delete(map()))));
    cluster.apply(config_map_event(next, Ok(Event::Init)));
    cluster.apply(config_map_event(next, Ok(Event::InitApply(map()))));
    cluster.apply(config_map_event(next, Ok(Event::InitDone)));
    assert!(
        !has_words(&mut cluster),
        "no mapping has that vendor any more"
    );

    cluster.apply(policy(3, &json!({"references": "Off"})));
    assert_eq!(cluster.config_map_generation(), None);
}

#[test]
fn config_maps_are_read_anew_for_other_aliases() {
    let mut cluster = empty();
    let model = json!({"models": [{"modelId": "acme.one-v1:0", "aliases": ["one"]}]});
    cluster.apply(ClusterEvent::Mapping(Event::Apply(observed(
        "InferenceProfileMapping",
        "models",
        1,
        &model,
    ))));
    let mut generation_under = |generation, spec: serde_json::Value| {
        cluster.apply(policy(generation, &spec));
        cluster.view(None).unwrap();
        cluster.config_map_generation().unwrap()
    };
    let off = generation_under(1, json!({}));
    let on = generation_under(2, json!({"models": {"aliases": {"enabled": true}}}));
    assert_ne!(off, on);
    let names = json!({"models": {"aliases": {"enabled": true, "envNames": ["MODEL"]}}});
    assert_eq!(
        generation_under(3, names),
        on,
        "the names are asked for each time"
    );
    assert_ne!(generation_under(4, json!({})), on);
}

#[test]
fn config_maps_without_permission_delay_no_review() {
    let mut cluster = empty();
    cluster.apply(policy(1, &json!({})));
    cluster.view(None).unwrap();
    let generation = cluster.config_map_generation().unwrap();
    cluster.apply(config_map_event(generation, Err(WatchError::Other)));
    assert!(!cluster.has_references());
    cluster.apply(config_map_event(generation, Err(WatchError::Forbidden)));
    assert!(cluster.has_references() && cluster.current_custom_resources().references_denied);
    assert!(!cluster.view(None).unwrap().config_maps.are_complete());
}
