use std::collections::BTreeMap;

use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::*;
use crate::cluster::release::{
    CONFIG_MAP_WEBHOOK, POD_UPDATE_WEBHOOK, POD_WEBHOOK, TEMPLATE_WEBHOOK,
};
use crate::cluster::watch::{Event, WatchError};
use crate::controllers::cluster_state::{ClusterEvent, ClusterState};
use crate::controllers::webhook_config::WebhookState;
use crate::domain::view::View;

/// Seconds since 1970.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A cluster and what is known beside it.
struct Rig {
    cluster: ClusterState,
    view: Option<View>,
    webhooks: WebhookStates,
    results: BootstrapResults,
    mappings_changed_at: Option<Timestamp>,
    now: Timestamp,
}

impl Rig {
    /// Everything has been listed, there is nothing, and all webhooks are active.
    fn new() -> Self {
        let mut cluster = ClusterState::new(false);
        cluster.apply(ClusterEvent::Mapping(Event::InitDone));
        cluster.apply(ClusterEvent::Policy(Event::InitDone));
        cluster.apply(ClusterEvent::Namespace(Event::InitDone));
        let active = |applied_at| WebhookState {
            exists: true,
            active: true,
            ca_bundle: Vec::new(),
            applied_at: Some(applied_at),
        };
        let names = [
            (POD_WEBHOOK, 100),
            (CONFIG_MAP_WEBHOOK, 300),
            (TEMPLATE_WEBHOOK, 200),
            // Applies no policy, so no policy waits for it.
            (POD_UPDATE_WEBHOOK, 900),
        ];
        Self {
            cluster,
            view: None,
            webhooks: WebhookStates {
                by_name: BTreeMap::from(names.map(|(name, time)| (name.to_owned(), active(time)))),
                complete: true,
            },
            results: BootstrapResults::default(),
            mappings_changed_at: Some(at(50)),
            now: at(1000),
        }
    }

    fn with_mapping(mut self, name: &str, generation: i64, spec: &Value) -> Self {
        let object = object("InferenceProfileMapping", name, generation, spec);
        self.cluster
            .apply(ClusterEvent::Mapping(Event::Apply(Observed::read(object))));
        self
    }

    fn with_policy(mut self, name: &str, generation: i64, spec: &Value) -> Self {
        let object = object("InferenceProfilePolicy", name, generation, spec);
        self.cluster
            .apply(ClusterEvent::Policy(Event::Apply(Observed::read(object))));
        self
    }

    fn webhook(&mut self, name: &str) -> &mut WebhookState {
        self.webhooks.by_name.get_mut(name).unwrap()
    }

    fn evaluate<T>(&mut self, evaluate: impl FnOnce(StatusInputs<'_>) -> T) -> T {
        if let Some(view) = self.cluster.view(self.view.as_ref()) {
            self.view = Some(view);
        }
        let view = self.view.as_ref().unwrap();
        evaluate(StatusInputs {
            objects: &self.cluster.current_custom_resources(),
            catalog: &view.snapshot.catalog,
            webhooks: &self.webhooks,
            results: &self.results,
            mappings_changed_at: self.mappings_changed_at,
            now: self.now,
        })
    }

    fn mapping(&mut self, name: &str) -> InferenceProfileMappingStatus {
        self.mapping_beside(name, &Stored::default())
    }

    fn mapping_beside(
        &mut self,
        name: &str,
        stored: &Stored<InferenceProfileMappingStatus>,
    ) -> InferenceProfileMappingStatus {
        self.evaluate(|inputs| inputs.mapping(name, &inputs.objects.mappings[name], stored))
    }

    fn policy(&mut self, name: &str) -> InferenceProfilePolicyStatus {
        self.policy_beside(name, &Stored::default())
    }

    fn policy_beside(
        &mut self,
        name: &str,
        stored: &Stored<InferenceProfilePolicyStatus>,
    ) -> InferenceProfilePolicyStatus {
        self.evaluate(|inputs| inputs.policy(name, &inputs.objects.policies[name], stored))
    }
}

fn object(kind: &str, name: &str, generation: i64, spec: &Value) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "uid": "1", "generation": generation}, "spec": spec,
    }))
    .unwrap()
}

/// A mapping of one model with one profile from one region.
fn profile(geography: &str, region: &str) -> Value {
    let routes = json!([{"sourceRegions": [region], "destinationRegions": [region]}]);
    let profile = json!({"id": format!("{geography}.anthropic.claude-x-1"), "geography": geography, "routes": routes});
    json!({"models": [{"modelId": "anthropic.claude-x-1", "profiles": [profile]}]})
}

/// Each condition as `type=status/reason`.
fn summary(conditions: &[Condition]) -> Vec<String> {
    conditions
        .iter()
        .map(|it| format!("{}={}/{}", it.type_, it.status, it.reason))
        .collect()
}

fn message_of(conditions: &[Condition], type_: ConditionType) -> &str {
    &find(conditions, type_).unwrap().message
}

#[test]
fn a_valid_mapping_is_accepted_and_counted() {
    let status = Rig::new()
        .with_mapping("ours", 4, &profile("eu", "eu-west-1"))
        .mapping("ours");
    assert_eq!(
        summary(&status.conditions),
        ["Accepted=True/Valid", "Ready=True/InUse"]
    );
    assert_eq!((status.models, status.profiles), (Some(1), Some(1)));
    assert_eq!(status.observed_generation, Some(4));
    assert_eq!(status.conditions[0].observed_generation, Some(4));
}

#[test]
fn an_invalid_object_reports_every_problem_and_the_active_generation() {
    let bad = json!({"catalogDate": "today", "scannedRegions": ["here"]});
    let mut rig = Rig::new()
        .with_mapping("ours", 3, &profile("eu", "eu-west-1"))
        .with_mapping("ours", 4, &bad);
    let status = rig.mapping("ours");
    assert_eq!(
        summary(&status.conditions),
        [
            "Accepted=False/Invalid",
            "Ready=False/NotAccepted",
            "Stalled=True/NotAccepted"
        ]
    );
    assert_eq!(
        message_of(&status.conditions, ConditionType::Accepted),
        "spec.catalogDate: `today` is not a date: write it as `2026-10-27`; \
         spec.scannedRegions[0]: `here` is not an AWS region: expected a code such as `eu-west-1` or `us-gov-west-1`; \
         generation 3 stays active until the replicas that have read it end: correct the object and apply it again"
    );
    assert_eq!(status.observed_generation, Some(4));

    let never_good = Rig::new().with_mapping("ours", 1, &bad).mapping("ours");
    let message = message_of(&never_good.conditions, ConditionType::Accepted);
    assert!(message.contains("; no generation is active: "), "{message}");
}

#[test]
fn an_unreadable_object_is_not_accepted_and_does_not_affect_others() {
    let mut rig = Rig::new()
        .with_policy("broken", 1, &json!({"mode": "Perhaps"}))
        .with_policy("good", 1, &json!({}));
    let broken = rig.policy("broken");
    assert_eq!(
        summary(&broken.conditions),
        [
            "Accepted=False/Invalid",
            "Ready=False/NotAccepted",
            "Stalled=True/NotAccepted"
        ]
    );
    assert!(message_of(&broken.conditions, ConditionType::Accepted).contains("Perhaps"));
    assert_eq!(broken.in_force_since, None);
    assert_eq!(
        summary(&rig.policy("good").conditions),
        ["Accepted=True/Valid", "Ready=True/Active"]
    );
}

#[test]
fn a_conflict_is_reported_on_the_mapping_of_lower_priority() {
    let mut first = profile("jp", "ap-northeast-1");
    first["priority"] = json!(5);
    first["models"][0]["lifecycle"] = json!({"state": "Legacy"});
    let mut second = profile("apac", "ap-northeast-1");
    second["models"][0]["lifecycle"] = json!({"state": "Active"});
    let mut rig = Rig::new()
        .with_mapping("first", 1, &first)
        .with_mapping("second", 1, &second);
    assert_eq!(
        summary(&rig.mapping("first").conditions),
        ["Accepted=True/Valid", "Ready=True/InUse"]
    );
    assert_eq!(rig.mapping("first").overridden, [""; 0]);
    let second = rig.mapping("second");
    assert_eq!(
        summary(&second.conditions),
        [
            "Accepted=True/Valid",
            "Conflicting=True/TwoGeographies",
            "Ready=True/InUse"
        ]
    );
    let message = message_of(&second.conditions, ConditionType::Conflicting);
    assert!(message.contains("`jp` is used: withdraw one"), "{message}");
    assert_eq!(
        second.overridden,
        ["anthropic.claude-x-1: the lifecycle's state, by `first`"]
    );
}

#[test]
fn a_long_list_of_overridden_rows_ends_with_a_count() {
    let models = |state: &str| {
        let model = |at| json!({"modelId": format!("anthropic.claude-x-{at}"), "lifecycle": {"state": state}});
        (0..150).map(model).collect::<Vec<_>>()
    };
    let overridden = Rig::new()
        .with_mapping("a", 1, &json!({"priority": 1, "models": models("Legacy")}))
        .with_mapping("b", 1, &json!({"models": models("Active")}))
        .mapping("b")
        .overridden;
    assert_eq!(overridden.len(), 100);
    assert_eq!(overridden[99], "and 51 more");
}

#[test]
fn unknown_names_are_reported() {
    let mut rig = Rig::new()
        .with_mapping("ours", 1, &profile("sa", "sa-west-9"))
        .with_policy(
            "asks",
            1,
            &json!({"geography": {"allowed": ["asia"]}, "region": {"default": "eu-west-9"}}),
        );
    let unknown = [
        "UnknownGeographies=True/UnknownName",
        "UnknownRegions=True/UnknownName",
    ];
    assert_eq!(summary(&rig.mapping("ours").conditions)[2..], unknown);
    assert_eq!(summary(&rig.policy("asks").conditions)[2..], unknown);
}

#[test]
fn a_replacement_that_leads_to_an_unknown_model_is_reported_on_its_policy() {
    let pair = json!({"from": "anthropic.claude-x", "to": "anthropic.claude-typo"});
    let status = Rig::new()
        .with_policy("p", 1, &json!({"replacements": [pair]}))
        .policy("p");
    assert_eq!(
        summary(&status.conditions)[2..],
        ["UnknownReplacements=True/UnknownName"]
    );
}

#[test]
fn a_replacement_cycle_is_reported_on_its_policy() {
    let pair = |from: &str, to: &str| json!({"from": from, "to": to});
    let circle = json!({"replacements": [pair("a.one", "a.two"), pair("a.two", "a.one")]});
    let status = Rig::new().with_policy("p", 1, &circle).policy("p");
    assert_eq!(
        summary(&status.conditions)[2..],
        ["ReplacementCycle=True/ReplacementCycle"]
    );
    let message = message_of(&status.conditions, ConditionType::ReplacementCycle);
    assert!(
        message.contains("of a.one") && message.contains("of a.two"),
        "{message}"
    );
}

#[test]
fn a_shadowed_policy_is_reported() {
    let mut rig = Rig::new()
        .with_policy("all", 1, &json!({"mode": "Deny"}))
        .with_policy("never", 1, &json!({"mode": "Rewrite"}))
        .with_policy("trial", 1, &json!({"mode": "DryRun"}));
    assert_eq!(
        summary(&rig.policy("never").conditions)[2..],
        ["Shadowed=True/Shadowed"]
    );
    assert_eq!(summary(&rig.policy("trial").conditions).len(), 2);
    assert_eq!(summary(&rig.policy("all").conditions).len(), 2);
}

#[test]
fn denied_references_are_reported_on_policies_that_resolve_them() {
    let mut rig = Rig::new().with_policy("asks", 1, &json!({})).with_policy(
        "off",
        1,
        &json!({"references": "Off"}),
    );
    let generation = rig.cluster.config_map_generation().unwrap();
    rig.cluster.apply(ClusterEvent::ConfigMap {
        generation,
        event: Err(WatchError::Forbidden),
    });
    assert_eq!(
        summary(&rig.policy("asks").conditions)[2..],
        ["ReferencesDenied=True/Forbidden"]
    );
    assert_eq!(summary(&rig.policy("off").conditions).len(), 2);
}

#[test]
fn readiness_begins_with_the_latest_change_of_any_input() {
    let mut rig = Rig::new()
        .with_policy("pods", 1, &json!({"match": {"resources": ["Pod"]}}))
        .with_policy("all", 1, &json!({}));
    let stored = |second| Stored {
        changed_at: Some(at(second)),
        ..Stored::default()
    };
    let mut since = |name: &str, changed, mappings| {
        rig.mappings_changed_at = Some(at(mappings));
        let status = rig.policy_beside(name, &stored(changed));
        status.in_force_since.map(|since| since.0)
    };
    assert_eq!(
        since("pods", 10, 20),
        Some(at(200)),
        "the last entry for Pods"
    );
    assert_eq!(
        since("all", 10, 20),
        Some(at(300)),
        "the one for ConfigMaps"
    );
    assert_eq!(since("all", 400, 20), Some(at(400)), "its own change");
    assert_eq!(since("all", 400, 500), Some(at(500)), "that of a mapping");
}

#[test]
fn a_policy_is_not_ready_while_a_webhook_that_it_needs_is_inactive() {
    let mut rig = Rig::new()
        .with_policy("pods", 1, &json!({"match": {"resources": ["Pod"]}}))
        .with_policy("maps", 1, &json!({"match": {"resources": ["ConfigMap"]}}));
    rig.webhook(CONFIG_MAP_WEBHOOK).active = false;
    let maps = rig.policy("maps");
    assert_eq!(summary(&maps.conditions)[1], "Ready=False/WebhookInactive");
    assert_eq!(maps.in_force_since, None);
    assert_eq!(
        message_of(&maps.conditions, ConditionType::Ready),
        "inactive webhook configurations: webhook-configmaps.bedrock-profiles.dev"
    );
    assert_eq!(
        summary(&rig.policy("pods").conditions)[1],
        "Ready=True/Active"
    );
    rig.webhook(POD_UPDATE_WEBHOOK).active = false;
    assert_eq!(
        summary(&rig.policy("pods").conditions)[1],
        "Ready=True/Active"
    );
    // What the chart does not render is not waited for.
    rig.webhook(CONFIG_MAP_WEBHOOK).exists = false;
    assert_eq!(
        summary(&rig.policy("maps").conditions)[1],
        "Ready=False/NoWebhook",
        "that for updates of Pods is not enough"
    );
    rig.webhook(TEMPLATE_WEBHOOK).exists = false;
    assert_eq!(
        summary(&rig.policy("pods").conditions)[1],
        "Ready=True/Active"
    );
}

#[test]
fn a_new_leader_keeps_ready_until_it_has_read_the_webhooks() {
    let mut rig = Rig::new().with_policy("p", 1, &json!({}));
    let stored = Stored {
        status: rig.policy("p"),
        ..Stored::default()
    };
    rig.webhooks = WebhookStates::default();
    rig.now = at(2000);
    assert_eq!(rig.policy_beside("p", &stored), stored.status);
    let unseen = rig.policy("p");
    assert_eq!(summary(&unseen.conditions)[1], "Ready=Unknown/Pending");
    assert_eq!(unseen.in_force_since, None);
}

#[test]
fn equal_inputs_give_the_same_status_at_any_time() {
    let mut rig = Rig::new()
        .with_mapping("ours", 1, &profile("sa", "sa-west-9"))
        .with_policy("p", 1, &json!({"mode": "Rewrite"}));
    let mapping = Stored {
        status: rig.mapping("ours"),
        ..Stored::default()
    };
    let policy = Stored {
        status: rig.policy("p"),
        ..Stored::default()
    };
    rig.now = at(2000);
    assert_eq!(rig.mapping_beside("ours", &mapping), mapping.status);
    assert_eq!(rig.policy_beside("p", &policy), policy.status);
}

#[test]
fn results_of_the_bootstrap_are_reported_on_its_own_objects_only() {
    let mut rig = Rig::new()
        .with_mapping(catalog::NAME, 7, &json!({}))
        .with_mapping("ours", 1, &json!({}))
        .with_policy(DEFAULT, 1, &json!({}))
        .with_policy("p", 1, &json!({"mode": "Rewrite"}));
    let results = [
        (CatalogResult::Frozen, "UpToDate=False/Frozen"),
        (
            CatalogResult::NewerInCluster,
            "UpToDate=False/NewerInCluster",
        ),
        (
            CatalogResult::Updated(vec!["a.b".to_owned()]),
            "UpToDate=True/Updated",
        ),
        (
            CatalogResult::Overwritten(vec!["a.b".to_owned()]),
            "UpToDate=True/Overwritten",
        ),
    ];
    for (result, expected) in results {
        rig.results.catalog = Some(result);
        assert_eq!(summary(&rig.mapping(catalog::NAME).conditions)[2], expected);
    }
    assert_eq!(rig.mapping("ours").conditions.len(), 2);
    let results = [
        (PolicyResult::NotOwned, "UpToDate=False/NotOwned"),
        (
            PolicyResult::Conflict("spec.mode".to_owned()),
            "UpToDate=False/FieldConflict",
        ),
        (
            PolicyResult::Refused("no".to_owned()),
            "UpToDate=False/ShippedPolicyRefused",
        ),
    ];
    for (result, expected) in results {
        rig.results.policy = Some(result);
        assert_eq!(summary(&rig.policy(DEFAULT).conditions)[2], expected);
    }
    assert_eq!(rig.policy("p").conditions.len(), 2);
}

#[test]
fn a_refused_shipped_policy_is_reported_by_later_leaders_until_one_is_applied() {
    let mut rig = Rig::new().with_policy(DEFAULT, 1, &json!({}));
    rig.results.policy = Some(PolicyResult::Refused(
        "spec.mode: Unsupported value".to_owned(),
    ));
    let stored = Stored {
        status: rig.policy(DEFAULT),
        ..Stored::default()
    };
    let conditions = |status: &InferenceProfilePolicyStatus| summary(&status.conditions);
    let refused = "UpToDate=False/ShippedPolicyRefused";
    assert_eq!(
        conditions(&stored.status)[1..],
        ["Ready=True/Active", refused]
    );
    rig.results.policy = None;
    assert_eq!(rig.policy_beside(DEFAULT, &stored), stored.status);
    rig.results.policy = Some(PolicyResult::Settled);
    let applied = rig.policy_beside(DEFAULT, &stored);
    assert_eq!(conditions(&applied)[1..], ["Ready=True/Active"]);
}

#[test]
fn the_rows_that_an_update_changed_are_reported_until_the_next_generation() {
    let mut rig = Rig::new().with_mapping(catalog::NAME, 7, &json!({}));
    rig.results.catalog = Some(CatalogResult::Updated(vec![
        "a.b".to_owned(),
        "c.d".to_owned(),
    ]));
    let status = rig.mapping(catalog::NAME);
    assert_eq!(
        message_of(&status.conditions, ConditionType::UpToDate),
        "a.b; c.d; the rows of these models changed"
    );
    let stored = Stored {
        status,
        ..Stored::default()
    };
    // A new leader does not know any more what was updated.
    rig.results.catalog = None;
    assert_eq!(rig.mapping_beside(catalog::NAME, &stored), stored.status);
    let mut later = rig.with_mapping(catalog::NAME, 8, &json!({"priority": -999}));
    let later = later.mapping_beside(catalog::NAME, &stored);
    assert_eq!(
        summary(&later.conditions),
        ["Accepted=True/Valid", "Ready=True/InUse"]
    );
}
