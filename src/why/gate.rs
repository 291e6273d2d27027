//! The gates between an object and its rewrite.

use schemars::JsonSchema;
use serde::Serialize;

/// What must be true for an object to be rewritten, or denied by a policy in mode `Deny`. In the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Gate {
    /// The webhook reviews objects of this kind.
    KindReviewed,
    /// The webhook configuration for the kind exists.
    WebhookExists,
    /// It has rules for the kind, and a CA bundle.
    WebhookActive,
    /// It does not exclude the namespace by name.
    NamespaceNotExcluded,
    /// Its selectors and conditions select the object.
    WebhookSelects,
    /// A policy selects the namespace and the kind.
    PolicySelects,
    /// The effective policy changes or denies objects; it is not in mode `DryRun`.
    PolicyActs,
    /// The object was written after the policy took effect.
    WrittenAfterPolicy,
    /// No controller owns the object, where that matters.
    NoController,
    /// The object is not immutable.
    Mutable,
    /// No tracker applies the object.
    Untracked,
    /// Neither the object nor its namespace opts out.
    NotOptedOut,
    /// The region of each ID is known.
    RegionKnown,
    /// Each ID is one that may be replaced, and a permitted profile serves it.
    ProfileServes,
}

/// Whether a gate is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum GateState {
    /// It is.
    Passed,
    /// It is not.
    Failed,
    /// It is not known.
    Unknown,
}

/// The result of one gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GateResult {
    /// The gate.
    pub gate: Gate,
    /// Whether it is passed.
    pub state: GateState,
    /// Why, as a clause.
    pub reason: String,
    /// The change that passes it; none if it is not failed.
    pub change: Option<String>,
}

impl Gate {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KindReviewed => "KindReviewed",
            Self::WebhookExists => "WebhookExists",
            Self::WebhookActive => "WebhookActive",
            Self::NamespaceNotExcluded => "NamespaceNotExcluded",
            Self::WebhookSelects => "WebhookSelects",
            Self::PolicySelects => "PolicySelects",
            Self::PolicyActs => "PolicyActs",
            Self::WrittenAfterPolicy => "WrittenAfterPolicy",
            Self::NoController => "NoController",
            Self::Mutable => "Mutable",
            Self::Untracked => "Untracked",
            Self::NotOptedOut => "NotOptedOut",
            Self::RegionKnown => "RegionKnown",
            Self::ProfileServes => "ProfileServes",
        }
    }

    /// The gate, passed.
    pub(super) fn passed(self, reason: impl Into<String>) -> GateResult {
        self.result(GateState::Passed, reason, None)
    }

    /// The gate, of which it is not known whether it is passed.
    pub(super) fn unknown(self, reason: impl Into<String>) -> GateResult {
        self.result(GateState::Unknown, reason, None)
    }

    /// The gate, failed, with the change that passes it.
    pub(super) fn failed(self, reason: impl Into<String>, change: impl Into<String>) -> GateResult {
        self.result(GateState::Failed, reason, Some(change.into()))
    }

    fn result(
        self,
        state: GateState,
        reason: impl Into<String>,
        change: Option<String>,
    ) -> GateResult {
        GateResult {
            gate: self,
            state,
            reason: reason.into(),
            change,
        }
    }
}

impl GateResult {
    pub(super) fn is_failed(&self) -> bool {
        self.state == GateState::Failed
    }
}
