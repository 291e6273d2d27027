//! The steps of a resolution, as `resolve` prints them.

use crate::domain::catalog::DirectRow;
use crate::domain::policy::OverrideTarget;
use crate::domain::reason::Reason;
use crate::domain::resolve::Step;

/// A step of the decision, as a question and its answer.
pub fn step(step: Step<'_>) -> String {
    match step {
        Step::Aliased(model) => format!("the name is an alias of {model}"),
        Step::Included(included) => {
            format!("does the policy include the model? {}", yes_or_no(included))
        }
        Step::Replaced(to) => format!("a replacement of the policy changes the model to {to}"),
        Step::Overridden(OverrideTarget::Arn(arn), used) => {
            let answer = yes_or_no(used);
            format!("is the ARN of the policy's override permitted, {arn}? {answer}")
        }
        Step::Overridden(OverrideTarget::System(geography), used) => {
            let answer = yes_or_no(used);
            format!(
                "is the profile of the policy's override permitted, of geography {geography}? {answer}"
            )
        }
        Step::Direct(row, works) => {
            let row = match row {
                Some(DirectRow::Works) => "the mapping lists it",
                Some(DirectRow::Former) => "it worked until the model's end of life",
                Some(DirectRow::Never) | None => "the mapping does not list it",
            };
            let answer = if works { "yes" } else { "no" };
            format!("does the direct ID work in this region? {answer}: {row}")
        }
        Step::Considered(route, permitted) => {
            let (geography, state) = (&route.geography, route.state);
            let answer = yes_or_no(permitted);
            format!("is the profile of geography {geography} ({state:?}) permitted? {answer}")
        }
        Step::GlobalUnused => {
            "only a global profile serves, and the policy's geography.global is Never".to_owned()
        }
    }
}

fn yes_or_no(answer: Result<(), Reason>) -> String {
    match answer {
        Ok(()) => "yes".to_owned(),
        Err(reason) => format!("no: {reason}"),
    }
}
