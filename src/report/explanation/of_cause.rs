//! Causes that are no reason: the ID is replaced, should have been, or is right for a while.

use bedrock_profiles_engine::in_group;

use super::{Example, Explanation};

/// The ID is or would be replaced.
pub(super) const CHANGE: Explanation = Explanation {
    why: "In its region the direct ID does not work, or the policy names another target.",
    example: Some(Example::env(
        "MODEL=anthropic.claude-sonnet-4-6\nAWS_REGION=us-east-1\n",
    )),
    advice: "Change the files with `fix`, or let the webhook change the objects of the cluster.",
};

/// The webhook should have replaced the ID.
pub(super) const MISSED: Explanation = Explanation {
    why: "Usually the API server could not reach it, and the failure policy let the object pass.",
    example: None,
    advice: "Look for `failed-open.…` in the annotations of the API server's audit log, then create the object again, for instance with `kubectl rollout restart`.",
};

/// The model has reached its end of life, and its successor replaces it.
pub(super) const SUCCESSOR: Explanation = Explanation {
    why: "The catalog names the successor. Its profile serves the region, and the policy permits it. A profile keeps its geography.",
    example: None,
    advice: "Test the application with the successor before the change is merged: another model gives other answers, and may have other limits and prices.",
};

/// The ID is right, and its model has an end of life.
pub(super) const LEGACY: Explanation = Explanation {
    why: "Accounts without recent use of the model are refused before.",
    example: Some(Example::env(
        "MODEL=us.anthropic.claude-sonnet-4-5-20250929-v1:0\nAWS_REGION=us-east-1\n",
    )),
    advice: "Change to the successor before that day, and test the application with it.",
};

/// The annotation that opts the ID out ends soon.
pub(super) const OPT_OUT_ENDS_SOON: Explanation = Explanation {
    why: "After the last day the policy decides about the object again: in mode Rewrite, its next write, or its next Pod, has the profile.",
    example: Some(Example::yaml(concat!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: models, annotations: {",
        in_group!("ignore"),
        ": the client refuses prefixes; until=2026-12-15}}\ndata: {model: anthropic.claude-sonnet-4-6, AWS_REGION: us-east-1}\n"
    ))),
    advice: "Test the application with the profile and remove the annotation, or write a later day.",
};
