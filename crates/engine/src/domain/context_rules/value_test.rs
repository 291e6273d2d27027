//! The tests of the values of neighbouring names.

use super::SiblingValue;
use super::address::{is_named_gateway, is_of_another, is_public_api};
use super::pattern::fits;
use crate::domain::id::Geography;
use crate::domain::placeholder::has_placeholder;
use crate::domain::region::{is_bedrock_host, is_bedrock_runtime};

/// The test that the value of a neighbouring name must pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueTest {
    /// Any value that is not empty.
    Anything,
    /// A name, or an unknown value; not a boolean.
    Name,
    /// True, or an unknown value.
    Yes,
    /// An ARN.
    Arn,
    /// An address that is not Bedrock's own runtime, or an unknown value.
    OtherHost,
    /// An address that is neither Bedrock nor a vendor's public API, or an unknown value.
    PrivateHost,
    /// The address of a vendor's public API.
    PublicApi,
    /// An address whose host is named like a gateway.
    GatewayHost,
    /// An address of bedrock-mantle, or the name of it as a provider.
    Mantle,
    /// The word `mantle`.
    MantleWord,
    /// The prefix of a profile, alone or after a route, or an unknown value.
    Geography,
    /// A text that matches one of these patterns.
    OneOf(&'static [&'static str]),
}

impl ValueTest {
    pub(super) fn accepts(self, text: SiblingValue<'_>) -> bool {
        let text = match text {
            // The test of every value, which nearly none passes.
            SiblingValue::Text(text) if self == Self::Mantle && !may_be_mantle(text) => {
                return false;
            }
            SiblingValue::Text(text) => text.trim(),
            SiblingValue::Unknown => return self.accepts_unknown(),
            SiblingValue::Structure => return matches!(self, Self::Anything),
        };
        let is_unknown = || has_placeholder(text);
        match self {
            Self::Anything => !text.is_empty(),
            Self::Name => is_unknown() || (is_yes(text) && !is_plain_yes(text)),
            Self::Yes => is_unknown() || is_yes(text),
            Self::Arn => text.starts_with("arn:"),
            Self::OtherHost => !text.is_empty() && !is_bedrock_runtime(text),
            Self::PrivateHost => {
                !is_bedrock_host(text)
                    && (is_unknown()
                        || (is_of_another(text)
                            && is_yes(text)
                            && !is_plain_yes(text)
                            && !is_public_api(text)))
            }
            Self::PublicApi => is_public_api(text),
            Self::GatewayHost => is_named_gateway(text),
            Self::Mantle => is_mantle(text),
            Self::MantleWord => text.eq_ignore_ascii_case("mantle"),
            Self::Geography => is_unknown() || is_prefix(text),
            Self::OneOf(words) => words.iter().any(|word| fits(word, text)),
        }
    }

    /// Whether the test may accept a text without hyphens: the test of every value accepts nearly none.
    pub(super) fn may_accept_plain(self, text: &str) -> bool {
        self != Self::Mantle || ends_as_mantle(text)
    }

    /// Whether an unknown value may be one that the test accepts.
    const fn accepts_unknown(self) -> bool {
        match self {
            Self::Anything
            | Self::Name
            | Self::Yes
            | Self::OtherHost
            | Self::PrivateHost
            | Self::Geography => true,
            Self::Arn
            | Self::PublicApi
            | Self::GatewayHost
            | Self::Mantle
            | Self::MantleWord
            | Self::OneOf(_) => false,
        }
    }
}

/// Whether a text may be one of [`is_mantle`]: it ends as the name, or has a hyphen, as the host of an address.
fn may_be_mantle(text: &str) -> bool {
    ends_as_mantle(text) || memchr::memchr(b'-', text.as_bytes()).is_some()
}

fn ends_as_mantle(text: &str) -> bool {
    last_letter(text) == Some(b'e')
}

/// Whether a text is an address of bedrock-mantle, or names it as a provider or a route without a model.
fn is_mantle(text: &str) -> bool {
    let is_name =
        text.len() <= 64 && fits("*bedrockmantle", text) && !text.contains(char::is_whitespace);
    let has_host = || memchr::memmem::find(text.as_bytes(), b"bedrock-mantle").is_some();
    if !is_name && !has_host() {
        return false;
    }
    if text.contains("://") || text.starts_with("bedrock-mantle.") {
        let host = super::address::host(text);
        // The region of the address may be a placeholder.
        return host.map_or(text.contains("://bedrock-mantle."), |host| {
            host.split('.').any(|label| label == "bedrock-mantle")
        });
    }
    is_name
}

/// The last letter or digit of a text, in lower case.
fn last_letter(text: &str) -> Option<u8> {
    let letter = text.bytes().rev().find(u8::is_ascii_alphanumeric)?;
    Some(letter.to_ascii_lowercase())
}

/// Whether a text is the prefix of a profile, with or without its dot, alone or after a route: `us`, `eu.`, `bedrock/us.`.
fn is_prefix(text: &str) -> bool {
    let prefix = text.trim_end_matches('.');
    let prefix = prefix.rsplit(['/', ':']).next().unwrap_or(prefix);
    Geography::is_known_prefix(prefix)
}

/// Whether a program would read a switch as on: any value except the common forms of false.
fn is_yes(text: &str) -> bool {
    let no = ["", "0", "false", "no", "off", "n", "f", "null", "none"];
    !no.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a value is one of the common forms of true.
fn is_plain_yes(text: &str) -> bool {
    let yes = ["1", "true", "yes", "on", "y", "t", "enabled"];
    yes.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_with_an_unknown_value_may_be_on() {
        for text in [
            "1",
            "true",
            "TRUE",
            "yes",
            "on",
            "$(X)",
            "{{ .Values.mantle }}",
        ] {
            assert!(ValueTest::Yes.accepts(SiblingValue::Text(text)), "{text}");
        }
        for text in ["", "0", "false", "False", "no", "off"] {
            assert!(!ValueTest::Yes.accepts(SiblingValue::Text(text)), "{text}");
        }
        assert!(ValueTest::Yes.accepts(SiblingValue::Unknown));
    }

    #[test]
    fn a_switch_is_not_a_name() {
        for text in ["", "true", "false", "0", "1", "no"] {
            assert!(!ValueTest::Name.accepts(SiblingValue::Text(text)), "{text}");
        }
        for text in [
            "us",
            "arn:aws:bedrock:us-east-1:1:inference-profile/x",
            "$(PROFILE)",
        ] {
            assert!(ValueTest::Name.accepts(SiblingValue::Text(text)), "{text}");
        }
        assert!(ValueTest::Name.accepts(SiblingValue::Unknown));
    }

    #[test]
    fn bedrocks_own_runtime_is_not_another_host() {
        let own = "https://bedrock-runtime.us-east-1.amazonaws.com";
        let private = "https://vpce-0a1b.bedrock-runtime.eu-west-1.vpce.amazonaws.com";
        for text in [own, private, ""] {
            assert!(
                !ValueTest::OtherHost.accepts(SiblingValue::Text(text)),
                "{text}"
            );
        }
        for text in [
            "http://litellm:4000",
            "https://api.openai.com/v1",
            "$(GATEWAY)",
        ] {
            assert!(
                ValueTest::OtherHost.accepts(SiblingValue::Text(text)),
                "{text}"
            );
        }
    }
}
