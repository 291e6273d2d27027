//! The page of each cause of a finding: what it means, an example, and what to do.
//!
//! `explain` prints the pages, and `docs/reasons/` has them for links. What an audit says of an example is no part of the text: the
//! example is evaluated.

use std::fmt::Write as _;

use super::cause::Cause;
use super::printable::wrapped;

mod of_cause;
mod of_context;
mod of_id;
mod of_object;
mod of_region;

/// The width of the text of a page, in columns.
const WIDTH: usize = 80;

/// The indentation of a description in the list.
const INDENTATION: usize = 4;

/// What users should know of a cause besides its description.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    /// Why the ID is unchanged.
    pub why: &'static str,
    /// A file with a finding of this cause; `None` if no file has one, or only a long one.
    pub example: Option<Example>,
    /// What to do.
    pub advice: &'static str,
}

/// A file to audit.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The name of the file, which decides its format.
    pub file: &'static str,
    /// The text of the file.
    pub text: &'static str,
    /// The fields of a policy's `spec` in YAML; empty for the default policy.
    pub policy: &'static str,
}

impl Example {
    const fn new(file: &'static str, text: &'static str) -> Self {
        Self {
            file,
            text,
            policy: "",
        }
    }

    /// A file with variables.
    const fn env(text: &'static str) -> Self {
        Self::new("app.env", text)
    }

    /// A manifest.
    const fn yaml(text: &'static str) -> Self {
        Self::new("app.yaml", text)
    }

    /// A file with variables, under a policy.
    const fn with_policy(policy: &'static str, text: &'static str) -> Self {
        Self {
            file: "app.env",
            text,
            policy,
        }
    }
}

/// The explanation of a cause. A test excludes a reason without one.
pub fn explanation(cause: Cause) -> Option<Explanation> {
    match cause {
        Cause::Change => Some(of_cause::CHANGE),
        Cause::Missed => Some(of_cause::MISSED),
        Cause::Successor => Some(of_cause::SUCCESSOR),
        Cause::Legacy => Some(of_cause::LEGACY),
        Cause::OptOutEndsSoon => Some(of_cause::OPT_OUT_ENDS_SOON),
        Cause::Reason(reason) => {
            let all = [of_id::ALL, of_context::ALL, of_object::ALL, of_region::ALL];
            let mut all = all.into_iter().flatten();
            let (_, explanation) = all.find(|(of, _)| *of == reason)?;
            Some(*explanation)
        }
    }
}

/// The page of a cause in Markdown, with what an audit prints about its example.
pub fn page(cause: Cause, explanation: &Explanation, audited: &str) -> String {
    let (description, severity) = (cause.description(), cause.severity());
    let lines = |text: &str| wrapped(text, WIDTH, WIDTH).join("\n");
    let meaning = lines(&format!("{description} {}", explanation.why));
    let advice = lines(explanation.advice);
    let mut page = format!("# {cause}\n\n{meaning}\n\nSeverity: `{severity}`.\n");
    if let Some(Example { file, text, policy }) = &explanation.example {
        let kind = file.rsplit('.').next().unwrap_or_default();
        let _ = write!(page, "\n## Example\n\n`{file}`:\n\n```{kind}\n{text}```\n");
        if !policy.is_empty() {
            let _ = write!(
                page,
                "\nThe `spec` of the policy:\n\n```yaml\n{policy}```\n"
            );
        }
        let _ = write!(
            page,
            "\n`bedrock-profiles audit {file} --show all` prints:\n\n```text\n{audited}```\n"
        );
    }
    let _ = write!(page, "\n## What to do\n\n{advice}\n");
    page
}

/// Each cause with its severity and its description, as a list in lines of at most `width` columns.
pub fn list(width: usize) -> String {
    let mut list = String::new();
    let width = width.saturating_sub(INDENTATION);
    for cause in Cause::all() {
        let _ = writeln!(list, "{cause} ({})", cause.severity());
        for line in wrapped(cause.description(), width, width) {
            let _ = writeln!(list, "{:INDENTATION$}{line}", "");
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reason::Reason;

    #[test]
    fn each_reason_has_one_explanation_in_order() {
        let all = [of_id::ALL, of_context::ALL, of_object::ALL, of_region::ALL];
        let explained: Vec<_> = all
            .into_iter()
            .flatten()
            .map(|(reason, _)| *reason)
            .collect();
        assert_eq!(explained, Reason::ALL);
    }

    #[test]
    fn every_cause_has_an_example_if_a_short_file_can_have_it() {
        let has_none = |cause: &Cause| explanation(*cause).unwrap().example.is_none();
        let without: Vec<_> = Cause::all().filter(has_none).collect();
        let expected = [
            Cause::Missed,
            Cause::Successor,
            Cause::Reason(Reason::TooLarge),
        ];
        assert_eq!(without, expected);
    }
}
