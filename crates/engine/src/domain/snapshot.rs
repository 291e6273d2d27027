//! All mappings and policies as one immutable value.
//!
//! Replaced as a whole, never changed: a bad object becomes a [`Problem`], never a missing snapshot.

use std::collections::BTreeSet;

use memchr::memmem;

use crate::domain::catalog::{Catalog, Mapping, ModelIx};
use crate::domain::context_rules::ContextRules;
use crate::domain::id::is_id_byte;
use crate::domain::policy::Policy;

mod aliases;
mod problem;

pub use problem::{ObjectName, Problem};

use aliases::Aliases;

/// All mappings, merged, and all policies in deciding order.
#[derive(Debug)]
pub struct Snapshot {
    /// The merged rows.
    pub catalog: Catalog,
    /// By priority, then by name.
    pub policies: Box<[Policy]>,
    /// The rules by which IDs are left for what is around them.
    pub context_rules: ContextRules,
    prefilter: Prefilter,
}

/// What a cheap search over bytes looks for before anything is parsed: a dot with a vendor before it. Dots are
/// rare and found by the processor's vector instructions, however many vendors there are.
#[derive(Debug)]
struct Prefilter {
    /// Vendor prefixes with their dots, in order.
    vendors: Box<[Box<str>]>,
    /// The vendors by the last byte of their name, the longest first.
    by_last: Box<[Vec<Box<str>>; 256]>,
    /// The aliases of all models, where some policy turns aliases on.
    aliases: Aliases,
    escape: memmem::Finder<'static>,
}

/// How JSON hides an ASCII character. No encoder of the API server hides one that an ID has (Go escapes `<`, `>`, `&`, control
/// characters and line separators), so looking for it costs next to nothing and makes the search sound for every encoder.
const ESCAPE: &str = "\\u00";

/// What follows `meta.` in the options of every review (`meta.k8s.io/v1`): an API group of Kubernetes, and no model of a vendor.
const KUBERNETES: &[u8] = b"k8s.io";

impl Snapshot {
    /// Merges `mappings`, orders `policies`, and tells what is wrong with either.
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
                prefilter,
            },
            problems,
        )
    }

    /// Vendor prefixes with their dots, in order: whatever a model ID can start with.
    pub fn vendors(&self) -> &[Box<str>] {
        &self.prefilter.vendors
    }

    /// Whether it looks for the same vendors and aliases as `other`, so that what was kept of ConfigMaps for that one is what this one
    /// needs.
    pub fn has_same_search_terms(&self, other: &Self) -> bool {
        self.prefilter.vendors == other.prefilter.vendors
            && self.prefilter.aliases.names() == other.prefilter.aliases.names()
    }

    /// The model that goes by this other name, where some policy turns aliases on.
    pub fn alias(&self, name: &str) -> Option<ModelIx> {
        let is_asked_for = !self.prefilter.aliases.is_empty();
        is_asked_for.then(|| self.catalog.alias(name)).flatten()
    }

    /// Where a vendor prefix is in decoded `text`, as byte offsets in order.
    pub fn vendor_hits<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.prefilter.hits(text.as_bytes())
    }

    /// Where a vendor prefix or an alias is in encoded `bytes`, in no order; `None` where they may hide one behind escapes.
    pub fn hits_in_spelling<'a>(
        &'a self,
        bytes: &'a [u8],
    ) -> Option<impl Iterator<Item = usize> + 'a> {
        let all = || {
            self.prefilter
                .hits(bytes)
                .chain(self.prefilter.aliases.hits(bytes))
        };
        (!self.prefilter.hides_an_id_byte(bytes)).then(all)
    }

    /// Whether encoded `bytes` can hold a model ID, or an alias that a policy asks for, at all.
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

    /// Where a vendor starts that a dot follows.
    fn hits<'a>(&'a self, haystack: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        memchr::memchr_iter(b'.', haystack).filter_map(|stop| {
            let last = *haystack.get(stop.checked_sub(1)?)?;
            let before = &haystack[..=stop];
            let vendor = self.by_last[usize::from(last)]
                .iter()
                .find(|vendor| before.ends_with(vendor.as_bytes()))?;
            let group = haystack[stop + 1..].starts_with(KUBERNETES);
            (!group).then(|| before.len() - vendor.len())
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
    fn finds_a_vendor_prefix_in_decoded_and_in_escaped_text() {
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
    fn a_circle_of_replacements_is_dropped_and_reported_and_the_rest_stays() {
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
