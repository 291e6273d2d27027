use std::collections::BTreeMap;

use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::super::super::arming::Entry;
use super::super::super::view::{Cluster, Told};
use super::*;
use crate::cluster::rbac::VALIDATING;
use crate::cluster::watch::{Change, Trouble};
use crate::domain::view::View;

const PODS: &str = MUTATING[0];
const TEMPLATES: &str = VALIDATING[0];

/// Seconds since 1970.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A cluster and what is known beside it.
struct Rig {
    cluster: Cluster,
    view: Option<View>,
    entries: Entries,
    notes: Notes,
    mappings_changed_at: Option<Timestamp>,
    now: Timestamp,
}

impl Rig {
    /// Everything has been listed, there is nothing, and all entries are armed.
    fn new() -> Self {
        let mut cluster = Cluster::new(false);
        cluster.take(Told::Mapping(Change::Complete));
        cluster.take(Told::Policy(Change::Complete));
        cluster.take(Told::Namespace(Change::Complete));
        let armed = |armed_at| Entry {
            exists: true,
            armed: true,
            ca_bundle: Vec::new(),
            armed_at: Some(armed_at),
        };
        let names = [(PODS, 100), (CONFIG_MAPS, 300), (TEMPLATES, 200)];
        Self {
            cluster,
            view: None,
            entries: Entries {
                by_name: BTreeMap::from(names.map(|(name, time)| (name.to_owned(), armed(time)))),
                complete: true,
            },
            notes: Notes::default(),
            mappings_changed_at: Some(at(50)),
            now: at(1000),
        }
    }

    fn with_mapping(mut self, name: &str, generation: i64, spec: &Value) -> Self {
        let object = object("InferenceProfileMapping", name, generation, spec);
        self.cluster
            .take(Told::Mapping(Change::Applied(Written::read(object))));
        self
    }

    fn with_policy(mut self, name: &str, generation: i64, spec: &Value) -> Self {
        let object = object("InferenceProfilePolicy", name, generation, spec);
        self.cluster
            .take(Told::Policy(Change::Applied(Written::read(object))));
        self
    }

    fn entry(&mut self, name: &str) -> &mut Entry {
        self.entries.by_name.get_mut(name).unwrap()
    }

    fn judge<T>(&mut self, judge: impl FnOnce(Facts<'_>) -> T) -> T {
        if let Some(view) = self.cluster.view(self.view.as_ref()) {
            self.view = Some(view);
        }
        let view = self.view.as_ref().unwrap();
        judge(Facts {
            objects: &Objects::of(&self.cluster),
            catalog: &view.snapshot.catalog,
            entries: &self.entries,
            notes: &self.notes,
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
        self.judge(|facts| facts.mapping(name, &facts.objects.mappings[name], stored))
    }

    fn policy(&mut self, name: &str) -> InferenceProfilePolicyStatus {
        self.policy_beside(name, &Stored::default())
    }

    fn policy_beside(
        &mut self,
        name: &str,
        stored: &Stored<InferenceProfilePolicyStatus>,
    ) -> InferenceProfilePolicyStatus {
        self.judge(|facts| facts.policy(name, &facts.objects.policies[name], stored))
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
fn said(conditions: &[Condition]) -> Vec<String> {
    conditions
        .iter()
        .map(|it| format!("{}={}/{}", it.type_, it.status, it.reason))
        .collect()
}

fn message_of(conditions: &[Condition], sort: Sort) -> &str {
    &find(conditions, sort).unwrap().message
}

#[test]
fn a_valid_mapping_is_accepted_and_counted() {
    let status = Rig::new()
        .with_mapping("ours", 4, &profile("eu", "eu-west-1"))
        .mapping("ours");
    assert_eq!(said(&status.conditions), ["Accepted=True/Valid"]);
    assert_eq!((status.models, status.profiles), (Some(1), Some(1)));
    assert_eq!(status.observed_generation, Some(4));
    assert_eq!(status.conditions[0].observed_generation, Some(4));
}

#[test]
fn a_bad_form_says_every_problem_and_what_stays_in_force() {
    let bad = json!({"catalogDate": "today", "scannedRegions": ["here"]});
    let mut rig = Rig::new()
        .with_mapping("ours", 3, &profile("eu", "eu-west-1"))
        .with_mapping("ours", 4, &bad);
    let status = rig.mapping("ours");
    assert_eq!(said(&status.conditions), ["Accepted=False/Invalid"]);
    assert_eq!(
        message_of(&status.conditions, Sort::Accepted),
        "spec.catalogDate: `today` is not a date: write it as `2026-10-27`; \
         spec.scannedRegions[0]: `here` is not an AWS region: expected a code such as `eu-west-1` or `us-gov-west-1`; \
         generation 3 stays in force, until the replicas that have seen it end: correct the object and apply it again"
    );
    assert_eq!(status.observed_generation, Some(4));

    let never_good = Rig::new().with_mapping("ours", 1, &bad).mapping("ours");
    let message = message_of(&never_good.conditions, Sort::Accepted);
    assert!(
        message.contains("; nothing of it is in force: "),
        "{message}"
    );
}

#[test]
fn an_object_that_cannot_be_read_is_told_and_stands_in_nobodys_way() {
    let mut rig = Rig::new()
        .with_policy("broken", 1, &json!({"mode": "Perhaps"}))
        .with_policy("good", 1, &json!({}));
    let broken = rig.policy("broken");
    assert_eq!(
        said(&broken.conditions),
        ["Accepted=False/Invalid", "InForce=False/NotAccepted"]
    );
    assert!(message_of(&broken.conditions, Sort::Accepted).contains("Perhaps"));
    assert_eq!(broken.in_force_since, None);
    assert_eq!(
        said(&rig.policy("good").conditions),
        ["Accepted=True/Valid", "InForce=True/Armed"]
    );
}

#[test]
fn what_two_mappings_say_otherwise_is_told_at_the_one_that_yields() {
    let mut first = profile("jp", "ap-northeast-1");
    first["priority"] = json!(5);
    first["models"][0]["lifecycle"] = json!({"state": "Legacy"});
    let mut second = profile("apac", "ap-northeast-1");
    second["models"][0]["lifecycle"] = json!({"state": "Active"});
    let mut rig = Rig::new()
        .with_mapping("first", 1, &first)
        .with_mapping("second", 1, &second);
    assert_eq!(
        said(&rig.mapping("first").conditions),
        ["Accepted=True/Valid"]
    );
    assert_eq!(rig.mapping("first").overridden, [""; 0]);
    let second = rig.mapping("second");
    assert_eq!(
        said(&second.conditions),
        ["Accepted=True/Valid", "Conflicting=True/TwoGeographies"]
    );
    let message = message_of(&second.conditions, Sort::Conflicting);
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
fn names_that_nobody_knows_are_told() {
    let mut rig = Rig::new()
        .with_mapping("ours", 1, &profile("sa", "sa-west-9"))
        .with_policy(
            "asks",
            1,
            &json!({"geography": {"allowed": ["asia"]}, "region": {"default": "eu-west-9"}}),
        );
    let unknown = [
        "UnknownGeographies=True/NotListed",
        "UnknownRegions=True/NotListed",
    ];
    assert_eq!(said(&rig.mapping("ours").conditions)[1..], unknown);
    assert_eq!(said(&rig.policy("asks").conditions)[2..], unknown);
}

#[test]
fn a_circle_of_replacements_is_told_at_its_policy() {
    let pair = |from: &str, to: &str| json!({"from": from, "to": to});
    let circle = json!({"replacements": [pair("a.one", "a.two"), pair("a.two", "a.one")]});
    let status = Rig::new().with_policy("p", 1, &circle).policy("p");
    assert_eq!(
        said(&status.conditions)[2..],
        ["ReplacementCycle=True/LeadsBack"]
    );
    let message = message_of(&status.conditions, Sort::ReplacementCycle);
    assert!(
        message.contains("of a.one") && message.contains("of a.two"),
        "{message}"
    );
}

#[test]
fn a_policy_that_never_decides_is_told() {
    let mut rig = Rig::new()
        .with_policy("all", 1, &json!({"mode": "Deny"}))
        .with_policy("never", 1, &json!({"mode": "Rewrite"}))
        .with_policy("trial", 1, &json!({"mode": "DryRun"}));
    assert_eq!(
        said(&rig.policy("never").conditions)[2..],
        ["Shadowed=True/NeverDecides"]
    );
    assert_eq!(said(&rig.policy("trial").conditions).len(), 2);
    assert_eq!(said(&rig.policy("all").conditions).len(), 2);
}

#[test]
fn a_right_that_is_missing_is_told_where_it_is_asked_for() {
    let mut rig = Rig::new().with_policy("asks", 1, &json!({})).with_policy(
        "off",
        1,
        &json!({"references": "Off"}),
    );
    let era = rig.cluster.config_maps_era().unwrap();
    rig.cluster.take(Told::ConfigMap(era, Err(Trouble::Denied)));
    assert_eq!(
        said(&rig.policy("asks").conditions)[2..],
        ["ReferencesDenied=True/NoRight"]
    );
    assert_eq!(said(&rig.policy("off").conditions).len(), 2);
}

#[test]
fn a_policy_is_in_force_since_the_last_of_what_its_answers_rest_on() {
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
fn an_entry_that_is_not_armed_takes_those_out_of_force_that_need_it() {
    let mut rig = Rig::new()
        .with_policy("pods", 1, &json!({"match": {"resources": ["Pod"]}}))
        .with_policy("maps", 1, &json!({"match": {"resources": ["ConfigMap"]}}));
    rig.entry(CONFIG_MAPS).armed = false;
    let maps = rig.policy("maps");
    assert_eq!(said(&maps.conditions)[1], "InForce=False/NotArmed");
    assert_eq!(maps.in_force_since, None);
    assert_eq!(
        message_of(&maps.conditions, Sort::InForce),
        "not armed yet: webhook-configmaps.bedrock-profiles.dev"
    );
    assert_eq!(
        said(&rig.policy("pods").conditions)[1],
        "InForce=True/Armed"
    );
    // What the chart does not render is not waited for.
    rig.entry(CONFIG_MAPS).exists = false;
    assert_eq!(
        said(&rig.policy("maps").conditions)[1],
        "InForce=False/NoEntry"
    );
    rig.entry(TEMPLATES).exists = false;
    assert_eq!(
        said(&rig.policy("pods").conditions)[1],
        "InForce=True/Armed"
    );
}

#[test]
fn a_new_leader_says_nothing_new_of_entries_before_it_has_looked() {
    let mut rig = Rig::new().with_policy("p", 1, &json!({}));
    let stored = Stored {
        status: rig.policy("p"),
        ..Stored::default()
    };
    rig.entries = Entries::default();
    rig.now = at(2000);
    assert_eq!(rig.policy_beside("p", &stored), stored.status);
    let unseen = rig.policy("p");
    assert_eq!(said(&unseen.conditions)[1], "InForce=Unknown/NotSeen");
    assert_eq!(unseen.in_force_since, None);
}

#[test]
fn the_same_facts_make_the_same_status_at_any_time() {
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
fn the_bootstrap_is_heard_at_its_own_objects_alone() {
    let mut rig = Rig::new()
        .with_mapping(catalog::NAME, 7, &json!({}))
        .with_mapping("ours", 1, &json!({}))
        .with_policy(DEFAULT, 1, &json!({}))
        .with_policy("p", 1, &json!({"mode": "Rewrite"}));
    let notes = [
        (CatalogNote::Frozen, "AsShipped=False/Frozen"),
        (
            CatalogNote::NewerInCluster,
            "AsShipped=False/NewerInCluster",
        ),
        (
            CatalogNote::Updated(vec!["a.b".to_owned()]),
            "AsShipped=True/Updated",
        ),
        (
            CatalogNote::Overwritten(vec!["a.b".to_owned()]),
            "AsShipped=True/Overwritten",
        ),
    ];
    for (note, expected) in notes {
        rig.notes.catalog = Some(note);
        assert_eq!(said(&rig.mapping(catalog::NAME).conditions)[1], expected);
    }
    assert_eq!(rig.mapping("ours").conditions.len(), 1);
    let notes = [
        (PolicyNote::Foreign, "AsShipped=False/Foreign"),
        (
            PolicyNote::Conflict("spec.mode".to_owned()),
            "AsShipped=False/Conflict",
        ),
        (
            PolicyNote::Refused("no".to_owned()),
            "AsShipped=False/Refused",
        ),
    ];
    for (note, expected) in notes {
        rig.notes.policy = Some(note);
        assert_eq!(said(&rig.policy(DEFAULT).conditions)[1], expected);
    }
    assert_eq!(rig.policy("p").conditions.len(), 2);
}

#[test]
fn what_an_update_changed_is_told_until_the_next_one() {
    let mut rig = Rig::new().with_mapping(catalog::NAME, 7, &json!({}));
    rig.notes.catalog = Some(CatalogNote::Updated(vec![
        "a.b".to_owned(),
        "c.d".to_owned(),
    ]));
    let status = rig.mapping(catalog::NAME);
    assert_eq!(
        message_of(&status.conditions, Sort::AsShipped),
        "a.b; c.d; rows of these models changed"
    );
    let stored = Stored {
        status,
        ..Stored::default()
    };
    // A new leader does not know any more what was updated.
    rig.notes.catalog = None;
    assert_eq!(rig.mapping_beside(catalog::NAME, &stored), stored.status);
    let mut later = rig.with_mapping(catalog::NAME, 8, &json!({"priority": -999}));
    let later = later.mapping_beside(catalog::NAME, &stored);
    assert_eq!(said(&later.conditions), ["Accepted=True/Valid"]);
}
