//! The context rules, in order of evaluation.

use super::Condition::{Beside, Enclosing, Entry, Named, Under};
use super::{Rule, ValueTest};
use crate::domain::reason::Reason;

/// Every rule.
pub const TABLE: &[Rule] = &[
    Rule {
        reason: Reason::IamDocument,
        when: &[Under(&["statement", "statements"])],
        why: "IAM compares the statement with calls; a profile needs its own statements.",
    },
    Rule {
        reason: Reason::Prose,
        when: &[Under(&["annotations", "*annotations", "labels", "*labels"])],
        why: "Annotations and labels are documentation or the state of other tools.",
    },
    Rule {
        reason: Reason::Prose,
        when: &[Named(&[
            "description",
            "comment",
            "comments",
            "note",
            "notes",
            "displayname",
            "title",
            "summary",
            "help",
            "tooltip",
            "deprecated",
            "deprecationmessage",
        ])],
        why: "The text is shown to people.",
    },
    Rule {
        reason: Reason::ClientAlias,
        when: &[
            Named(&["modelname"]),
            Entry(&["litellmparams"], ValueTest::Anything),
        ],
        why: "LiteLLM's clients request the model by this name; a rename breaks them.",
    },
    Rule {
        reason: Reason::ClientAlias,
        when: &[Under(&[
            "modelgroupalias",
            "fallbacks",
            "defaultfallbacks",
            "contextwindowfallbacks",
            "contentpolicyfallbacks",
        ])],
        why: "A router's aliases and fallbacks name entries of its own model list.",
    },
    Rule {
        reason: Reason::PriceTable,
        when: &[Named(&["basemodel"])],
        why: "LiteLLM's base_model is the key of its price table.",
    },
    Rule {
        reason: Reason::PriceTable,
        when: &[Under(&[
            "*pricing*",
            "*prices*",
            "price",
            "costs",
            "*costmap*",
            "*costtable*",
            "costpertoken",
            "ratecard",
        ])],
        why: "Costs are calculated by the name in the price table.",
    },
    Rule {
        reason: Reason::PriceTable,
        when: &[Entry(
            &[
                "*costper*",
                "*priceper*",
                "*pricein*",
                "*priceout*",
                "inputprice",
                "outputprice",
                "inputcost",
                "outputcost",
            ],
            ValueTest::Anything,
        )],
        why: "An entry with a price belongs to a price table, whose names other data refer to.",
    },
    Rule {
        reason: Reason::RoutingMatch,
        when: &[Under(&[
            "match",
            "matches",
            "headers",
            "headermatches",
            "routematch",
            "matchers",
        ])],
        why: "The text is compared with requests; a change breaks their routing.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[Under(&[
            "panels",
            "dimensions",
            "widgets",
            "templating",
            "alarms",
            "metrics",
        ])],
        why: "Panels and alarms select a metric by its ModelId dimension; change them after the traffic has changed.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[Named(&["expr", "query", "legendformat"])],
        why: "A query selects a metric by the ID of the traffic.",
    },
    Rule {
        reason: Reason::ExplicitProfile,
        when: &[Beside(&["modelid", "modelarn"], ValueTest::Arn)],
        why: "The application invokes the ARN; the ID only selects the request format.",
    },
    Rule {
        reason: Reason::ExplicitProfile,
        when: &[Enclosing(
            &[
                "*inferenceprofileid",
                "*inferenceprofilearn",
                "*inferenceprofilename",
                "*inferenceprofile",
            ],
            ValueTest::Name,
        )],
        why: "The application has a setting for the profile, and uses it.",
    },
    Rule {
        reason: Reason::PrefixedByTool,
        when: &[Enclosing(
            &[
                "*inferenceprofileprefix",
                "*bedrockgeoregion",
                "*bedrockregionprefix",
                "*crossregionprefix",
            ],
            ValueTest::Name,
        )],
        why: "The tool adds the prefix to the ID; an ID with a second prefix is not a valid profile ID.",
    },
    Rule {
        reason: Reason::PrefixedByTool,
        when: &[Enclosing(
            &[
                "*enablebedrockcrossregioninference",
                "enablecrossregioninference",
            ],
            ValueTest::Yes,
        )],
        why: "The tool derives the profile from the direct ID itself.",
    },
    Rule {
        reason: Reason::Mantle,
        when: &[Enclosing(&["*usemantle"], ValueTest::Yes)],
        why: "Claude Code calls bedrock-mantle, which takes direct IDs only.",
    },
    Rule {
        reason: Reason::Mantle,
        when: &[Enclosing(
            &["*url", "*endpoint", "*host", "*apibase"],
            ValueTest::MantleHost,
        )],
        why: "bedrock-mantle takes direct IDs only.",
    },
    Rule {
        reason: Reason::OtherCloud,
        when: &[Enclosing(&["*usevertex"], ValueTest::Yes)],
        why: "Claude Code calls Vertex AI, not Bedrock.",
    },
    Rule {
        reason: Reason::OtherCloud,
        when: &[Enclosing(
            &[
                "llmprovider",
                "customllmprovider",
                "modelprovider",
                "aiprovider",
            ],
            ValueTest::OneOf(&["vertex*", "azure*", "openrouter*", "google*", "gemini*"]),
        )],
        why: "Another setting of the client names another provider.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Enclosing(
            &[
                "*openaibaseurl",
                "*openaiapibase",
                "*openaiapiurl",
                "*openaiendpoint",
                "*anthropicbaseurl",
                "*anthropicapiurl",
                "*anthropicbedrockbaseurl",
                "*litellmurl",
                "*litellmbaseurl",
                "*litellmapiurl",
                "*litellmapibase",
                "*litellmproxyurl",
                "*litellmproxyapibase",
                "*litellmendpoint",
                "*litellmhost",
                "*llmbaseurl",
                "*llmapibase",
                "*llmgatewayurl",
                "*aigatewayurl",
                "*openrouterbaseurl",
                "*portkeybaseurl",
            ],
            ValueTest::OtherHost,
        )],
        why: "The client calls a gateway, which has its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Entry(
            &[
                "apibase",
                "baseurl",
                "apiurl",
                "basepath",
                "apiendpoint",
                "endpoint",
                "serverurl",
            ],
            ValueTest::OtherHost,
        )],
        why: "The entry has an address that is not Bedrock's own runtime, such as a gateway with its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Enclosing(
            &[
                "llmprovider",
                "customllmprovider",
                "modelprovider",
                "aiprovider",
            ],
            ValueTest::OneOf(&["openai*"]),
        )],
        why: "The client uses OpenAI's protocol, through a gateway with its own model names.",
    },
    Rule {
        reason: Reason::Batch,
        when: &[Enclosing(
            &[
                "*batchrolearn",
                "*batchs3bucket",
                "minbatchrecords",
                "*batchinferencerole",
                "*batchinferencerolearn",
            ],
            ValueTest::Anything,
        )],
        why: "Batch jobs need their own profiles and permissions.",
    },
    Rule {
        reason: Reason::Batch,
        when: &[Named(&[
            "*batchmodelid",
            "*batchmodel",
            "foundationmodel",
            "*basemodelidentifier",
            "finetuningmodel",
            "*finetunebasemodel",
        ])],
        why: "Batch, agent and tuning calls have their own rules for model IDs.",
    },
    Rule {
        reason: Reason::OtherCloud,
        when: &[Entry(
            &["provider", "apitype"],
            ValueTest::OneOf(&["vertex*", "azure*", "openrouter*", "google*", "gemini*"]),
        )],
        why: "The entry names another provider.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Entry(
            &["provider", "apitype"],
            ValueTest::OneOf(&["openai*"]),
        )],
        why: "The entry names a protocol of gateways, which have their own model names.",
    },
];
