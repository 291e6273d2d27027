//! The metrics of a replica that are checked, from the text of its admin port.

use std::collections::BTreeMap;

/// The prefix of the product's metrics.
const PREFIX: &str = "bedrock_profiles_";

/// The metrics of a replica that are checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicaMetrics {
    /// Its version.
    pub version: String,
    /// Whether it is the leader.
    pub is_leader: bool,
    /// When the certificate that it serves expires, in seconds since 1970.
    pub certificate_until: Option<i64>,
    /// Whether each webhook configuration is active.
    pub webhooks: BTreeMap<String, bool>,
    /// The generation in use of each mapping and policy, by kind and name.
    pub generations: BTreeMap<(String, String), i64>,
}

impl ReplicaMetrics {
    /// Reads the text of `/metrics`. A series that is missing counts as absent.
    pub fn parse(text: &str) -> Self {
        let mut metrics = Self::default();
        for line in text.lines() {
            let Some((series, value)) = line
                .strip_prefix(PREFIX)
                .and_then(|line| line.rsplit_once(' '))
            else {
                continue;
            };
            let name = series.split('{').next().unwrap_or_default();
            let label = |label: &str| {
                let (_, rest) = series.split_once(&format!("{label}=\""))?;
                Some(rest.split('"').next()?.to_owned())
            };
            let value: Option<i64> = value.parse().ok();
            match (name, value) {
                ("build_info", _) => metrics.version = label("version").unwrap_or_default(),
                ("leader", Some(value)) => metrics.is_leader = value == 1,
                ("certificate_expiration_timestamp_seconds", Some(value))
                    if label("certificate").as_deref() == Some("served") =>
                {
                    metrics.certificate_until = Some(value);
                }
                ("webhook_active", Some(value)) => {
                    metrics
                        .webhooks
                        .extend(label("webhook").map(|webhook| (webhook, value == 1)));
                }
                ("active_generation", Some(value)) => {
                    let key = label("kind").zip(label("name"));
                    metrics.generations.extend(key.map(|key| (key, value)));
                }
                _ => {}
            }
        }
        metrics
    }

    /// The generation in use of an object; `None` if it has no series.
    pub(super) fn generation(&self, kind: &str, name: &str) -> Option<i64> {
        let key = (kind.to_owned(), name.to_owned());
        self.generations.get(&key).copied()
    }
}

/// The metrics of a leader, for tests.
#[cfg(test)]
pub(super) const SAMPLE: &str = r#"# TYPE bedrock_profiles_leader gauge
bedrock_profiles_leader 1
bedrock_profiles_build_info{version="1.0.0"} 1
bedrock_profiles_certificate_expiration_timestamp_seconds{certificate="newest"} 900000
bedrock_profiles_certificate_expiration_timestamp_seconds{certificate="served"} 100000
bedrock_profiles_webhook_active{webhook="w"} 1
bedrock_profiles_active_generation{kind="InferenceProfilePolicy",name="default"} 2
"#;

#[cfg(test)]
mod tests {
    use super::SAMPLE as TEXT;
    use super::*;

    const POLICY: &str = "InferenceProfilePolicy";

    #[test]
    fn metrics_are_read_by_name_and_label() {
        let metrics = ReplicaMetrics::parse(TEXT);
        assert_eq!(metrics.version, "1.0.0");
        assert!(metrics.is_leader && metrics.webhooks["w"]);
        assert_eq!(metrics.certificate_until, Some(100_000));
        assert_eq!(metrics.generation(POLICY, "default"), Some(2));
        assert_eq!(ReplicaMetrics::parse("none"), ReplicaMetrics::default());
    }
}
