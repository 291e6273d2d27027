//! Reasons in what is around the ID.

use crate::domain::reason::Reason;

use super::{Example, Explanation};

/// In the order of the reasons.
pub(super) const ALL: &[(Reason, Explanation)] = &[
    (
        Reason::ListLeft,
        Explanation {
            why: "If the list permits models, the other side has to send the same ID.",
            example: Some(Example::env(
                "MODELS=anthropic.claude-sonnet-4-6,anthropic.claude-haiku-4-5-20251001-v1:0\nAWS_REGION=us-east-1\n",
            )),
            advice: "If Bedrock gets the items of the list, change them by hand, or set `lists: Rewrite` in the policy.",
        },
    ),
    (
        Reason::ClientAlias,
        Explanation {
            why: "A new name would break the clients. The ID for Bedrock is another field of the entry.",
            example: Some(Example::new(
                "config.yaml",
                "model_list:\n- model_name: anthropic.claude-sonnet-4-6\n  litellm_params:\n    model: bedrock/us.anthropic.claude-sonnet-4-6\n    aws_region_name: us-east-1\n",
            )),
            advice: "Nothing.",
        },
    ),
    (
        Reason::MapKey,
        Explanation {
            why: "The key has to equal the ID that the application looks up, which may be in its code.",
            example: Some(Example::new(
                "settings.json",
                "{\"modelOverrides\": {\"anthropic.claude-sonnet-4-6\": \"fast\"}, \"AWS_REGION\": \"us-east-1\"}\n",
            )),
            advice: "If the application looks up the profile, rename the key by hand.",
        },
    ),
    (
        Reason::PriceTable,
        Explanation {
            why: "Costs are found by the name in the table, and a profile has other prices in some tables.",
            example: Some(Example::new(
                "prices.yaml",
                "models:\n- name: anthropic.claude-sonnet-4-6\n  cost_per_1k_input: 0.003\n  cost_per_1k_output: 0.015\n",
            )),
            advice: "Add a row for the profile if the application calculates costs by the ID that it sends.",
        },
    ),
    (
        Reason::RoutingMatch,
        Explanation {
            why: "Clients send the old name until they are changed.",
            example: Some(Example::new(
                "routes.yaml",
                "rules:\n- matches:\n  - headers:\n    - name: x-model\n      value: anthropic.claude-sonnet-4-6\n  backend: bedrock\n",
            )),
            advice: "Add a match for the profile before clients send it.",
        },
    ),
    (
        Reason::Dashboard,
        Explanation {
            why: "CloudWatch records metrics under the ID of the request, and what was recorded keeps its name.",
            example: Some(Example::new(
                "dashboard.json",
                "{\"targets\": [{\"namespace\": \"AWS/Bedrock\", \"metricName\": \"Invocations\",\n  \"dimensions\": {\"ModelId\": \"anthropic.claude-sonnet-4-6\"}}]}\n",
            )),
            advice: "Select both IDs, the direct one and that of the profile.",
        },
    ),
    (
        Reason::IamDocument,
        Explanation {
            why: "A call through a profile needs the right to the profile and to the model in each destination region.",
            example: Some(Example::new(
                "policy.json",
                "{\"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"bedrock:InvokeModel\", \"Resource\": \"*\",\n  \"Condition\": {\"StringEquals\": {\"aws:RequestTag/model\": \"anthropic.claude-sonnet-4-6\"}}}]}\n",
            )),
            advice: "Add a statement for the profile, and keep that for the model.",
        },
    ),
    (
        Reason::Prose,
        Explanation {
            why: "The text is for people.",
            example: Some(Example::new(
                "values.yaml",
                "description: Answers with anthropic.claude-sonnet-4-6.\nregion: us-east-1\n",
            )),
            advice: "Nothing, or change the text by hand.",
        },
    ),
    (
        Reason::ExplicitProfile,
        Explanation {
            why: "The application reads the direct ID as the name of the model, and calls the profile.",
            example: Some(Example::env(
                "BEDROCK_MODEL_ID=anthropic.claude-sonnet-4-6\nBEDROCK_INFERENCE_PROFILE_ID=us.anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing.",
        },
    ),
    (
        Reason::PrefixedByTool,
        Explanation {
            why: "With a prefix in the ID, it would have two.",
            example: Some(Example::env(
                "BEDROCK_MODEL_ID=anthropic.claude-sonnet-4-6\nBEDROCK_INFERENCE_PROFILE_PREFIX=us\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing. Check that the prefix serves the region.",
        },
    ),
    (
        Reason::Mantle,
        Explanation {
            why: "Bedrock-mantle has no inference profiles.",
            example: Some(Example::env(
                "MODEL=bedrock/mantle/anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing.",
        },
    ),
    (
        Reason::GatewayClient,
        Explanation {
            why: "The gateway calls Bedrock, and has the ID for that in its own configuration.",
            example: Some(Example::env(
                "ANTHROPIC_BASE_URL=https://gateway.example.com\nANTHROPIC_MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Change the configuration of the gateway. The name that clients send may stay.",
        },
    ),
    (
        Reason::OtherCloud,
        Explanation {
            why: "Only Bedrock knows inference profiles.",
            example: Some(Example::env(
                "MODEL=vertex_ai/anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Nothing.",
        },
    ),
    (
        Reason::Batch,
        Explanation {
            why: "Not every such call accepts a profile, and the role of the call needs rights of its own.",
            example: Some(Example::env(
                "MODEL=bedrock/async_invoke/anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
            )),
            advice: "Look up in the documentation of the call whether it accepts a profile, and change the ID by hand.",
        },
    ),
    (
        Reason::DirectIdOnly,
        Explanation {
            why: "Such a call asks about the model, and does not invoke it.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: Pod\nmetadata: {name: check}\nspec:\n  containers:\n  - name: aws\n    command: [aws, --region, us-east-1, bedrock, get-foundation-model]\n    args: [--model-identifier, anthropic.claude-sonnet-4-6]\n",
            )),
            advice: "Nothing.",
        },
    ),
    (
        Reason::CustomResource,
        Explanation {
            why: "The controller may add the prefix itself, or refuse a profile.",
            example: Some(Example::yaml(
                "apiVersion: core.k8sgpt.ai/v1alpha1\nkind: K8sGPT\nmetadata: {name: k8sgpt}\nspec:\n  ai: {backend: amazonbedrock, region: us-east-1, model: anthropic.claude-sonnet-4-6}\n",
            )),
            advice: "Look up in the documentation of the controller whether the field accepts a profile, and change it by hand.",
        },
    ),
    (
        Reason::Secret,
        Explanation {
            why: "Only files are searched for it.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: Secret\nmetadata: {name: chat}\nstringData: {MODEL: anthropic.claude-sonnet-4-6, AWS_REGION: eu-west-1}\n",
            )),
            advice: "Change the Secret at its source, or move the ID to a ConfigMap: it is no secret.",
        },
    ),
    (
        Reason::WrittenByTool,
        Explanation {
            why: "The edit belongs where the tool reads.",
            example: Some(Example::new(
                "config.yaml",
                "# Code generated by chat-config. DO NOT EDIT.\nmodel: anthropic.claude-sonnet-4-6\nregion: us-east-1\n",
            )),
            advice: "Change what the tool reads, and run the tool again.",
        },
    ),
    (
        Reason::UnknownFormat,
        Explanation {
            why: "Formats that are edited are YAML, JSON, TOML, properties, `.env` and shell scripts.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: chat}\ndata:\n  AWS_REGION: us-east-1\n  app.py: |\n    MODEL = \"anthropic.claude-sonnet-4-6\"\n",
            )),
            advice: "Change the ID by hand, or let the program read it from a variable.",
        },
    ),
    (
        Reason::SharedAnchor,
        Explanation {
            why: "One text cannot have both.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models}\ndata:\n  config.yaml: |\n    models:\n    - {model: &model anthropic.claude-sonnet-4-6, aws_region_name: us-east-1}\n    - {model: *model, aws_region_name: eu-west-1}\n",
            )),
            advice: "Write the ID at each place, without the anchor.",
        },
    ),
    (
        Reason::Unmappable,
        Explanation {
            why: "An edit might change something else.",
            example: Some(Example::yaml(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models}\ndata:\n  AWS_REGION: us-east-1\n  config.json: '{\"model\": \"anthropic.claude-sonnet-4\\u002d6\"}'\n",
            )),
            advice: "Write the ID without escapes, in one line.",
        },
    ),
];
