//! Pods for the comparison of the policies with the product: IDs under names and beside settings that mean something, or nothing.

use serde_json::{Map, Value, json};

/// Models with every kind of answer.
const MODELS: &[&str] = &[
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-sonnet-4-6",
    "anthropic.claude-opus-5",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-sonnet-4-20250514-v1:0",
    "anthropic.claude-unknown-9",
    "amazon.nova-pro-v1:0",
    "meta.llama3-3-70b-instruct-v1:0",
    "cohere.embed-v4:0",
];

const REGIONS: &[&str] = &[
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-central-1",
    "ap-northeast-1",
    "ap-southeast-2",
    "sa-east-1",
    "ca-central-1",
    "us-gov-west-1",
    "me-central-1",
    "xx-west-1",
];

/// Names of variables with an ID that a client calls.
const PLAIN_NAMES: &[&str] = &[
    "BEDROCK_MODEL_ID",
    "MODEL",
    "MODEL_ID",
    "MODEL_NAME",
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "LLM_MODEL",
    "CHAT_MODEL",
    "JUDGE_MODEL",
    "DEFAULT_MODEL",
    "modelId",
    "bedrock.model.id",
    "Aws__ModelId",
    "PLANNER_MODEL_ID",
    "EMBEDDING_MODEL",
];

/// Names of variables that mean something else, or that the policies do not evaluate.
const OTHER_NAMES: &[&str] = &[
    "BASE_MODEL",
    "MODELS",
    "MODEL_LIST",
    "ALLOWED_MODELS",
    "BATCH_MODEL_ID",
    "FINE_TUNING_MODEL",
    "FOUNDATION_MODEL",
    "MANTLE_MODEL",
    "DESCRIPTION",
    "ID",
    "GEN_AI_REQUEST_MODEL",
    "AUTO_ROUTER_DEFAULT_MODEL",
    "BEDROCK_MODEL_ARN",
    "MODEL_ALIAS",
    "MODEL_PRICING",
    "MODEL_MAP",
    "VERTEX_MODEL",
    "OPENAI_MODEL",
    "GUARDRAIL_MODEL_ID",
    "KB_MODEL",
    "OTEL_MODEL",
    "PRIMARY_LLM",
    "INFERENCE_PROFILE_ID",
    "MODEL_ROUTE",
    "DB_MODEL",
];

/// Settings that change no answer.
const PLAIN_SETTINGS: &[(&str, &str)] = &[
    ("LOG_LEVEL", "debug"),
    ("PORT", "8080"),
    ("DATABASE_URL", "postgres://u:p@db.svc/x"),
    ("REDIS_HOST", "redis"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
    ("LLM_PROVIDER", "bedrock"),
    ("AI_PROVIDER", "aws"),
    ("CLAUDE_CODE_USE_BEDROCK", "1"),
    ("OPENAI_API_KEY", "sk-x"),
    ("SAME", "$(MODEL)"),
    ("TOKEN", "abc"),
    ("OTHER", "us.anthropic.claude-opus-4-7"),
];

/// Settings that may change an answer, or that look as if they might.
const OTHER_SETTINGS: &[(&str, &str)] = &[
    ("OPENAI_BASE_URL", "http://litellm:4000"),
    ("LLM_PROVIDER", "openai"),
    ("LLM_PROVIDER", "vertex_ai"),
    ("PROVIDER", "mantle"),
    ("CLIENT_TYPE", "mantle"),
    ("USE_MANTLE", "1"),
    ("CLAUDE_CODE_USE_VERTEX", "1"),
    ("ANTHROPIC_BASE_URL", "https://gw.example.com"),
    ("ANTHROPIC_BEDROCK_BASE_URL", "https://gw.example.com"),
    ("API_URL", "https://ai-gateway.example.com/v1"),
    ("FOO_ADDRESS", "https://bedrock.helicone.ai/v1"),
    ("MODEL_URL", "https://x.example.com"),
    ("CHAT_HOST", "x.example.com"),
    ("AWS_ENDPOINT_URL", "https://vpce.example.com"),
    (
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "https://bedrock-runtime.eu-west-1.amazonaws.com",
    ),
    ("BEDROCK_REGION", "eu-west-1"),
    ("AWS_REGION_NAME", "eu-central-1"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_REGION", "$(X)"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("aws.region", "us-east-1"),
    ("AWS_PROFILE", "dev"),
    ("REGION", "eu-west-1"),
    ("DB_REGION", "eu-west-1"),
    ("MY_LOCATION", "eu-west-1"),
    ("MCP_LLM_REGION", "us-west-2"),
    (
        "SPRING_APPLICATION_JSON",
        r#"{"aws":{"region":"us-east-1"}}"#,
    ),
    ("CONFIG", "region: us-east-1\nmodel: x\n"),
    ("INFERENCE_PROFILE_PREFIX", "us"),
    ("MODEL_PREFIX", "eu."),
    ("MODEL_GEO", "us"),
    ("USE_CROSS_REGION", "true"),
    (
        "BEDROCK_INFERENCE_PROFILE_ARN",
        "arn:aws:bedrock:us-east-1:1:inference-profile/x",
    ),
    (
        "MODEL_ID",
        "arn:aws:bedrock:us-east-1:1:inference-profile/x",
    ),
    ("FULL_MODEL", "us.$(MODEL)"),
    (
        "ALLOWED",
        "anthropic.claude-sonnet-4-6,anthropic.claude-opus-5",
    ),
    ("ALLOWED_MODELS", r#"["anthropic.claude-sonnet-4-6"]"#),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "gen_ai.request.model=anthropic.claude-sonnet-4-6",
    ),
    ("BATCH_ROLE_ARN", "arn:aws:iam::1:role/x"),
    ("USE_LITELLM_PROXY", "true"),
    ("API", "bedrock-mantle"),
    ("ROUTE_ENGINE", "bedrock_mantle"),
    ("LITELLM_CREDENTIAL_NAME", "x"),
];

/// Commands and arguments. `{m}` is an ID.
const ARGUMENTS: &[&[&str]] = &[
    &["--model", "{m}"],
    &["--model-id={m}"],
    &["--fallback-model", "{m}"],
    &["--host", "0.0.0.0", "--port", "80"],
    &["--model=$(MODEL)"],
    &["--verbose"],
    &["--region", "us-east-1"],
    &["--base-url", "http://x"],
    &["sh", "-c", "exec app --region us-east-1"],
    &["--model", "us.$(MODEL)"],
    &["--models", "{m},x"],
    &["--description", "{m}"],
    &[
        "aws",
        "bedrock",
        "get-foundation-model",
        "--model-identifier",
        "{m}",
    ],
    &["--llm-host", "gw"],
    &["--base-model", "{m}"],
    &["--model", "{m}[1m]"],
    &["--model", "bedrock/{m}"],
    &["grep", "{m}"],
    &["test", "--model", "{m}"],
    &["{m}"],
    &["count-tokens", "--model-id", "{m}"],
    &["--location", "eu-west-1"],
];

/// Annotations of the Pod.
const ANNOTATIONS: &[(&str, &str)] = &[
    ("bedrock-profiles.dev/region", "eu-west-1"),
    ("bedrock-profiles.dev/region", "nowhere"),
    ("bedrock-profiles.dev/ignore", "a gateway"),
    ("bedrock-profiles.dev/ignore", "false"),
    ("bedrock-profiles.dev/ignore-env", "MODEL*"),
    ("bedrock-profiles.dev/ignore-containers", "app"),
    ("bedrock-profiles.dev/rewrites", "[]"),
    ("example.com/region", "us-east-1"),
    ("example.com/place", "eu-west-1"),
];

/// Numbers that are the same in each run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut next = self.0;
        next = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        next = (next ^ (next >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((next ^ (next >> 31)) >> 33).unwrap_or_default() % end
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// True once in `of` times.
    fn once_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

/// A Pod of this name with these containers.
pub(super) fn pod(name: &str, containers: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}})
}

fn plain_container(numbers: &mut Numbers) -> Value {
    let mut env = vec![("AWS_REGION", *numbers.one(REGIONS))];
    if numbers.once_in(4) {
        env[0].0 = "AWS_DEFAULT_REGION";
    }
    let first = numbers.below(PLAIN_NAMES.len());
    for at in 0..=numbers.below(3) {
        let name = PLAIN_NAMES[(first + at) % PLAIN_NAMES.len()];
        env.push((name, *numbers.one(MODELS)));
    }
    for _ in 0..numbers.below(4) {
        env.push(*numbers.one(PLAIN_SETTINGS));
    }
    super::container("app", &env)
}

/// Pods in which each ID is the whole value of a variable for a model, and nothing else means anything.
pub(super) fn plain(count: usize) -> Vec<Value> {
    let mut numbers = Numbers(1);
    let one = |at| pod(&format!("plain-{at}"), &[plain_container(&mut numbers)]);
    (0..count).map(one).collect()
}

fn container(numbers: &mut Numbers, name: &str) -> Value {
    let model = *numbers.one(MODELS);
    let mut container = plain_container(numbers);
    container["name"] = json!(name);
    let mut env: Vec<Value> = container["env"].as_array().cloned().unwrap_or_default();
    if numbers.once_in(5) {
        env.remove(0);
    }
    let literal = |name: &str, value: &str| json!({"name": name, "value": value});
    if numbers.once_in(3) {
        env.push(literal(numbers.one::<&str>(OTHER_NAMES), model));
    }
    for _ in 0..numbers.below(3) {
        let (name, value) = *numbers.one(OTHER_SETTINGS);
        let at = numbers.below(env.len() + 1);
        env.insert(at, literal(name, value));
    }
    if numbers.once_in(12) {
        let name = ["AWS_REGION", "BEDROCK_ENDPOINT", "TOKEN"][numbers.below(3)];
        let reference = json!({"secretKeyRef": {"name": "s", "key": "k"}});
        env.push(json!({"name": name, "valueFrom": reference}));
    }
    container["env"] = json!(env);
    for field in ["args", "command"] {
        if numbers.once_in(4) {
            let words = numbers.one(ARGUMENTS).iter();
            let words: Vec<_> = words.map(|word| word.replace("{m}", model)).collect();
            container[field] = json!(words);
        }
    }
    if numbers.once_in(20) {
        let source = ["secretRef", "configMapRef"][numbers.below(2)];
        container["envFrom"] = json!([{source: {"name": "x"}}]);
    }
    container
}

/// Pods with anything.
pub(super) fn any(count: usize) -> Vec<Value> {
    let mut numbers = Numbers(2);
    let mut pods = Vec::new();
    for at in 0..count {
        let mut one = pod(&format!("any-{at}"), &[container(&mut numbers, "app")]);
        if numbers.once_in(6) {
            one["spec"]["initContainers"] = json!([container(&mut numbers, "init")]);
        }
        if numbers.once_in(2) {
            let (name, text) = *numbers.one(ANNOTATIONS);
            one["metadata"]["annotations"] =
                Value::Object(Map::from_iter([(name.to_owned(), json!(text))]));
        }
        pods.push(one);
    }
    pods
}

/// A Pod of this many containers, each with this many variables and an ID.
pub(super) fn large(containers: usize, variables: usize) -> Value {
    let one = |at: usize| {
        let names: Vec<_> = (0..variables)
            .map(|at| format!("A_VARIABLE_OF_NUMBER_{at}"))
            .collect();
        let mut env: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), "a value without a meaning"))
            .collect();
        env.extend([
            ("AWS_REGION", "eu-west-1"),
            ("MODEL_ID", "anthropic.claude-sonnet-4-6"),
        ]);
        super::container(&format!("c{at}"), &env)
    };
    pod("large", &(0..containers).map(one).collect::<Vec<_>>())
}
