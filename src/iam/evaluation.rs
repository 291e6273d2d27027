//! Whether a statement applies to a request.
//!
//! Keys that are not about Bedrock, such as those of the caller, are unknown, so the answer may depend on them.

use std::collections::BTreeSet;

use super::access::{AccessRequest, PROFILE_ARN, REQUESTED_REGION};
use super::document::{IamEffect, IamPolicy, IamStatement};

/// Whether a statement applies to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyMatch {
    /// It does not.
    No,
    /// It does for some callers: that depends on these condition keys or operators.
    Depends(BTreeSet<String>),
    /// It does.
    Yes,
}

/// Whether the policies allow the action for the request, by themselves: a statement allows it, and none denies it.
pub fn is_allowed(policies: &[IamPolicy], action: &str, request: &AccessRequest) -> bool {
    let statements = || policies.iter().flat_map(|policy| &policy.statement);
    let applies =
        |statement: &&IamStatement| statement.matched(action, request) == PolicyMatch::Yes;
    let of = |effect| statements().filter(move |statement| statement.effect == effect);
    of(IamEffect::Allow).any(|statement| applies(&statement))
        && !of(IamEffect::Deny).any(|statement| applies(&statement))
}

impl PolicyMatch {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) | (other, Self::Yes) => other,
            (Self::Depends(mut keys), Self::Depends(others)) => {
                keys.extend(others);
                Self::Depends(keys)
            }
        }
    }

    fn on(key: &str) -> Self {
        Self::Depends(BTreeSet::from([key.to_owned()]))
    }
}

impl From<bool> for PolicyMatch {
    fn from(is_met: bool) -> Self {
        if is_met { Self::Yes } else { Self::No }
    }
}

impl IamStatement {
    /// Whether the statement applies to an action on the resource of a request.
    pub fn matched(&self, action: &str, request: &AccessRequest) -> PolicyMatch {
        let is_action = |pattern: &String| matches_ignoring_case(pattern, action);
        let is_resource = |pattern: &String| matches(pattern, &request.resource);
        let has_variable = |pattern: &String| pattern.contains(VARIABLE);
        let has_action = self.action.iter().any(is_action)
            || !self.not_action.is_empty() && !self.not_action.iter().any(is_action);
        let mut matched = PolicyMatch::from(has_action).and(if self.resource.is_empty() {
            let is_excluded = self.not_resource.iter().any(is_resource);
            let is_listed = !self.not_resource.is_empty() && !is_excluded;
            known_unless(
                is_listed && self.not_resource.iter().any(has_variable),
                is_listed,
            )
        } else {
            let is_listed = self.resource.iter().any(is_resource);
            known_unless(
                !is_listed && self.resource.iter().any(has_variable),
                is_listed,
            )
        });
        for (operator, keys) in &self.condition {
            for (key, values) in keys {
                matched = matched.and(condition(operator, key, &values.0, request));
            }
        }
        matched
    }
}

/// With what a variable begins, such as `${aws:PrincipalAccount}`.
const VARIABLE: &str = "${";

/// What a match depends on that compares with a variable.
const VARIABLES: &str = "policy variables";

/// The answer, unless variables decide.
fn known_unless(is_by_variables: bool, is_met: bool) -> PolicyMatch {
    if is_by_variables {
        PolicyMatch::on(VARIABLES)
    } else {
        is_met.into()
    }
}

/// Whether a condition is met.
fn condition(operator: &str, key: &str, values: &[String], request: &AccessRequest) -> PolicyMatch {
    let known = [REQUESTED_REGION, PROFILE_ARN];
    let Some(known) = known.iter().find(|known| known.eq_ignore_ascii_case(key)) else {
        return PolicyMatch::on(key);
    };
    if values.iter().any(|value| value.contains(VARIABLE)) {
        return PolicyMatch::on(VARIABLES);
    }
    let value = request.context.get(known);
    // Each key has one value, so a quantifier matters only where the key is absent.
    let (operator, without_value) = match operator.split_once(':') {
        Some(("ForAllValues", operator)) => (operator, Some(true)),
        Some(("ForAnyValue", operator)) => (operator, Some(false)),
        Some(_) | None => (operator, None),
    };
    let (operator, without_value) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, Some(true)),
        None => (operator, without_value),
    };
    if operator == "Null" {
        let answer = value.is_none().to_string();
        return values.contains(&answer).into();
    }
    let (is_negated, compared) = match operator.split_once("Not") {
        Some((kind, rest)) => (true, format!("{kind}{rest}")),
        None => (false, operator.to_owned()),
    };
    let Some(compare) = comparison(&compared) else {
        return PolicyMatch::on(operator);
    };
    let Some(value) = value else {
        return without_value.unwrap_or(is_negated).into();
    };
    let is_any = values.iter().any(|pattern| compare(pattern, value));
    (is_any != is_negated).into()
}

fn comparison(operator: &str) -> Option<fn(&str, &str) -> bool> {
    Some(match operator {
        "StringEquals" => |pattern, value| pattern == value,
        "StringEqualsIgnoreCase" => str::eq_ignore_ascii_case,
        "StringLike" => matches,
        // Both operators of ARNs compare each of the six parts, with wildcards.
        "ArnEquals" | "ArnLike" => arn_matches,
        _ => return None,
    })
}

fn arn_matches(pattern: &str, arn: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.splitn(6, ':'), arn.splitn(6, ':'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) if matches(pattern, part) => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    matches(&pattern.to_ascii_lowercase(), &text.to_ascii_lowercase())
}

/// Whether a text matches a pattern, in which `*` is any text and `?` any character.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    // Where to go on after a star that has to take one more character.
    let mut retry = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                retry = Some((at, read));
            }
            Some(byte) if *byte == b'?' || *byte == text[read] => {
                at += 1;
                read += 1;
            }
            Some(_) | None => match &mut retry {
                Some((after, taken)) => {
                    *taken += 1;
                    (at, read) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_any_character() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            (
                "arn:aws:bedrock:*::foundation-model/*",
                "arn:aws:bedrock:::foundation-model/m",
                true,
            ),
            ("*ab*ab", "abxabab", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn variables_in_resources_may_be_any_text() {
        let arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x-v1:0";
        let matched = |field: &str, pattern: &str| {
            let policy = serde_json::json!({"Statement": {
                "Effect": "Allow", "Action": "bedrock:*", (field): ["arn:aws:s3:::b", pattern]}});
            let policy = IamPolicy::parse(&policy.to_string()).unwrap();
            let request = AccessRequest {
                resource: arn.to_owned(),
                context: std::collections::BTreeMap::new(),
            };
            policy.statement[0].matched("bedrock:InvokeModel", &request)
        };
        let own = "arn:aws:bedrock:*:${aws:PrincipalAccount}:inference-profile/*";
        for field in ["Resource", "NotResource"] {
            assert_eq!(matched(field, own), PolicyMatch::on(VARIABLES), "{field}");
        }
        assert_eq!(matched("Resource", "*"), PolicyMatch::Yes);
        assert_eq!(matched("NotResource", "*"), PolicyMatch::No);
    }

    #[test]
    fn a_part_of_an_arn_is_compared_with_its_own_pattern() {
        let arn = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-x-v1:0";
        assert!(arn_matches(
            "arn:aws:bedrock:*:*:inference-profile/eu.*",
            arn
        ));
        assert!(!arn_matches(
            "arn:aws:bedrock:*:inference-profile/eu.*",
            arn
        ));
        assert!(!arn_matches("arn:*", arn));
    }
}
