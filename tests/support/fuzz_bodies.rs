//! What must hold of any bytes, one function for each fuzz target. `fuzz/` runs them over what libFuzzer makes, the suite over
//! seeds and a bounded number of changes to them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a violation is a panic")]

#[path = "independent_parsers.rs"]
pub(crate) mod independent_parsers;
#[path = "tree_value.rs"]
mod tree_value;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bedrock_profiles::api::{self, Resource};
use bedrock_profiles::catalog;
use bedrock_profiles::domain::config_maps::{ConfigMap, ConfigMapIndex};
use bedrock_profiles::domain::id::LONGEST_ID;
use bedrock_profiles::domain::site::TextKind;
use bedrock_profiles::domain::snapshot::{ObjectName, Snapshot};
use bedrock_profiles::domain::syntax::TextContext;
use bedrock_profiles::domain::tokens::tokens;
use bedrock_profiles::domain::view::View;
use bedrock_profiles::runtime::admin::Registry;
use bedrock_profiles::runtime::published::Published;
use bedrock_profiles::text::{Format, Kind, MergeOrder, NodeId, Splice, Tree, splice};
use bedrock_profiles::validate;
use bedrock_profiles::webhook::action::Endpoint;
use bedrock_profiles::webhook::handler::{AdmissionHandler, ConfigMapWait};
use bedrock_profiles::webhook::metrics::Metrics;
use jiff::civil::date;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tree_value::value;

/// A fuzz target: its name, which is its folder of seeds, and its body.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: [Target; 6] = [
    ("tokens", find_tokens),
    ("json", read_json),
    ("yaml", read_yaml),
    ("review", answer_review),
    ("resources", convert_resources),
    ("embedded", read_embedded),
];

/// How many texts of one document are changed: each costs a reading of the whole.
const MOST_CHANGED: usize = 16;

// === Tokens ===

fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let mapping = validate::mapping(&catalog::builtin().unwrap()).unwrap();
        Snapshot::build(vec![mapping], Vec::new()).0
    })
}

/// Whether a text ends before the default of a parameter: `${NAME-` or `${NAME:-`. Before a colon the name may be one of a property,
/// with dots.
fn ends_with_default(text: &str) -> bool {
    let Some(name) = text.strip_suffix('-') else {
        return false;
    };
    let (name, may_have_dots) = name
        .strip_suffix(':')
        .map_or((name, false), |name| (name, true));
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (may_have_dots && c == '.');
    let before = name.trim_end_matches(in_name);
    before.len() < name.len() && before.ends_with("${")
}

/// Tokens stand in order, apart, at the boundaries of words, and each has a shape or a reason.
pub(crate) fn find_tokens(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut end = 0;
    for token in tokens(&text, snapshot()) {
        assert!(end <= token.span.start && token.span.start < token.span.end);
        end = token.span.end;
        let whole = &text[token.span.clone()];
        assert!(whole.ends_with(token.id), "{whole} {}", token.id);
        assert!(text[end..].starts_with(token.suffix));
        assert_eq!(
            token.model.is_some(),
            snapshot().catalog.find(token.id).is_some()
        );
        let before = &text[..token.span.start];
        // A route that is joined to the ID.
        let before = before.strip_suffix("bedrock.").unwrap_or(before);
        let is_default = ends_with_default(before);
        let before = before.chars().next_back();
        let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        assert!(
            is_default || !before.is_some_and(is_inside),
            "{text:?} {whole}"
        );
        let after = text[end + token.suffix.len()..].chars().next();
        // A word that is longer than any ID is not read to its end.
        let is_cut = token.id.len() + token.suffix.len() >= 4 * LONGEST_ID;
        assert!(
            is_cut || !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-'),
            "{text:?} {whole}"
        );
        for setting in [TextKind::Env, TextKind::Argument, TextKind::Data] {
            if TextContext::of(&text, setting)
                .syntax(&token)
                .is_ok_and(|shape| shape.whole)
            {
                assert_eq!(text.trim(), whole);
            }
        }
    }
}

// === JSON ===

/// Whether some object has a key twice.
struct Twice(bool);

impl<'de> Deserialize<'de> for Twice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Twice;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E: Error>(self) -> Result<Twice, E> {
                Ok(Twice(false))
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Twice, E> {
                Ok(Twice(false))
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Twice, E> {
                Ok(Twice(false))
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Twice, E> {
                Ok(Twice(false))
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Twice, E> {
                Ok(Twice(false))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Twice, E> {
                Ok(Twice(false))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Twice, A::Error> {
                let mut twice = false;
                while let Some(Twice(item)) = items.next_element()? {
                    twice |= item;
                }
                Ok(Twice(twice))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Twice, A::Error> {
                let (mut keys, mut twice) = (BTreeSet::new(), false);
                while let Some((key, Twice(value))) = entries.next_entry::<String, Twice>()? {
                    twice |= value | !keys.insert(key);
                }
                Ok(Twice(twice))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Whether a document has a key that `serde_json` keeps for itself, and reads as something else.
fn confuses_serde_json(tree: &Tree<'_>) -> bool {
    tree.keyed(tree.root())
        .filter_map(|node| tree.key(node))
        .any(|key| key.starts_with("$serde_json::private::"))
}

/// The front end of JSON takes what `serde_json` takes, and reads the same; but for keys that stand twice, for numbers and
/// depths that `serde_json` does not hold, and for the keys that it keeps for itself.
pub(crate) fn read_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let read = Tree::json(text);
    if read.as_ref().is_ok_and(confuses_serde_json) {
        return;
    }
    match (read, serde_json::from_str::<Value>(text)) {
        (Ok(tree), Ok(oracle)) => assert_eq!(value(&tree, tree.root()), oracle),
        (Ok(_), Err(error)) => {
            let why = error.to_string();
            let known = ["number out of range", "recursion limit exceeded"];
            assert!(
                known.iter().any(|known| why.contains(known)),
                "{why}: {text}"
            );
        }
        (Err(_), Ok(_)) => assert!(serde_json::from_str::<Twice>(text).unwrap().0, "{text}"),
        (Err(_), Err(_)) => {}
    }
}

// === YAML ===

/// The strings below the root of a document, in order.
fn strings(tree: &Tree<'_>) -> Vec<NodeId> {
    let (mut found, mut open) = (Vec::new(), vec![tree.root()]);
    while let Some(node) = open.pop() {
        if tree.kind(node) == Kind::String {
            found.push(node);
        }
        open.extend(tree.children(node));
    }
    found.sort();
    found
}

/// Every node has a place, and a word that can be replaced is replaced alone.
pub(crate) fn read_yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for (at, tree) in Tree::yaml(text).enumerate() {
        let Ok(tree) = tree else { continue };
        for leaf in strings(&tree).into_iter().take(MOST_CHANGED) {
            assert!(text.get(tree.raw(leaf)).is_some());
            let decoded = tree.text(leaf).unwrap();
            let Some(word) = decoded.split_whitespace().next_back() else {
                continue;
            };
            let start = decoded.rfind(word).unwrap();
            let span = start..start + word.len();
            let Ok(change) = tree.replace(leaf, span.clone(), "eu.x-1:0") else {
                continue;
            };
            let changed = splice(text, &[change]);
            let again = Tree::yaml(&changed).nth(at).unwrap().unwrap();
            let pointer = tree.pointer(tree.root(), leaf);
            let found = strings(&again)
                .into_iter()
                .find(|node| again.pointer(again.root(), *node) == pointer)
                .unwrap();
            let expected = format!("{}eu.x-1:0{}", &decoded[..span.start], &decoded[span.end..]);
            assert_eq!(again.text(found).unwrap(), expected, "{text:?}");
            let (before, after) = ((text, &*changed), (decoded, &*expected));
            independent_parsers::assert_one_change(Format::Yaml, before, after);
        }
    }
}

// === Embedded texts ===

/// Names that decide in which format a text is read, and names that do not. An input starts with the digit of its name.
const NAMES: [&str; 8] = [
    "",
    "a.json",
    "a.yaml",
    "a.toml",
    "a.properties",
    ".env",
    "a.txt",
    "a.gotmpl",
];

/// The strings of a document as they read, each with its place in the document and in the source.
fn texts(tree: &Tree<'_>) -> Vec<(String, Range<usize>, String)> {
    strings(tree)
        .into_iter()
        .map(|node| {
            let pointer = tree.pointer(tree.root(), node);
            (pointer, tree.raw(node), tree.text(node).unwrap().to_owned())
        })
        .collect()
}

/// The letters and digits of a text that stand together.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(|c: char| c.is_ascii_alphanumeric())?;
        let rest = &text[start..];
        from = start
            + rest
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
        Some(start..from)
    })
}

/// A document of a text, read in a format that it was read in before it was changed.
fn reread(text: &str, format: Format, document: usize) -> Tree<'_> {
    match format {
        Format::Json => Tree::json_file(text).unwrap(),
        Format::Yaml => Tree::yaml_template(text, MergeOrder::Unknown)
            .swap_remove(document)
            .unwrap(),
        Format::Toml => Tree::toml(text).unwrap(),
        Format::Properties => Tree::properties(text).unwrap(),
        Format::Env => Tree::env(text).unwrap(),
        Format::Lines => Tree::lines(text),
    }
}

/// Whether parts of a text are filled in elsewhere: no independent parser reads templates.
fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Any text can be read, and a word that can be pointed at is replaced alone.
pub(crate) fn read_embedded(data: &[u8]) {
    const OTHER: &str = "zq9";
    let Some((name, Ok(text))) = data
        .split_first()
        .map(|(name, text)| (usize::from(*name), std::str::from_utf8(text)))
    else {
        return;
    };
    let trees = Tree::embedded(text, NAMES[name % NAMES.len()]);
    for (document, tree) in trees.iter().enumerate() {
        let before = texts(tree);
        let leaves = strings(tree).into_iter().zip(&before);
        let places = leaves.flat_map(|(leaf, (_, raw, decoded))| {
            words(decoded).map(move |word| (leaf, raw, decoded, word))
        });
        for (leaf, raw, decoded, word) in places.take(MOST_CHANGED) {
            let Ok(at) = tree.locate(leaf, word.clone()) else {
                continue;
            };
            assert_eq!(text[at.clone()], decoded[word.clone()]);
            let changed = splice(
                text,
                &[Splice {
                    at,
                    with: OTHER.into(),
                }],
            );
            let after = texts(&reread(&changed, tree.format(), document));
            let replaced = [&decoded[..word.start], OTHER, &decoded[word.end..]].concat();
            // Aliases of YAML read the same bytes.
            let expected = before.iter().map(|(pointer, place, other)| {
                let text = if place == raw { &replaced } else { other };
                (pointer, text)
            });
            let after = after.iter().map(|(pointer, _, text)| (pointer, text));
            assert!(after.eq(expected), "{text:?} became {changed:?}");
            if !is_template(text) {
                let texts = (text, &*changed);
                match tree.format() {
                    format @ (Format::Properties | Format::Env) => {
                        let words = (&decoded[word.clone()], OTHER);
                        independent_parsers::assert_one_word(format, texts, words);
                    }
                    format @ (Format::Json | Format::Yaml | Format::Toml | Format::Lines) => {
                        independent_parsers::assert_one_change(format, texts, (decoded, &replaced));
                    }
                }
            }
        }
    }
}

// === Review ===

/// A handler with a policy of this spec over the shipped catalog, and a ConfigMap `models` with an ID in the namespace `ml`.
pub(crate) fn handler(spec: &str) -> AdmissionHandler {
    let text = format!(
        "apiVersion: bedrock-profiles.dev/v1alpha1\nkind: InferenceProfilePolicy\nmetadata: {{ name: test }}\nspec: {spec}\n"
    );
    let policies = api::read(&text, "test")
        .unwrap()
        .into_iter()
        .map(|resource| match resource {
            Resource::Policy(wire) => validate::policy(&wire).unwrap(),
            Resource::Mapping(_) => panic!("a policy is expected"),
        });
    let mapping = validate::mapping(&catalog::builtin().unwrap()).unwrap();
    let (snapshot, _) = Snapshot::build(vec![mapping], policies.collect());
    let mut references = ConfigMapIndex::of_all();
    let data = [
        ("MODEL", "anthropic.claude-sonnet-4-6"),
        ("AWS_REGION", "eu-west-1"),
        ("1", "x"),
    ];
    let map = ConfigMap::read(data, |_| None, &snapshot);
    references.insert("ml", "models", map);
    let view = View {
        config_maps: Arc::new(references),
        ..View::of(snapshot)
    };
    AdmissionHandler::new(
        Arc::new(Published::new(Some(view))),
        Metrics::register(&mut Registry::default()),
        BTreeSet::from(["kube-system".into()]),
        || date(2026, 11, 23),
    )
}

/// An answer is JSON, repeats the uid, patches through the mutating entry only, and its patch applies.
pub(crate) fn answers_well(handler: &AdmissionHandler, body: &[u8]) {
    let tree = std::str::from_utf8(body).ok().map(Tree::json);
    let is_readable = !tree.is_some_and(|tree| tree.is_ok_and(|tree| confuses_serde_json(&tree)));
    for endpoint in [Endpoint::Mutate, Endpoint::Restore, Endpoint::Validate] {
        let Ok(bytes) = handler.handle(endpoint, body, ConfigMapWait::Exhausted) else {
            continue;
        };
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        let response = &answer["response"];
        assert_eq!(answer["kind"], "AdmissionReview");
        assert!(response["uid"].as_str().is_some_and(|uid| !uid.is_empty()));
        assert!(response["allowed"].is_boolean());
        if !is_readable {
            continue;
        }
        let Ok(asked) = serde_json::from_slice::<Value>(body) else {
            // Of a body that cannot concern us only the envelope is read.
            assert!(response["patch"].is_null());
            continue;
        };
        assert_eq!(response["uid"], asked["request"]["uid"]);
        let Some(patch) = response["patch"].as_str() else {
            continue;
        };
        assert_ne!(endpoint, Endpoint::Validate);
        assert_eq!(response["patchType"], "JSONPatch");
        let patch: json_patch::Patch =
            serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
        assert!(!patch.0.is_empty());
        let mut object = asked["request"]["object"].clone();
        json_patch::patch(&mut object, &patch).unwrap();
        if endpoint == Endpoint::Restore {
            assert_eq!(asked["request"]["operation"], "UPDATE");
            let old = &asked["request"]["oldObject"];
            patch.0.iter().for_each(|one| writes_only_stored(one, old));
        }
    }
}

/// Every text that a restoration writes is one of the stored Pod.
fn writes_only_stored(operation: &json_patch::PatchOperation, old: &Value) {
    fn texts<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
        match value {
            Value::String(text) => drop(found.insert(text)),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let value = match operation {
        json_patch::PatchOperation::Add(add) => &add.value,
        json_patch::PatchOperation::Replace(replace) => &replace.value,
        json_patch::PatchOperation::Remove(_)
        | json_patch::PatchOperation::Move(_)
        | json_patch::PatchOperation::Copy(_)
        | json_patch::PatchOperation::Test(_) => panic!("{operation}"),
    };
    let (mut written, mut stored) = (BTreeSet::new(), BTreeSet::new());
    texts(value, &mut written);
    texts(old, &mut stored);
    assert!(written.is_subset(&stored), "{value} of {old}");
}

/// The webhook refuses a body or answers it well.
pub(crate) fn answer_review(data: &[u8]) {
    static HANDLER: OnceLock<AdmissionHandler> = OnceLock::new();
    let handler = HANDLER
        .get_or_init(|| handler("{ mode: Rewrite, models: { aliases: { enabled: true, envNames: ['*'] } }, lists: Rewrite, region: { default: us-east-1 } }"));
    answers_well(handler, data);
}

// === Resources ===

/// Custom resources are refused with words or make a snapshot, and are read again as they are written.
pub(crate) fn convert_resources(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let resources = match api::read(text, "fuzz") {
        Ok(resources) => resources,
        Err(error) => return assert!(error.to_string().starts_with("fuzz, line ")),
    };
    let (mut mappings, mut policies) = (Vec::new(), Vec::new());
    for resource in resources {
        let (written, invalid) = match &resource {
            Resource::Mapping(wire) => {
                let typed = validate::mapping(wire).map(|mapping| mappings.push(mapping));
                (serde_yaml::to_string(wire).unwrap(), typed.err())
            }
            Resource::Policy(wire) => {
                let typed = validate::policy(wire).map(|policy| policies.push(policy));
                (serde_yaml::to_string(wire).unwrap(), typed.err())
            }
        };
        if let Some(invalid) = invalid {
            assert!(!invalid.problems.is_empty());
            assert!(
                invalid
                    .to_string()
                    .ends_with("correct it and apply it again")
            );
        }
        assert_eq!(api::read(&written, "again").unwrap(), [resource]);
    }
    let mappings_named: BTreeSet<_> = mappings.iter().map(|it| it.name.clone()).collect();
    let policies_named: BTreeSet<_> = policies.iter().map(|it| it.name.clone()).collect();
    let (snapshot, problems) = Snapshot::build(mappings, policies);
    for problem in problems {
        // What is wrong is replaced of an object that is there, by its name.
        let (named, name) = match problem.object() {
            ObjectName::Mapping(name) => (&mappings_named, name),
            ObjectName::Policy(name) => (&policies_named, name),
        };
        assert!(named.contains(&name), "{problem}");
        assert!(problem.to_string().contains(&format!("`{name}`")));
    }
    for row in snapshot.catalog.overridden() {
        assert!(mappings_named.contains(&row.mapping) && mappings_named.contains(&row.by));
    }
    for policy in &snapshot.policies {
        for replacement in &policy.replacements {
            // Every chain ends.
            let end = policy.replaced(replacement.from.as_str(), false);
            assert_ne!(end, Some(&replacement.from));
        }
    }
}
