//! What the name of a setting claims about its region, and the ranks of the claims.

use crate::domain::name_words::{LetterWords, NameWords};

mod one_model;
mod services;

pub use one_model::OF_ONE_MODEL;
pub use services::OTHER_SERVICES;

use one_model::region_of_one;
use services::names_other_service;

/// What a name claims about the region that is its value. The order of the variants is the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Claim {
    /// The region of this model only.
    OneModel,
    /// A name of the policy's `region.extraEnvNames`.
    Extra,
    /// The region of Bedrock, or of the setting that has the ID.
    Bedrock,
    /// `LiteLLM`'s name.
    LiteLlm,
    /// The region of all AWS services.
    Aws,
    /// A profile of `~/.aws/config`, whose region cannot be read.
    Profile,
    /// Any other name: it gives no region, but the ID is unchanged if this region would change the answer.
    Other,
}

impl Claim {
    /// The rank, from 1: the position in [`RANKS`], or the one after the last.
    pub const fn rank(self) -> usize {
        self as usize + 1
    }
}

/// A rank: the claim, and the names that make it.
pub struct Rank {
    /// The claim.
    pub claim: Claim,
    /// The description for the documentation.
    pub names: &'static str,
    /// Whether a name with these [plain words](ClaimQuery::plain_words) makes the claim.
    makes: fn(&ClaimQuery<'_>, &NameWords<'_>) -> bool,
}

/// The ranks, the strongest first. A name has the first rank that it fits.
pub const RANKS: &[Rank] = &[
    Rank {
        claim: Claim::OneModel,
        names: "the region of one model, for that model only",
        makes: |query, _| query.own_key.and_then(region_of_one) == Some(query.name),
    },
    Rank {
        claim: Claim::Extra,
        names: "the names in the policy's `region.extraEnvNames`, in their order",
        makes: |query, _| query.extra_names.iter().any(|extra| **extra == *query.name),
    },
    Rank {
        claim: Claim::Bedrock,
        names: "names with the word `bedrock` (`BEDROCK_REGION`, `spring.ai.bedrock.aws.region`), names that begin as the name of the ID if that beginning has a word for a model (`MCP_LLM_REGION` for `MCP_LLM_MODEL`), and endpoints of Bedrock's runtime",
        makes: |query, _| query.is_endpoint || query.names_bedrock() || query.shares_the_stem(),
    },
    Rank {
        claim: Claim::LiteLlm,
        names: "`AWS_REGION_NAME`",
        makes: |_, plain| plain.is(&["aws", REGION, "name"]),
    },
    Rank {
        claim: Claim::Aws,
        names: "names of AWS alone (`AWS_REGION`, `AWS_DEFAULT_REGION`, `aws.region`), and `region` in a command or in a mapping that names Bedrock",
        makes: |query, plain| is_of_aws(plain) || query.is_bare(plain),
    },
    Rank {
        claim: Claim::Profile,
        names: "`AWS_PROFILE` and `litellm_credential_name`, whose regions cannot be read",
        makes: |query, _| names_a_profile(query.words),
    },
    Rank {
        claim: Claim::Other,
        names: "any other name whose value is a region",
        makes: |_, _| true,
    },
];

/// The ranks that are evaluated.
#[derive(Debug, Clone, Copy, Default)]
pub struct RegionRanks {
    omitted: Option<Claim>,
}

impl RegionRanks {
    /// All ranks except the one of this claim, for tests of the effect of each rank.
    #[must_use]
    pub const fn without(claim: Claim) -> Self {
        Self {
            omitted: Some(claim),
        }
    }

    /// The claim of a name; `None` if the name says nothing about Bedrock.
    pub fn claim(self, query: &ClaimQuery<'_>) -> Option<Claim> {
        let names_service = names_other_service(query.words);
        if query.is_silent(names_service) {
            return None;
        }
        let mut ranks = RANKS.iter().filter(|rank| Some(rank.claim) != self.omitted);
        let is_other = query.is_of_another_part(names_service);
        let plain = query.plain_words();
        let fits =
            |rank: &&Rank| (!is_other || rank.claim == Claim::Other) && (rank.makes)(query, &plain);
        ranks.find(fits).map(|rank| rank.claim)
    }
}

/// A name, with what its claim depends on.
pub struct ClaimQuery<'a> {
    /// The name, with the keys of its branch.
    pub name: &'a str,
    /// The words of the name.
    pub words: &'a NameWords<'a>,
    /// The keys around the mapping that has the name.
    pub path: &'a str,
    /// Whether the value is an endpoint of Bedrock's runtime.
    pub is_endpoint: bool,
    /// Whether a bare `region` is the region of Bedrock.
    pub bare: BareRegion,
    /// The ID's own key, variable or flag.
    pub own_key: Option<&'a str>,
    /// The words of the keys around the ID and of its own key.
    pub own: &'a NameWords<'a>,
    /// The policy's `region.extraEnvNames`.
    pub extra_names: &'a [Box<str>],
}

/// Whether a bare `region` or `region_name` claims to be the region of the ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BareRegion {
    /// Neither.
    None,
    /// `region_name` only, which is an argument of AWS's own clients.
    RegionName,
    /// Both.
    All,
}

/// The word of Bedrock.
const BEDROCK: &str = "bedrock";

/// The word of a region.
const REGION: &str = "region";

/// Words for a model, one of which the stem of a name must have.
const MODEL_WORDS: &[&str] = &[
    "ai",
    "anthropic",
    "chat",
    "claude",
    "cohere",
    "completion",
    "embed",
    "embedder",
    "embedding",
    "embeddings",
    "genai",
    "gpt",
    "haiku",
    "llama",
    "llm",
    "mistral",
    "model",
    "nova",
    "opus",
    "rerank",
    "reranker",
    "sonnet",
    "titan",
    "vlm",
];

/// Words of mappings that only group settings.
const NEUTRAL_WORDS: &[&str] = &[
    "args",
    "client",
    "config",
    "configuration",
    "connection",
    "credential",
    "credentials",
    "data",
    "env",
    "environment",
    "kwargs",
    "literals",
    "option",
    "options",
    "parameters",
    "params",
    "properties",
    "provider",
    "settings",
    "values",
    "variables",
];

/// Words of names of AWS alone.
const AWS_WORDS: &[&str] = &[
    "amazon", "aws", "cloud", "code", "default", "id", "name", "region", "sdk", "spring", "static",
];

/// Words of names that have a region for another purpose: availability zones and node selectors.
const PLACEMENT_WORDS: &[&str] = &[
    "affinity",
    "az",
    "selector",
    "tolerations",
    "topology",
    "zone",
    "zones",
];

/// Words of parts of Bedrock that may be called in another region than the model.
const OTHER_PARTS: &[&str] = &["kb", "knowledge"];

/// Words of switches and counts, whose values are no regions.
const NO_REGION_WORDS: &[&str] = &[
    "cross",
    "enable",
    "enabled",
    "inference",
    "multi",
    "prefix",
    "use",
];

impl ClaimQuery<'_> {
    /// Whether the name is that of another service, of another model or of a placement.
    fn is_silent(&self, names_service: bool) -> bool {
        let of_another_model = OF_ONE_MODEL.iter().any(|(_, region)| *region == self.name)
            && self.own_key.and_then(region_of_one).is_none();
        of_another_model
            || self.words.has_any(PLACEMENT_WORDS)
            || (names_service && !self.names_bedrock())
    }

    /// Whether the name is that of a part of Bedrock, or of a service for it, that need not be in the model's region.
    fn is_of_another_part(&self, names_service: bool) -> bool {
        let is_extra = self.extra_names.iter().any(|extra| **extra == *self.name);
        !is_extra && (names_service || self.words.has_any(OTHER_PARTS))
    }

    /// The words of a name of a region, without those that only group settings and without the start that the ID's own name
    /// shares. Empty for a name without the word `region`, as most names with an endpoint or a text that is a region are.
    fn plain_words(&self) -> NameWords<'_> {
        if !self.words.has(REGION) {
            return NameWords::default();
        }
        let own = self.own_key.unwrap_or_default();
        NameWords::of(behind_shared_branches(self.name, own)).without(NEUTRAL_WORDS)
    }

    /// Whether the name, or a key around it, names Bedrock.
    fn names_bedrock(&self) -> bool {
        self.words.has(BEDROCK) || NameWords::of(self.path).has(BEDROCK)
    }

    /// Whether the name is `region` or `region_name`, where it counts.
    fn is_bare(&self, words: &NameWords<'_>) -> bool {
        match self.bare {
            BareRegion::None => false,
            BareRegion::RegionName => words.is(&[REGION, "name"]),
            BareRegion::All => words.is(&[REGION]) || words.is(&[REGION, "name"]),
        }
    }

    /// Whether the name begins as the ID's own name, with a word for a model: `MCP_LLM_REGION` for `MCP_LLM_MODEL`.
    fn shares_the_stem(&self) -> bool {
        const OF_REGIONS: &[&str] = &[REGION, "aws", "amazon", "default", "name", "id", "code"];
        let may_name_a_model = !self.path.is_empty() || self.words.has_any(MODEL_WORDS);
        if !may_name_a_model || !self.words.has(REGION) {
            return false;
        }
        let stem = NameWords::of_parts([self.path, self.name]);
        let stem = stem.without(NEUTRAL_WORDS).without(OF_REGIONS);
        stem.has_any(MODEL_WORDS) && self.own.without(NEUTRAL_WORDS).starts_with(&stem)
    }
}

/// Whether these plain words are those of a name of all AWS services.
fn is_of_aws(words: &NameWords<'_>) -> bool {
    words.has(REGION) && words.has_any(&["aws", "amazon"]) && words.without(AWS_WORDS).is(&[])
}

/// Whether the value of a name with these words is a region, so that another value is a fault or cannot be read.
pub(crate) fn names_a_region(words: &NameWords<'_>) -> bool {
    let words = words.without(&["name", "id", "code", "static"]);
    words.ends_with(&["region"]) && !words.has_any(NO_REGION_WORDS)
}

/// Whether the name is that of a profile of `~/.aws/config`, or of a credential that a gateway stores.
pub(crate) fn names_a_profile(words: &NameWords<'_>) -> bool {
    words.ends_with(&["aws", "profile"])
        || words.ends_with(&["aws", "profile", "name"])
        || words.ends_with(&["litellm", "credential", "name"])
}

/// Whether a name or a value names Bedrock.
pub(crate) fn names_bedrock(text: &str) -> bool {
    /// The maximum length of a name; a longer text is a document.
    const LONGEST_NAME: usize = 256;
    const WORD: LetterWords<1> = LetterWords::new([BEDROCK]);
    text.len() <= LONGEST_NAME && WORD.are_in(text)
}

/// The name without the branches that it shares with another one: `aws.region` of `app.aws.region` and `app.model.id`.
fn behind_shared_branches<'n>(name: &'n str, own: &str) -> &'n str {
    const SEPARATORS: [&str; 3] = [".", "__", ":"];
    // Most names begin with different letters, and so have no branch in common.
    let first = |name: &str| name.bytes().next().filter(u8::is_ascii_alphanumeric);
    if let (Some(of_name), Some(of_own)) = (first(name), first(own))
        && of_name != of_own
    {
        return name;
    }
    let (mut name, mut own) = (name, own);
    while let Some((branch, rest)) = SEPARATORS.iter().find_map(|one| name.split_once(one))
        && let Some((own_branch, own_rest)) = SEPARATORS.iter().find_map(|one| own.split_once(one))
        && branch == own_branch
    {
        (name, own) = (rest, own_rest);
    }
    name
}
