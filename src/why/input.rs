//! What the explanation of an object is made from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::policy::Namespace;
use crate::domain::view::View;
use crate::report::ToolVersion;

use super::dry_run::DryRunAnswer;
use super::webhook::{ConfigurationLookup, ReviewingWebhook};

/// The surroundings of an object, as they were read.
#[derive(Debug)]
pub struct WhyInput {
    /// The program.
    pub tool: ToolVersion,
    /// Policies, mappings, ConfigMaps and the region of the cluster.
    pub view: View,
    /// The namespace of the object.
    pub namespace: Namespace,
    /// The date to compare end-of-life dates with.
    pub today: Date,
    /// Whether the cluster has no policy, so that the view has the default one in its place.
    pub no_policy: bool,
    /// What was read of webhook configurations. One that is not listed is not known.
    pub configurations: Vec<(ReviewingWebhook, ConfigurationLookup)>,
    /// What is known of the writes of a stored object; `None` for the object of a file.
    pub live: Option<LiveObject>,
    /// The response to a dry run.
    pub dry_run: DryRunAnswer,
}

/// The times that the writes of a stored object are compared with, by the API server's clock.
#[derive(Debug, Clone, Default)]
pub struct LiveObject {
    /// When each policy took effect; `None` if the policies are not those of the cluster.
    pub ready_since: Option<BTreeMap<Box<str>, Timestamp>>,
    /// When the namespace was last changed.
    pub namespace_changed: Option<Timestamp>,
}
