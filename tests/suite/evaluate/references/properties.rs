//! Over random Pods and clusters: what the kubelet hands to the containers is what it was, but for the IDs; and only entries
//! of `env` differ, those that were meant.

use std::collections::BTreeSet;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::kubelet::{Cluster, Data, variables};
use super::*;
use crate::properties::holds;

const IDS: [&str; 2] = [SONNET_4_5, SONNET_4_6];
const NAMES: &[&str] = &["MODEL", "ALT", "APP_MODEL", "EMBEDDED", "X"];
const KEYS: &[&str] = &["MODEL", "ALT", "APP_MODEL", "X"];
const PREFIXES: &[&str] = &["", "APP_", "AP"];
const MAPS: [&str; 3] = ["a", "b", "c"];

/// Texts that may stand in a ConfigMap or a Secret.
const TEXTS: &[&str] = &[
    SONNET_4_5,
    SONNET_4_6,
    " anthropic.claude-sonnet-4-6\n",
    "bedrock/anthropic.claude-sonnet-4-6",
    "plain",
    "",
    "$(MODEL)",
    "a$$b",
];

/// Literal texts of variables.
const LITERALS: &[&str] = &[
    "x",
    "",
    SONNET_4_6,
    "$(MODEL)",
    "bedrock/$(MODEL)",
    "--model=$(ALT)",
    "$$(MODEL)",
    "$(NONE)",
];

#[derive(Debug, Clone)]
struct Case {
    pod: Value,
    cluster: Cluster,
    /// The ConfigMaps that were seen.
    observed: Vec<&'static str>,
    /// Whether those are all.
    listed: bool,
}

fn data() -> impl Strategy<Value = Data> {
    let text = select(TEXTS).prop_map(str::to_owned);
    btree_map(select(KEYS).prop_map(str::to_owned), text, 0..4)
}

fn entry() -> impl Strategy<Value = Value> {
    let from = |kind: &'static str, name: Vec<&'static str>| {
        (select(NAMES), select(name), select(KEYS), any::<bool>()).prop_map(
            move |(variable, name, key, optional)| {
                json!({ "name": variable, "valueFrom": { kind: { "name": name, "key": key, "optional": optional } } })
            },
        )
    };
    let field = select(NAMES).prop_map(
        |name| json!({ "name": name, "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }),
    );
    let literal = (select(NAMES), select(LITERALS)).prop_map(|(name, text)| variable(name, text));
    prop_oneof![
        4 => literal,
        5 => from("configMapKeyRef", MAPS.to_vec()),
        1 => from("secretKeyRef", vec!["s"]),
        1 => field,
    ]
}

fn item() -> impl Strategy<Value = Value> {
    let from = |kind: &'static str, name: Vec<&'static str>| {
        (select(PREFIXES), select(name), any::<bool>()).prop_map(move |(prefix, name, optional)| {
            json!({ "prefix": prefix, kind: { "name": name, "optional": optional } })
        })
    };
    prop_oneof![5 => from("configMapRef", MAPS.to_vec()), 1 => from("secretRef", vec!["s"])]
}

fn cases() -> impl Strategy<Value = Case> {
    let container = |name: &'static str| {
        let env = prop::option::weighted(0.8, vec(entry(), 0..6));
        (env, vec(item(), 0..4)).prop_map(move |(env, from)| {
            let mut container = json!({ "name": name, "image": "x", "envFrom": from });
            if let Some(env) = env {
                container["env"] = env.into();
            }
            container
        })
    };
    let maps = btree_map(select(MAPS.to_vec()).prop_map(str::to_owned), data(), 0..=3);
    let secrets = prop::option::of(data());
    let observed = subsequence(MAPS.to_vec(), 0..=3);
    (
        container("one"),
        container("two"),
        maps,
        secrets,
        observed,
        any::<bool>(),
    )
        .prop_map(|(one, two, maps, secrets, observed, listed)| {
            let mut pod = pod_of(&one);
            pod["spec"]["initContainers"] = json!([two]);
            let secrets = secrets.map(|data| ("s".to_owned(), data));
            let cluster = Cluster {
                maps,
                secrets: secrets.into_iter().collect(),
            };
            let observed = if listed { MAPS.to_vec() } else { observed };
            Case {
                pod,
                cluster,
                observed,
                listed,
            }
        })
}

impl Case {
    fn world(&self) -> Scenario {
        let observed = self
            .cluster
            .maps
            .iter()
            .filter(|(name, _)| self.observed.contains(&&***name));
        let observed: Vec<_> = observed
            .map(|(name, data)| {
                let data: Vec<_> = data.iter().map(|(key, text)| (&**key, &**text)).collect();
                named_map(name, &data)
            })
            .collect();
        let world = Scenario::under("{ region: { default: eu-west-1 } }");
        if self.listed {
            world.knowing(&observed)
        } else {
            world.observing(&observed)
        }
    }

    /// The cluster in which everything that was not seen holds everything.
    fn worst(&self) -> Cluster {
        let names = PREFIXES
            .iter()
            .flat_map(|prefix| KEYS.iter().map(move |key| format!("{prefix}{key}")));
        let all: Data = names
            .flat_map(|name| {
                let behind = PREFIXES.iter().filter_map(move |prefix| {
                    let key = name.strip_prefix(prefix)?.to_owned();
                    Some((key, "T".to_owned()))
                });
                behind.collect::<Vec<_>>()
            })
            .chain([("k".to_owned(), "T".to_owned())])
            .collect();
        let mut worst = self.cluster.clone();
        worst.secrets.insert("s".to_owned(), all.clone());
        for name in MAPS {
            let is_known = self.observed.contains(&name) && self.cluster.maps.contains_key(name);
            if !self.listed && !is_known {
                worst.maps.insert(name.to_owned(), all.clone());
            }
        }
        worst
    }
}

/// The containers of a Pod.
fn containers(pod: &Value) -> [&Value; 2] {
    [
        &pod["spec"]["containers"][0],
        &pod["spec"]["initContainers"][0],
    ]
}

/// A text with every ID behind the prefix of its profile.
fn answered(text: &str) -> String {
    let marked = IDS.iter().fold(text.to_owned(), |text, id| {
        text.replace(id, &format!("eu.{id}"))
    });
    marked.replace("eu.eu.", "eu.")
}

fn entries(container: &Value) -> &[Value] {
    container["env"].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn container_values_differ_only_in_model_ids() {
    holds(600, &cases(), |case| {
        let after = case.world().create(&case.pod).after;
        let worst = case.worst();
        for (old, new) in containers(&case.pod).into_iter().zip(containers(&after)) {
            let (Some(before), Some(now)) =
                (variables(old, &case.cluster), variables(new, &case.cluster))
            else {
                prop_assert_eq!(
                    variables(old, &case.cluster),
                    variables(new, &case.cluster),
                    "it starts or it does not"
                );
                continue;
            };
            let certain = variables(old, &worst);
            prop_assert_eq!(
                before.keys().collect::<Vec<_>>(),
                now.keys().collect::<Vec<_>>()
            );
            for (name, text) in &before {
                let (is, answer) = (&now[name], answered(text));
                prop_assert!(is == text || *is == answer, "{name}: {text} became {is}");
                let certainly = certain.as_ref().is_some_and(|all| all[name] == *text);
                if certainly {
                    prop_assert_eq!(is, &answer, "{} is certain", name);
                }
                // Of what `envFrom` alone defines, the new text is there before the first entry is expanded.
                let by_bulk = entries(old).iter().all(|entry| entry["name"] != **name);
                if by_bulk && is != text {
                    let reference = format!("$({name})");
                    for entry in entries(old).iter().filter(|entry| {
                        entry["value"]
                            .as_str()
                            .is_some_and(|v| v.contains(&reference) && !v.contains("$$"))
                    }) {
                        let user = entry["name"].as_str().unwrap();
                        let last = entries(old).iter().rfind(|one| one["name"] == user);
                        if last == Some(entry) {
                            prop_assert_eq!(
                                &now[user],
                                &answered(&before[user]),
                                "{} takes {}",
                                user,
                                name
                            );
                        }
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn only_intended_entries_differ_and_a_second_run_is_empty() {
    holds(400, &cases(), |case| {
        let world = case.world();
        let outcome = world.create(&case.pod);
        let mut rest = outcome.after.clone();
        for sort in ["containers", "initContainers"] {
            let (old, new) = (&case.pod["spec"][sort][0], &outcome.after["spec"][sort][0]);
            let (before, now) = (entries(old), entries(new));
            let (added, kept) = now.split_at(now.len() - before.len());
            let names: BTreeSet<_> = added
                .iter()
                .map(|entry| entry["name"].to_string())
                .collect();
            prop_assert_eq!(names.len(), added.len(), "no name is added twice");
            for entry in added {
                prop_assert!(entry["value"].as_str().unwrap().contains("eu.anthropic."));
                let defined = before.iter().any(|one| {
                    let optional = one["valueFrom"]["configMapKeyRef"]["optional"] == true;
                    one["name"] == entry["name"] && !optional
                });
                let reference = format!("$({})", entry["name"].as_str().unwrap());
                let taken = before.iter().any(|one| {
                    one["value"]
                        .as_str()
                        .is_some_and(|text| text.contains(&reference))
                });
                prop_assert!(!defined || taken, "{entry} is defined already");
            }
            for (one, other) in kept.iter().zip(before) {
                let was_reference = !other["valueFrom"]["configMapKeyRef"].is_null();
                let was_id = other["value"] == SONNET_4_6;
                prop_assert!(
                    one == other || was_reference || was_id,
                    "{other} became {one}"
                );
                prop_assert_eq!(&one["name"], &other["name"]);
                prop_assert!(one == other || one["valueFrom"].is_null());
            }
            let container = rest["spec"][sort][0].as_object_mut().unwrap();
            match old.get("env") {
                Some(env) => drop(container.insert("env".to_owned(), env.clone())),
                None => drop(container.remove("env")),
            }
        }
        if let Some(metadata) = rest["metadata"].as_object_mut() {
            metadata.remove("annotations");
        }
        prop_assert_eq!(&rest, &case.pod, "nothing else differs");
        let twice = world.create(&outcome.after);
        prop_assert!(!twice.changed(), "{}", twice.patch);
        Ok(())
    });
}
