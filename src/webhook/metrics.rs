//! The metrics of admission. The sets of label values are closed, except geographies, whose number is limited.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::domain::id::Geography;
use crate::domain::judge::JudgedFinding;
use crate::domain::reason::Reason;
use crate::domain::resolve::{Resolution, Target};

use super::action;
use super::review::{Envelope, Operation};

/// How many geographies get a label value of their own. AWS has nine today; a policy can name any.
const MAX_GEOGRAPHIES: usize = 32;

/// Upper bounds of the duration buckets, in seconds. A review without an ID takes microseconds, a large ConfigMap with IDs
/// milliseconds.
const BUCKETS: [f64; 12] = [
    1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 5e-2, 2.5e-1, 1.0,
];

/// The metrics of admission.
#[derive(Debug)]
pub struct Metrics {
    reviews: Family<ReviewLabels, Counter>,
    findings: Family<ReasonLabels, Counter>,
    rewrites: Family<GeographyLabels, Counter>,
    geographies: Mutex<BTreeSet<String>>,
    duration: Histogram,
}

/// A review and its outcome.
#[derive(Debug, Clone, Copy)]
pub struct Evaluation<'a> {
    /// The request.
    pub envelope: &'a Envelope<'a>,
    /// What happened to the object.
    pub outcome: ReviewOutcome,
    /// The findings of the effective policy; empty where the object was not evaluated.
    pub findings: &'a [JudgedFinding<'a>],
}

/// What happened to the object of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewOutcome {
    /// Admitted unchanged: not evaluated, or nothing was found in it.
    Allowed,
    /// Admitted unchanged, with findings.
    Reported,
    /// Denied.
    Denied,
    /// Admitted with IDs rewritten.
    Rewritten,
    /// Admitted with an earlier rewrite changed: the API server reinvoked the webhook after another one.
    Revised,
    /// Admitted with values of the stored Pod restored.
    Restored,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReviewLabels {
    kind: &'static str,
    operation: Operation,
    outcome: ReviewOutcome,
    dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GeographyLabels {
    geography: String,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            reviews: Family::default(),
            findings: Family::default(),
            rewrites: Family::default(),
            geographies: Mutex::default(),
            duration: Histogram::new(BUCKETS),
        };
        registry.register(
            "admission_reviews",
            "Reviews answered, by kind, operation and outcome",
            metrics.reviews.clone(),
        );
        registry.register(
            "findings",
            "Model IDs that admission found and did not rewrite, by reason",
            metrics.findings.clone(),
        );
        registry.register(
            "rewrites",
            "Model IDs that admission rewrote, by geography of the inference profile",
            metrics.rewrites.clone(),
        );
        registry.register(
            "admission_duration_seconds",
            "Time to answer a review, without reading the request",
            metrics.duration.clone(),
        );
        metrics
    }

    /// Counts an answered review and its findings.
    pub fn observe(&self, evaluation: &Evaluation<'_>) {
        let Evaluation {
            envelope,
            outcome,
            findings,
        } = *evaluation;
        self.reviews
            .get_or_create(&ReviewLabels {
                kind: action::kind_label(envelope),
                operation: envelope.operation,
                outcome,
                dry_run: envelope.dry_run,
            })
            .inc();
        let rewritten = outcome.is_rewritten() && !envelope.dry_run;
        for finding in findings {
            match &finding.resolution {
                Resolution::Leave(reason) => self.count_finding(*reason),
                Resolution::Rewrite { target, .. } if rewritten && !finding.report_only => {
                    self.count_rewrite(target);
                }
                Resolution::Rewrite { .. } => {}
            }
        }
    }

    /// Counts the time that an answer took.
    pub fn observe_duration(&self, duration: Duration) {
        self.duration.observe(duration.as_secs_f64());
    }

    /// Counts a finding that is not rewritten.
    pub fn count_finding(&self, reason: Reason) {
        let reason = reason.as_str();
        self.findings.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// Counts one rewrite. A target that is not a system-defined profile has the geography `none`.
    fn count_rewrite(&self, target: &Target) {
        let geography = target.geography().map_or("none", Geography::as_str);
        let mut known = self
            .geographies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let fits = known.contains(geography) || known.len() < MAX_GEOGRAPHIES;
        if fits && !known.contains(geography) {
            known.insert(geography.to_owned());
        }
        drop(known);
        let geography = if fits { geography } else { "other" }.to_owned();
        self.rewrites
            .get_or_create(&GeographyLabels { geography })
            .inc();
    }
}

impl ReviewOutcome {
    /// The label value, and the value in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Reported => "reported",
            Self::Denied => "denied",
            Self::Rewritten => "rewritten",
            Self::Revised => "revised",
            Self::Restored => "restored",
        }
    }

    const fn is_rewritten(self) -> bool {
        matches!(self, Self::Rewritten | Self::Revised)
    }
}

impl EncodeLabelValue for ReviewOutcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}
