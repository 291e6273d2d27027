//! Rules for IDs that are data of documents: names, labels and tables.

use super::Condition::{Enclosing, Entry, Mapping, Named, Under, UnderA, Unnamed};
use super::{Rule, ValueTest, name_class as class};
use crate::domain::reason::Reason;

/// The rules, in order of evaluation.
pub(super) const RULES: &[Rule] = &[
    Rule {
        reason: Reason::IamDocument,
        when: &[
            Under(&["statement", "statements"]),
            Named(&["resource", "resources", "notresource", "notresources"]),
        ],
        unless: &[],
        why: "IAM compares the statement with calls; a profile needs its own statements.",
    },
    Rule {
        reason: Reason::IamDocument,
        when: &[
            Under(&["statement", "statements"]),
            Enclosing(
                &[
                    "effect",
                    "action",
                    "actions",
                    "notaction",
                    "notactions",
                    "resource",
                    "resources",
                    "notresource",
                    "notresources",
                ],
                ValueTest::Anything,
            ),
        ],
        unless: &[],
        why: "IAM compares the statement with calls; a profile needs its own statements.",
    },
    Rule {
        reason: Reason::Prose,
        when: &[Under(&["annotations", "*annotations", "labels", "*labels"])],
        unless: &[],
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
        unless: &[Mapping(&class::MODELS)],
        why: "The text is shown to people.",
    },
    Rule {
        reason: Reason::ClientAlias,
        when: &[
            Named(&["modelname"]),
            Entry(&["litellmparams"], ValueTest::Anything),
        ],
        unless: &[],
        why: "LiteLLM's clients request the model by this name; a rename breaks them.",
    },
    Rule {
        reason: Reason::ClientAlias,
        when: &[
            Named(&[
                "name",
                "alias",
                "id",
                "modelid",
                "identifier",
                "modelalias",
                "servedmodelname",
            ]),
            Entry(
                &[
                    "providermodelid",
                    "providerresourceid",
                    "upstreammodel",
                    "targetmodel",
                    "bedrockmodelid",
                ],
                ValueTest::Name,
            ),
        ],
        unless: &[],
        why: "Clients request the model by this name; the provider's own ID is beside it.",
    },
    Rule {
        reason: Reason::ClientAlias,
        when: &[Named(&["id"]), Under(&["modelinfo"])],
        unless: &[],
        why: "LiteLLM's model_info.id is the key of the entry, which clients and its database refer to.",
    },
    Rule {
        reason: Reason::ClientAlias,
        when: &[Named(&[
            "autorouterdefaultmodel",
            "autorouterembeddingmodel",
        ])],
        unless: &[],
        why: "LiteLLM's router takes names of its own model list.",
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
        unless: &[],
        why: "A router's aliases and fallbacks name entries of its own model list.",
    },
    Rule {
        reason: Reason::PriceTable,
        when: &[Named(&["basemodel"])],
        unless: &[],
        why: "LiteLLM's base_model is the key of its price table.",
    },
    Rule {
        reason: Reason::PriceTable,
        when: &[UnderA(&class::PRICE_TABLE)],
        unless: &[],
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
        unless: &[Under(&["litellmparams"])],
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
        unless: &[],
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
        ])],
        unless: &[],
        why: "Panels and alarms select a metric by its ModelId dimension; change them after the traffic has changed.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[Under(&["metrics"]), Unnamed],
        unless: &[],
        why: "CloudWatch's lists of metrics have the values of dimensions without names.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[
            Under(&["metrics"]),
            Enclosing(
                &["namespace", "metricname", "metricstat", "stat", "statistic"],
                ValueTest::Anything,
            ),
        ],
        unless: &[],
        why: "The entry selects a metric.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[Named(&["genai*", "otelresourceattributes", "ddtags"])],
        unless: &[],
        why: "The text labels telemetry, which dashboards and alarms select by it.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[Under(&[
            "*resourceattributes",
            "*spanattributes",
            "*metricattributes",
        ])],
        unless: &[],
        why: "The text labels telemetry, which dashboards and alarms select by it.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[
            Named(&["value"]),
            Entry(&["key"], ValueTest::Anything),
            Entry(
                &["action"],
                ValueTest::OneOf(&[
                    "insert", "update", "upsert", "delete", "hash", "extract", "convert",
                ]),
            ),
        ],
        unless: &[],
        why: "An action of OpenTelemetry's collector sets an attribute of telemetry.",
    },
    Rule {
        reason: Reason::Dashboard,
        when: &[Named(&["expr", "query", "legendformat"])],
        unless: &[],
        why: "A query selects a metric by the ID of the traffic.",
    },
];
