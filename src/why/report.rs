//! The report about one object, as JSON.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::policy::Mode;
use crate::report::{ObjectReference, ToolVersion, serialize};

use super::dry_run::DryRunAnswer;
use super::gate::GateResult;
use super::ids::IdExplanation;

/// Why one object was or was not rewritten.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhyReport {
    /// Always `bedrock-profiles.dev/v1alpha1`.
    pub api_version: &'static str,
    /// Always `WhyReport`.
    pub kind: &'static str,
    /// The program that made the report.
    pub tool: ToolVersion,
    /// The day that dates of end of life are compared with.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub today: Date,
    /// The object.
    pub object: ObjectReference,
    /// Whether the object is stored in a cluster; else it is one of a file.
    pub is_live: bool,
    /// The answer.
    pub answer: WhyAnswer,
    /// The policy that the object was evaluated by.
    pub policy: UsedPolicy,
    /// Each ID of the object.
    pub ids: Vec<IdExplanation>,
    /// The gates that concern the object, in the order of the checks.
    pub gates: Vec<GateResult>,
    /// What alters the answer: all of these changes together. More than one only if more than one gate is failed.
    pub changes: Vec<String>,
    /// What the API server would respond now.
    pub dry_run: DryRunAnswer,
    /// What the object cannot show; none for the object of a file.
    pub fail_open: Option<FailOpen>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhyAnswer {
    /// The kind of the answer.
    pub outcome: AnswerOutcome,
    /// The answer as a sentence.
    pub message: String,
}

/// The kind of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum AnswerOutcome {
    /// The object has no model ID.
    NoId,
    /// Each ID is right as it is.
    Right,
    /// The webhook has rewritten the object.
    Rewritten,
    /// The object of a file, or the Pods of a workload, would be rewritten.
    Rewrites,
    /// The object of a file would be denied.
    Denied,
    /// An ID is not rewritten, or an object not denied, because a gate is failed.
    NotRewritten,
    /// The stored object was not rewritten, and no gate is known to be failed.
    Unexplained,
}

/// The policy that an object was evaluated by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsedPolicy {
    /// Its name.
    pub name: String,
    /// Its mode.
    #[serde(serialize_with = "serialize::text")]
    #[schemars(with = "String")]
    pub mode: Mode,
    /// Whether it is the effective policy: it selects the object, and is not in mode `DryRun`.
    pub is_effective: bool,
    /// Whether it selects the object. Where no policy does, the object was evaluated as if this one did.
    pub selects: bool,
}

/// What the object cannot show: whether the call of the webhook failed, and the API server admitted the object without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailOpen {
    /// What is not known.
    pub message: String,
    /// The start of the audit annotation that shows it; its value is the name of the webhook.
    pub audit_annotation: &'static str,
    /// The name of the webhook.
    pub webhook: &'static str,
    /// The audit annotation that a response of the webhook leaves.
    pub answered_annotation: String,
}

impl AnswerOutcome {
    /// Whether an ID is not rewritten that should be, or an object not denied.
    pub const fn is_unmet(self) -> bool {
        matches!(self, Self::NotRewritten | Self::Unexplained)
    }
}
