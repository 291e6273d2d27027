//! Addresses of Bedrock's runtime: the public endpoints, with FIPS and dual-stack, and those of a VPC.

use super::Region;
use crate::domain::placeholder::has_placeholder;

/// The services of the runtime in a host name.
const RUNTIME: &[&str] = &["bedrock-runtime", "bedrock-runtime-fips"];

/// Bedrock's services that take model IDs as the runtime does, or none.
const OTHERS: &[&str] = &[
    "bedrock",
    "bedrock-fips",
    "bedrock-agent",
    "bedrock-agent-fips",
    "bedrock-agent-runtime",
    "bedrock-agent-runtime-fips",
];

/// The domains of the partitions (`dnsSuffix` and `dualStackDnsSuffix` in botocore's `partitions.json`), and that of VPC
/// endpoints.
const DOMAINS: &[&str] = &[
    "amazonaws.com",
    "api.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
    "api.aws.hci.ic.gov",
];

/// The first label of the domain of VPC endpoints.
const IN_A_VPC: &str = "vpce.";

/// An endpoint of Bedrock's runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeEndpoint<'t> {
    /// The region in the host name: a region, or a placeholder that another program fills in.
    pub region: &'t str,
}

impl<'t> RuntimeEndpoint<'t> {
    /// Parses the start of a text as an address, with or without scheme and path; `None` if the host is another one.
    pub fn parse(address: &'t str) -> Option<Self> {
        Self::of(address, RUNTIME)
    }

    fn of(address: &'t str, services: &[&str]) -> Option<Self> {
        let address = address.trim_start();
        let authority = address
            .split_once("://")
            .filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .map_or(address, |(_, rest)| rest);
        let in_a_vpc = authority
            .split_once('.')
            .filter(|(label, _)| label.starts_with("vpce-") && !label.contains(['/', ' ']));
        let labels = in_a_vpc.map_or(authority, |(_, labels)| labels);
        let (service, rest) = labels.split_once('.')?;
        if !services.contains(&service) {
            return None;
        }
        let region = region_label(rest)?;
        let mut domain = rest[region.len()..].strip_prefix('.')?;
        if in_a_vpc.is_some() {
            domain = domain.strip_prefix(IN_A_VPC)?;
        }
        let domain = domain
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
            .next()?;
        DOMAINS.contains(&domain).then_some(Self { region })
    }
}

/// Whether an address is an endpoint of one of Bedrock's services, except bedrock-mantle.
pub fn is_bedrock_host(address: &str) -> bool {
    is_bedrock_runtime(address) || RuntimeEndpoint::of(address, OTHERS).is_some()
}

/// Whether an address is an endpoint of Bedrock's runtime, public or in a VPC.
pub fn is_bedrock_runtime(address: &str) -> bool {
    RuntimeEndpoint::parse(address).is_some()
}

/// The region or placeholder at the start of `rest`.
fn region_label(rest: &str) -> Option<&str> {
    let pairs = [
        ("{{", "}}"),
        ("${", "}"),
        ("$(", ")"),
        ("{", "}"),
        ("<", ">"),
    ];
    let placeholder = pairs.iter().find_map(|(open, close)| {
        let end = rest.strip_prefix(open)?.find(close)?;
        rest.get(..open.len() + end + close.len())
    });
    let label = placeholder.or_else(|| rest.split('.').next())?;
    (placeholder.is_some() || has_placeholder(label) || Region::parse(label).is_ok())
        .then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_the_runtime_have_a_region() {
        for (address, region) in [
            (
                "https://bedrock-runtime.us-west-2.amazonaws.com",
                "us-west-2",
            ),
            (
                "https://bedrock-runtime.us-west-2.amazonaws.com/",
                "us-west-2",
            ),
            ("bedrock-runtime.eu-west-1.amazonaws.com:443", "eu-west-1"),
            (
                "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                "https://bedrock-runtime.eu-central-1.api.aws/model/x",
                "eu-central-1",
            ),
            (
                "https://bedrock-runtime-fips.us-east-1.api.aws",
                "us-east-1",
            ),
            (
                "https://vpce-0a1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
                "eu-west-1",
            ),
            (
                "https://vpce-0a1b-x9-us-east-1a.bedrock-runtime.us-east-1.vpce.amazonaws.com/",
                "us-east-1",
            ),
            (
                "https://bedrock-runtime.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
            (
                "https://bedrock-runtime.$(AWS_REGION).amazonaws.com",
                "$(AWS_REGION)",
            ),
            (
                "https://bedrock-runtime.${AWS_REGION}.amazonaws.com",
                "${AWS_REGION}",
            ),
            (
                "https://bedrock-runtime.$AWS_REGION.amazonaws.com",
                "$AWS_REGION",
            ),
            (
                "https://bedrock-runtime.{{ .Values.aws.region }}.amazonaws.com",
                "{{ .Values.aws.region }}",
            ),
            ("https://bedrock-runtime.{region}.amazonaws.com", "{region}"),
        ] {
            let endpoint = RuntimeEndpoint::parse(address);
            assert_eq!(endpoint.map(|one| one.region), Some(region), "{address}");
        }
    }

    #[test]
    fn other_hosts_are_no_endpoints_of_the_runtime() {
        for address in [
            "",
            "http://litellm:4000",
            "https://bedrock-runtime.internal.example.com",
            "https://bedrock-runtime.us-east-1.amazonaws.com.example.com",
            "https://bedrock-agent-runtime.us-east-1.amazonaws.com",
            "https://bedrock.us-east-1.amazonaws.com",
            "https://bedrock-mantle.us-east-1.api.aws/v1",
            "https://proxy/bedrock-runtime.us-east-1.amazonaws.com",
            "https://my-bedrock-runtime.us-east-1.amazonaws.com",
            "https://vpce-0a1b.bedrock-runtime.eu-west-1.amazonaws.com",
            "https://s3.us-east-1.amazonaws.com/bedrock-runtime.",
            "bedrock-runtime",
        ] {
            assert_eq!(RuntimeEndpoint::parse(address), None, "{address}");
        }
    }

    #[test]
    fn mantle_is_no_host_of_bedrocks_other_services() {
        for address in [
            "https://bedrock.us-east-1.amazonaws.com",
            "https://bedrock-agent-runtime.$(AWS_REGION).amazonaws.com",
            "https://bedrock-runtime.us-east-1.amazonaws.com",
        ] {
            assert!(is_bedrock_host(address), "{address}");
        }
        for address in [
            "https://bedrock-mantle.us-east-1.api.aws/v1",
            "https://s3.us-east-1.amazonaws.com",
            "http://bedrock:8080",
        ] {
            assert!(!is_bedrock_host(address), "{address}");
        }
    }
}
