//! What could not be read, and fields of objects in JSON.

use std::fmt;

use serde_json::Value;

use super::check::{Check, CheckResult};

/// What was read, or why not.
pub type Reading<T> = Result<T, Unread>;

/// Why something could not be read, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What happened.
    pub reason: String,
    /// What to do next.
    pub hint: String,
}

impl Unread {
    /// The caller lacks this right.
    pub fn forbidden(right: &impl fmt::Display) -> Self {
        Self {
            reason: format!("you may not {right}"),
            hint: format!(
                "Ask for the right to {right}, or let a user run the command who has it."
            ),
        }
    }

    /// The result depends on another check, which has the reason and what to do.
    pub(super) fn because_of(check: Check) -> Self {
        Self {
            reason: format!("it depends on {}", check.as_str()),
            hint: format!("See {}.", check.as_str()),
        }
    }
}

/// The result of a check, which is not known if what it needs could not be read.
pub(super) fn known(check: Check, result: Result<CheckResult, Unread>) -> CheckResult {
    result.unwrap_or_else(|unread| check.unknown(unread.reason, unread.hint))
}

/// The items of a list in JSON.
pub(super) fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text in JSON; empty if there is none.
pub(super) fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
