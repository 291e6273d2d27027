//! All mappings and policies as one immutable value.
//!
//! A snapshot is replaced as a whole. An invalid object becomes a [`Problem`] and does not prevent the snapshot.

use std::collections::BTreeSet;

use memchr::memmem;

use crate::domain::catalog::{Catalog, Mapping, ModelIx};
use crate::domain::context_rules::ContextRules;
use crate::domain::id::is_id_byte;
use crate::domain::policy::Policy;
use crate::domain::region_names::RegionRanks;

mod aliases;
mod problem;

pub use problem::{ObjectName, Problem};

use aliases::Aliases;

/// All mappings, merged, and all policies in order of precedence.
#[derive(Debug)]
pub struct Snapshot {
    /// The merged rows.
    pub catalog: Catalog,
    /// The policies, by priority, then by name.
    pub policies: Box<[Policy]>,
    /// The rules that leave IDs unchanged because of their context.
    pub context_rules: ContextRules,
    /// The ranks of names that set a region.
    pub region_ranks: RegionRanks,
    prefilter: Prefilter,
}

/// A fast search over bytes before parsing: for a vendor followed by a dot. Dots are rare, and vector instructions find
/// them regardless of the number of vendors.
#[derive(Debug)]
struct Prefilter {
    /// Vendor prefixes with their dots, in order.
    vendors: Box<[Box<str>]>,
    /// The vendors by the last byte of their name, longest first.
    by_last: Box<[Vec<Box<str>>; 256]>,
    /// The aliases of all models, if a policy enables aliases.
    aliases: Aliases,
    escape: memmem::Finder<'static>,
}

/// The start of a JSON escape of an ASCII character. The API server's encoder escapes no character of an ID (Go escapes `<`,
/// `>`, `&`, control characters and line separators), so the search for it is cheap, and it makes the prefilter sound for
/// every encoder.
const ESCAPE: &str = "\\u00";

/// The text after `meta.` in the options of every review (`meta.k8s.io/v1`): an API group of Kubernetes, not a model.
const KUBERNETES: &[u8] = b"k8s.io";

impl Snapshot {
    /// Merges `mappings`, sorts `policies`, and returns the problems of both.
    pub fn build(mappings: Vec<Mapping>, mut policies: Vec<Policy>) -> (Self, Vec<Problem>) {
        let mut problems: Vec<_> = mappings.iter().flat_map(problem::of_mapping).collect();
        let (catalog, conflicts) = Catalog::merge(mappings);
        problems.extend(conflicts.into_iter().map(Problem::Conflicting));
        policies.sort_by(|a, b| {
            b.priority
                .cmp(&a.priority)
                .then_with(|| a.name.cmp(&b.name))
        });
        for policy in &mut policies {
            problems.extend(problem::drop_cycles(policy));
            problems.extend(problem::of_policy(policy, &catalog));
        }
        problems.extend(problem::shadowed(&policies));
        let aliases = if policies.iter().any(|policy| policy.aliases.is_some()) {
            Aliases::new(catalog.models().iter().flat_map(|model| &model.aliases))
        } else {
            Aliases::default()
        };
        let prefilter = Prefilter::new(vendors(&catalog, &policies), aliases);
        (
            Self {
                catalog,
                policies: policies.into(),
                context_rules: ContextRules::all(),
                region_ranks: RegionRanks::default(),
                prefilter,
            },
            problems,
        )
    }

    /// The vendor prefixes with their dots, in order: every possible start of a model ID.
    pub fn vendors(&self) -> &[Box<str>] {
        &self.prefilter.vendors
    }

    /// Whether the snapshot searches for the same vendors and aliases as `other`, so that ConfigMaps indexed for `other` remain
    /// valid.
    pub fn has_same_search_terms(&self, other: &Self) -> bool {
        self.prefilter.vendors == other.prefilter.vendors
            && self.prefilter.aliases.names() == other.prefilter.aliases.names()
    }

    /// The model with this alias, if a policy enables aliases.
    pub fn alias(&self, name: &str) -> Option<ModelIx> {
        let is_enabled = !self.prefilter.aliases.is_empty();
        is_enabled.then(|| self.catalog.alias(name)).flatten()
    }

    /// The byte offsets of vendor prefixes in decoded `text`, in order.
    pub fn vendor_hits<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.prefilter.hits(text.as_bytes())
    }

    /// The offsets of vendor prefixes and aliases in encoded `bytes`, unordered; `None` if they have escapes by
    /// number that may hide one.
    pub fn hits_in_spelling<'a>(
        &'a self,
        bytes: &'a [u8],
        have_numeric_escapes: bool,
    ) -> Option<impl Iterator<Item = usize> + 'a> {
        let all = || {
            self.prefilter
                .hits(bytes)
                .chain(self.prefilter.aliases.hits(bytes))
        };
        let hide_one = have_numeric_escapes && self.prefilter.hides_an_id_byte(bytes);
        (!hide_one).then(all)
    }

    /// Whether encoded `bytes` can contain a model ID, or an alias if a policy enables aliases.
    pub fn can_hold_an_id(&self, bytes: &[u8]) -> bool {
        self.prefilter.hits(bytes).next().is_some()
            || self.prefilter.aliases.hits(bytes).next().is_some()
            || self.prefilter.hides_an_id_byte(bytes)
    }
}

impl Prefilter {
    fn new(vendors: BTreeSet<Box<str>>, aliases: Aliases) -> Self {
        let mut by_last = Box::new([const { Vec::new() }; 256]);
        for vendor in &vendors {
            if let [.., last, b'.'] = vendor.as_bytes() {
                by_last[usize::from(*last)].push(vendor.clone());
            }
        }
        for vendors in by_last.iter_mut() {
            vendors.sort_by_key(|vendor| std::cmp::Reverse(vendor.len()));
        }
        Self {
            vendors: vendors.into_iter().collect(),
            by_last,
            aliases,
            escape: memmem::Finder::new(ESCAPE),
        }
    }

    /// The offsets of vendors that are followed by a dot.
    fn hits<'a>(&'a self, haystack: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        memchr::memchr_iter(b'.', haystack).filter_map(|dot| {
            let last = *haystack.get(dot.checked_sub(1)?)?;
            let before = &haystack[..=dot];
            let vendor = self.by_last[usize::from(last)]
                .iter()
                .find(|vendor| before.ends_with(vendor.as_bytes()))?;
            let is_group = haystack[dot + 1..].starts_with(KUBERNETES);
            (!is_group).then(|| before.len() - vendor.len())
        })
    }

    /// Whether an escape represents a letter, a digit, a hyphen or a dot.
    fn hides_an_id_byte(&self, bytes: &[u8]) -> bool {
        self.escape.find_iter(bytes).any(|at| {
            let digits = bytes.get(at + ESCAPE.len()..at + ESCAPE.len() + 2);
            let code = digits
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            code.is_some_and(is_id_byte)
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures;

    #[test]
    fn a_vendor_prefix_is_found_in_decoded_and_in_escaped_text() {
        let snapshot = fixtures::snapshot();
        assert!(snapshot.can_hold_an_id(br#"{"value":"anthropic.claude-sonnet-5"}"#));
        assert!(snapshot.can_hold_an_id(br#"{"value":"\u0061nthropic.claude-sonnet-5"}"#));
        assert!(snapshot.can_hold_an_id(br#"{"value":"anthropic\u002eclaude-sonnet-5"}"#));
        assert!(!snapshot.can_hold_an_id(br#"{"value":"a \u003e b \u0026\u0026 c"}"#));
        assert!(!snapshot.can_hold_an_id(b""));
        assert!(!snapshot.can_hold_an_id(br#"{"apiVersion":"meta.k8s.io/v1"}"#));
        assert_eq!(
            snapshot
                .vendor_hits("anthropic.anthropic.x")
                .collect::<Vec<_>>(),
            [0, 10]
        );
    }

    #[test]
    fn a_cycle_of_replacements_is_dropped_and_reported_and_other_replacements_remain() {
        let mut policy = fixtures::policy();
        policy.replacements = fixtures::replacements(&[
            ("a.1", "a.2"),
            ("a.2", "a.1"),
            ("a.0", "a.1"),
            ("b.1", "b.2"),
        ]);
        let (snapshot, problems) = Snapshot::build(vec![], vec![policy]);
        let is_cycle = |one: &&Problem| matches!(one, Problem::ReplacementCycle { .. });
        assert_eq!(problems.iter().filter(is_cycle).count(), 2);
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
    fn policies_are_sorted_by_precedence() {
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
