use super::*;

#[test]
fn a_profile_of_another_model_is_ignored() {
    let arn = "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abc";
    let haiku = "eu.anthropic.claude-haiku-4-5-20251001-v1:0";
    for (own, name, value, expected) in [
        (
            "BEDROCK_MODEL_ID",
            "BEDROCK_INFERENCE_PROFILE_ARN",
            arn,
            true,
        ),
        ("BEDROCK_MODEL_ID", "INFERENCE_PROFILE_ID", "eu.ID", true),
        (
            "BEDROCK_MODEL_ID",
            "SONNET_INFERENCE_PROFILE_ARN",
            arn,
            true,
        ),
        ("BEDROCK_MODEL_ID", "MYAPP_INFERENCE_PROFILE_ARN", arn, true),
        ("BEDROCK_MODEL_ID", "INFERENCE_PROFILE_ID", haiku, false),
        (
            "BEDROCK_MODEL_ID",
            "HAIKU_INFERENCE_PROFILE_ARN",
            arn,
            false,
        ),
        (
            "BEDROCK_MODEL_ID",
            "EMBEDDING_INFERENCE_PROFILE_ARN",
            arn,
            false,
        ),
        ("SUMMARY_MODEL_ID", "CHAT_INFERENCE_PROFILE_ARN", arn, false),
        ("CHAT_MODEL_ID", "CHAT_INFERENCE_PROFILE_ARN", arn, true),
        (
            "BEDROCK_MODEL_ID",
            "USE_INFERENCE_PROFILE_NAME",
            "false",
            false,
        ),
    ] {
        let value = value.replace("ID", ID);
        let reason = reason_of(own, ID, &[(name, &value)]);
        let expected = expected.then_some(Reason::ExplicitProfile);
        assert_eq!(reason, expected, "{own} {name}={value}");
    }
}

#[test]
fn an_agent_for_prices_is_no_table_of_prices() {
    let under = |key: &str| {
        let rules = ContextRules::all();
        rules.reason(&NameContext {
            own: Some("model"),
            text: ID,
            path: vec![key],
            ..NameContext::default()
        })
    };
    for key in [
        "pricing",
        "model_pricing",
        "bedrockPricing",
        "prices",
        "model_prices",
        "price",
        "costs",
        "model_cost_map",
        "pricing_table",
        "cost_per_token",
        "pricing.json",
        "model-pricing.yaml",
        "rate_card",
    ] {
        assert_eq!(under(key), Some(Reason::PriceTable), "{key}");
    }
    for key in [
        "pricing_agent",
        "pricing-service.yaml",
        "price_watcher",
        "cost_optimizer",
        "statements",
    ] {
        assert_eq!(under(key), None, "{key}");
    }
}
