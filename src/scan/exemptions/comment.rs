//! Comments that exempt: `# bedrock-profiles: ignore[GatewayClient] until=2027-01-31 owner=team-a ticket=OPS-7`, beside a line or above it.
//!
//! Comments are found by lines, in every format whose comments begin with `#`. So one inside a text counts too, such as in a script
//! or in a configuration file that a ConfigMap has.

use jiff::civil::Date;

use crate::domain::reason::Reason;
use crate::report::{ExemptedBy, Exemption};

/// What a comment begins with.
const MARK: &str = "bedrock-profiles:";

/// What exempts, behind the mark.
const IGNORE: &str = "ignore";

/// A comment that exempts.
pub(super) struct ExemptionComment {
    /// The line of the comment, from 1.
    pub(super) line: usize,
    /// The line that it is about: its own, or the next one with a text. 0 if there is none.
    pub(super) target: usize,
    /// Whether it exempts a finding, or did before it ended.
    pub(super) is_used: bool,
    /// The reasons; `None` for every reason, and for IDs that are replaced.
    reasons: Option<Vec<Reason>>,
    until: Option<Date>,
    owner: Option<String>,
    ticket: Option<String>,
    problems: Vec<ExemptionProblem>,
}

/// What is wrong with a comment that exempts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExemptionProblem {
    /// No finding of its line is exempt by it.
    #[error(
        "this comment exempts nothing; remove it, or move it to the line of the ID or above it"
    )]
    Unused,
    /// Its last day is over.
    #[error("this exemption ended on {0}; the ID counts again")]
    Ended(Date),
    /// Its end cannot be read.
    #[error("until= of this exemption is not a date such as 2027-01-31, so it has no end")]
    UnreadableEnd,
    /// It names a reason that does not exist.
    #[error("`{0}` is no reason; docs/detection.md lists them")]
    UnknownReason(String),
    /// It is behind a value of a format in which that is a part of the value.
    #[error("this is a part of the value and no comment; write it above the line")]
    NoComment,
}

/// The comments of a text. In `properties` a comment has a line of its own.
pub(super) fn read(text: &str, properties: bool) -> Vec<ExemptionComment> {
    let mut comments: Vec<ExemptionComment> = Vec::new();
    if !text.contains(MARK) {
        return comments;
    }
    // The comments from here on are above the next line with a text.
    let mut waiting = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim_start();
        let is_comment = trimmed.starts_with('#');
        if let Some(terms) = terms(line) {
            let mut comment = ExemptionComment::parse(number, terms);
            if !is_comment && properties {
                comment.reasons = Some(Vec::new());
                comment.problems = vec![ExemptionProblem::NoComment];
            } else if !is_comment {
                comment.target = number;
            }
            comments.push(comment);
        }
        if !is_comment && !trimmed.is_empty() {
            for comment in &mut comments[waiting..] {
                if comment.target == 0 {
                    comment.target = number;
                }
            }
            waiting = comments.len();
        }
    }
    comments
}

/// What follows `# bedrock-profiles: ignore` in a line.
fn terms(line: &str) -> Option<&str> {
    let (before, after) = line.split_once(MARK)?;
    let before = before.trim_end().strip_suffix('#')?;
    let terms = after.trim_start().strip_prefix(IGNORE)?;
    let is_whole = terms.is_empty() || terms.starts_with(['[', ' ', '\t']);
    let is_comment = before.is_empty() || before.ends_with([' ', '\t']);
    (is_whole && is_comment).then_some(terms)
}

impl ExemptionComment {
    fn parse(line: usize, terms: &str) -> Self {
        let mut comment = Self {
            line,
            target: 0,
            is_used: false,
            reasons: None,
            until: None,
            owner: None,
            ticket: None,
            problems: Vec::new(),
        };
        let mut words = terms;
        if let Some(names) = terms.strip_prefix('[') {
            let (names, rest) = names.split_once(']').unwrap_or((names, ""));
            words = rest;
            comment.reasons = Some(Vec::new());
            for name in names.split(',') {
                comment.add_reason(name.trim());
            }
        }
        for word in words.split_whitespace() {
            match word.split_once('=') {
                Some(("until", date)) => match date.parse() {
                    Ok(date) => comment.until = Some(date),
                    Err(_) => comment.problems.push(ExemptionProblem::UnreadableEnd),
                },
                Some(("owner", owner)) => comment.owner = Some(owner.to_owned()),
                Some(("ticket", ticket)) => comment.ticket = Some(ticket.to_owned()),
                // Any other text explains the exemption to readers of the file.
                _ => {}
            }
        }
        comment
    }

    fn add_reason(&mut self, name: &str) {
        match Reason::named(name) {
            Some(reason) => self.reasons.get_or_insert_default().push(reason),
            None => self
                .problems
                .push(ExemptionProblem::UnknownReason(name.to_owned())),
        }
    }

    /// The reasons that it exempts; `None` is every reason, and IDs that are replaced.
    pub(super) fn reasons(&self) -> impl Iterator<Item = Option<Reason>> {
        let named = self.reasons.iter().flatten().copied().map(Some);
        named.chain(self.reasons.is_none().then_some(None))
    }

    /// What is reported of it.
    pub(super) fn exemption(&self, file: &str) -> Exemption {
        Exemption {
            by: ExemptedBy::Comment,
            written_at: format!("{file}:{}", self.line),
            until: self.until,
            owner: self.owner.clone(),
            ticket: self.ticket.clone(),
        }
    }

    /// What is wrong with it, once its use is known.
    pub(super) fn problems(mut self, today: Date) -> Vec<ExemptionProblem> {
        let has_ended = self.until.filter(|until| *until < today);
        match has_ended {
            _ if !self.problems.is_empty() && !self.is_used => {}
            _ if !self.is_used => self.problems.push(ExemptionProblem::Unused),
            Some(until) => self.problems.push(ExemptionProblem::Ended(until)),
            None => {}
        }
        self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn targets(text: &str) -> Vec<usize> {
        let comments = read(text, false);
        comments.iter().map(|comment| comment.target).collect()
    }

    #[test]
    fn a_comment_is_about_its_line_or_the_next_one() {
        for (text, expected) in [
            ("a: b # bedrock-profiles: ignore\n", &[1][..]),
            ("# bedrock-profiles: ignore\na: b\n", &[2]),
            ("  #bedrock-profiles:ignore\n\n# other\na: b\nc: d\n", &[4]),
            (
                "# bedrock-profiles: ignore[Prose]\n# bedrock-profiles: ignore[Batch]\r\na: b # bedrock-profiles: ignore\n",
                &[3, 3, 3],
            ),
            ("a: b\n# bedrock-profiles: ignore\n", &[0]),
            ("a: b# bedrock-profiles: ignore\n", &[]),
            ("a: bedrock-profiles: ignore\n", &[]),
            ("# bedrock-profiles: ignored\na: b\n", &[]),
        ] {
            assert_eq!(targets(text), expected, "{text}");
        }
    }

    #[test]
    fn the_terms_of_a_comment_are_read() {
        let text = "# bedrock-profiles: ignore[GatewayClient, Prose] until=2027-01-31 owner=team-a ticket=OPS-7 since the gateway is ours\na: b\n";
        let comment = read(text, false).remove(0);
        let reasons: Vec<_> = comment.reasons().collect();
        assert_eq!(reasons, [Some(Reason::GatewayClient), Some(Reason::Prose)]);
        assert_eq!(
            comment.exemption("x.yaml").to_string(),
            "until 2027-01-31, owner team-a, ticket OPS-7 (x.yaml:1)"
        );
        let every: Vec<_> = read("a: b # bedrock-profiles: ignore\n", false)[0]
            .reasons()
            .collect();
        assert_eq!(every, [None]);
    }

    #[test]
    fn what_is_wrong_with_a_comment_is_reported_once_its_use_is_known() {
        use ExemptionProblem as P;
        let unknown = |name: &str| P::UnknownReason(name.to_owned());
        let ended = jiff::civil::date(2026, 11, 22);
        for (terms, is_used, expected) in [
            ("", true, vec![]),
            ("", false, vec![P::Unused]),
            (" until=2026-11-23", true, vec![]),
            (" until=2026-11-22", true, vec![P::Ended(ended)]),
            (" until=2026-11-22", false, vec![P::Unused]),
            (" until=2026-02-30", true, vec![P::UnreadableEnd]),
            ("[Prosa]", false, vec![unknown("Prosa")]),
            ("[Prose", true, vec![]),
            ("[]", false, vec![unknown("")]),
        ] {
            let text = format!("# bedrock-profiles: ignore{terms}\na: b\n");
            let mut comment = read(&text, false).remove(0);
            comment.is_used = is_used;
            assert_eq!(comment.problems(TODAY), expected, "{terms}");
        }
        let behind = read("a=b # bedrock-profiles: ignore\n", true).remove(0);
        assert_eq!(behind.reasons().count(), 0);
        assert_eq!(behind.problems(TODAY), [P::NoComment]);
    }
}
