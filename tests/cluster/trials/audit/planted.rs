//! Objects with findings of many reasons, and the expected findings.

use serde_json::{Value, json};

use super::{asking, config_map};

pub(crate) const SONNET: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const NEXT: &str = "anthropic.claude-sonnet-4-6";
const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1:0";

/// Texts with a region, and the expected result under the default policy: a reason, or the replacement.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        SONNET,
        "us-west-2",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    (NEXT, "eu-west-1", "eu.anthropic.claude-sonnet-4-6"),
    (HAIKU, "sa-east-1", "WorksDirectly"),
    (NEXT, "sa-east-1", "OnlyGlobalServes"),
    (NEXT, "", "NoRegion"),
    (NEXT, "asia-northeast-1", "NotARegion"),
    (NEXT, "eusc-de-east-1", "RegionUnknown"),
    (
        "eu.anthropic.claude-sonnet-4-6",
        "eu-west-1",
        "AlreadyProfiled",
    ),
    (
        "eu.anthropic.claude-sonnet-4-6",
        "us-east-1",
        "ProfileNotServed",
    ),
    (
        "global.anthropic.claude-sonnet-4-6",
        "us-east-1",
        "ProfileNotPermitted",
    ),
    (
        "apac.anthropic.claude-sonnet-4-6",
        "us-east-1",
        "NeverExisted",
    ),
    (
        "us.us.anthropic.claude-sonnet-4-6",
        "us-east-1",
        "DoublePrefix",
    ),
    (
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6",
        "us-east-1",
        "InArn",
    ),
    (
        "anthropic.claude-sonnet-4-6%3A0",
        "us-east-1",
        "PercentEncoded",
    ),
    (
        "anthropic.claude-sonnet-4-5-20250929-v1:0:48k",
        "us-east-1",
        "ProvisionedSuffix",
    ),
    ("anthropic.claude-sonnet-4-6,other", "us-east-1", "ListLeft"),
    ("anthropic.claude-haiku-4-5", "us-east-1", "Mantle"),
    (
        "litellm_proxy/anthropic.claude-sonnet-4-6",
        "us-east-1",
        "GatewayClient",
    ),
    (
        "vertex_ai/anthropic.claude-sonnet-4-6",
        "us-east-1",
        "OtherCloud",
    ),
    (
        "bedrock/async_invoke/anthropic.claude-sonnet-4-6",
        "us-east-1",
        "Batch",
    ),
    (
        "curl -d '{\"model\": \"anthropic.claude-sonnet-4-6\"}'",
        "us-east-1",
        "UnknownFormat",
    ),
    ("amazon.nova-lite-v1:0", "us-east-1", "NotIncluded"),
    ("anthropic.claude-nothing-9", "us-east-1", "UnknownModel"),
    ("anthropic.claude-fable-5-2", "us-east-1", "Unverified"),
    (HAIKU, "us-east-1", "EndOfLife"),
    (
        "anthropic.claude-opus-4-1-20250805-v1:0",
        "sa-east-1",
        "NothingServes",
    ),
    (SONNET, "eu-west-2", "GeographyNotAllowed"),
    (
        "anthropic.claude-mythos-5-1",
        "us-east-1",
        "DestinationsUnknown",
    ),
];

/// A text with a region beside it.
#[derive(Clone, Copy)]
pub(crate) struct PlantedText {
    /// The value of the setting that names a model.
    pub(crate) text: &'static str,
    /// The region; empty for none.
    pub(crate) region: &'static str,
    /// The expected reason or replacement.
    pub(crate) answer: &'static str,
}

impl PlantedText {
    /// The text of this number; the texts repeat.
    pub(crate) fn number(at: usize) -> Self {
        let (text, region, answer) = TEXTS[at % TEXTS.len()];
        Self {
            text,
            region,
            answer,
        }
    }
}

/// Objects of one namespace.
pub(super) struct Planted {
    pub(super) objects: Vec<Value>,
    /// The expected findings, as [`super::line`] formats them.
    pub(super) findings: Vec<String>,
}

/// The content of a ConfigMap or a Pod, and the expected findings: the ID, and its reason or replacement.
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
