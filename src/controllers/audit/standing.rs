//! What stands in the cluster of our own: since when policies are in force, what their last audits said, and what the webhook's
//! entries reach.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, MutatingWebhookConfiguration, ValidatingWebhook,
    ValidatingWebhookConfiguration,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::api::ListParams;
use kube::{Api, Client};
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::list::{Gap, Items, List, Pager};
use crate::cluster::rbac::{MUTATING, VALIDATING};
use crate::scan::cluster::{Coverage, Reach, Resource};
use crate::validate;

/// Policies as a list names them.
const POLICIES: Resource = Resource {
    api_version: "bedrock-profiles.dev/v1alpha1",
    kind: "InferenceProfilePolicy",
    plural: "inferenceprofilepolicies",
};

/// The condition that an audit sets.
pub const INCOMPLETE: &str = "AuditIncomplete";

/// The status of one policy, as far as an audit reads or writes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyStatus {
    /// The identity of the object.
    pub uid: String,
    /// Since when it is in force.
    pub in_force_since: Option<Timestamp>,
    /// What the last audit said, as it stands.
    pub last_audit: Option<Value>,
    /// The condition that the last audit set, as it stands.
    pub incomplete: Option<Value>,
}

/// The status of every policy, by name.
pub type Statuses = BTreeMap<Box<str>, PolicyStatus>;

#[derive(Deserialize)]
struct Wire {
    metadata: WireMetadata,
    #[serde(default)]
    status: WireStatus,
}

#[derive(Deserialize)]
struct WireMetadata {
    name: Box<str>,
    #[serde(default)]
    uid: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireStatus {
    in_force_since: Option<String>,
    last_audit: Option<Value>,
    conditions: Vec<Value>,
}

/// Policies that are being listed.
#[derive(Default)]
struct Read {
    whole: Statuses,
    page: Vec<(Box<str>, PolicyStatus)>,
}

impl PolicyStatus {
    /// When the last audit ended.
    pub fn audited(&self) -> Option<Timestamp> {
        self.last_audit
            .as_ref()?
            .get("time")?
            .as_str()?
            .parse()
            .ok()
    }

    fn read(item: &str) -> Option<(Box<str>, Self)> {
        let Wire { metadata, status } = serde_json::from_str(item).ok()?;
        let mut conditions = status.conditions.into_iter();
        let read = Self {
            uid: metadata.uid,
            in_force_since: status.in_force_since.and_then(|time| time.parse().ok()),
            last_audit: status.last_audit,
            incomplete: conditions.find(|one| one["type"] == INCOMPLETE),
        };
        Some((metadata.name, read))
    }
}

impl Items for Read {
    fn take(&mut self, item: &str) {
        self.page.extend(PolicyStatus::read(item));
    }

    fn commit(&mut self) {
        self.whole.extend(std::mem::take(&mut self.page));
    }

    fn abandon(&mut self) {
        self.page.clear();
    }
}

/// The status of every policy, as it stands now.
pub async fn statuses(pager: &Pager) -> Result<Statuses, Gap> {
    let list = List {
        path: POLICIES.path(None),
        ..List::default()
    };
    let mut read = Read::default();
    pager.read(&list, &mut read).await?;
    Ok(read.whole)
}

/// Since when the webhook was certain to be asked, and about what. What cannot be read is not certain.
pub async fn coverage(client: &Client, statuses: &Statuses) -> Coverage {
    let [pods, config_maps] = MUTATING else {
        return Coverage::default();
    };
    let [templates] = VALIDATING else {
        return Coverage::default();
    };
    let in_force_since = statuses
        .iter()
        .filter_map(|(name, status)| Some((name.clone(), status.in_force_since?)));
    Coverage {
        in_force_since: in_force_since.collect(),
        pods: mutating(client, pods).await,
        config_maps: mutating(client, config_maps).await,
        templates: validating(client, templates).await,
        namespaces: BTreeMap::new(),
    }
}

async fn mutating(client: &Client, name: &str) -> Reach {
    let api = Api::<MutatingWebhookConfiguration>::all(client.clone());
    let listed = api.list(&only(name)).await.ok();
    let found = listed.and_then(|list| list.items.into_iter().next());
    found.map_or(Reach::Unknown, |found| {
        reach_of(&found.webhooks.unwrap_or_default())
    })
}

async fn validating(client: &Client, name: &str) -> Reach {
    let api = Api::<ValidatingWebhookConfiguration>::all(client.clone());
    let listed = api.list(&only(name)).await.ok();
    let found = listed.and_then(|list| list.items.into_iter().next());
    found.map_or(Reach::Unknown, |found| {
        reach_of(&found.webhooks.unwrap_or_default())
    })
}

fn only(name: &str) -> ListParams {
    ListParams::default().fields(&format!("metadata.name={name}"))
}

/// What an entry says of whom it is called for.
trait Entry {
    fn is_armed(&self) -> bool;
    fn looks_at_more(&self) -> bool;
    fn namespaces(&self) -> Option<&LabelSelector>;
}

macro_rules! entry {
    ($($webhook:ty),+) => {$(
        impl Entry for $webhook {
            fn is_armed(&self) -> bool {
                self.rules.as_ref().is_some_and(|rules| !rules.is_empty())
            }

            fn looks_at_more(&self) -> bool {
                let selects = |selector: &LabelSelector| *selector != LabelSelector::default();
                self.object_selector.as_ref().is_some_and(selects)
                    || self.match_conditions.as_ref().is_some_and(|all| !all.is_empty())
            }

            fn namespaces(&self) -> Option<&LabelSelector> {
                self.namespace_selector.as_ref()
            }
        }
    )+};
}

entry!(MutatingWebhook, ValidatingWebhook);

fn reach_of<E: Entry>(entries: &[E]) -> Reach {
    let [entry] = entries else {
        return Reach::Unknown;
    };
    if !entry.is_armed() || entry.looks_at_more() {
        return Reach::Unknown;
    }
    let everywhere = LabelSelector::default();
    let selector = entry.namespaces().unwrap_or(&everywhere);
    validate::label_selector("the entry", selector).map_or(Reach::Unknown, Reach::Namespaces)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::policy::Selector;

    fn reach(entry: &Value) -> Reach {
        let mut entry = entry.clone();
        entry["name"] = json!("x");
        entry["admissionReviewVersions"] = json!(["v1"]);
        entry["sideEffects"] = json!("None");
        entry["clientConfig"] = json!({});
        reach_of::<MutatingWebhook>(&[serde_json::from_value(entry).unwrap()])
    }

    #[test]
    fn an_entry_reaches_what_its_namespaces_say_and_nobody_knows_of_one_that_looks_at_more() {
        let rules = json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]);
        let all = Reach::Namespaces(Selector::default());
        assert_eq!(reach(&json!({"rules": rules})), all);
        assert_eq!(reach(&json!({"rules": rules, "objectSelector": {}})), all);
        assert_eq!(reach(&json!({})), Reach::Unknown);
        assert_eq!(reach(&json!({"rules": []})), Reach::Unknown);
        let labelled = json!({"matchLabels": {"a": "b"}});
        assert_eq!(
            reach(&json!({"rules": rules, "objectSelector": labelled})),
            Reach::Unknown
        );
        let condition = json!([{"name": "c", "expression": "true"}]);
        assert_eq!(
            reach(&json!({"rules": rules, "matchConditions": condition})),
            Reach::Unknown
        );
        let some = reach(&json!({"rules": rules, "namespaceSelector": labelled}));
        assert!(matches!(some, Reach::Namespaces(selector) if selector != Selector::default()));
        assert_eq!(reach_of::<MutatingWebhook>(&[]), Reach::Unknown);
    }

    #[test]
    fn the_status_of_a_policy_is_read_by_itself_whatever_its_spec() {
        let item = json!({"metadata": {"name": "p", "uid": "u"}, "spec": {"nobody": "knows"}, "status": {
            "inForceSince": "2026-11-20T10:00:00Z", "lastAudit": {"time": "2026-11-21T10:00:00Z", "scanned": 3},
            "conditions": [{"type": "Accepted"}, {"type": INCOMPLETE, "status": "True"}]}});
        let (name, status) = PolicyStatus::read(&item.to_string()).unwrap();
        assert_eq!((&*name, status.uid.as_str()), ("p", "u"));
        assert_eq!(status.in_force_since, "2026-11-20T10:00:00Z".parse().ok());
        assert_eq!(status.audited(), "2026-11-21T10:00:00Z".parse().ok());
        assert_eq!(status.incomplete.unwrap()["status"], "True");
        let bare = PolicyStatus::read(r#"{"metadata":{"name":"q"}}"#)
            .unwrap()
            .1;
        assert_eq!((bare.audited(), bare.in_force_since), (None, None));
    }
}
