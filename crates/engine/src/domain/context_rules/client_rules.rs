//! Rules for IDs that clients send: the profile, the prefix, the gateway or the endpoint comes from another setting.

use super::Condition::{
    Beside, Enclosing, Entry, Named, NamedAs, OfModel, Route, SameStem, Setting, Under, Used,
};
use super::{Condition, NameUse, Rule, ValueTest, name_class as class};
use crate::domain::reason::Reason;

/// Proofs that the ID is sent to Bedrock.
const OF_BEDROCK: &[Condition] = &[
    Enclosing(&["*usebedrock"], ValueTest::Yes),
    Setting(&class::PROVIDER, ValueTest::OneOf(BEDROCK)),
    Entry(&["provider", "apitype"], ValueTest::OneOf(BEDROCK)),
    NamedAs(&class::BEDROCK),
    Route("bedrock"),
];

/// Names of Bedrock as a provider.
const BEDROCK: &[&str] = &["bedrock*", "awsbedrock*", "amazonbedrock*", "aws"];

/// The rules, in order of evaluation.
pub(super) const RULES: &[Rule] = &[
    Rule {
        reason: Reason::ExplicitProfile,
        when: &[Beside(&["modelid", "modelarn"], ValueTest::Arn)],
        unless: &[],
        why: "The application invokes the ARN; the ID only selects the request format.",
    },
    Rule {
        reason: Reason::ExplicitProfile,
        when: &[OfModel(&class::INFERENCE_PROFILE, ValueTest::Name)],
        unless: &[],
        why: "The application has a setting for the profile, and uses it.",
    },
    Rule {
        reason: Reason::PrefixedByTool,
        when: &[Used(NameUse::Prefixed)],
        unless: &[],
        why: "Another text puts a prefix before the value of this name.",
    },
    Rule {
        reason: Reason::InArn,
        when: &[Used(NameUse::InArn)],
        unless: &[],
        why: "Another text completes the ARN of the foundation model with the value of this name.",
    },
    Rule {
        reason: Reason::PrefixedByTool,
        when: &[Setting(&class::PROFILE_PREFIX, ValueTest::Name)],
        unless: &[],
        why: "The tool adds the prefix to the ID; an ID with a second prefix is not a valid profile ID.",
    },
    Rule {
        reason: Reason::PrefixedByTool,
        when: &[Setting(&class::MODEL_PREFIX, ValueTest::Geography)],
        unless: &[],
        why: "The tool adds the prefix to the ID; an ID with a second prefix is not a valid profile ID.",
    },
    Rule {
        reason: Reason::PrefixedByTool,
        when: &[Setting(&class::CROSS_REGION_SWITCH, ValueTest::Yes)],
        unless: &[],
        why: "The tool derives the profile from the direct ID itself.",
    },
    Rule {
        reason: Reason::Mantle,
        when: &[Setting(&class::MANTLE_SWITCH, ValueTest::Yes)],
        unless: &[],
        why: "The client calls bedrock-mantle, which takes direct IDs only.",
    },
    Rule {
        reason: Reason::Mantle,
        when: &[NamedAs(&class::MANTLE)],
        unless: &[],
        why: "The name is that of a model of bedrock-mantle, which takes direct IDs only.",
    },
    Rule {
        reason: Reason::Mantle,
        when: &[Setting(&class::ANY, ValueTest::Mantle)],
        unless: &[],
        why: "bedrock-mantle takes direct IDs only.",
    },
    Rule {
        reason: Reason::Mantle,
        when: &[Setting(&class::INTERFACE, ValueTest::MantleWord)],
        unless: &[],
        why: "bedrock-mantle takes direct IDs only.",
    },
    Rule {
        reason: Reason::OtherCloud,
        when: &[Enclosing(&["*usevertex"], ValueTest::Yes)],
        unless: &[],
        why: "Claude Code calls Vertex AI, not Bedrock.",
    },
    Rule {
        reason: Reason::OtherCloud,
        when: &[Setting(
            &class::PROVIDER,
            ValueTest::OneOf(&["vertex*", "azure*", "openrouter*", "google*", "gemini*"]),
        )],
        unless: &[],
        why: "Another setting of the client names another provider.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Setting(&class::BEDROCK_ADDRESS, ValueTest::PrivateHost)],
        unless: &[],
        why: "The client calls another host in place of Bedrock's runtime, which has its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Setting(&class::CLIENT_ADDRESS, ValueTest::PrivateHost)],
        unless: &[Enclosing(&["claudecodeusebedrock"], ValueTest::Yes)],
        why: "The client calls a gateway, which has its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Setting(&class::CLIENT_ADDRESS, ValueTest::PublicApi)],
        unless: OF_BEDROCK,
        why: "The client calls the vendor's own API, which has its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[SameStem(&class::ADDRESS, ValueTest::PrivateHost)],
        unless: &[Enclosing(&["claudecodeusebedrock"], ValueTest::Yes)],
        why: "The model's own client has an address that is not Bedrock's, such as a gateway with its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Setting(&class::ADDRESS, ValueTest::GatewayHost)],
        unless: &[Enclosing(&["claudecodeusebedrock"], ValueTest::Yes)],
        why: "An address is one of a gateway, which has its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Setting(&class::GATEWAY_SWITCH, ValueTest::Yes)],
        unless: &[],
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
                "endpointurl",
                "endpoint",
                "serverurl",
            ],
            ValueTest::OtherHost,
        )],
        unless: &[],
        why: "The entry has an address that is not Bedrock's own runtime, such as a gateway with its own model names.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Setting(&class::PROVIDER, ValueTest::OneOf(&["openai*"]))],
        unless: &[],
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
        unless: &[],
        why: "Batch jobs need their own profiles and permissions.",
    },
    Rule {
        reason: Reason::Batch,
        when: &[
            Named(&["foundationmodel"]),
            Under(&[
                "agent",
                "agents",
                "*bedrockagent*",
                "*knowledgebase*",
                "*customizationjob*",
                "*customiz*",
            ]),
        ],
        unless: &[],
        why: "Batch, agent and tuning calls have their own rules for model IDs.",
    },
    Rule {
        reason: Reason::Batch,
        when: &[
            Named(&["foundationmodel"]),
            Enclosing(
                &[
                    "agentname",
                    "agentid",
                    "agentresourcerolearn",
                    "agentaliasid",
                    "bedrockagentid",
                    "bedrockagentaliasid",
                    "instruction",
                    "knowledgebaseid",
                    "*agentrolearn",
                ],
                ValueTest::Anything,
            ),
        ],
        unless: &[],
        why: "Batch, agent and tuning calls have their own rules for model IDs.",
    },
    Rule {
        reason: Reason::Batch,
        when: &[
            Named(&["foundationmodel"]),
            Enclosing(&["type"], ValueTest::OneOf(&["awsbedrock*"])),
        ],
        unless: &[],
        why: "The resource is an agent of CloudFormation, whose calls have their own rules for model IDs.",
    },
    Rule {
        reason: Reason::Batch,
        when: &[Named(&[
            "*batchmodelid",
            "*batchmodel",
            "*basemodelidentifier",
            "finetuningmodel",
            "*finetunebasemodel",
        ])],
        unless: &[],
        why: "Batch, agent and tuning calls have their own rules for model IDs.",
    },
    Rule {
        reason: Reason::OtherCloud,
        when: &[Entry(
            &["provider", "apitype"],
            ValueTest::OneOf(&["vertex*", "azure*", "openrouter*", "google*", "gemini*"]),
        )],
        unless: &[],
        why: "The entry names another provider.",
    },
    Rule {
        reason: Reason::GatewayClient,
        when: &[Entry(
            &["provider", "apitype"],
            ValueTest::OneOf(&["openai*"]),
        )],
        unless: &[],
        why: "The entry names a protocol of gateways, which have their own model names.",
    },
];
