//! Which findings of a file are exempt: by a comment of the file, or by a rule of the configuration.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::domain::annotations::{IGNORE, OptOutEnd, opt_out};
use crate::domain::object::Object;
use crate::domain::policy::{Globs, Namespace};
use crate::domain::reason::Reason;
use crate::report::Exemption;
use crate::text::Format;

use super::ParsedFile;
use super::path_globs::PathGlobs;

mod comment;

use comment::ExemptionComment;
pub use comment::ExemptionProblem;

/// An exemption of the configuration.
#[derive(Debug, Clone)]
pub struct ExemptionRule {
    /// The files, or the templates of a chart; every one if absent.
    pub paths: Option<PathGlobs>,
    /// The reason; every one, and the rewrite, if absent.
    pub reason: Option<Reason>,
    /// The model IDs; every one if absent.
    pub models: Option<Globs>,
    /// What is reported of it.
    pub exemption: Exemption,
}

/// The exemptions of one file.
pub(super) struct FileExemptions<'a> {
    file: &'a str,
    /// The comments, in the order of the lines that they are about.
    comments: Vec<ExemptionComment>,
    rules: Vec<&'a ExemptionRule>,
    today: Date,
}

/// A finding, as exemptions distinguish them.
pub(super) struct ExemptionQuery<'q> {
    /// The line of the ID, and that of its key.
    pub(super) lines: [usize; 2],
    /// Why the ID is unchanged; `None` if it is replaced.
    pub(super) reason: Option<Reason>,
    /// Whether the ID is right, so that only a comment or a rule that names the reason exempts it.
    pub(super) is_right: bool,
    /// The ID as written, and without a prefix.
    pub(super) ids: [&'q str; 2],
}

/// What the exemptions of a file have done.
#[derive(Debug, Default)]
pub struct ExemptionUse {
    /// Number of findings that comments exempt.
    pub by_comment: usize,
    /// What is wrong with the comments, with their lines.
    pub problems: Vec<(usize, ExemptionProblem)>,
    /// Objects and namespaces with IDs whose annotation has ended, and its last day.
    pub ended_opt_outs: BTreeSet<(String, Date)>,
}

impl ExemptionUse {
    /// Adds what the exemptions of the next part of the file have done.
    pub(super) fn add(&mut self, other: Self) {
        self.by_comment += other.by_comment;
        self.problems.extend(other.problems);
        self.ended_opt_outs.extend(other.ended_opt_outs);
    }

    /// Adds the annotations of an object with IDs, and of its namespace, that have ended.
    pub(super) fn add_ended(&mut self, object: &Object<'_>, namespace: &Namespace, today: Date) {
        let of_object = object.annotation(IGNORE).map(|text| {
            let kind = object.field(&["kind"]).unwrap_or_default();
            (format!("{kind}/{}", super::name(object)), text)
        });
        let of_namespace = namespace.annotations.get(IGNORE);
        let of_namespace =
            of_namespace.map(|text| (format!("namespace {}", namespace.name), &**text));
        for (owner, text) in of_object.into_iter().chain(of_namespace) {
            if let Some(OptOutEnd::Through(day)) = opt_out(text)
                && day < today
            {
                self.ended_opt_outs.insert((owner, day));
            }
        }
    }
}

impl<'a> FileExemptions<'a> {
    pub(super) fn of(file: &'a ParsedFile<'_>, rules: &'a [ExemptionRule], today: Date) -> Self {
        // JSON has no comments, and a line of properties ends with its value.
        let is = |format| file.trees.iter().all(|tree| tree.format() == format);
        let mut comments = if is(Format::Json) {
            Vec::new()
        } else {
            comment::read(file.text, is(Format::Properties))
        };
        comments.sort_by_key(|comment| comment.target);
        let concerns = |rule: &&ExemptionRule| {
            let paths = rule.paths.as_ref();
            paths.is_none_or(|paths| paths.matches(file.name.as_ref(), false))
        };
        Self {
            file: file.name,
            comments,
            rules: rules.iter().filter(concerns).collect(),
            today,
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.comments.is_empty() && self.rules.is_empty()
    }

    /// The exemption of a finding.
    pub(super) fn find(&mut self, query: &ExemptionQuery<'_>) -> Option<Exemption> {
        let today = self.today;
        let exempts = |reason: Option<Reason>| match reason {
            Some(reason) => query.reason == Some(reason),
            None => !query.is_right,
        };
        let mut lines = query.lines;
        lines.sort_unstable();
        for line in lines {
            let first = self.comments.partition_point(|one| one.target < line);
            let comments = self.comments[first..].iter_mut();
            for comment in comments.take_while(|one| one.target == line) {
                if comment.reasons().any(exempts) {
                    comment.is_used = true;
                    let exemption = comment.exemption(self.file);
                    if !exemption.has_ended(today) {
                        return Some(exemption);
                    }
                }
            }
        }
        let rule = self.rules.iter().find(|rule| {
            let models = rule.models.as_ref();
            let matches = |models: &Globs| query.ids.iter().any(|id| models.matches(id));
            exempts(rule.reason) && models.is_none_or(matches) && !rule.exemption.has_ended(today)
        });
        rule.map(|rule| rule.exemption.clone())
    }

    /// What is wrong with the comments after every finding has been looked up.
    pub(super) fn problems(self) -> Vec<(usize, ExemptionProblem)> {
        let today = self.today;
        let mut comments = self.comments;
        comments.sort_by_key(|comment| comment.line);
        comments
            .into_iter()
            .flat_map(|comment| {
                let line = comment.line;
                let problems = comment.problems(today);
                problems.into_iter().map(move |problem| (line, problem))
            })
            .collect()
    }
}
