//! Reasons in the region, the source of the text, and the rows of the catalog.

use bedrock_profiles_engine::in_group;

use crate::domain::reason::Reason;

use super::{Example, Explanation};

/// In the order of the reasons.
pub(super) const ALL: &[(Reason, Explanation)] = &[
    (
        Reason::NoRegion,
        Explanation {
            why: "Which profile is right depends on the region that the workload calls.",
            example: Some(Example::env("MODEL=anthropic.claude-sonnet-4-6\n")),
            advice: concat!(
                "Set `AWS_REGION` beside the ID, annotate the object or its namespace with `",
                in_group!("region"),
                "`, set `region.default` in the policy, or for files `--region`."
            ),
        },
    ),
    (
        Reason::RegionOutOfSight,
        Explanation {
            why: "A guess could send requests to another region.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: Pod\nmetadata: {name: chat}\nspec:\n  containers:\n  - name: app\n    env:\n    - {name: MODEL, value: anthropic.claude-sonnet-4-6}\n    - {name: AWS_REGION, valueFrom: {secretKeyRef: {name: aws, key: region}}}\n",
            )),
            advice: concat!(
                "Write the region as a value, or annotate the object with `",
                in_group!("region"),
                "`."
            ),
        },
    ),
    (
        Reason::RegionConflict,
        Explanation {
            why: "The answer is not the same in both regions.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\nAWS_DEFAULT_REGION=eu-west-1\n",
            )),
            advice: concat!(
                "Set both to one region, or annotate the object with `",
                in_group!("region"),
                "`."
            ),
        },
    ),
    (
        Reason::NotARegion,
        Explanation {
            why: "It has a typing error, or is the region of another cloud.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=asia-northeast-1\n",
            )),
            advice: "Correct the region.",
        },
    ),
    (
        Reason::RegionUnknown,
        Explanation {
            why: "The region is newer than the catalog, or needs an account of its own.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=eusc-de-east-1\n",
            )),
            advice: "Update the program, or add a mapping with the rows of the region.",
        },
    ),
    (
        Reason::ReferenceUnseen,
        Explanation {
            why: "It may not exist yet, or be in a file that was not read.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: Pod\nmetadata: {name: chat}\nspec:\n  containers:\n  - name: app\n    env:\n    - {name: FALLBACK, value: us.anthropic.claude-sonnet-4-6}\n    - {name: MODEL, valueFrom: {configMapKeyRef: {name: models, key: model}}}\n",
            )),
            advice: "Audit the file of the ConfigMap together with that of the workload. In a cluster, wait until the ConfigMap exists.",
        },
    ),
    (
        Reason::MayBeShadowed,
        Explanation {
            why: "Which text the application gets is unknown.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models}\ndata: {MODEL: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: chat}\nspec:\n  containers:\n  - name: app\n    envFrom: [{configMapRef: {name: models}}, {secretRef: {name: keys}}]\n",
            )),
            advice: "Name the variable under `env`, or put the ConfigMap behind the Secret in `envFrom`.",
        },
    ),
    (
        Reason::OutOfSight,
        Explanation {
            why: "Such a source is a Secret, or a field that is known only when the Pod runs.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: Pod\nmetadata: {name: chat}\nspec:\n  containers:\n  - name: app\n    env:\n    - {name: FALLBACK, value: us.anthropic.claude-sonnet-4-6}\n    - {name: MODEL, valueFrom: {secretKeyRef: {name: keys, key: model}}}\n",
            )),
            advice: "Move the ID to a ConfigMap, or check the source by hand.",
        },
    ),
    (
        Reason::WorksDirectly,
        Explanation {
            why: "A profile would only widen where requests may go.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=eu-west-2\n",
            )),
            advice: "Nothing. If a profile is wanted, set an override in the policy.",
        },
    ),
    (
        Reason::EndOfLife,
        Explanation {
            why: "Every call fails.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-3-haiku-20240307-v1:0\nAWS_REGION=us-east-1\n",
            )),
            advice: "Change to the successor and test the application with it: `fix --replace-end-of-life` changes files. Or set `replacements` in the policy.",
        },
    ),
    (
        Reason::OnlyGlobalServes,
        Explanation {
            why: "A global profile may route requests to every commercial region.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=sa-east-1\n",
            )),
            advice: "If data may leave the region so, set `geography.global: Fallback` in the policy. Otherwise call another region, or use another model.",
        },
    ),
    (
        Reason::NothingServes,
        Explanation {
            why: "Every call fails.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-opus-4-1-20250805-v1:0\nAWS_REGION=sa-east-1\n",
            )),
            advice: "Call another region, or use another model.",
        },
    ),
    (
        Reason::GeographyNotAllowed,
        Explanation {
            why: "The message names both jurisdictions.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-sonnet-4-5-20250929-v1:0\nAWS_REGION=eu-west-2\n",
            )),
            advice: "If data may cross that border, add the geography to `geography.allowed` of the policy. Otherwise call another region, or use another model.",
        },
    ),
    (
        Reason::DestinationNotAllowed,
        Explanation {
            why: "The message names the region.",
            example: Some(Example::with_policy(
                "geography: {allowedDestinations: [us-east-1]}\n",
                "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Add the region to `geography.allowedDestinations` of the policy, call another region, or use another model.",
        },
    ),
    (
        Reason::DestinationsUnknown,
        Explanation {
            why: "Whether the policy permits them is unknown too.",
            example: Some(Example::env(
                "MODEL=anthropic.claude-mythos-5-1\nAWS_REGION=us-east-1\n",
            )),
            advice: "Update the program, or add a mapping that has the destinations.",
        },
    ),
    (
        Reason::ReplacementNotServed,
        Explanation {
            why: "The original ID stays, which may not work either.",
            example: Some(Example::with_policy(
                "replacements: [{from: anthropic.claude-v2, to: anthropic.claude-fable-5-2}]\n",
                "MODEL=anthropic.claude-v2\nAWS_REGION=us-east-1\n",
            )),
            advice: "Name another model in `replacements` of the policy.",
        },
    ),
    (
        Reason::OverrideNeedsWholeValue,
        Explanation {
            why: "Here a route is before the ID.",
            example: Some(Example::with_policy(
                "overrides:\n- modelId: anthropic.claude-sonnet-4-6\n  sourceRegions: [us-east-1]\n  target: arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a\n",
                "MODEL=bedrock/anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Write the ID without the route, or the ARN in the form that the application expects.",
        },
    ),
];
