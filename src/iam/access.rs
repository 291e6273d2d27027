//! What an ID calls, and the requests that IAM decides on for such a call.

use std::collections::BTreeMap;

use crate::domain::catalog::Destinations;
use crate::domain::id::Geography;
use crate::domain::region::Region;

/// The actions of a call: without and with a stream of responses. `Converse` and `ConverseStream` need the same.
pub(super) const ACTIONS: [&str; 2] = [
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
];

/// The condition key with the region of a request.
pub(super) const REQUESTED_REGION: &str = "aws:RequestedRegion";

/// The condition key with the profile through which a model is called.
pub(super) const PROFILE_ARN: &str = "bedrock:InferenceProfileArn";

/// The region of the request for a model that a global profile routes to.
const UNSPECIFIED: &str = "unspecified";

/// The account in ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account<'a> {
    /// This account.
    Id(&'a str),
    /// Any account. A role can call the profiles of its own account alone, so this permits no more.
    Any,
    /// The account that Terraform's provider uses.
    Terraform,
    /// The account of a stack of CloudFormation.
    CloudFormation,
}

/// Where a profile routes requests to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileRoute {
    /// To these regions.
    Regions(Vec<Region>),
    /// To any commercial region.
    Global,
}

/// What an ID calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelAccess {
    /// An inference profile that AWS defines.
    Profile {
        /// The ID of the profile.
        id: String,
        /// The direct ID of its model.
        model: String,
        /// The region of the call.
        source: Region,
        /// Where it routes to.
        route: ProfileRoute,
    },
    /// A model without a profile.
    Model {
        /// The direct ID.
        id: String,
        /// The region of the call.
        region: Region,
    },
    /// An application inference profile, whose destinations only AWS knows.
    ApplicationProfile {
        /// Its ARN.
        arn: String,
        /// The direct ID of its model.
        model: String,
    },
}

/// A request that IAM decides on: each must be allowed for a call to succeed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessRequest {
    /// The ARN.
    pub resource: String,
    /// The condition keys that are known.
    pub context: BTreeMap<&'static str, String>,
}

impl Account<'_> {
    /// The text in an ARN.
    pub const fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Any => "*",
            Self::Terraform => "${data.aws_caller_identity.current.account_id}",
            Self::CloudFormation => "${AWS::AccountId}",
        }
    }

    /// Whether an ARN with it names one resource.
    pub const fn is_exact(&self) -> bool {
        !matches!(self, Self::Any)
    }
}

impl ProfileRoute {
    /// The route of a row of a mapping; `None` if its destinations are unknown.
    pub fn of(destinations: &Destinations) -> Option<Self> {
        match destinations {
            Destinations::Known(regions) => Some(Self::Regions(regions.to_vec())),
            Destinations::Anywhere => Some(Self::Global),
            Destinations::Unknown => None,
        }
    }
}

impl ModelAccess {
    /// The profile of a geography.
    pub fn profile(
        geography: &Geography,
        model: &str,
        source: Region,
        route: ProfileRoute,
    ) -> Self {
        Self::Profile {
            id: format!("{geography}.{model}"),
            model: model.to_owned(),
            source,
            route,
        }
    }

    /// The ARN of the profile; `None` for a model.
    pub fn profile_arn(&self, account: Account<'_>) -> Option<String> {
        match self {
            Self::Profile { id, source, .. } => {
                let (partition, account) = (source.partition(), account.as_str());
                Some(format!(
                    "arn:{partition}:bedrock:{source}:{account}:inference-profile/{id}"
                ))
            }
            Self::ApplicationProfile { arn, .. } => Some(arn.clone()),
            Self::Model { .. } => None,
        }
    }

    /// The ARNs of the models in each region that the call may reach: the source, then the destinations.
    pub fn model_arns(&self) -> Vec<String> {
        match self {
            Self::Profile {
                model,
                source,
                route,
                ..
            } => {
                let mut regions = vec![*source];
                if let ProfileRoute::Regions(destinations) = route {
                    regions.extend(destinations.iter().filter(|region| *region != source));
                }
                let own = regions.iter().map(|region| model_arn(*region, model));
                // The third part of a global profile: the model without a region.
                let global = (*route == ProfileRoute::Global).then(|| {
                    format!(
                        "arn:{}:bedrock:::foundation-model/{model}",
                        source.partition()
                    )
                });
                own.chain(global).collect()
            }
            Self::Model { id, region } => vec![model_arn(*region, id)],
            Self::ApplicationProfile { arn, model } => {
                let partition = arn.split(':').nth(1).unwrap_or("aws");
                vec![format!(
                    "arn:{partition}:bedrock:*::foundation-model/{model}"
                )]
            }
        }
    }

    /// The requests of a call. For an application profile the region of the model is unknown, so its request names none.
    pub fn requests(&self, account: Account<'_>) -> Vec<AccessRequest> {
        let profile = self.profile_arn(account);
        let source = match self {
            Self::Profile { source, .. } => source.to_string(),
            Self::Model { region, .. } => region.to_string(),
            Self::ApplicationProfile { arn, .. } => {
                arn.split(':').nth(3).unwrap_or_default().to_owned()
            }
        };
        let of_profile = profile.iter().map(|arn| AccessRequest {
            resource: arn.clone(),
            context: BTreeMap::from([(REQUESTED_REGION, source.clone())]),
        });
        let of_models = self.model_arns().into_iter().map(|resource| {
            let region = match resource.split(':').nth(3) {
                Some("") | None => UNSPECIFIED,
                Some("*") => &source,
                Some(region) => region,
            };
            let region = (REQUESTED_REGION, region.to_owned());
            let through = profile.iter().map(|arn| (PROFILE_ARN, arn.clone()));
            AccessRequest {
                context: std::iter::once(region).chain(through).collect(),
                resource,
            }
        });
        of_profile.chain(of_models).collect()
    }
}

fn model_arn(region: Region, model: &str) -> String {
    format!(
        "arn:{}:bedrock:{region}::foundation-model/{model}",
        region.partition()
    )
}
