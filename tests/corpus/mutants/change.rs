//! Changes of a document that no verdict may depend on.

use super::node::Node;
use super::rng::Rng;

/// Variables and keys that say nothing of a role or a region, so that another name changes no answer.
const NAMES: &[&str] = &[
    "AI_MODEL",
    "BEDROCK_MODEL",
    "BEDROCK_MODEL_ID",
    "EMBEDDING_MODEL_ID",
    "FINANCE_HOST",
    "HR_HOST",
    "JUDGE_MODEL",
    "K8SGPT_MODEL",
    "LLM_MODEL",
    "LOG_LEVEL",
    "MILVUS_HOST",
    "MODELID",
    "OPENCLAW_MODEL",
    "PORT",
    "RAGURL",
    "admin-agent",
    "agents",
    "brain",
    "claude-3-opus",
    "claude-3-sonnet",
    "config.yaml",
    "litellm_config.yaml",
    "llama-2-13b",
    "okta",
    "ui",
];

/// Keys under which a configuration is put one level deeper.
const DEEPER: &[&str] = &["component", "settings", "app-values"];

/// Whether the name of what holds the ID takes part in its role.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    Free,
    PartOfTheRole,
}

/// Changes the documents of a file; whether they are now those of a template.
pub(super) fn change(documents: &mut Vec<Node>, naming: Naming, rng: &mut Rng) {
    for document in documents.iter_mut() {
        if naming == Naming::Free {
            let offset = rng.below(1000);
            rename(document, offset);
        }
        reorder(document, rng);
        deepen(document, rng);
    }
    if documents.iter().all(Node::is_object) && rng.one_in(3) {
        let items = Node::Seq(std::mem::take(documents));
        documents.push(Node::Map(vec![
            ("apiVersion".to_owned(), Node::text("v1")),
            ("kind".to_owned(), Node::text("List")),
            ("items".to_owned(), items),
        ]));
    }
}

/// Makes a template of an object: its name is an expression.
pub(super) fn template(document: &mut Node) -> bool {
    let name = document
        .get_mut("metadata")
        .and_then(|metadata| metadata.get_mut("name"));
    let named =
        name.map(|name| *name = Node::Bare("{{ include \"app.fullname\" . }}-x".to_owned()));
    named.is_some()
}

/// The new name of a key or a variable: alike in case and ending, and one for each old one.
fn renamed(name: &str, offset: usize) -> Option<String> {
    let at = NAMES.iter().position(|known| *known == name)? + offset;
    Some(match name {
        _ if name.contains('.') => format!("file-{at}.yaml"),
        _ if name.starts_with(|first: char| first.is_ascii_uppercase()) => format!("SETTING_{at}"),
        _ => format!("part-{at}"),
    })
}

fn rename(node: &mut Node, offset: usize) {
    match node {
        Node::Map(entries) => {
            for (key, value) in entries {
                if key == "name"
                    && let Node::Text { before, .. } = value
                    && let Some(new) = renamed(before, offset)
                {
                    *value = Node::text(&new);
                }
                if let Some(new) = renamed(key, offset) {
                    *key = new;
                }
                rename(value, offset);
            }
        }
        Node::Seq(items) => items.iter_mut().for_each(|item| rename(item, offset)),
        Node::File { root, .. } => rename(root, offset),
        Node::Text { .. } | Node::Bare(_) => {}
    }
}

/// The keys of mappings and the items of lists whose order says nothing: those that have names.
fn reorder(node: &mut Node, rng: &mut Rng) {
    match node {
        Node::Map(entries) => {
            if rng.one_in(2) {
                rng.shuffle(entries);
            }
            for (_, value) in entries {
                reorder(value, rng);
            }
        }
        Node::Seq(items) => {
            let named = |item: &Node| item.has("name") || item.has("model_name");
            if items.iter().all(named) && rng.one_in(2) {
                rng.shuffle(items);
            }
            for item in items {
                reorder(item, rng);
            }
        }
        Node::File { root, .. } => reorder(root, rng),
        Node::Text { .. } | Node::Bare(_) => {}
    }
}

/// Configuration stands as well some levels deeper; an object does not, but the files in it do.
fn deepen(document: &mut Node, rng: &mut Rng) {
    if document.is_object() {
        deepen_files(document, rng);
    } else {
        nest(document, rng);
    }
}

fn deepen_files(node: &mut Node, rng: &mut Rng) {
    match node {
        Node::File { root, .. } => nest(root, rng),
        Node::Map(entries) => entries
            .iter_mut()
            .for_each(|(_, value)| deepen_files(value, rng)),
        Node::Seq(items) => items.iter_mut().for_each(|item| deepen_files(item, rng)),
        Node::Text { .. } | Node::Bare(_) => {}
    }
}

fn nest(node: &mut Node, rng: &mut Rng) {
    for _ in 0..rng.below(3) {
        let inner = std::mem::replace(node, Node::Seq(Vec::new()));
        *node = Node::Map(vec![(rng.pick(DEEPER).to_owned(), inner)]);
    }
}
