//! The region of an endpoint in a variable, whose host name takes it from another variable.

use super::Detector;
use crate::domain::environment::Value;
use crate::domain::region::{Region, RegionReading};
use crate::domain::site::TextSite;
use crate::domain::syntax::endpoint_around;
use crate::domain::tokens::Token;

/// The entries of `env` whose names are compared for one step.
const ENTRIES_PER_STEP: usize = 16;

impl<'t> Detector<'t, '_> {
    /// The region that `$(X)` sets in the host name of the endpoint around a token, if `X` is a variable of the container with
    /// a literal value.
    pub(super) fn region_of_endpoint(
        &self,
        site: &TextSite<'t>,
        text: &str,
        token: &Token<'_>,
    ) -> Option<Region> {
        let endpoint = endpoint_around(text, token)?;
        let name = endpoint.region.strip_prefix("$(")?.strip_suffix(')')?;
        let environment = self.environments.of(site.container?);
        // The entries are searched for each endpoint.
        let steps = environment.entries().len() / ENTRIES_PER_STEP;
        if !self.budget.spend_steps(steps) {
            return None;
        }
        let mut entries = environment.entries().iter().rev();
        let reading = match entries.find(|entry| entry.name == name) {
            Some(entry) => match entry.value {
                Value::Literal(text) => return Region::parse(text.trim()).ok(),
                Value::ConfigMapKey { text, .. } => text.region(),
                Value::Absent | Value::Unknown { .. } => None,
            },
            None if environment.may_hide(name) => None,
            None => environment.env_from_value(name)?.region(),
        };
        if let Some(RegionReading::Region(region)) = reading {
            Some(region)
        } else {
            None
        }
    }
}
