//! Metrics of the webhook configurations.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::api::WebhookSpec;

/// How many webhook configurations have a label of their own; the others share one. The chart has three.
const MAX_LABELS: usize = 8;

/// Metrics of the webhook configurations.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    active: Family<WebhookLabels, Gauge>,
    applied: Family<WebhookLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    webhook: String,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "webhook_active",
            "1 if the webhook configuration has the configured rules and trusts the current CAs",
            metrics.active.clone(),
        );
        registry.register(
            "webhook_applied",
            "Times that this replica applied rules and CA bundle of a webhook configuration",
            metrics.applied.clone(),
        );
        metrics
    }

    pub(super) fn count_applied(&self, webhooks: &[WebhookSpec], name: &str) {
        self.applied.get_or_create(&labels(webhooks, name)).inc();
    }

    pub(super) fn set_active(&self, webhooks: &[WebhookSpec], name: &str, active: bool) {
        self.active
            .get_or_create(&labels(webhooks, name))
            .set(active.into());
    }
}

fn labels(webhooks: &[WebhookSpec], name: &str) -> WebhookLabels {
    let has_own = webhooks
        .iter()
        .take(MAX_LABELS)
        .any(|spec| spec.name == name);
    WebhookLabels {
        webhook: if has_own { name } else { "other" }.to_owned(),
    }
}
