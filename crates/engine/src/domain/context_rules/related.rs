//! Whether a setting is one of the ID's own client: several clients share the variables of one container.

use crate::domain::name_words::NameWords;

/// Words for the purpose of a model or a client, with the same word in other forms.
const PURPOSES: &[&[&str]] = &[
    &["embed", "embedder", "embedding", "embeddings"],
    &["rerank", "reranker", "reranking"],
    &["judge", "eval", "evaluation", "evaluator", "grader"],
    &[
        "summary",
        "summaries",
        "summarization",
        "summarizer",
        "summarise",
        "summarize",
    ],
    &["title", "titles"],
    &["image", "images", "vision"],
    &[
        "speech",
        "tts",
        "stt",
        "audio",
        "transcription",
        "transcribe",
        "whisper",
    ],
    &["moderation"],
    &["fallback", "backup", "secondary", "alternative"],
    &["fast", "small", "mini", "cheap", "weak"],
    &["planner", "planning"],
    &["haiku"],
    &["sonnet"],
    &["opus"],
    &["nova"],
    &["llama"],
    &["titan"],
    &["mistral"],
    &["cohere"],
    &["deepseek"],
];

/// Words for the part of an application that uses a model, besides those of [`PURPOSES`].
const PARTS: &[&str] = &[
    "agent",
    "chat",
    "classification",
    "classifier",
    "code",
    "coder",
    "extraction",
    "extractor",
    "rag",
    "research",
    "router",
    "supervisor",
    "translation",
];

/// Words of names that say which property of a model or a client they set, but not which model or client.
const PROPERTIES: &[&str] = &[
    "addr",
    "address",
    "api",
    "arn",
    "base",
    "endpoint",
    "gateway",
    "host",
    "hostname",
    "id",
    "inference",
    "model",
    "models",
    "name",
    "profile",
    "provider",
    "proxy",
    "server",
    "service",
    "uri",
    "url",
];

/// The purposes that a name states, as a set of bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Purposes(u32);

impl Purposes {
    /// The purposes of a name.
    pub(super) fn of(words: &NameWords<'_>) -> Self {
        let stated = PURPOSES.iter().enumerate();
        let bits = stated.filter(|(_, forms)| words.has_any(forms));
        Self(bits.fold(0, |bits, (at, _)| bits | 1 << at))
    }

    /// Whether a setting for these purposes applies to a model for `own`.
    pub(super) fn apply_to(self, own: Self) -> bool {
        self.0 & !own.0 == 0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Whether two names have the same stem, the words that say which model or client is meant: `JUDGE_MODEL_ID` and
/// `JUDGE_BASE_URL`.
pub(super) fn have_one_stem(own: &NameWords<'_>, other: &NameWords<'_>) -> bool {
    let stem = |words: &NameWords<'_>| -> Vec<String> {
        let words = words.iter().map(str::to_ascii_lowercase);
        words
            .filter(|word| !PROPERTIES.contains(&&**word))
            .collect()
    };
    let own = stem(own);
    !own.is_empty() && own == stem(other)
}

/// Whether two names state different parts of an application.
pub(super) fn are_of_different_parts(own: &NameWords<'_>, other: &NameWords<'_>) -> bool {
    let states_any =
        |words: &NameWords<'_>| words.has_any(PARTS) || Purposes::of(words) != Purposes::default();
    let shares_one = PARTS.iter().any(|part| own.has(part) && other.has(part))
        || Purposes::of(own).0 & Purposes::of(other).0 != 0;
    states_any(own) && states_any(other) && !shares_one
}
