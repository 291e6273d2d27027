//! Reasons in the text of the ID.

use crate::domain::reason::Reason;

use super::{Example, Explanation};

/// In the order of the reasons.
pub(super) const ALL: &[(Reason, Explanation)] = &[
    (
        Reason::AlreadyProfiled,
        Explanation {
            why: "It serves the region, and the policy permits it.",
            example: Some(Example::env(
                "MODEL=us.anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing. If the model is Legacy, plan the change to its successor.",
        },
    ),
    (
        Reason::ProfileNotServed,
        Explanation {
            why: "Bedrock refuses such a call. The profile was probably copied from a workload elsewhere.",
            example: Some(Example::env(
                "MODEL=eu.anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Write the suggested ID, or set the region that the profile is for.",
        },
    ),
    (
        Reason::ProfileNotPermitted,
        Explanation {
            why: "The author chose the profile, so it stays. It may route requests to regions that the policy excludes.",
            example: Some(Example::env(
                "MODEL=global.anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Write the suggested ID. If the profile is meant, permit it: `geography.allowed`, `geography.global` or `geography.allowedDestinations` of the policy.",
        },
    ),
    (
        Reason::NeverExisted,
        Explanation {
            why: "Prefixes are not interchangeable: each model has profiles of some geographies only.",
            example: Some(Example::env(
                "MODEL=apac.anthropic.claude-sonnet-4-5-20250929-v1:0\nAWS_REGION=us-east-1\n",
            )),
            advice: "Write the suggested ID. If the profile is newer than the catalog, add it with a mapping.",
        },
    ),
    (
        Reason::DoublePrefix,
        Explanation {
            why: "Two tools or two authors have added a prefix.",
            example: Some(Example::env(
                "MODEL=us.us.anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Remove one prefix. If a tool adds one, write the direct ID.",
        },
    ),
    (
        Reason::InArn,
        Explanation {
            why: "The ARN of a foundation model is refused as its direct ID is. The ARN of a profile contains an account, which nothing here knows.",
            example: Some(Example::env(
                "MODEL=arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6\n",
            )),
            advice: "Write the suggested profile ID in place of the ARN, or the ARN of an inference profile.",
        },
    ),
    (
        Reason::PercentEncoded,
        Explanation {
            why: "The text is a part of a URL, which also says where the request goes.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-haiku-4-5-20251001-v1%3A0\nAWS_REGION=us-east-1\n",
            )),
            advice: "Write the profile into the URL, percent-encoded.",
        },
    ),
    (
        Reason::ProvisionedSuffix,
        Explanation {
            why: "Provisioned throughput is bought for a model in one region, which a profile would leave.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonnet-4-5-20250929-v1:0:48k\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing, if the throughput is provisioned. Otherwise remove the suffix.",
        },
    ),
];
