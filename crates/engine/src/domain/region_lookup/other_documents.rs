//! The other documents of a file, which may set the region of an ID: Spring reads the documents of a file in order, and a later one
//! overrides the keys of an earlier one, perhaps only under a profile.

use std::collections::HashSet;

use super::document_scope::{MOST_NODES, ScopeQuery, scope_of_mapping};
use super::scope::{RegionScope, ScopeKind};
use crate::budget::Budget;
use crate::domain::object::FileDocuments;
use crate::text::Tree;

/// The regions of the other documents of a file of Spring; none for another file.
///
/// An earlier document without a profile is the base of the document with the ID. The region of any other one may not apply, so it
/// counts only where it would change the answer; a document behind the ID counts only for IDs whose key it does not set as well.
pub fn other_document_scopes(
    documents: FileDocuments<'_>,
    extra_names: &[Box<str>],
    budget: &Budget,
) -> Vec<RegionScope> {
    let FileDocuments {
        trees: documents,
        own,
        profiles: has_profile,
    } = documents;
    if own >= documents.len() || !has_profile.contains(&true) {
        return Vec::new();
    }
    let nodes = documents
        .iter()
        .map(|tree| tree.size(tree.root()).min(MOST_NODES));
    if !budget.spend_steps(nodes.sum()) {
        return Vec::new();
    }
    let query = ScopeQuery {
        extra_names,
        has_id: &|_| false,
        path: "",
    };
    let scope = |at: usize, kind| {
        let tree = &documents[at];
        let mut scope = scope_of_mapping(tree, tree.root(), kind, query);
        for setting in &mut scope.settings {
            setting.branch = None;
            setting.is_uncertain |= kind == ScopeKind::OtherDocument;
        }
        scope
    };
    let mut scopes = Vec::new();
    // A key of the document itself, or of a base between, overrides the same key of an earlier document.
    let mut known = names(&scope(own, ScopeKind::Mapping));
    for at in (0..own).rev() {
        let kind = if has_profile[at] {
            ScopeKind::OtherDocument
        } else {
            ScopeKind::Mapping
        };
        let mut earlier = scope(at, kind);
        earlier
            .settings
            .retain(|setting| !known.contains(&setting.name));
        if !has_profile[at] {
            known.extend(names(&earlier));
        }
        scopes.push(earlier);
    }
    for (at, document) in documents.iter().enumerate().skip(own + 1) {
        let mut later = scope(at, ScopeKind::OtherDocument);
        if !later.settings.is_empty() {
            later.replaced = paths(document, budget);
            scopes.push(later);
        }
    }
    scopes
}

/// Whether each of the documents of a file belongs to a profile of Spring; empty for a file of one document.
pub fn profiles_of(documents: &[Tree<'_>]) -> Vec<bool> {
    if documents.len() < 2 {
        return Vec::new();
    }
    documents.iter().map(is_of_profile).collect()
}

fn names(scope: &RegionScope) -> HashSet<Box<str>> {
    let names = scope.settings.iter().map(|setting| setting.name.clone());
    names.collect()
}

/// The paths of the texts of a document, by keys separated by dots; incomplete if the budget does not suffice.
fn paths(tree: &Tree<'_>, budget: &Budget) -> HashSet<Box<str>> {
    let mut paths = HashSet::new();
    let mut open = vec![(tree.root(), String::new())];
    while let Some((node, path)) = open.pop() {
        for child in tree.children(node) {
            let path = match tree.key(child) {
                Some(key) if path.is_empty() => key.to_owned(),
                Some(key) => format!("{path}.{key}"),
                None => path.clone(),
            };
            if !budget.spend_bytes(BYTES_PER_PATH + path.len()) {
                return paths;
            }
            if tree.text(child).is_some() {
                paths.insert(path.into());
            } else {
                open.push((child, path));
            }
        }
    }
    paths
}

/// The memory of a path besides its letters, in bytes.
const BYTES_PER_PATH: usize = 48;

/// Whether a document of Spring belongs to a profile.
pub fn is_of_profile(tree: &Tree<'_>) -> bool {
    const MARKS: [&str; 2] = ["spring.config.activate.on-profile", "spring.profiles"];
    MARKS.iter().any(|mark| has_text_at(tree, mark))
}

/// Whether a document has a text at a path of keys separated by dots. A key may have dots itself.
fn has_text_at(tree: &Tree<'_>, path: &str) -> bool {
    let mut open = vec![(tree.root(), path)];
    while let Some((node, path)) = open.pop() {
        for child in tree.children(node) {
            let rest = match tree.key(child) {
                Some(key) if key == path => Some(""),
                Some(key) => path
                    .strip_prefix(key)
                    .and_then(|rest| rest.strip_prefix('.')),
                None => Some(path),
            };
            if rest == Some("") && tree.text(child).is_some() {
                return true;
            }
            open.extend(rest.map(|rest| (child, rest)));
        }
    }
    false
}
