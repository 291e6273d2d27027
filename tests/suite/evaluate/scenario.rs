//! A world to judge in, objects to judge, and the judgement in plain words.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bedrock_profiles::api::{self, Resource};
use bedrock_profiles::budget::{Budget, Limits};
use bedrock_profiles::catalog;
use bedrock_profiles::domain::catalog::{Destinations, Mapping};
use bedrock_profiles::domain::judge::{
    Action, Context, EndedModels, JudgedFinding, Verdict, judge,
};
use bedrock_profiles::domain::object::Object;
use bedrock_profiles::domain::policy::Namespace;
use bedrock_profiles::domain::region::Region;
use bedrock_profiles::domain::resolve::Resolution;
use bedrock_profiles::domain::snapshot::{Problem, Snapshot};
use bedrock_profiles::domain::view::View;
use bedrock_profiles::report::messages::{RenderContext, denial, render};
use bedrock_profiles::text::Tree;
use bedrock_profiles::validate;
use jiff::civil::{Date, date};
use serde_json::{Value, json};

pub(crate) const TODAY: Date = date(2026, 11, 23);
pub(crate) const ANNOTATION: &str = "bedrock-profiles.dev/rewrites";

pub(crate) const SONNET_4_5: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
/// The warning that comes with a rewrite to a profile of [`SONNET_4_5`].
pub(crate) const LEGACY_4_5: &str = "bedrock-profiles: anthropic.claude-sonnet-4-5-20250929-v1:0 is Legacy until 2027-04-08: accounts without recent use are refused; its successor is anthropic.claude-sonnet-4-6";
pub(crate) const SONNET_4_6: &str = "anthropic.claude-sonnet-4-6";
pub(crate) const SONNET_4: &str = "anthropic.claude-sonnet-4-20250514-v1:0";
pub(crate) const FABLE_5: &str = "anthropic.claude-fable-5";

/// What is known of the cluster, the namespace `ml`, and the policies.
pub(crate) struct Scenario {
    pub(crate) view: View,
    pub(crate) namespace: Namespace,
    pub(crate) today: Date,
    pub(crate) regions_injected: bool,
}

/// What happens to an object, by the names of the API.
#[derive(Clone, Copy)]
pub(crate) enum Event<'a> {
    Create,
    Update(&'a Value),
    /// New ephemeral containers beside those of the old Pod.
    Debug(&'a Value),
    Read,
    Edit,
}

/// A judgement in plain words.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `Untouched`, `Tell`, `Rewrite` or `Refuse`.
    pub(crate) verdict: &'static str,
    pub(crate) policy: Option<String>,
    pub(crate) found: Vec<Found>,
    pub(crate) previews: Vec<(String, Vec<Found>)>,
    pub(crate) again: bool,
    pub(crate) patch: Value,
    /// The object as it is stored.
    pub(crate) after: Value,
    pub(crate) warnings: Vec<String>,
    pub(crate) audit: BTreeMap<&'static str, String>,
    pub(crate) message: String,
}

/// A finding in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) at: String,
    pub(crate) written: String,
    /// What is written instead, or the reason to leave it.
    pub(crate) answer: String,
    pub(crate) region: String,
    pub(crate) source: &'static str,
    /// Separated by spaces; `?` where unknown.
    pub(crate) destinations: String,
    pub(crate) end_of_life: bool,
    /// What would work in its place; empty where nothing is offered.
    pub(crate) suggestion: String,
}

/// The shipped catalog, checked.
pub(crate) fn shipped() -> Mapping {
    static SHIPPED: OnceLock<Mapping> = OnceLock::new();
    SHIPPED
        .get_or_init(|| validate::mapping(&catalog::builtin().unwrap()).unwrap())
        .clone()
}

/// Reads custom resources whose spec stands in `specs`, as flow mappings of YAML.
pub(crate) fn resources(kind: &str, specs: &[(&str, &str)]) -> Vec<Resource> {
    let documents = specs.iter().map(|(name, spec)| {
        format!(
            "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {spec}\n"
        )
    });
    let text = documents.collect::<Vec<_>>().join("---\n");
    api::read(&text, "test").unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A mapping of this spec, checked.
pub(crate) fn mapping(name: &str, spec: &str) -> Mapping {
    let mut read = resources("InferenceProfileMapping", &[(name, spec)]);
    match read.remove(0) {
        Resource::Mapping(wire) => validate::mapping(&wire).unwrap(),
        Resource::Policy(_) => panic!("a mapping is expected"),
    }
}

impl Scenario {
    /// One policy `test` of this spec; its mode is Rewrite where the spec names none.
    pub(crate) fn under(spec: &str) -> Self {
        let spec = if spec.contains("mode:") {
            spec.to_owned()
        } else {
            format!("{{ mode: Rewrite, {}", &spec[1..])
        };
        Self::of(&[("test", &spec)], &[])
    }

    /// These policies, each by name and spec, and mappings beside the shipped catalog.
    pub(crate) fn of(policies: &[(&str, &str)], mappings: &[(&str, &str)]) -> Self {
        let (snapshot, mut problems) = Self::snapshot(policies, mappings);
        // A policy that never decides, or that leads to an unknown model, may be just what is tried.
        problems.retain(|problem| {
            !matches!(
                problem,
                Problem::Shadowed { .. } | Problem::UnknownReplacements { .. }
            )
        });
        assert!(problems.is_empty(), "{problems:?}");
        Self {
            view: View::of(snapshot),
            namespace: Namespace::named("ml"),
            today: TODAY,
            regions_injected: true,
        }
    }

    pub(crate) fn snapshot(
        policies: &[(&str, &str)],
        mappings: &[(&str, &str)],
    ) -> (Snapshot, Vec<Problem>) {
        let mut all: Vec<Mapping> = mappings
            .iter()
            .map(|(name, spec)| mapping(name, spec))
            .collect();
        all.push(shipped());
        let policies = resources("InferenceProfilePolicy", policies)
            .into_iter()
            .map(|resource| match resource {
                Resource::Policy(wire) => validate::policy(&wire).unwrap(),
                Resource::Mapping(_) => panic!("a policy is expected"),
            });
        Snapshot::build(all, policies.collect())
    }

    pub(crate) fn annotated(mut self, name: &str, text: &str) -> Self {
        self.namespace.annotations.insert(name.into(), text.into());
        self
    }

    pub(crate) fn labelled(mut self, name: &str, text: &str) -> Self {
        self.namespace.labels.insert(name.into(), text.into());
        self
    }

    pub(crate) fn in_cluster_of(mut self, region: &str) -> Self {
        self.view.cluster_region = Some(Region::parse(region).unwrap());
        self
    }

    pub(crate) fn create(&self, object: &Value) -> Outcome {
        self.judge(object, Event::Create)
    }

    /// Judges the object as JSON, applies the patch, and tells everything.
    pub(crate) fn judge(&self, object: &Value, event: Event<'_>) -> Outcome {
        let text = object.to_string();
        let tree = Tree::json(&text).unwrap();
        self.judge_tree(&tree, object, event)
    }

    /// Judges a document of YAML.
    pub(crate) fn judge_yaml(&self, text: &str, event: Event<'_>) -> Outcome {
        let tree = Tree::yaml(text).next().unwrap().unwrap();
        let object = serde_yaml::from_str(text).unwrap();
        self.judge_tree(&tree, &object, event)
    }

    fn judge_tree(&self, tree: &Tree<'_>, value: &Value, event: Event<'_>) -> Outcome {
        let object = Object::at(tree, tree.root());
        let (Event::Update(old) | Event::Debug(old)) = event else {
            return self.reported(&object, value, None, event);
        };
        let old_text = old.to_string();
        let old_tree = Tree::json(&old_text).unwrap();
        let old = Object::at(&old_tree, old_tree.root());
        self.reported(&object, value, Some(&old), event)
    }

    fn reported(
        &self,
        object: &Object<'_>,
        value: &Value,
        old: Option<&Object<'_>>,
        event: Event<'_>,
    ) -> Outcome {
        let is_pod = value["kind"] == "Pod";
        let action = match event {
            Event::Create if is_pod => Action::CreatePod,
            Event::Create => Action::Apply(None),
            Event::Update(_) => Action::Apply(old),
            Event::Debug(_) => Action::AddEphemeralContainers(old.unwrap()),
            Event::Read => Action::Read,
            Event::Edit => Action::Edit(EndedModels::Report),
        };
        let context = Context {
            view: &self.view,
            namespace: &self.namespace,
            action,
            today: self.today,
            budget: &Budget::new(Limits::REVIEW),
        };
        let snapshot = &*self.view.snapshot;
        let judgement = judge(object, &context);
        super::in_sight::assert_agrees(object, &context, &judgement);
        let context = RenderContext {
            snapshot,
            today: self.today,
            creating_pod: matches!(action, Action::CreatePod),
            regions_injected: self.regions_injected,
        };
        let messages = render(object, &judgement, context);
        let words = |all: &[JudgedFinding<'_>]| all.iter().map(Found::of).collect::<Vec<_>>();
        let mut after = value.clone();
        let (verdict, patch, message) = match &judgement.verdict {
            Verdict::Untouched => ("Untouched", Value::Null, String::new()),
            Verdict::Report => ("Tell", Value::Null, String::new()),
            Verdict::Deny => {
                assert!(judgement.findings().any(|one| one.denied));
                ("Refuse", Value::Null, denial(&judgement, context))
            }
            Verdict::Rewrite(plan) => {
                let patch: json_patch::Patch =
                    serde_json::from_slice(&plan.json_patch().unwrap()).unwrap();
                assert!(!patch.0.is_empty());
                json_patch::patch(&mut after, &patch).unwrap();
                (
                    "Rewrite",
                    serde_json::to_value(&patch).unwrap(),
                    String::new(),
                )
            }
        };
        Outcome {
            verdict,
            policy: judgement
                .effective
                .as_ref()
                .map(|under| under.policy.name.to_string()),
            found: judgement
                .effective
                .as_ref()
                .map(|under| words(&under.findings))
                .unwrap_or_default(),
            previews: judgement
                .previews
                .iter()
                .map(|under| (under.policy.name.to_string(), words(&under.findings)))
                .collect(),
            again: judgement.reinvocation,
            patch,
            after,
            warnings: messages.warnings,
            audit: messages.audit_annotations,
            message,
        }
    }

    /// The answer for a Pod with this one ID in a region.
    pub(crate) fn answer(&self, id: &str, region: &str) -> String {
        self.create(&pod(&[("BEDROCK_MODEL_ID", id), ("AWS_REGION", region)]))
            .answer()
    }

    /// The answer for a Pod with these variables, and the source of its region.
    pub(crate) fn sourced(&self, env: &[(&str, &str)]) -> (String, &'static str) {
        let outcome = self.create(&pod(env));
        let only = outcome.only();
        (only.answer.clone(), only.source)
    }
}

impl Found {
    fn of(one: &JudgedFinding<'_>) -> Self {
        let (answer, destinations, end_of_life) = match &one.resolution {
            Resolution::Rewrite {
                target,
                destinations,
                note,
            } => (
                target.to_string(),
                destinations_in_words(destinations),
                note.is_some(),
            ),
            Resolution::Leave(reason) => (reason.to_string(), String::new(), false),
        };
        Self {
            at: one.finding.site.location.to_string(),
            written: one.original.clone(),
            answer,
            region: one
                .region
                .map(|chosen| chosen.region.to_string())
                .unwrap_or_default(),
            source: one.region.map_or("", |chosen| chosen.source.as_str()),
            destinations,
            end_of_life,
            suggestion: one
                .suggestion
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        }
    }
}

pub(crate) fn destinations_in_words(destinations: &Destinations) -> String {
    match destinations {
        Destinations::Known(regions) => regions
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "),
        Destinations::Anywhere => "*".to_owned(),
        Destinations::Unknown => "?".to_owned(),
    }
}

impl Outcome {
    /// The one finding.
    pub(crate) fn only(&self) -> &Found {
        assert_eq!(self.found.len(), 1, "{:?}", self.found);
        &self.found[0]
    }

    /// What becomes of the one finding; checks that the verdict says the same.
    pub(crate) fn answer(&self) -> String {
        let only = self.only();
        let rewritten = only.answer.contains('.') || only.answer.starts_with("arn:");
        assert_eq!(self.verdict == "Rewrite", rewritten, "{self:?}");
        only.answer.clone()
    }

    /// What becomes of each finding.
    pub(crate) fn answers(&self) -> Vec<&str> {
        self.found.iter().map(|one| &*one.answer).collect()
    }

    /// The value of a variable of the first container as it is stored.
    pub(crate) fn env(&self, name: &str) -> &str {
        let env = self.after["spec"]["containers"][0]["env"]
            .as_array()
            .unwrap();
        let entry = env
            .iter()
            .rev()
            .find(|entry| entry["name"] == name)
            .unwrap();
        entry["value"].as_str().unwrap()
    }

    /// Our annotation, read.
    pub(crate) fn record(&self) -> Value {
        let text = self.after["metadata"]["annotations"][ANNOTATION].as_str();
        text.map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
    }

    /// Whether the object is stored as it came.
    pub(crate) fn changed(&self) -> bool {
        assert_eq!(self.verdict == "Rewrite", self.patch != Value::Null);
        self.patch != Value::Null
    }
}

/// A variable of a container.
pub(crate) fn variable(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

/// A Pod with one container `app` that has these variables.
pub(crate) fn pod(env: &[(&str, &str)]) -> Value {
    let env: Vec<_> = env
        .iter()
        .map(|(name, value)| variable(name, value))
        .collect();
    pod_of(&json!({ "name": "app", "env": env }))
}

/// A Pod with this container.
pub(crate) fn pod_of(container: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "chat", "namespace": "ml" },
        "spec": { "containers": [container] },
    })
}

/// A Deployment whose template has these variables.
pub(crate) fn deployment(env: &[(&str, &str)]) -> Value {
    let template = pod(env);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "chat", "namespace": "ml" },
        "spec": { "template": { "metadata": {}, "spec": template["spec"] } },
    })
}

/// A ConfigMap with these keys.
pub(crate) fn config_map(data: &[(&str, &str)]) -> Value {
    named_map("models", data)
}

/// A ConfigMap of this name with these keys.
pub(crate) fn named_map(name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).into()))
        .collect();
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "ml" }, "data": data })
}

/// The object with one more annotation.
pub(crate) fn annotate(mut object: Value, name: &str, text: &str) -> Value {
    object["metadata"]["annotations"][name] = text.into();
    object
}

/// The object, owned by a controller.
pub(crate) fn controlled(mut object: Value) -> Value {
    object["metadata"]["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": "u", "controller": true }]);
    object
}

/// The object, being deleted.
pub(crate) fn deleted(mut object: Value) -> Value {
    object["metadata"]["deletionTimestamp"] = "2026-11-23T00:00:00Z".into();
    object
}

/// The prefixed ID.
pub(crate) fn behind(geography: &str, id: &str) -> String {
    format!("{geography}.{id}")
}
