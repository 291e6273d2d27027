//! The webhook's metric families. Their labels are closed sets, but for geographies, which are capped.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::domain::reason::Reason;

/// How many geographies get a label of their own; there are nine today, and a policy can name any.
const MOST_GEOGRAPHIES: usize = 32;

/// Upper bounds of the duration buckets, in seconds: a miss takes microseconds, a hit on a large ConfigMap milliseconds.
const BUCKETS: [f64; 12] = [
    1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 5e-2, 2.5e-1, 1.0,
];

/// Counts what the webhook does.
#[derive(Debug)]
pub struct Families {
    reviews: Family<ReviewLabels, Counter>,
    findings: Family<ReasonLabels, Counter>,
    rewrites: Family<GeographyLabels, Counter>,
    seen: Mutex<BTreeSet<String>>,
    /// Time to answer a review, in seconds.
    pub duration: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    kind: &'static str,
    operation: &'static str,
    outcome: &'static str,
    dry_run: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GeographyLabels {
    geography: String,
}

impl Families {
    /// Makes the families and registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let families = Self {
            reviews: Family::default(),
            findings: Family::default(),
            rewrites: Family::default(),
            seen: Mutex::default(),
            duration: Histogram::new(BUCKETS),
        };
        registry.register(
            "admission_reviews",
            "Reviews answered, by what became of them",
            families.reviews.clone(),
        );
        registry.register(
            "findings",
            "Model IDs found and left, by reason",
            families.findings.clone(),
        );
        registry.register(
            "rewrites",
            "Model IDs rewritten, by the geography of the profile",
            families.rewrites.clone(),
        );
        registry.register(
            "admission_duration_seconds",
            "Time to answer a review",
            families.duration.clone(),
        );
        families
    }

    /// Counts one answered review.
    pub fn review(
        &self,
        kind: &'static str,
        operation: &'static str,
        outcome: &'static str,
        dry_run: bool,
    ) {
        let dry_run = if dry_run { "true" } else { "false" };
        self.reviews
            .get_or_create(&ReviewLabels {
                kind,
                operation,
                outcome,
                dry_run,
            })
            .inc();
    }

    /// Counts one finding that was left.
    pub fn left(&self, reason: Reason) {
        self.findings
            .get_or_create(&ReasonLabels {
                reason: reason.as_str(),
            })
            .inc();
    }

    /// Counts one rewrite; an answer that is no system-defined profile counts as `none`.
    pub fn rewrote(&self, geography: Option<&str>) {
        let geography = geography.unwrap_or("none");
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = seen.contains(geography) || seen.len() < MOST_GEOGRAPHIES;
        let label = if fits { geography } else { "other" };
        if fits && !seen.contains(geography) {
            seen.insert(geography.to_owned());
        }
        drop(seen);
        self.rewrites
            .get_or_create(&GeographyLabels {
                geography: label.to_owned(),
            })
            .inc();
    }
}
