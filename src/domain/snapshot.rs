//! All mappings and policies as one immutable value, and what a reader of it sees of the cluster beside.
//!
//! Replaced as a whole, never changed: a bad object becomes a [`Problem`], never a missing snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aho_corasick::packed::Searcher;
use memchr::memmem;

use super::catalog::{Catalog, Conflict, Mapping};
use super::id::ModelId;
use super::policy::{Namespace, Policy};
use super::region::Region;

/// All mappings, merged, and all policies in deciding order.
#[derive(Debug)]
pub struct Snapshot {
    /// The merged rows.
    pub catalog: Catalog,
    /// By priority, then by name.
    pub policies: Box<[Policy]>,
    needles: Needles,
}

/// What the domain may look at: a snapshot and what is known of the cluster.
#[derive(Debug, Clone)]
pub struct View {
    /// Mappings and policies.
    pub snapshot: Arc<Snapshot>,
    /// What is known of namespaces.
    pub namespaces: Arc<Namespaces>,
    /// The region that all node labels agree on.
    pub cluster_region: Option<Region>,
}

/// What is known of namespaces.
#[derive(Debug, Clone)]
pub enum Namespaces {
    /// Their names alone.
    NamesOnly,
    /// Labels and annotations of those that were seen, by name.
    Seen(BTreeMap<Box<str>, Namespace>),
}

/// What is wrong with an object although its fields are well-formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Two geographies remain for one (model, region).
    #[error(
        "mapping `{}`: {} has two geographic profiles in {}, `{}` and `{}`; `{}` is used: withdraw one with `absent: true`",
        .0.mapping, .0.model, .0.region, .0.kept, .0.dropped, .0.kept
    )]
    Conflicting(Conflict),
    /// Replacements that lead back to where they started.
    #[error(
        "policy `{policy}`: the replacement of {from} leads back to itself; it and the others of the circle are not used"
    )]
    ReplacementCycle {
        /// The policy.
        policy: Box<str>,
        /// The ID whose replacement was dropped.
        from: ModelId,
    },
}

/// What a cheap search over bytes looks for before anything is parsed.
#[derive(Debug)]
struct Needles {
    vendors: Box<[Box<str>]>,
    /// Vendor prefixes alone, for text that is decoded.
    decoded: Searchers,
    /// Vendor prefixes and the escapes under which a JSON encoder could hide one.
    encoded: Searchers,
}

#[derive(Debug)]
struct Searchers {
    /// `None` where the processor has no vector instructions for it.
    packed: Option<Searcher>,
    patterns: Box<[Box<[u8]>]>,
}

/// Escapes that could hide a letter, a digit, a hyphen or a full stop. No encoder of the API server writes them (Go escapes
/// `<`, `>`, `&`, control characters and line separators), so they cost nothing and make the search sound for every encoder.
const ESCAPED: &[&str] = &[
    "\\u006", "\\u007", "\\u002e", "\\u002E", "\\u002d", "\\u002D", "\\u003",
];

/// The one family of escapes in [`ESCAPED`] that Go does write: `<` and `>`.
const GO_ESCAPES: &[&str] = &["\\u003c", "\\u003e", "\\u003C", "\\u003E"];

impl Snapshot {
    /// Merges `mappings`, orders `policies`, and tells what is wrong with either.
    pub fn build(mappings: Vec<Mapping>, mut policies: Vec<Policy>) -> (Self, Vec<Problem>) {
        let (catalog, conflicts) = Catalog::merge(mappings);
        let mut problems: Vec<_> = conflicts.into_iter().map(Problem::Conflicting).collect();
        policies.sort_by(|a, b| {
            b.priority
                .cmp(&a.priority)
                .then_with(|| a.name.cmp(&b.name))
        });
        for policy in &mut policies {
            drop_cycles(policy, &mut problems);
        }
        let needles = Needles::new(vendors(&catalog, &policies));
        (
            Self {
                catalog,
                policies: policies.into(),
                needles,
            },
            problems,
        )
    }

    /// Vendor prefixes with their full stops, in order: whatever a model ID can start with.
    pub fn vendors(&self) -> &[Box<str>] {
        &self.needles.vendors
    }

    /// Where a vendor prefix stands in decoded `text`, as byte offsets in order.
    pub fn vendor_hits<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let hit = self.needles.decoded.find(text.as_bytes(), from)?;
            from = hit + 1;
            Some(hit)
        })
    }

    /// Whether encoded `bytes` can hold a model ID at all.
    pub fn can_hold_an_id(&self, bytes: &[u8]) -> bool {
        let mut from = 0;
        while let Some(hit) = self.needles.encoded.find(bytes, from) {
            if !GO_ESCAPES
                .iter()
                .any(|escape| bytes[hit..].starts_with(escape.as_bytes()))
            {
                return true;
            }
            from = hit + 1;
        }
        false
    }
}

impl View {
    /// A view of a snapshot alone, as files and a webhook without a cluster have it.
    pub fn of(snapshot: Snapshot) -> Self {
        Self {
            snapshot: Arc::new(snapshot),
            namespaces: Arc::new(Namespaces::NamesOnly),
            cluster_region: None,
        }
    }

    /// What is known of the namespace `name`; `None` while it has not been seen.
    pub fn namespace(&self, name: &str) -> Option<Namespace> {
        match &*self.namespaces {
            Namespaces::NamesOnly => Some(Namespace::named(name)),
            Namespaces::Seen(seen) => seen.get(name).cloned(),
        }
    }
}

impl Needles {
    fn new(vendors: BTreeSet<Box<str>>) -> Self {
        let decoded = Searchers::new(vendors.iter().map(|v| &**v));
        let encoded = Searchers::new(vendors.iter().map(|v| &**v).chain(ESCAPED.iter().copied()));
        Self {
            vendors: vendors.into_iter().collect(),
            decoded,
            encoded,
        }
    }
}

impl Searchers {
    fn new<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        let patterns: Box<[Box<[u8]>]> = patterns.map(|p| p.as_bytes().into()).collect();
        Self {
            packed: Searcher::new(patterns.iter()),
            patterns,
        }
    }

    /// The first pattern at or after `from`.
    fn find(&self, haystack: &[u8], from: usize) -> Option<usize> {
        let rest = haystack.get(from..)?;
        let at = match &self.packed {
            Some(packed) => packed.find(rest)?.start(),
            None => self
                .patterns
                .iter()
                .filter_map(|pattern| memmem::find(rest, pattern))
                .min()?,
        };
        Some(from + at)
    }
}

fn vendors(catalog: &Catalog, policies: &[Policy]) -> BTreeSet<Box<str>> {
    let named = policies.iter().flat_map(|policy| {
        policy
            .replacements
            .iter()
            .map(|r| &r.from)
            .chain(policy.overrides.iter().map(|o| &o.model))
    });
    catalog
        .models()
        .iter()
        .map(|model| &model.id)
        .chain(named)
        .map(|id| id.vendor_prefix().into())
        .collect()
}

/// Removes every replacement that lies on a circle.
fn drop_cycles(policy: &mut Policy, problems: &mut Vec<Problem>) {
    let next = |id: &ModelId| {
        policy
            .replacements
            .iter()
            .find(|r| &r.from == id)
            .map(|r| &r.to)
    };
    let circles = |from: &ModelId| {
        std::iter::successors(next(from), |id| next(id))
            .take(policy.replacements.len())
            .any(|id| id == from)
    };
    let cyclic: Vec<ModelId> = policy
        .replacements
        .iter()
        .map(|r| &r.from)
        .filter(|from| circles(from))
        .cloned()
        .collect();
    for from in cyclic {
        policy.replacements = policy
            .replacements
            .iter()
            .filter(|r| r.from != from)
            .cloned()
            .collect();
        problems.push(Problem::ReplacementCycle {
            policy: policy.name.clone(),
            from,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures;

    #[test]
    fn finds_a_vendor_prefix_in_decoded_and_in_escaped_text() {
        let snapshot = fixtures::snapshot();
        assert!(snapshot.can_hold_an_id(br#"{"value":"anthropic.claude-sonnet-5"}"#));
        assert!(snapshot.can_hold_an_id(br#"{"value":"\u0061nthropic.claude-sonnet-5"}"#));
        assert!(snapshot.can_hold_an_id(br#"{"value":"anthropic\u002eclaude-sonnet-5"}"#));
        assert!(!snapshot.can_hold_an_id(br#"{"value":"a \u003e b \u0026\u0026 c"}"#));
        assert!(!snapshot.can_hold_an_id(b""));
        assert_eq!(
            snapshot
                .vendor_hits("anthropic.anthropic.x")
                .collect::<Vec<_>>(),
            [0, 10]
        );
    }

    #[test]
    fn a_circle_of_replacements_is_dropped_and_told_and_the_rest_stays() {
        let mut policy = fixtures::policy();
        policy.replacements = fixtures::replacements(&[
            ("a.1", "a.2"),
            ("a.2", "a.1"),
            ("a.0", "a.1"),
            ("b.1", "b.2"),
        ]);
        let (snapshot, problems) = Snapshot::build(vec![], vec![policy]);
        assert_eq!(problems.len(), 2);
        assert_eq!(
            snapshot.policies[0]
                .replaced("a.0", false)
                .unwrap()
                .as_str(),
            "a.1"
        );
        assert_eq!(
            snapshot.policies[0]
                .replaced("b.1", false)
                .unwrap()
                .as_str(),
            "b.2"
        );
        assert_eq!(snapshot.policies[0].replaced("a.1", false), None);
    }

    #[test]
    fn policies_stand_in_deciding_order() {
        let named = |name: &str, priority| {
            let mut p = fixtures::policy();
            p.name = name.into();
            p.priority = priority;
            p
        };
        let (snapshot, _) =
            Snapshot::build(vec![], vec![named("b", 1), named("z", 2), named("a", 1)]);
        assert_eq!(
            snapshot
                .policies
                .iter()
                .map(|p| &*p.name)
                .collect::<Vec<_>>(),
            ["z", "a", "b"]
        );
    }
}
