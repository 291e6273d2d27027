//! Metrics of the view and of the custom resources in use.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::custom_resources::CustomResources;

/// How many objects of a kind have a series of their own: a cluster has a handful, and more must not exceed a scrape's budget.
const MAX_SERIES: usize = 24;

/// Metrics of the view.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    published: Counter,
    published_at: Gauge,
    generations: Family<GenerationLabels, Gauge>,
    catalog_date: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GenerationLabels {
    kind: &'static str,
    name: String,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("views", "Views published", metrics.published.clone());
        registry.register(
            "view_timestamp_seconds",
            "When the current view was published, in seconds since 1970",
            metrics.published_at.clone(),
        );
        registry.register(
            "active_generation",
            "The generation of a mapping or policy that responses are based on",
            metrics.generations.clone(),
        );
        registry.register(
            "catalog_timestamp_seconds",
            "The date of the mapping `builtin`, in seconds since 1970; 0 if there is none",
            metrics.catalog_date.clone(),
        );
        metrics
    }

    pub(super) fn count_view(&self) {
        self.published.inc();
        self.published_at.set(jiff::Timestamp::now().as_second());
    }

    pub(super) fn observe(&self, objects: &CustomResources) {
        self.generations.clear();
        for (kind, generations) in [
            ("InferenceProfileMapping", &objects.mapping_generations),
            ("InferenceProfilePolicy", &objects.policy_generations),
        ] {
            for (name, generation) in generations.iter().take(MAX_SERIES) {
                let name = name.to_string();
                self.generations
                    .get_or_create(&GenerationLabels { kind, name })
                    .set(*generation);
            }
        }
        self.catalog_date
            .set(objects.catalog_second().unwrap_or_default());
    }
}
