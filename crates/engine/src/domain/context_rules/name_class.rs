//! Classes of names, compared by their words, for settings that every tool names in its own way.

use crate::domain::name_words::NameWords;

mod words;

use words::{
    ADDRESSES, ASIDE, CLIENTS, EXTENSIONS, INTERFACES, OTHER_SERVICES, PREFIXES, PRICES, PROVIDERS,
};

/// A class of names.
#[derive(Debug)]
pub struct NameClass {
    /// A description for the documentation.
    pub description: &'static str,
    /// Words of which each name of the class has at least one, in lower case; empty if every name belongs to the class.
    pub(super) anchors: &'static [&'static str],
    /// Whether the words are a name of the class.
    pub fits: fn(&NameWords<'_>) -> bool,
}

/// The address of a client of language models, but not of Bedrock.
pub(super) static CLIENT_ADDRESS: NameClass = NameClass {
    description: "an address of an LLM client (such as `LLM_BASE_URL`, `OPENAI_API_BASE`, `AI_GATEWAY_HOST`)",
    anchors: CLIENTS,
    fits: |words| is_address(words) && names_a_client(words) && !words.has("bedrock"),
};

/// The address of Bedrock for a client, or for all services of an SDK.
pub(super) static BEDROCK_ADDRESS: NameClass = NameClass {
    description: "an address of Bedrock (such as `BEDROCK_ENDPOINT_URL`, `ANTHROPIC_BEDROCK_BASE_URL`, `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`)",
    anchors: &["bedrock", "endpoint"],
    fits: |words| {
        let for_the_sdk = words.is(&["aws", "endpoint", "url", "bedrock", "runtime"])
            || words.is(&["aws", "endpoint", "url"]);
        for_the_sdk || (is_address(words) && words.has("bedrock") && names_a_client(words))
    },
};

/// Any address.
pub(super) static ADDRESS: NameClass = NameClass {
    description: "an address (such as `API_URL`)",
    anchors: ADDRESSES,
    fits: is_address,
};

/// A switch for a proxy or a gateway.
pub(super) static GATEWAY_SWITCH: NameClass = NameClass {
    description: "a switch for a gateway (such as `USE_LITELLM_PROXY`)",
    anchors: &["proxy", "gateway"],
    fits: |words| {
        words.has_any(&["use", "enable", "enabled"])
            && words.has_any(&["proxy", "gateway"])
            && names_a_client(words)
    },
};

/// The provider of a client of language models.
pub(super) static PROVIDER: NameClass = NameClass {
    description: "a provider of models (such as `LLM_PROVIDER`)",
    anchors: PROVIDERS,
    fits: |words| ends_with_any(words, PROVIDERS) && names_a_client(words),
};

/// Any name.
pub(super) static ANY: NameClass = NameClass {
    description: "any other setting",
    anchors: &[],
    fits: |_| true,
};

/// A setting that names a kind of interface.
pub(super) static INTERFACE: NameClass = NameClass {
    description: "a kind of interface (such as `BEDROCK_API`, `PROVIDER`, `CLIENT_TYPE`)",
    anchors: INTERFACES,
    fits: |words| words.has_any(INTERFACES),
};

/// A switch for bedrock-mantle.
pub(super) static MANTLE_SWITCH: NameClass = NameClass {
    description: "a switch for bedrock-mantle (such as `USE_MANTLE`)",
    anchors: &["mantle"],
    fits: |words| {
        words.has("mantle")
            && (words.has_any(&["use", "enable", "enabled"]) || is_address(words))
            && !words.has_any(&["skip", "disable", "no"])
    },
};

/// A prefix that a tool puts before a model ID.
pub(super) static MODEL_PREFIX: NameClass = NameClass {
    description: "a prefix of model IDs (such as `BEDROCK_MODEL_PREFIX`, `INFERENCE_PREFIX`, `model_geo`)",
    anchors: PREFIXES,
    fits: |words| {
        words.has_any(PREFIXES)
            && words.has_any(&[
                "model",
                "models",
                "inference",
                "profile",
                "bedrock",
                "region",
                "llm",
                "claude",
                "cris",
            ])
    },
};

/// A prefix that is certainly one of a profile.
pub(super) static PROFILE_PREFIX: NameClass = NameClass {
    description: "a prefix of inference profiles (such as `INFERENCE_PROFILE_PREFIX`, `CROSS_REGION_PREFIX`)",
    anchors: &["prefix", "geo"],
    fits: |words| {
        words.ends_with(&["profile", "prefix"])
            || words.ends_with(&["cross", "region", "prefix"])
            || words.ends_with(&["bedrock", "region", "prefix"])
            || words.ends_with(&["bedrock", "geo", "region"])
    },
};

/// A switch for profiles that a tool derives.
pub(super) static CROSS_REGION_SWITCH: NameClass = NameClass {
    description: "a switch for cross-region inference (such as `use_cross_region_inference`)",
    anchors: &["inference", "cross"],
    fits: |words| {
        let names_models = || {
            words.has_any(&[
                "inference",
                "bedrock",
                "llm",
                "model",
                "models",
                "claude",
                "profile",
                "profiles",
            ])
        };
        let is_alone = || {
            words.iter().all(|word| {
                ["use", "enable", "enabled", "cross", "region"]
                    .iter()
                    .any(|one| word.eq_ignore_ascii_case(one))
            })
        };
        let crosses = words.has_sequence(&["cross", "region"]);
        let derives = words.has_any(&["use", "enable", "enabled", "auto"])
            && words.has_sequence(&["inference", "profiles"])
            || words.has("use") && words.ends_with(&["inference", "profile"]);
        derives
            || words.has_sequence(&["global", "inference"])
            || (crosses && !words.has("prefix") && (names_models() || is_alone()))
    },
};

/// A setting for the profile that an application uses.
pub(super) static INFERENCE_PROFILE: NameClass = NameClass {
    description: "an inference profile (such as `BEDROCK_INFERENCE_PROFILE_ARN`)",
    anchors: &["profile"],
    fits: |words| {
        [
            &["inference", "profile"][..],
            &["inference", "profile", "id"],
            &["inference", "profile", "arn"],
            &["inference", "profile", "name"],
        ]
        .iter()
        .any(|end| words.ends_with(end))
    },
};

/// A table of prices.
pub(super) static PRICE_TABLE: NameClass = NameClass {
    description: "a table of prices (such as `model_pricing`, `cost_map`, but not `pricing_agent`)",
    anchors: PRICES,
    fits: |words| {
        let mut words = words
            .iter()
            .rev()
            .skip_while(|word| is_one_of(word, EXTENSIONS));
        let Some(mut last) = words.next() else {
            return false;
        };
        let mut before = words.next();
        if is_one_of(
            last,
            &[
                "table", "map", "list", "config", "data", "file", "info", "card",
            ],
        ) {
            let Some(word) = before else { return false };
            last = word;
            before = words.next();
        }
        let per_token = before.is_some_and(|word| word.eq_ignore_ascii_case("per"));
        let is_token = is_one_of(last, &["token", "tokens"]);
        is_one_of(last, PRICES) && (!is_token || per_token)
    },
};

/// A name of Bedrock.
pub(super) static BEDROCK: NameClass = NameClass {
    description: "a name with the word `bedrock`",
    anchors: &["bedrock"],
    fits: |words| words.has("bedrock"),
};

/// A name of bedrock-mantle.
pub(super) static MANTLE: NameClass = NameClass {
    description: "a name with the word `mantle`",
    anchors: &["mantle"],
    fits: |words| words.has("mantle"),
};

/// A map of models by their purpose.
pub(super) static MODELS: NameClass = NameClass {
    description: "a map of models (such as `models`)",
    anchors: &["models", "llms", "model", "llm"],
    fits: |words| {
        words.has_any(&["models", "llms"])
            || ends_with_any(words, &["model", "llm"])
            || words.ends_with(&["model", "map"])
            || words.ends_with(&["model", "mapping"])
    },
};

/// Whether the words are a name of an address. `HTTP_PROXY`, with any words before it, is the proxy of all connections.
fn is_address(words: &NameWords<'_>) -> bool {
    let is_base = words.ends_with(&["base"]) && !words.ends_with(&["api", "base"]);
    let for_connections = ["http", "https", "all", "no", "socks", "ftp"]
        .iter()
        .any(|protocol| words.has_sequence(&[protocol, "proxy"]));
    ends_with_any(words, ADDRESSES) && !is_base && !for_connections
}

/// Whether the name is one of a client of language models, and of no service beside it.
fn names_a_client(words: &NameWords<'_>) -> bool {
    let mut behind = words.iter().skip_while(|word| !is_one_of(word, CLIENTS));
    let names_one = behind.next().is_some();
    names_one && !words.has_any(OTHER_SERVICES) && !behind.any(|word| is_one_of(word, ASIDE))
}

fn ends_with_any(words: &NameWords<'_>, ends: &[&str]) -> bool {
    words
        .iter()
        .next_back()
        .is_some_and(|last| is_one_of(last, ends))
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| word.eq_ignore_ascii_case(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: &[&NameClass] = &[
        &CLIENT_ADDRESS,
        &BEDROCK_ADDRESS,
        &ADDRESS,
        &GATEWAY_SWITCH,
        &PROVIDER,
        &INTERFACE,
        &MANTLE_SWITCH,
        &MODEL_PREFIX,
        &PROFILE_PREFIX,
        &CROSS_REGION_SWITCH,
        &INFERENCE_PROFILE,
        &PRICE_TABLE,
        &BEDROCK,
        &MANTLE,
        &MODELS,
    ];

    #[test]
    fn each_name_of_a_class_has_an_anchor() {
        const OTHERS: &[&str] = &[
            "aws", "use", "auto", "global", "region", "runtime", "profile", "profiles", "per",
            "map", "table", "mapping", "cross", "mantle", "geo", "id", "x",
        ];
        let lists = [
            CLIENTS, ADDRESSES, PROVIDERS, INTERFACES, PREFIXES, PRICES, OTHERS,
        ];
        let words: Vec<&str> = lists.concat();
        let names = words.iter().flat_map(|one| {
            words.iter().flat_map(move |two| {
                OTHERS
                    .iter()
                    .map(move |three| [format!("{one}_{two}"), format!("{three}_{one}_{two}")])
            })
        });
        let mut fitting = 0;
        for name in names.flatten() {
            let words = NameWords::of(&name);
            for class in CLASSES.iter().filter(|class| (class.fits)(&words)) {
                fitting += 1;
                assert!(
                    words.has_any(class.anchors),
                    "{name} is {}",
                    class.description
                );
            }
        }
        assert!(fitting > 1000);
    }
}
