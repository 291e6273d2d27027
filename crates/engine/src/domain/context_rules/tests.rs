use std::sync::Arc;

use super::*;

mod models;

const ID: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

fn conditions() -> impl Iterator<Item = &'static Condition> {
    rules().flat_map(|rule| rule.when.iter().chain(rule.unless))
}

#[test]
fn patterns_of_settings_have_a_last_letter() {
    for condition in conditions() {
        if let Condition::Beside(patterns, _) | Condition::Enclosing(patterns, _) = condition {
            assert!(
                patterns.iter().all(|one| !one.ends_with('*')),
                "{patterns:?}"
            );
        }
    }
}

#[test]
fn patterns_are_in_lower_case_without_separators() {
    for condition in conditions() {
        let (Condition::Named(patterns)
        | Condition::Under(patterns)
        | Condition::Entry(patterns, _)
        | Condition::Beside(patterns, _)
        | Condition::Enclosing(patterns, _)) = condition
        else {
            continue;
        };
        for pattern in *patterns {
            let middle = pattern.trim_matches('*');
            assert_eq!(letters(middle).collect::<String>(), middle);
        }
    }
}

/// The reason for the ID in the variable `own` beside other variables.
fn reason_of(own: &str, text: &str, neighbours: &[(&str, &str)]) -> Option<Reason> {
    let rules = ContextRules::all();
    let all = [&[(own, text)], neighbours].concat();
    let siblings = all
        .iter()
        .map(|(name, text)| Sibling::with_text(name, text));
    let matched = Arc::new(rules.matched(siblings, NameScope::Settings));
    rules.reason(&NameContext {
        own: Some(own),
        text,
        scopes: vec![matched],
        ..NameContext::default()
    })
}

/// The reason for an ID in `MODEL_ID` beside one other variable.
fn beside(name: &str, value: &str) -> Option<Reason> {
    reason_of("MODEL_ID", ID, &[(name, value)])
}

#[test]
fn an_address_of_a_client_that_is_not_bedrocks_is_a_gateway_by_any_name() {
    for name in [
        "OPENAI_API_BASE_URL",
        "OPENAI_BASE_URL",
        "OPENAI_API_HOST",
        "OPENAI_PROXY",
        "OpenAI__BaseUrl",
        "openAIApiBase",
        "LLM_ENDPOINT",
        "LLM_HOST",
        "LLM_GATEWAY",
        "AI_GATEWAY_HOST",
        "AI_BASE_URL",
        "GENAI_API_URL",
        "ANTHROPIC_API_URL",
        "CLAUDE_PROXY_URL",
        "MODEL_ENDPOINT",
        "MODEL_SERVER_URL",
        "INFERENCE_URL",
        "AGENT_LLM_BASE_URL",
        "LITELLM_PROXY_API_BASE",
        "ANTHROPIC_BEDROCK_BASE_URL",
        "BEDROCK_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "AWS_ENDPOINT_URL",
        "spring.ai.openai.base-url",
    ] {
        for value in [
            "http://gateway.ai.svc:4000/v1",
            "$(GATEWAY)",
            "https://x.example.com",
        ] {
            assert_eq!(
                beside(name, value),
                Some(Reason::GatewayClient),
                "{name}={value}"
            );
        }
    }
    assert_eq!(beside("LLM_HOST", "litellm"), Some(Reason::GatewayClient));
    assert_eq!(
        beside("API_URL", "http://litellm:4000"),
        Some(Reason::GatewayClient)
    );
    assert_eq!(
        beside("USE_LITELLM_PROXY", "True"),
        Some(Reason::GatewayClient)
    );
    assert_eq!(
        beside("LLM_PROVIDER", "openai"),
        Some(Reason::GatewayClient)
    );
    assert_eq!(
        reason_of(
            "JUDGE_MODEL",
            ID,
            &[("JUDGE_BASE_URL", "http://backend:80/v1")]
        ),
        Some(Reason::GatewayClient)
    );
}

/// Settings beside which an ID is sent to Bedrock.
const NO_GATEWAYS: &[(&str, &str)] = &[
    (
        "BEDROCK_ENDPOINT_URL",
        "https://bedrock-runtime.eu-west-1.amazonaws.com",
    ),
    (
        "BEDROCK_ENDPOINT_URL",
        "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
    ),
    (
        "BEDROCK_ENDPOINT_URL",
        "https://bedrock-runtime.eu-west-1.api.aws",
    ),
    (
        "BEDROCK_ENDPOINT_URL",
        "https://bedrock-runtime.$(AWS_REGION).amazonaws.com",
    ),
    (
        "BEDROCK_ENDPOINT",
        "https://bedrock.eu-west-1.amazonaws.com",
    ),
    (
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "https://vpce-0a1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
    ),
    (
        "LLM_BASE_URL",
        "https://bedrock-runtime.eu-west-1.amazonaws.com",
    ),
    ("LLM_BASE_URL", ""),
    ("AWS_ENDPOINT_URL_S3", "http://minio:9000"),
    ("AWS_ENDPOINT_URL_BEDROCK_AGENT", "http://agents:9000"),
    ("S3_ENDPOINT", "http://minio:9000"),
    ("HTTP_PROXY", "http://proxy:3128"),
    ("https_proxy", "http://proxy:3128"),
    ("ALL_PROXY", "http://proxy:3128"),
    ("NO_PROXY", "169.254.169.254"),
    ("LLM_HTTPS_PROXY", "http://proxy:3128"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:4317"),
    ("LANGFUSE_HOST", "http://langfuse:3000"),
    ("LANGCHAIN_ENDPOINT", "https://api.smith.langchain.com"),
    ("PHOENIX_COLLECTOR_ENDPOINT", "http://phoenix:4317"),
    ("MLFLOW_TRACKING_URI", "http://mlflow:5000"),
    ("DATABASE_URL", "postgresql://litellm:pw@postgres/litellm"),
    ("MILVUS_HOST", "milvus"),
    ("OLLAMA_BASE_URL", "http://ollama:11434"),
    ("AI_SERVICE_URL", "http://ai-service:8080"),
    ("AZURE_AI_SEARCH_ENDPOINT", "https://x.search.windows.net"),
    ("MODEL_REGISTRY_URL", "http://registry:5000"),
    ("LLM_GUARD_URL", "http://guard:8000"),
    ("EMBEDDING_MODEL_URL", "http://tei:80"),
    ("RERANK_INFERENCE_ENDPOINT", "http://tei:80"),
    ("JUDGE_LLM_BASE_URL", "http://judge:80"),
    ("BEDROCK_KNOWLEDGE_BASE", "ABCDEFGH"),
    ("BEDROCK_AGENT_ENDPOINT", "http://agent:80"),
    ("BASE_URL", "https://app.example.com"),
    ("API_URL", "https://backend.example.com"),
    ("HOST", "0.0.0.0"),
    ("LLM_HOST", "0.0.0.0"),
    ("MODEL_SERVER_PORT", "8080"),
    ("USE_LITELLM_PROXY", "false"),
    ("EMBEDDING_PROVIDER", "openai"),
    ("LLM_PROVIDER", "bedrock"),
];

#[test]
fn an_address_of_bedrock_or_of_another_service_is_no_gateway() {
    for (name, value) in NO_GATEWAYS.iter().copied() {
        assert_eq!(beside(name, value), None, "{name}={value}");
    }
}

#[test]
fn a_vendors_public_api_is_no_gateway_of_bedrocks_client() {
    let public = ("OPENAI_BASE_URL", "https://api.openai.com/v1");
    let anthropic = ("ANTHROPIC_BASE_URL", "http://gateway:4000");
    let private = ("OPENAI_BASE_URL", "http://gateway:4000");
    for (own, text, neighbours, expected) in [
        ("MODEL", ID, &[public][..], Some(Reason::GatewayClient)),
        ("MODEL", ID, &[public, ("LLM_PROVIDER", "bedrock")], None),
        (
            "MODEL",
            ID,
            &[public, ("MODEL_PROVIDER", "aws-bedrock")],
            None,
        ),
        ("MODEL", ID, &[public, ("USE_BEDROCK", "true")], None),
        ("BEDROCK_MODEL_ID", ID, &[public], None),
        ("MODEL", "bedrock/ID.x", &[public], None),
        (
            "MODEL",
            ID,
            &[private, ("LLM_PROVIDER", "bedrock")],
            Some(Reason::GatewayClient),
        ),
        (
            "ANTHROPIC_MODEL",
            ID,
            &[anthropic],
            Some(Reason::GatewayClient),
        ),
        (
            "ANTHROPIC_MODEL",
            ID,
            &[anthropic, ("CLAUDE_CODE_USE_BEDROCK", "1")],
            None,
        ),
        (
            "ANTHROPIC_MODEL",
            ID,
            &[
                ("ANTHROPIC_BEDROCK_BASE_URL", "http://gateway:4000"),
                ("CLAUDE_CODE_USE_BEDROCK", "1"),
            ],
            Some(Reason::GatewayClient),
        ),
    ] {
        assert_eq!(
            reason_of(own, text, neighbours),
            expected,
            "{own} {neighbours:?}"
        );
    }
}

#[test]
fn a_setting_that_puts_a_prefix_before_an_id_is_read_by_any_name() {
    for (name, value) in [
        ("USE_CROSS_REGION_INFERENCE", "true"),
        ("use_cross_region_inference", "1"),
        ("awsUseCrossRegionInference", "true"),
        ("BEDROCK_CROSS_REGION", "true"),
        ("ENABLE_CROSS_REGION", "true"),
        ("USE_INFERENCE_PROFILES", "true"),
        ("awsBedrockUseGlobalInference", "true"),
        ("UORCA_BEDROCK_MODEL_PREFIX", "us."),
        ("BEDROCK_INFERENCE_PREFIX", "us"),
        ("aws_bedrock_model_name_prefix", "us"),
        ("MODEL_PREFIX", "bedrock/us."),
        ("MODEL_PREFIX", "$(GEO)"),
        ("INFERENCE_PROFILE_PREFIX", "us"),
        ("BEDROCK_GEO", "EU"),
        ("REGION_PREFIX", "apac"),
    ] {
        assert_eq!(
            beside(name, value),
            Some(Reason::PrefixedByTool),
            "{name}={value}"
        );
    }
    for (name, value) in [
        ("USE_CROSS_REGION_INFERENCE", "false"),
        ("S3_CROSS_REGION_ACCESS_ENABLED", "true"),
        ("ENABLE_CROSS_REGION_REPLICATION", "true"),
        ("MODEL_PREFIX", "bedrock/"),
        ("MODEL_PREFIX", ""),
        ("MODEL_CACHE_PREFIX", "prod-"),
        ("S3_PREFIX", "us"),
        ("METRIC_PREFIX", "eu"),
        ("GEO", "eu"),
    ] {
        assert_eq!(beside(name, value), None, "{name}={value}");
    }
}

#[test]
fn a_neighbour_that_names_mantle_is_read() {
    for (name, value) in [
        ("LLM_PROVIDER", "bedrock-mantle"),
        ("PROVIDER", "bedrock_mantle"),
        ("BACKEND", "amazon-bedrock/mantle"),
        ("BEDROCK_API", "mantle"),
        ("CLAUDE_CODE_USE_MANTLE", "1"),
        ("BEDROCK_MANTLE_ENABLED", "true"),
        (
            "OPENAI_BASE_URL",
            "https://bedrock-mantle.us-east-1.api.aws/v1",
        ),
        ("X", "https://bedrock-mantle.$(AWS_REGION).api.aws/v1"),
    ] {
        assert_eq!(beside(name, value), Some(Reason::Mantle), "{name}={value}");
    }
    for (name, value) in [
        ("APP_NAME", "mantle"),
        ("DATABASE_HOST", "db.mantle.example.com"),
        ("OTHER_MODEL", "bedrock_mantle/anthropic.claude-sonnet-4-6"),
        ("CLAUDE_CODE_USE_MANTLE", "0"),
        ("DISABLE_MANTLE", "1"),
        ("NOTE", "not sent to bedrock-mantle"),
    ] {
        assert_eq!(beside(name, value), None, "{name}={value}");
    }
}
