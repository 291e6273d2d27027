//! What a profile ID or an ARN consists of.

use serde::Serialize;

use crate::domain::id::Arn;
use crate::domain::tokens::{Form, Token};

/// The parts of a profile ID or an ARN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdParts {
    /// `inference-profile` for a profile ID, else the type of the ARN's resource, such as `foundation-model`.
    pub resource: String,
    /// The partition of an ARN, such as `aws`.
    pub partition: Option<String>,
    /// The source region of an ARN: the one that is called.
    pub region: Option<String>,
    /// The account of an ARN.
    pub account: Option<String>,
    /// The geography, which is the prefix of a profile ID.
    pub geography: Option<String>,
    /// The direct ID of the model; absent in an ARN that names none.
    pub model: Option<String>,
    /// What the model would be in the region that was asked for.
    pub would_be: Option<String>,
}

/// An ARN of Bedrock in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ArnParts<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> ArnParts<'a> {
    /// The parts of an ARN of Bedrock; `None` for another text.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        Arn::parse(text).ok()?;
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let [_, partition, "bedrock", region, account, resource] = parts[..] else {
            return None;
        };
        Some(Self {
            partition,
            region,
            account,
            resource,
        })
    }
}

impl IdParts {
    /// The parts of an ARN, which may name a model.
    pub(super) fn of_arn(arn: &ArnParts<'_>, token: Option<&Token<'_>>) -> Self {
        let stated = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (resource, _) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        Self {
            resource: resource.to_owned(),
            partition: stated(arn.partition),
            region: stated(arn.region),
            account: stated(arn.account),
            ..token.map(Self::of_token).unwrap_or_default()
        }
    }

    /// The parts of a profile ID; `None` for a direct ID.
    pub(super) fn of_profile(token: &Token<'_>) -> Option<Self> {
        matches!(token.form, Form::Profiled(_)).then(|| Self {
            resource: "inference-profile".to_owned(),
            ..Self::of_token(token)
        })
    }

    fn of_token(token: &Token<'_>) -> Self {
        let geography = match token.form {
            Form::Profiled(geography) => Some(geography.to_owned()),
            Form::Direct | Form::Doubled | Form::Alias => None,
        };
        Self {
            geography,
            model: Some(token.id.to_owned()),
            ..Self::default()
        }
    }
}

/// The parts as text: `inference-profile of geography us, source region us-east-1, account 123456789012, model …`.
impl std::fmt::Display for IdParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.resource)?;
        if let Some(geography) = &self.geography {
            write!(f, " of geography {geography}")?;
        }
        for (name, part) in [
            ("source region", &self.region),
            ("account", &self.account),
            ("model", &self.model),
        ] {
            if let Some(part) = part {
                write!(f, ", {name} {part}")?;
            }
        }
        if self.model.is_none() {
            f.write_str(", names no model: `aws bedrock get-inference-profile` does")?;
        }
        Ok(())
    }
}
