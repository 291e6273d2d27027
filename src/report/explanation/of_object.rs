//! Reasons in the object, the policy and the catalog.

use bedrock_profiles_engine::in_group;

use crate::domain::reason::Reason;

use super::{Example, Explanation};

/// In the order of the reasons.
pub(super) const ALL: &[(Reason, Explanation)] = &[
    (
        Reason::Immutable,
        Explanation {
            why: "The API server refuses a change of its data.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models}\nimmutable: true\ndata: {model: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1}\n",
            )),
            advice: "Change the ID in the manifest, and give the new ConfigMap another name.",
        },
    ),
    (
        Reason::Tracked,
        Explanation {
            why: "The message names the mark of that controller.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models, labels: {kustomize.toolkit.fluxcd.io/name: apps}}\ndata: {model: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1}\n",
            )),
            advice: "Change the ID where the controller reads it, for instance in Git with `fix`.",
        },
    ),
    (
        Reason::TooLarge,
        Explanation {
            why: "The object is not changed in part either.",
            example: None,
            advice: "Split the object, or change its IDs in the manifest with `fix`.",
        },
    ),
    (
        Reason::OptedOut,
        Explanation {
            why: "The message has the annotation with its text.",
            example: Some(Example::yaml(concat!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models, annotations: {",
                in_group!("ignore"),
                ": the client refuses prefixes}}\ndata: {model: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1}\n"
            ))),
            advice: "Remove the annotation when its cause has gone.",
        },
    ),
    (
        Reason::NotIncluded,
        Explanation {
            why: "Without a policy of yours, models of Anthropic are included.",
            example: Some(Example::env(
                "MODEL=amazon.nova-lite-v1:0\nAWS_REGION=us-east-1\n",
            )),
            advice: "Add the model to `models.include` of the policy, for instance `amazon.*`.",
        },
    ),
    (
        Reason::Excluded,
        Explanation {
            why: "The author of the policy has decided so.",
            example: Some(Example::with_policy(
                "models: {exclude: ['*sonnet*']}\n",
                "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing, or change `models.exclude` or `match` of the policy.",
        },
    ),
    (
        Reason::UnknownModel,
        Explanation {
            why: "It has a typing error, or is newer than the catalog. If one letter of a known ID differs, it is an error.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Correct the ID. For a new model, update the program, or add a mapping.",
        },
    ),
    (
        Reason::Unverified,
        Explanation {
            why: "AWS has announced the model, and its rows are not known.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-fable-5-2\nAWS_REGION=us-east-1\n",
            )),
            advice: "Update the program, or add a mapping with what `aws bedrock list-inference-profiles` prints.",
        },
    ),
    (
        Reason::NeverHadProfile,
        Explanation {
            why: "The direct ID is the only one.",
            example: Some(Example::with_policy(
                "models: {include: ['*']}\n",
                "MODEL=amazon.titan-embed-text-v1\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing.",
        },
    ),
];
