//! The context rules, in order of evaluation.

use super::Condition::{Beside, Enclosing, Entry, Named, Under};
use super::{Rule, ValueTest};
use crate::domain::reason::Reason;

/// Every rule.
pub const TABLE: &[Rule] = &[
    Rule {
        reason: Reason::IamDocument,
        when: &[Under(&["statement", "statements"])],
        why: "A policy document is compared with calls by IAM; the profile needs statements of its own.",
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
        why: "LiteLLM's clients ask for the model by this name; renaming it breaks every one of them.",
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
        why: "Costs are accounted under the name that the price table knows.",
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
        why: "An entry with a price is one of a price table, whose name other data equal.",
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
        why: "The text is compared with what clients send; another one would unroute their requests.",
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
        why: "Panels and alarms select a metric by its ModelId dimension; they change when the traffic has.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[Named(&["expr", "query", "legendformat"])],
        why: "A query selects a metric by the ID that the traffic has.",
    },
    Rule {
        reason: Reason::ExplicitProfile,
        when: &[Beside(&["modelid", "modelarn"], ValueTest::Arn)],
        why: "The ARN beside it is what is invoked; this one only selects the request's format.",
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
        why: "The application has a separate setting for its profile and uses that.",
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
        why: "The tool puts this prefix before the ID; a second one makes a name that no profile has.",
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
        why: "Claude Code calls Vertex AI, where the name is none of Bedrock's.",
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
        why: "The setting beside it names another provider.",
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
        why: "The client calls a gateway, for which the ID is a name of its own.",
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
        why: "The entry names an address that is not Bedrock's own runtime, for which the ID is a name of its own.",
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
        why: "The client speaks OpenAI's protocol, to a gateway for which the ID is a name of its own.",
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
        why: "Batch jobs have profiles and rights of their own.",
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
        why: "Batch, agent and tuning calls take a model by rules of their own.",
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
        why: "The entry names a protocol that gateways speak, for which the ID is a name of its own.",
    },
];
