//! The Pod of a review, and whether the webhook responds to it in a way that the API server shows: by a change, a warning or a denial.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::api::{self, Resource};
use crate::budget::{Budget, Limits};
use crate::domain::judge::{Action, Context, Verdict, judge};
use crate::domain::object::Object;
use crate::domain::policy::Namespace;
use crate::domain::snapshot::Snapshot;
use crate::domain::view::View;
use crate::report::messages::{RenderContext, render};
use crate::text::Tree;
use crate::validate;

use super::webhooks::WebhookObjectState;

/// The namespace of the Pod, which every cluster has.
pub const SAMPLE_NAMESPACE: &str = "default";

/// Whether the response of the webhook to the Pod can be observed; else why not, as a clause.
pub type Expectation = Result<(), String>;

/// A Pod with a direct ID, which every Pod Security Standard admits.
pub fn sample_pod(namespace: &str, image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "bedrock-profiles-check-", "namespace": namespace},
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {"fsGroup": 65532, "runAsGroup": 65532, "runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "sample", "image": image,
                "env": [
                    {"name": "AWS_REGION", "value": "eu-west-1"},
                    {"name": "BEDROCK_MODEL_ID", "value": "anthropic.claude-sonnet-4-5-20250929-v1:0"}],
                "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]}}}]}})
}

/// Evaluates the Pod as a replica does, by the mappings and policies of the cluster as they are stored.
pub fn expectation(
    webhook: Option<&WebhookObjectState>,
    namespace: &Namespace,
    mappings: &[Value],
    policies: &[Value],
    today: Date,
) -> Expectation {
    let name = &namespace.name;
    let Some(webhook) = webhook else {
        return Err("the webhook configuration for Pods does not exist".to_owned());
    };
    let selector = webhook.namespace_selector.clone().unwrap_or_default();
    let selects = validate::label_selector(&webhook.name, &selector)
        .is_ok_and(|selector| selector.selects(namespace));
    if !selects || webhook.selects_objects {
        return Err(format!(
            "{} may not select a Pod of namespace {name}",
            webhook.name
        ));
    }
    let view = view(mappings, policies);
    let selecting = view
        .snapshot
        .policies
        .iter()
        .any(|one| one.pods && one.namespaces.selects(namespace));
    if !selecting {
        return Err(format!("no policy selects the Pods of namespace {name}"));
    }
    if is_observable(&view, namespace, today) {
        Ok(())
    } else {
        Err(format!(
            "the policies of namespace {name} neither change nor report the sample"
        ))
    }
}

/// The view of the valid objects.
fn view(mappings: &[Value], policies: &[Value]) -> View {
    let read = |objects: &[Value]| -> Vec<Resource> {
        let read = objects
            .iter()
            .filter_map(|one| api::read(&one.to_string(), "the cluster").ok());
        read.flatten().collect()
    };
    let mappings = read(mappings).into_iter().filter_map(|one| match one {
        Resource::Mapping(mapping) => validate::mapping(&mapping).ok(),
        Resource::Policy(_) => None,
    });
    let policies = read(policies).into_iter().filter_map(|one| match one {
        Resource::Policy(policy) => validate::policy(&policy).ok(),
        Resource::Mapping(_) => None,
    });
    View::of(Snapshot::build(mappings.collect(), policies.collect()).0)
}

fn is_observable(view: &View, namespace: &Namespace, today: Date) -> bool {
    let text = sample_pod(&namespace.name, "sample").to_string();
    let Ok(tree) = Tree::json(&text) else {
        return false;
    };
    let object = Object::at(&tree, tree.root());
    let budget = Budget::new(Limits::REVIEW);
    let context = Context {
        view,
        namespace,
        action: Action::CreatePod,
        today,
        budget: &budget,
    };
    let judgement = judge(&object, &context);
    let has_verdict = matches!(judgement.verdict, Verdict::Rewrite(_) | Verdict::Deny);
    let context = RenderContext {
        snapshot: &view.snapshot,
        today,
        creating_pod: true,
        regions_injected: true,
    };
    has_verdict || !render(&object, &judgement, context).warnings.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::cluster::release::POD_WEBHOOK;

    fn webhook(excluded: &str) -> WebhookObjectState {
        let expression = json!({"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [excluded]});
        let object = json!({"metadata": {"name": POD_WEBHOOK}, "webhooks": [
            {"name": POD_WEBHOOK, "namespaceSelector": {"matchExpressions": [expression]}}]});
        WebhookObjectState::all_of(&object, true).remove(0)
    }

    fn policy(spec: &Value) -> Vec<Value> {
        vec![
            json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy",
            "metadata": {"name": "p"}, "spec": spec}),
        ]
    }

    fn expected(excluded: &str, policies: &[Value]) -> Expectation {
        let builtin = serde_json::to_value(catalog::builtin().unwrap()).unwrap();
        let namespace = Namespace::named(SAMPLE_NAMESPACE);
        let today = "2026-11-30".parse().unwrap();
        expectation(
            Some(&webhook(excluded)),
            &namespace,
            &[builtin],
            policies,
            today,
        )
    }

    #[test]
    fn every_mode_of_a_policy_responds_observably() {
        for mode in ["Rewrite", "DryRun", "Deny"] {
            assert_eq!(
                expected("kube-system", &policy(&json!({"mode": mode}))),
                Ok(()),
                "{mode}"
            );
        }
    }

    #[test]
    fn a_response_that_cannot_be_observed_has_the_reason() {
        let selector = json!({"mode": "Rewrite", "match": {"namespaceSelector": {"matchLabels": {"team": "a"}}}});
        let others = json!({"mode": "Rewrite", "models": {"include": ["amazon.*"]}});
        for (excluded, policies, reason) in [
            (SAMPLE_NAMESPACE, policy(&json!({})), "may not select"),
            ("x", Vec::new(), "no policy selects"),
            ("x", policy(&selector), "no policy selects"),
            ("x", policy(&others), "neither change nor report"),
        ] {
            let found = expected(excluded, &policies).unwrap_err();
            assert!(found.contains(reason), "{found}");
        }
        let namespace = Namespace::named(SAMPLE_NAMESPACE);
        let none = expectation(None, &namespace, &[], &[], "2026-11-30".parse().unwrap());
        assert!(none.unwrap_err().contains("does not exist"));
    }
}
