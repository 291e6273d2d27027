//! Policy documents, as IAM and AWS Organizations write them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IamPolicy {
    /// The version of the language.
    #[serde(default = "language_version")]
    pub version: String,
    /// The statements.
    #[serde(deserialize_with = "one_or_many::values")]
    pub statement: Vec<IamStatement>,
}

/// A statement of a policy. A text in place of a list is a list of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct IamStatement {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: IamEffect,
    /// The actions, with `*` and `?`.
    #[serde(
        default,
        deserialize_with = "one_or_many::values",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub action: Vec<String>,
    /// Every action but these.
    #[serde(
        default,
        deserialize_with = "one_or_many::values",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub not_action: Vec<String>,
    /// The ARNs, with `*` and `?`.
    #[serde(
        default,
        deserialize_with = "one_or_many::values",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub resource: Vec<String>,
    /// Every resource but these.
    #[serde(
        default,
        deserialize_with = "one_or_many::values",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub not_resource: Vec<String>,
    /// The conditions: an operator, a key, and values of which one must hold.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<String, BTreeMap<String, ConditionValues>>,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IamEffect {
    /// It allows.
    Allow,
    /// It denies, whatever allows.
    Deny,
}

/// The values of a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConditionValues(#[serde(deserialize_with = "one_or_many::texts")] pub Vec<String>);

/// Why a file is no policy.
#[derive(Debug, thiserror::Error)]
pub enum IamPolicyError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    Json(serde_json::Error),
    /// It has no policy.
    #[error(
        "it is no policy document: {0}; expected an object with `Statement`, as `aws iam get-policy-version` and `aws organizations describe-policy` print it"
    )]
    Document(serde_json::Error),
}

/// The version of the language that every policy should name.
pub(super) fn language_version() -> String {
    "2012-10-17".to_owned()
}

impl IamPolicy {
    /// Reads a policy document, alone or in what the AWS CLI prints around it.
    ///
    /// # Errors
    /// The text is not JSON, or has no policy.
    pub fn parse(text: &str) -> Result<Self, IamPolicyError> {
        let value: Value = serde_json::from_str(text).map_err(IamPolicyError::Json)?;
        let value = unwrapped(value).map_err(IamPolicyError::Json)?;
        serde_json::from_value(value).map_err(IamPolicyError::Document)
    }

    /// The number of characters that IAM counts: those without white space.
    pub fn size(&self) -> usize {
        serde_json::to_string(self).map_or(0, |text| text.len())
    }
}

/// The document inside of what `get-policy-version`, `get-role-policy` and `describe-policy` print.
fn unwrapped(value: Value) -> serde_json::Result<Value> {
    const AROUND: [&str; 5] = [
        "PolicyVersion",
        "Policy",
        "Document",
        "PolicyDocument",
        "Content",
    ];
    let mut value = value;
    while value.get("Statement").is_none() {
        let inner = AROUND.iter().find_map(|key| value.get(key)).cloned();
        value = match inner {
            // AWS Organizations prints the document as a text.
            Some(Value::String(text)) => serde_json::from_str(&text)?,
            Some(inner) => inner,
            None => break,
        };
    }
    Ok(value)
}

/// One value in place of a list.
mod one_or_many {
    use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
    use serde_json::Value;

    pub(super) fn values<'de, D: Deserializer<'de>, T: DeserializeOwned>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let values = match Value::deserialize(deserializer)? {
            Value::Array(values) => values,
            value @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => vec![value],
        };
        let values = values.into_iter().map(serde_json::from_value);
        values.collect::<Result<_, _>>().map_err(D::Error::custom)
    }

    /// Texts; numbers and booleans as texts, as IAM compares them.
    pub(super) fn texts<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<String>, D::Error> {
        let values: Vec<Value> = values(deserializer)?;
        let texts = values.into_iter().map(|value| match value {
            Value::String(text) => Ok(text),
            Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(D::Error::custom("a value of a condition is a text"))
            }
        });
        texts.collect()
    }
}
