//! The edits of a document's source. A rewrite is kept only if its splice is correct at each place that uses the same bytes.
//!
//! A YAML anchor is written once and used at several places. If these have different targets, or if one of them is not
//! edited, the anchor stays unchanged.

use std::collections::{BTreeMap, BTreeSet};

use super::{JudgedFinding, Judgement, Verdict};
use crate::domain::reason::Reason;
use crate::domain::resolve::Resolution;
use crate::text::{NodeId, Splice, Tree, Unmappable};

/// The place of an ID: its text and where the ID starts in the decoded text.
type Place = (NodeId, usize);

/// Takes the changes of the findings that are exempt out of the plan. The findings stay as they are.
///
/// If another use of the same YAML anchor is not exempt, [`resolve_edits`] leaves both unchanged.
pub fn drop_edits(
    judgement: &mut Judgement<'_>,
    mut is_exempt: impl FnMut(&JudgedFinding<'_>) -> bool,
) {
    let Verdict::Rewrite(plan) = &mut judgement.verdict else {
        return;
    };
    let findings = judgement.effective.iter();
    let findings = findings.flat_map(|effective| &effective.findings);
    let exempt: BTreeSet<Place> = findings
        .filter(|one| one.resolution.target().is_some() && is_exempt(one))
        .map(|one| (one.finding.site.node(), one.finding.span().start))
        .collect();
    plan.retain(|leaf, start| !exempt.contains(&(leaf, start)));
    if plan.is_empty() {
        judgement.verdict = Verdict::Report;
    }
}

/// Decides which rewrites of the objects of one document can be written into its source, and returns the splices that write
/// them. Every other rewrite becomes [`Reason::Unmappable`] or [`Reason::SharedAnchor`].
///
/// The judgements are those of [`Action::Edit`](super::Action::Edit), of all objects of `tree`.
pub fn resolve_edits(tree: &Tree<'_>, judgements: &mut [Judgement<'_>]) -> Vec<Splice> {
    let mut planned = BTreeMap::new();
    for judgement in &*judgements {
        if let Verdict::Rewrite(plan) = &judgement.verdict {
            let splices = plan.splices();
            planned.extend(splices.map(|(leaf, span, splice)| ((leaf, span.start), splice)));
        }
    }
    if planned.is_empty() {
        return Vec::new();
    }
    let conflicting = conflicting(tree, &planned);
    for judgement in judgements {
        resolve_judgement(judgement, &planned, &conflicting);
    }
    planned
        .into_iter()
        .filter(|((leaf, _), _)| !conflicting.contains(leaf))
        .filter_map(|(_, splice)| splice.ok())
        .collect()
}

/// Updates the findings and the plan of one object.
fn resolve_judgement(
    judgement: &mut Judgement<'_>,
    planned: &BTreeMap<Place, Result<Splice, Unmappable>>,
    conflicting: &BTreeSet<NodeId>,
) {
    let Verdict::Rewrite(plan) = &mut judgement.verdict else {
        return;
    };
    let mut dropped = BTreeSet::new();
    let findings = judgement.effective.iter_mut();
    for one in findings.flat_map(|effective| &mut effective.findings) {
        let leaf = one.finding.site.node();
        let start = one.finding.span().start;
        let reason = match planned.get(&(leaf, start)) {
            None => continue,
            Some(Ok(_)) if !conflicting.contains(&leaf) => {
                one.edited = one.resolution.target().is_some();
                continue;
            }
            Some(Ok(_)) => Reason::SharedAnchor,
            Some(Err(Unmappable)) => Reason::Unmappable,
        };
        one.resolution = Resolution::Leave(reason);
        dropped.insert((leaf, start));
    }
    plan.retain(|leaf, start| !dropped.contains(&(leaf, start)));
    if plan.is_empty() {
        judgement.verdict = Verdict::Report;
    }
}

/// The texts of anchors that some use changes in another way than the rest, or not at all.
fn conflicting(
    tree: &Tree<'_>,
    planned: &BTreeMap<Place, Result<Splice, Unmappable>>,
) -> BTreeSet<NodeId> {
    let mut changes: BTreeMap<NodeId, Vec<&Splice>> = BTreeMap::new();
    for ((leaf, _), splice) in planned {
        if let (true, Ok(splice)) = (tree.is_shared(*leaf), splice) {
            changes.entry(*leaf).or_default().push(splice);
        }
    }
    if changes.is_empty() {
        return BTreeSet::new();
    }
    let conflicts = |nodes: &Vec<NodeId>| {
        let mut all = nodes.iter().map(|node| changes.get(node));
        let first = all.next().flatten();
        first.is_none() || all.any(|one| one != first)
    };
    let uses = uses(tree).into_values().filter(conflicts);
    uses.flatten().collect()
}

/// The nodes of a document that share their bytes with other nodes, by the start of these bytes.
fn uses(tree: &Tree<'_>) -> BTreeMap<usize, Vec<NodeId>> {
    let mut uses: BTreeMap<usize, Vec<NodeId>> = BTreeMap::new();
    let mut open = vec![tree.root()];
    while let Some(node) = open.pop() {
        if tree.text(node).is_some() && tree.is_shared(node) {
            uses.entry(tree.raw(node).start).or_default().push(node);
        }
        open.extend(tree.children(node));
    }
    uses
}
