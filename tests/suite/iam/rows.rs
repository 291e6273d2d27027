//! Every row of the shipped catalog.

use std::collections::BTreeSet;

use bedrock_profiles::cli::evaluation_args::{EvaluationArgs, default_policy};
use bedrock_profiles::domain::catalog::{Destinations, ProfileState};
use bedrock_profiles::domain::region::Region;
use bedrock_profiles::iam::{Account, ModelAccess, ProfileRoute, least_policy};
use serde_json::json;

use super::evaluator::{Answer, Call, answer};

const ACTIONS: [&str; 2] = [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
];

/// A row of the catalog: a profile in a source region.
pub(super) struct ProfileRow {
    pub(super) geography: String,
    pub(super) model: String,
    pub(super) source: Region,
    /// `None` of a global profile.
    pub(super) destinations: Option<Vec<Region>>,
    access: ModelAccess,
}

impl ProfileRow {
    /// The calls that the user guide of Amazon Bedrock names for the row.
    pub(super) fn calls(&self, account: &str) -> Vec<Call> {
        let Self {
            geography,
            model,
            source,
            ..
        } = self;
        let partition = if source.as_str().starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        };
        let profile = format!(
            "arn:{partition}:bedrock:{source}:{account}:inference-profile/{geography}.{model}"
        );
        let mut calls = Vec::new();
        for action in ACTIONS {
            calls.push(Call::new(action, profile.clone(), source.as_str(), None));
            let mut regions: BTreeSet<&str> = BTreeSet::from([source.as_str()]);
            regions.extend(self.destinations.iter().flatten().map(Region::as_str));
            for region in regions {
                let model = format!("arn:{partition}:bedrock:{region}::foundation-model/{model}");
                calls.push(Call::new(action, model, region, Some(&profile)));
            }
            if self.destinations.is_none() {
                let model = format!("arn:{partition}:bedrock:::foundation-model/{model}");
                calls.push(Call::new(action, model, "unspecified", Some(&profile)));
            }
        }
        calls
    }
}

/// The rows of profiles that work, and the number of those whose destinations are unknown.
pub(super) fn rows() -> (Vec<ProfileRow>, usize) {
    let (view, _) = EvaluationArgs::default().view(default_policy()).unwrap();
    let (mut rows, mut unknown) = (Vec::new(), 0);
    for model in view.snapshot.catalog.models() {
        for (source, row) in model.rows() {
            for route in row
                .routes()
                .filter(|route| route.state != ProfileState::Retired)
            {
                let Some(to) = ProfileRoute::of(&route.destinations) else {
                    unknown += 1;
                    continue;
                };
                rows.push(ProfileRow {
                    geography: route.geography.to_string(),
                    model: model.id.as_str().to_owned(),
                    source,
                    destinations: match &route.destinations {
                        Destinations::Known(regions) => Some(regions.to_vec()),
                        Destinations::Anywhere | Destinations::Unknown => None,
                    },
                    access: ModelAccess::profile(&route.geography, model.id.as_str(), source, to),
                });
            }
        }
    }
    (rows, unknown)
}

#[test]
fn the_least_policy_of_each_row_allows_its_calls_and_no_other_model() {
    let (rows, unknown) = rows();
    let geographic = rows.iter().filter(|row| row.destinations.is_some()).count();
    assert!(
        geographic > 500 && rows.len() - geographic > 400 && unknown >= 14,
        "{geographic} of {}, {unknown}",
        rows.len()
    );
    for row in &rows {
        for (account, id) in [
            (Account::Id("123456789012"), "123456789012"),
            (Account::Any, "210987654321"),
        ] {
            let policy = json!(least_policy(&BTreeSet::from([row.access.clone()]), account));
            for call in row.calls(id) {
                assert_eq!(
                    answer(&policy, &call),
                    Answer::Allowed,
                    "{call:?}: {policy:#}"
                );
                let other = Call {
                    resource: format!("{}-2", call.resource),
                    ..call.clone()
                };
                assert_eq!(answer(&policy, &other), Answer::Nothing, "{other:?}");
                let direct = Call {
                    keys: call
                        .keys
                        .iter()
                        .filter(|(key, _)| **key == "aws:requestedregion")
                        .map(|(key, value)| (*key, value.clone()))
                        .collect(),
                    ..call.clone()
                };
                if call.resource.contains(":foundation-model/") {
                    assert_eq!(
                        answer(&policy, &direct),
                        Answer::Nothing,
                        "without the profile: {direct:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_policy_of_many_rows_allows_each_and_is_bounded() {
    let (rows, _) = rows();
    let all: BTreeSet<_> = rows.iter().map(|row| row.access.clone()).collect();
    let policy = json!(least_policy(&all, Account::Id("123456789012")));
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 2);
    for row in rows.iter().step_by(40) {
        for call in row.calls("123456789012") {
            assert_eq!(answer(&policy, &call), Answer::Allowed, "{call:?}");
        }
    }
}
