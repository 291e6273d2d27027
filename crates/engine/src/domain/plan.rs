//! The changes to one object: replaced scalars, explicit variables and the annotation of rewrites.
//!
//! A plan is built from the nodes of the received object, so the patch always applies. Only the domain can build plans.

use std::collections::BTreeMap;
use std::ops::Range;

use json_patch::jsonptr::{PointerBuf, Token as PointerToken};
use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::Value;

use crate::text::{Kind, NodeId, Splice, Tree, Unmappable};

use crate::domain::annotations::REWRITES;
use crate::domain::environment::EnvOrigin;
use crate::domain::object::Object;
use crate::domain::record::{LARGEST_TOGETHER, Record};
use crate::domain::site::{Location, TextSite};

mod explicit;

use explicit::Explicit;

/// The length of the text of a patch that is given room at first, in bytes: a rewrite, and the annotation of it.
const USUAL_PATCH: usize = 1024;

/// The changes to one object.
pub struct Plan<'t> {
    tree: &'t Tree<'t>,
    root: NodeId,
    /// Edits by scalar, in document order, each with its span in the decoded text.
    edits: BTreeMap<NodeId, Vec<(Range<usize>, String)>>,
    explicit: Explicit,
    annotation: Option<PatchOperation>,
}

impl<'t> Plan<'t> {
    /// An empty plan for `object`.
    pub(super) fn new(object: &Object<'t>) -> Self {
        Self {
            tree: object.tree,
            root: object.root,
            edits: BTreeMap::new(),
            explicit: Explicit::default(),
            annotation: None,
        }
    }

    /// Replaces `span` of the decoded text of `leaf` by `with`. Spans of one leaf do not overlap. A span that is already
    /// edited is skipped: YAML aliases visit a scalar more than once.
    pub(super) fn edit(&mut self, leaf: NodeId, span: Range<usize>, with: String) {
        let edits = self.edits.entry(leaf).or_default();
        let at = edits.partition_point(|(there, _)| there.start < span.start);
        if edits.get(at).is_none_or(|(there, _)| *there != span) {
            edits.insert(at, (span, with));
        }
    }

    /// Removes the edits for which `keep` is false, by their scalar and the start of their span.
    pub(super) fn retain(&mut self, keep: impl Fn(NodeId, usize) -> bool) {
        self.edits.retain(|leaf, edits| {
            edits.retain(|(span, _)| keep(*leaf, span.start));
            !edits.is_empty()
        });
    }

    /// Adds an explicit variable with this text to the container of `site`, in place of the reference. A site that is not a
    /// variable is skipped.
    pub(super) fn make_explicit(&mut self, site: &TextSite<'t>, by: EnvOrigin, text: &str) {
        let (Location::Env { variable, .. }, Some(container)) = (site.location, site.container)
        else {
            return;
        };
        let name = variable.text().into_owned();
        match by {
            EnvOrigin::Env => self.explicit.instead(site.node(), name, text),
            EnvOrigin::EnvFrom => self.explicit.in_front(container, name, text),
        }
    }

    /// Writes `record` into the annotation of `object`, as far as there is room, and removes the annotation if the record is
    /// empty.
    pub(super) fn annotate(&mut self, object: &Object<'t>, record: Record) {
        let old = object.annotation(REWRITES);
        let others: usize = object
            .annotations()
            .filter(|(name, _)| *name != REWRITES)
            .map(|(name, text)| name.len() + text.len())
            .sum();
        let room = LARGEST_TOGETHER.saturating_sub(others + REWRITES.len());
        let new = record.write(room);
        if new.as_deref() != old {
            self.annotation = annotation_operation(object, old.is_some(), new);
        }
    }

    /// Whether the plan changes nothing.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.explicit.is_empty() && self.annotation.is_none()
    }

    /// The number of bytes by which the edits lengthen the object.
    pub(super) fn growth(&self) -> usize {
        let edits = self.edits.values().flatten();
        edits
            .map(|(span, with)| with.len().saturating_sub(span.len()))
            .sum()
    }

    /// The changes as the text of a JSON Patch (RFC 6902) of the object, replacements before additions.
    ///
    /// # Errors
    /// None: strings always serialize.
    pub fn json_patch(&self) -> serde_json::Result<Vec<u8>> {
        let replaced = self.edits.iter().filter_map(|(leaf, edits)| {
            let path = PointerBuf::parse(self.tree.pointer(self.root, *leaf)).ok()?;
            let value = Value::String(edited(self.tree.text(*leaf)?, edits));
            Some(PatchOperation::Replace(ReplaceOperation { path, value }))
        });
        let explicit = self.explicit.operations(self.tree, self.root);
        let all = replaced.chain(explicit).chain(self.annotation.clone());
        patch_text(all)
    }

    /// The edits for a file: the scalar, the span in the decoded text, and the splice of the source. In files neither the
    /// annotation nor explicit variables are written.
    pub fn splices(
        &self,
    ) -> impl Iterator<Item = (NodeId, Range<usize>, Result<Splice, Unmappable>)> + '_ {
        // Aliases of YAML spell a scalar once, and each use of it has the same edits.
        let mut by_spelling = BTreeMap::new();
        self.edits.iter().flat_map(move |(leaf, edits)| {
            let spelling = self.tree.raw(*leaf).start;
            let (_, splices) = by_spelling
                .get(&spelling)
                .filter(|(other, _)| *other == edits)
                .cloned()
                .unwrap_or_else(|| {
                    let pieces = edits
                        .iter()
                        .map(|(span, with)| (span.clone(), with.as_str()));
                    let splices = self.tree.replace_all(*leaf, &pieces.collect::<Vec<_>>());
                    by_spelling.insert(spelling, (edits, splices.clone()));
                    (edits, splices)
                });
            let spans = edits.iter().map(|(span, _)| span.clone());
            spans
                .zip(splices)
                .map(|(span, splice)| (*leaf, span, splice))
        })
    }
}

fn edited(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut new = String::with_capacity(text.len() + 16 * edits.len());
    let mut from = 0;
    for (span, with) in edits {
        new.push_str(&text[from..span.start]);
        new.push_str(with);
        from = span.end;
    }
    new.push_str(&text[from..]);
    new
}

/// The text of a JSON Patch. It is written here, in a crate that is compiled for speed.
pub(super) fn patch_text(
    operations: impl Iterator<Item = PatchOperation>,
) -> serde_json::Result<Vec<u8>> {
    let patch = json_patch::Patch(operations.collect());
    let mut text = Vec::with_capacity(USUAL_PATCH);
    serde_json::to_writer(&mut text, &patch)?;
    Ok(text)
}

/// The patch operation for the annotation of rewrites; `None` if the object has no metadata to contain it.
pub(super) fn annotation_operation(
    object: &Object<'_>,
    exists: bool,
    new: Option<String>,
) -> Option<PatchOperation> {
    let tree = object.tree;
    let metadata = tree
        .get(object.metadata_root()?, "metadata")
        .filter(|node| tree.kind(*node) == Kind::Mapping)?;
    let base = tree.pointer(object.root, metadata);
    let mut path = PointerBuf::parse(base).ok()?;
    path.push_back(PointerToken::new("annotations"));
    let has_annotations = tree
        .get(metadata, "annotations")
        .is_some_and(|node| tree.kind(node) == Kind::Mapping);
    match new {
        Some(text) if has_annotations => {
            path.push_back(PointerToken::new(REWRITES));
            let value = Value::String(text);
            Some(if exists {
                PatchOperation::Replace(ReplaceOperation { path, value })
            } else {
                PatchOperation::Add(AddOperation { path, value })
            })
        }
        Some(text) => Some(PatchOperation::Add(AddOperation {
            path,
            value: serde_json::json!({ (REWRITES): text }),
        })),
        None if exists => {
            path.push_back(PointerToken::new(REWRITES));
            Some(PatchOperation::Remove(RemoveOperation { path }))
        }
        None => None,
    }
}
