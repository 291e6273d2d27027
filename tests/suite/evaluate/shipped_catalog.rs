//! The decision over the shipped catalog, beside what `judgement` has of it: every row of the facts, whole objects, records.

use bedrock_profiles::api::{InferenceProfileMapping, InferenceProfilePolicy, Resource, read};
use bedrock_profiles::budget::{Budget, Limits};
use bedrock_profiles::catalog::builtin;
use bedrock_profiles::domain::catalog::{Destinations, DirectRow, ProfileState};
use bedrock_profiles::domain::judge::{
    Action, Context, EndedModels, Judgement, PolicyFindings, Verdict, judge,
};
use bedrock_profiles::domain::object::Object;
use bedrock_profiles::domain::policy::Namespace;
use bedrock_profiles::domain::region::Region;
use bedrock_profiles::domain::snapshot::{Problem, Snapshot};
use bedrock_profiles::domain::view::View;
use bedrock_profiles::text::Tree;
use bedrock_profiles::validate;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

use crate::facts;

mod objects;
mod records;
mod rows;

pub(crate) const TODAY: Date = date(2026, 11, 23);
pub(crate) const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

/// A view of the shipped catalog and of policies and mappings written as YAML.
pub(crate) fn view(resources: &str) -> View {
    let (mut mappings, mut policies): (Vec<InferenceProfileMapping>, Vec<InferenceProfilePolicy>) =
        (vec![builtin().unwrap()], vec![]);
    for resource in read(resources, "test").unwrap() {
        match resource {
            Resource::Mapping(mapping) => mappings.push(mapping),
            Resource::Policy(policy) => policies.push(policy),
        }
    }
    let mappings = mappings
        .iter()
        .map(|wire| validate::mapping(wire).unwrap())
        .collect();
    let policies = policies
        .iter()
        .map(|wire| validate::policy(wire).unwrap())
        .collect();
    let (snapshot, mut problems) = Snapshot::build(mappings, policies);
    // A policy that never decides may be just what is tried.
    problems.retain(|problem| !matches!(problem, Problem::Shadowed { .. }));
    assert_eq!(problems, []);
    View::of(snapshot)
}

/// A policy in mode Rewrite with these fields of its spec besides.
pub(crate) fn policy(fields: Value) -> String {
    named("test", json!({"mode": "Rewrite"}), fields)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a table's row is written in place"
)]
pub(crate) fn named(name: &str, mut spec: Value, fields: Value) -> String {
    spec.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    let object = json!({"apiVersion": "bedrock-profiles.dev/v1alpha1", "kind": "InferenceProfilePolicy", "metadata": {"name": name}, "spec": spec});
    format!("---\n{object}\n")
}

pub(crate) fn pod(env: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "app", "env": env}]}})
}

/// A Pod that asks for `model` in `region`.
pub(crate) fn asking(model: &str, region: &str) -> Value {
    pod(&json!([{"name": "MODEL", "value": model}, {"name": "AWS_REGION", "value": region}]))
}

pub(crate) fn config_map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data})
}

/// Judges `object` in the namespace `ml` and hands the judgement on.
pub(crate) fn evaluated<T>(
    view: &View,
    object: &Value,
    action: Action<'_>,
    then: impl FnOnce(&Judgement<'_>) -> T,
) -> T {
    evaluated_in(view, &Namespace::named("ml"), object, action, then)
}

pub(crate) fn evaluated_in<T>(
    view: &View,
    namespace: &Namespace,
    object: &Value,
    action: Action<'_>,
    then: impl FnOnce(&Judgement<'_>) -> T,
) -> T {
    let text = object.to_string();
    let tree = Tree::json(&text).unwrap();
    let object = Object::at(&tree, tree.root());
    then(&judge(
        &object,
        &Context {
            view,
            namespace,
            action,
            today: TODAY,
            budget: &Budget::new(Limits::REVIEW),
        },
    ))
}

/// The answer to the first finding: the target, or the reason.
pub(crate) fn answer(view: &View, object: &Value, action: Action<'_>) -> String {
    evaluated(view, object, action, |judgement| {
        let Some(PolicyFindings { findings, .. }) = &judgement.effective else {
            return "no policy".to_owned();
        };
        let Some(first) = findings.first() else {
            return "no finding".to_owned();
        };
        first.resolution.target().map_or_else(
            || first.resolution.reason().unwrap().to_string(),
            ToString::to_string,
        )
    })
}

/// The object after the patch of the verdict, or as it was.
pub(crate) fn patched(view: &View, object: &Value, action: Action<'_>) -> Value {
    evaluated(view, object, action, |judgement| {
        let mut object = object.clone();
        if let Verdict::Rewrite(plan) = &judgement.verdict {
            let patch: json_patch::Patch =
                serde_json::from_slice(&plan.json_patch().unwrap()).unwrap();
            json_patch::patch(&mut object, &patch).unwrap();
        }
        object
    })
}

/// How a verdict reads.
pub(crate) fn verdict(view: &View, object: &Value, action: Action<'_>) -> &'static str {
    evaluated(view, object, action, |judgement| match judgement.verdict {
        Verdict::Untouched => "untouched",
        Verdict::Report => "tell",
        Verdict::Rewrite(_) => "rewrite",
        Verdict::Deny => "refuse",
    })
}

#[test]
fn every_row_of_the_facts_is_merged_and_resolved() {
    let view = view(&policy(
        json!({"models": {"scope": "All", "include": ["*"]}, "geography": {"allowed": ["us", "eu", "apac", "jp", "au", "in", "ca", "us-gov"]}}),
    ));
    let catalog = &view.snapshot.catalog;
    let rows = facts::matrix();
    assert!(rows.len() > 1000);
    for row in rows {
        let at = catalog
            .find(&row.model_id)
            .unwrap_or_else(|| panic!("{}", row.model_id));
        let region = Region::parse(&row.region).unwrap();
        let merged = catalog
            .model(at)
            .row(region)
            .unwrap_or_else(|| panic!("{} in {}", row.model_id, row.region));
        let id = |route: &bedrock_profiles::domain::catalog::Route| {
            format!("{}.{}", route.geography, row.model_id)
        };
        let geographic = merged.geographic.as_ref();
        let lives = geographic.filter(|route| route.state != ProfileState::Retired);
        assert_eq!(
            lives.map(id).unwrap_or_default(),
            row.geo_profile,
            "{} in {}",
            row.model_id,
            row.region
        );
        assert_eq!(
            merged.global.as_ref().map(id).unwrap_or_default(),
            row.global_profile,
            "{} in {}",
            row.model_id,
            row.region
        );
        if let Some(route) = lives {
            let known = match &route.destinations {
                Destinations::Known(regions) => regions
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" "),
                Destinations::Anywhere => "*".to_owned(),
                Destinations::Unknown => String::new(),
            };
            assert_eq!(
                known, row.geo_destinations,
                "{} in {}",
                row.model_id, row.region
            );
        }
        let works = matches!(merged.direct, Some((DirectRow::Works, _)));
        assert_eq!(
            works,
            row.direct_on_demand == "yes",
            "{} in {}",
            row.model_id,
            row.region
        );
        if lives.is_some() {
            assert_eq!(
                answer(
                    &view,
                    &asking(&row.model_id, &row.region),
                    Action::CreatePod
                ),
                row.geo_profile,
                "{} in {}",
                row.model_id,
                row.region
            );
        }
    }
}
