//! Objects with findings of many reasons, and what is to be found in them.

use serde_json::{Value, json};

use super::{asking, config_map};

pub(super) const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const NEXT: &str = "anthropic.claude-sonnet-4-6";
const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

/// Objects of one namespace.
pub(super) struct Planted {
    pub(super) objects: Vec<Value>,
    /// As [`super::line`] writes them.
    pub(super) findings: Vec<String>,
}

/// What a ConfigMap or a Pod says, and what is to be found in it: the ID, the answer.
struct Seed {
    model: &'static str,
    region: &'static str,
    annotations: &'static [(&'static str, &'static str)],
    found: &'static [(&'static str, &'static str)],
}

const NOTHING: Seed = Seed {
    model: "gpt-5",
    region: "eu-west-1",
    annotations: &[],
    found: &[],
};

const SEEDS: &[Seed] = &[
    Seed {
        model: SONNET,
        region: "us-west-2",
        found: &[(SONNET, "us.anthropic.claude-sonnet-4-5-20250929-v1:0")],
        ..NOTHING
    },
    NOTHING,
    Seed {
        model: NEXT,
        region: "eu-west-1",
        found: &[(NEXT, "eu.anthropic.claude-sonnet-4-6")],
        ..NOTHING
    },
    Seed {
        model: HAIKU,
        region: "sa-east-1",
        found: &[(HAIKU, "WorksDirectly")],
        ..NOTHING
    },
    Seed {
        model: NEXT,
        region: "sa-east-1",
        found: &[(NEXT, "OnlyGlobalServes")],
        ..NOTHING
    },
    Seed {
        model: NEXT,
        region: "",
        found: &[(NEXT, "NoRegion")],
        ..NOTHING
    },
    Seed {
        model: NEXT,
        region: "asia-northeast-1",
        found: &[(NEXT, "NotARegion")],
        ..NOTHING
    },
    Seed {
        model: "eu.anthropic.claude-sonnet-4-6",
        region: "eu-west-1",
        found: &[("eu.anthropic.claude-sonnet-4-6", "AlreadyProfiled")],
        ..NOTHING
    },
    Seed {
        model: "us.us.anthropic.claude-sonnet-4-6",
        region: "us-east-1",
        found: &[("us.us.anthropic.claude-sonnet-4-6", "DoublePrefix")],
        ..NOTHING
    },
    Seed {
        model: "anthropic.claude-nothing-9",
        region: "us-east-1",
        found: &[("anthropic.claude-nothing-9", "UnknownModel")],
        ..NOTHING
    },
    Seed {
        model: NEXT,
        region: "eu-west-1",
        annotations: &[("bedrock-profiles.dev/ignore", "a trial")],
        found: &[(NEXT, "OptedOut")],
    },
];

impl Planted {
    /// `count` ConfigMaps and as many Pods.
    pub(super) fn of(namespace: &str, count: usize) -> Self {
        let mut planted = Self {
            objects: Vec::new(),
            findings: Vec::new(),
        };
        for (at, seed) in (0..count).zip(SEEDS.iter().cycle()) {
            planted.plant(namespace, &format!("map-{at}"), seed, Seed::config_map);
            planted.plant(namespace, &format!("pod-{at}"), seed, Seed::pod);
        }
        planted
    }

    fn plant(&mut self, namespace: &str, name: &str, seed: &Seed, make: fn(&Seed, &str) -> Value) {
        let mut object = make(seed, name);
        object["metadata"]["namespace"] = json!(namespace);
        for (key, text) in seed.annotations {
            object["metadata"]["annotations"][*key] = json!(text);
        }
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        let found = seed.found.iter();
        self.findings
            .extend(found.map(|(before, answer)| {
                format!("{namespace}/{kind}/{name}: {before} -> {answer}")
            }));
        self.objects.push(object);
    }
}

impl Seed {
    fn config_map(&self, name: &str) -> Value {
        let mut object = config_map(name, &[("model", self.model), ("AWS_REGION", self.region)]);
        if self.region.is_empty()
            && let Some(data) = object["data"].as_object_mut()
        {
            data.remove("AWS_REGION");
        }
        object
    }

    fn pod(&self, name: &str) -> Value {
        asking(name, self.model, self.region)
    }
}
