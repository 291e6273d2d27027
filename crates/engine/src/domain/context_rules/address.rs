//! Addresses in the values of settings: of a gateway, of a vendor's public API, of Bedrock.

use crate::domain::region::is_bedrock_host;

/// Hosts, and domains with a leading dot, of the public APIs of vendors and marketplaces.
const PUBLIC_APIS: &[&str] = &[
    ".aiplatform.googleapis.com",
    ".cognitiveservices.azure.com",
    ".openai.azure.com",
    ".services.ai.azure.com",
    "aiplatform.googleapis.com",
    "api-inference.huggingface.co",
    "api.ai21.com",
    "api.anthropic.com",
    "api.cohere.ai",
    "api.cohere.com",
    "api.deepseek.com",
    "api.fireworks.ai",
    "api.groq.com",
    "api.jina.ai",
    "api.mistral.ai",
    "api.moonshot.ai",
    "api.openai.com",
    "api.perplexity.ai",
    "api.together.xyz",
    "api.voyageai.com",
    "api.x.ai",
    "generativelanguage.googleapis.com",
    "openrouter.ai",
    "router.huggingface.co",
];

/// Words in the hosts of gateways, as letters.
const GATEWAYS: &[&str] = &[
    "litellm",
    "llmgateway",
    "llmproxy",
    "aigateway",
    "aiproxy",
    "bedrockgateway",
    "bedrockproxy",
    "bedrockaccessgateway",
    "openrouter",
    "portkey",
    "helicone",
];

/// The host of an address over HTTP, without scheme and port; `None` if the text is no address. A single word may be a host.
pub(super) fn host(text: &str) -> Option<&str> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) => {
            let is_http = ["http", "https", "grpc", "grpcs"]
                .iter()
                .any(|one| scheme.eq_ignore_ascii_case(one));
            Some(rest).filter(|_| is_http)?
        }
        None => text,
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let is_one = !host.is_empty()
        && host
            .bytes()
            .any(|byte| byte.is_ascii_alphabetic() || byte == b'.')
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    is_one.then_some(host)
}

/// Whether an address is neither Bedrock nor the address at which a server listens.
pub(super) fn is_of_another(text: &str) -> bool {
    host(text).is_some_and(|host| host != "0.0.0.0") && !is_bedrock_host(text)
}

/// Whether an address is a vendor's public API.
pub(super) fn is_public_api(text: &str) -> bool {
    let Some(host) = host(text) else { return false };
    PUBLIC_APIS.iter().any(|api| match api.strip_prefix('.') {
        Some(_) => host.len() > api.len() && ends_with(host, api),
        None => host.eq_ignore_ascii_case(api),
    })
}

/// Whether the host of an address is named like a gateway.
pub(super) fn is_named_gateway(text: &str) -> bool {
    let Some(host) = host(text).filter(|_| text.contains("://")) else {
        return false;
    };
    let first = host.split('.').next().unwrap_or_default();
    let letters: String = super::letters(if is_internal(host) { first } else { host }).collect();
    GATEWAYS.iter().any(|name| letters.contains(name))
}

/// Whether a host is a name in a cluster, in which the first label is the service.
fn is_internal(host: &str) -> bool {
    !host.contains('.') || host.split('.').any(|label| label == "svc")
}

fn ends_with(host: &str, domain: &str) -> bool {
    host.len()
        .checked_sub(domain.len())
        .and_then(|at| host.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_is_read() {
        for (text, expected) in [
            ("http://litellm:4000/v1", Some("litellm")),
            ("https://user:pw@gw.example.com/x", Some("gw.example.com")),
            ("litellm", Some("litellm")),
            ("litellm.ai.svc:4000", Some("litellm.ai.svc")),
            ("10.0.0.7:4000", Some("10.0.0.7")),
            ("postgres://litellm/x", None),
            ("8080", None),
            ("a text", None),
            ("", None),
        ] {
            assert_eq!(host(text), expected, "{text}");
        }
    }

    #[test]
    fn a_vendors_public_api_is_no_private_host() {
        for text in [
            "https://api.openai.com/v1",
            "https://x.openai.azure.com",
            "api.anthropic.com",
        ] {
            assert!(is_public_api(text), "{text}");
        }
        for text in [
            "http://litellm:4000",
            "https://openai.azure.com.example.com",
            "https://api.openai.com.example.com",
        ] {
            assert!(!is_public_api(text), "{text}");
        }
    }

    #[test]
    fn a_gateway_is_known_by_its_host_alone() {
        for text in [
            "http://litellm:4000",
            "http://litellm-proxy.ai.svc.cluster.local/v1",
            "https://ai-gateway.example.com/v1",
            "http://bedrock-access-gateway.ai.svc/api/v1",
        ] {
            assert!(is_named_gateway(text), "{text}");
        }
        for text in [
            "litellm",
            "postgresql://litellm:pw@litellm-db/litellm",
            "http://backend.litellm.svc:80",
            "https://app.example.com/litellm",
            "http://api-gateway.svc",
        ] {
            assert!(!is_named_gateway(text), "{text}");
        }
    }
}
