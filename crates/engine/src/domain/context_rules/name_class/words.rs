//! The words of the names of each class, in lower case.

/// Words at the end of the name of an address; `base` only behind `api`.
pub(super) const ADDRESSES: &[&str] = &[
    "url",
    "urls",
    "uri",
    "endpoint",
    "endpoints",
    "host",
    "hosts",
    "hostname",
    "address",
    "addr",
    "proxy",
    "gateway",
    "server",
    "base",
];

/// Words at the end of the name of a provider.
pub(super) const PROVIDERS: &[&str] = &["provider", "backend", "vendor"];

/// Words for a kind of interface.
pub(super) const INTERFACES: &[&str] = &[
    "provider",
    "backend",
    "api",
    "client",
    "endpoint",
    "protocol",
    "service",
    "route",
    "transport",
    "engine",
    "mode",
    "type",
];

/// Words for a prefix.
pub(super) const PREFIXES: &[&str] = &["prefix", "geo", "geography"];

/// Words at the end of the name of a table of prices; `token` only behind `per`.
pub(super) const PRICES: &[&str] = &[
    "pricing",
    "prices",
    "price",
    "costs",
    "cost",
    "rate",
    "pricings",
    "ratecard",
    "costmap",
    "costtable",
    "token",
    "tokens",
];

/// Words for language models and their clients.
pub(super) const CLIENTS: &[&str] = &[
    "ai",
    "anthropic",
    "bedrock",
    "claude",
    "completion",
    "completions",
    "genai",
    "gpt",
    "inference",
    "litellm",
    "llm",
    "llms",
    "model",
    "models",
    "openai",
    "openrouter",
    "portkey",
    "helicone",
];

/// Words of names that belong to another service, wherever they stand.
pub(super) const OTHER_SERVICES: &[&str] = &[
    "cache",
    "database",
    "db",
    "docs",
    "knowledge",
    "kb",
    "langfuse",
    "langsmith",
    "mcp",
    "oauth",
    "observability",
    "otel",
    "otlp",
    "redis",
    "telemetry",
    "tracing",
    "vector",
];

/// Words after which the name is of something beside the client: `AI_SERVICE_URL`, but not `SERVICE_AI_URL`.
pub(super) const ASIDE: &[&str] = &[
    "agent",
    "agents",
    "app",
    "auth",
    "bucket",
    "callback",
    "console",
    "dashboard",
    "frontend",
    "guard",
    "guardrail",
    "health",
    "icon",
    "image",
    "index",
    "log",
    "logging",
    "logo",
    "logs",
    "metrics",
    "monitoring",
    "queue",
    "registry",
    "search",
    "service",
    "site",
    "store",
    "token",
    "tokens",
    "trace",
    "traces",
    "tracking",
    "ui",
    "webhook",
];

/// Extensions of file names.
pub(super) const EXTENSIONS: &[&str] = &[
    "yaml",
    "yml",
    "json",
    "json5",
    "toml",
    "properties",
    "env",
    "conf",
    "cfg",
    "ini",
];
