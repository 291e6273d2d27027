//! A report as text for people: what is to be done and what cannot work, in groups, within the width of the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::domain::policy::Mode;
use crate::domain::reason::Reason;
use crate::domain::resolve::Note;

use super::cause::Cause;
use super::printable::{printable, wrapped};
use super::severity::Severity;
use super::terminal::{color, object_label};
use super::{AuditReport, FindingRecord, messages};

/// Which findings the text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// All findings.
    All,
    /// Those of a severity.
    Severity(Severity),
    /// The IDs that are unchanged for a reason, or are listed under it.
    Reason(Reason),
    /// The IDs that are exempt.
    Exempt,
}

/// The name of exempt IDs, in place of a reason.
const EXEMPT: &str = "Exempt";

/// A word that is no value of `--show`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `all`, a severity (error, change, warning, note, ok), `Exempt` or a reason such as `NoRegion`; `bedrock-profiles explain` lists the reasons"
)]
pub struct ParseShowError;

/// By what the findings are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum GroupBy {
    /// The file, or the object in a cluster.
    File,
    /// The object.
    Workload,
    /// The reason.
    Reason,
    /// The namespace.
    Namespace,
}

/// How a report is rendered.
#[derive(Debug, Clone, Copy)]
pub struct TextOptions<'a> {
    /// Which findings are shown: those of any of these.
    pub show: &'a [Show],
    /// By what they are grouped.
    pub group_by: GroupBy,
    /// The width of a line, in columns.
    pub width: usize,
}

/// What is shown without a choice of the user.
pub const SHOWN_BY_DEFAULT: [Show; 3] = [
    Show::Severity(Severity::Error),
    Show::Severity(Severity::Change),
    Show::Severity(Severity::Warning),
];

const BOLD: &str = "\u{1b}[1m";
const RESET: &str = "\u{1b}[0m";

/// The width of the column of severities.
const SEVERITY_WIDTH: usize = 7;

/// The indentation of what follows the first line of a finding.
const INDENTATION: usize = 6;

/// The columns of a location that push the severity to the right; a longer one has a line of its own.
const LONGEST_LOCATION: usize = 24;

impl std::str::FromStr for Show {
    type Err = ParseShowError;

    fn from_str(text: &str) -> Result<Self, ParseShowError> {
        let is_text = |name: &str| name.eq_ignore_ascii_case(text);
        let severity = || Severity::ALL.iter().find(|one| is_text(one.as_str()));
        let reason = || Reason::ALL.iter().find(|one| is_text(one.as_str()));
        if is_text("all") {
            Ok(Self::All)
        } else if is_text(EXEMPT) {
            Ok(Self::Exempt)
        } else if let Some(severity) = severity() {
            Ok(Self::Severity(*severity))
        } else {
            reason().map(|one| Self::Reason(*one)).ok_or(ParseShowError)
        }
    }
}

impl Show {
    /// The findings that any of `shown` includes.
    pub fn select<'r>(
        shown: &[Self],
        report: &'r AuditReport,
    ) -> impl Iterator<Item = &'r FindingRecord> {
        let findings = report.findings.iter();
        findings.filter(|one| Self::any(shown, one))
    }

    /// Whether any of `shown` includes the finding.
    pub fn any(shown: &[Self], one: &FindingRecord) -> bool {
        shown.iter().any(|show| show.includes(one))
    }

    fn includes(self, one: &FindingRecord) -> bool {
        match self {
            Self::All => true,
            Self::Severity(severity) => one.severity() == severity,
            Self::Reason(reason) => {
                one.reason == Some(reason) || one.cause() == Cause::Reason(reason)
            }
            Self::Exempt => one.exempt.is_some(),
        }
    }
}

/// The findings, group by group. The text contains colours, which the caller strips for other outputs than a terminal.
pub fn text(report: &AuditReport, options: TextOptions<'_>) -> String {
    let mut groups: Vec<TextGroup<'_>> = Vec::new();
    let mut positions = BTreeMap::new();
    for one in Show::select(options.show, report) {
        let key = options.group_by.key(one);
        let at = *positions.entry(key.clone()).or_insert(groups.len());
        if at == groups.len() {
            groups.push(TextGroup {
                key,
                ..TextGroup::default()
            });
        }
        groups[at].add(EqualFindings::of(one, options.group_by));
    }
    let mut text = String::new();
    for group in &groups {
        let _ = writeln!(text, "{BOLD}{}{RESET}", group.key);
        render(&group.entries, options.width, &mut text);
    }
    text
}

/// The findings of a file, or of another group, in their order.
#[derive(Default)]
struct TextGroup<'a> {
    key: String,
    entries: Vec<EqualFindings<'a>>,
    /// The entries by what equal findings have in common.
    positions: BTreeMap<(Severity, bool, String, String), usize>,
}

impl<'a> TextGroup<'a> {
    fn add(&mut self, one: EqualFindings<'a>) {
        let at = *self
            .positions
            .entry(one.key())
            .or_insert(self.entries.len());
        match self.entries.get_mut(at) {
            Some(entry) => entry.add(one),
            None => self.entries.push(one),
        }
    }
}

/// The equal findings of a group. Changes and errors are equal if they have the same ID; warnings and notes if they have the same
/// cause.
struct EqualFindings<'a> {
    finding: &'a FindingRecord,
    severity: Severity,
    location: String,
    /// Why the ID is unchanged, or what it becomes.
    outcome: String,
    /// The reason or the state of the model: each has its next step once in a group.
    cause: Cause,
    ids: BTreeSet<String>,
    next_step: String,
    count: usize,
}

impl<'a> EqualFindings<'a> {
    fn of(finding: &'a FindingRecord, group_by: GroupBy) -> Self {
        Self {
            finding,
            severity: finding.severity(),
            location: printable(&group_by.location(finding)).into_owned(),
            outcome: printable(&outcome(finding)).into_owned(),
            cause: finding.cause(),
            ids: BTreeSet::from([printable(&messages::id(finding)).into_owned()]),
            next_step: printable(&messages::next_step(finding)).into_owned(),
            count: 1,
        }
    }

    /// What equal findings have in common.
    fn key(&self) -> (Severity, bool, String, String) {
        let names_each = matches!(self.severity, Severity::Error | Severity::Change);
        let id = self.ids.first().filter(|_| names_each);
        let id = id.cloned().unwrap_or_default();
        let preview = self.finding.preview;
        (self.severity, preview, self.outcome.clone(), id)
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.ids.extend(other.ids);
    }

    /// What the first line says.
    fn subject(&self) -> String {
        let times = if self.count > self.ids.len() {
            format!(" ×{}", self.count)
        } else {
            String::new()
        };
        if self.severity == Severity::Change {
            return format!("{}{times}", self.outcome);
        }
        let first = printable(&messages::id(self.finding)).into_owned();
        let more = match self.ids.len() - 1 {
            0 => String::new(),
            others => format!(" +{others}"),
        };
        format!("{}: {first}{more}{times}", self.outcome)
    }
}

impl GroupBy {
    fn key(self, one: &FindingRecord) -> String {
        let namespace = one.object.as_ref().map(|object| object.namespace.as_str());
        let namespace = namespace.unwrap_or_default();
        let object = object_label(one);
        let key = match (self, &one.source) {
            (Self::File, Some(source)) => source.name().into_owned(),
            (Self::Workload, Some(source)) if object.is_empty() => source.name().into_owned(),
            (Self::File, None) | (Self::Workload, _) => [namespace, &object].join(" "),
            (Self::Namespace, _) => namespace.to_owned(),
            (Self::Reason, _) => one.reason.map_or("change", Reason::as_str).to_owned(),
        };
        let key = key.trim();
        printable(if key.is_empty() { "-" } else { key }).into_owned()
    }

    /// Where the finding is, as far as the group does not say it.
    fn location(self, one: &FindingRecord) -> String {
        match (self, &one.source) {
            (Self::File, Some(source)) => format!("{}:{}", source.line, source.column),
            (_, Some(source)) => source.to_string(),
            (Self::File | Self::Workload, None) => String::new(),
            (Self::Reason | Self::Namespace, None) => object_label(one),
        }
    }
}

/// Why the ID is unchanged, or what it becomes.
fn outcome(one: &FindingRecord) -> String {
    if one.exempt.is_some() {
        EXEMPT.to_owned()
    } else if one.severity() == Severity::Change {
        change(one)
    } else {
        one.cause().to_string()
    }
}

fn change(one: &FindingRecord) -> String {
    let after = one.after.as_deref().unwrap_or_default();
    let change = if one.reference.is_none() && after.ends_with(&one.model_id) {
        after.to_owned()
    } else {
        format!("{} -> {after}", messages::id(one))
    };
    let region = one.region.as_ref().map(ToString::to_string);
    let dry_run = (one.mode == Mode::DryRun).then(|| "DryRun".to_owned());
    let successor = (one.note == Some(Note::Successor)).then(|| "successor".to_owned());
    let details: Vec<_> = region.into_iter().chain(successor).chain(dry_run).collect();
    if details.is_empty() {
        change
    } else {
        format!("{change} ({})", details.join(", "))
    }
}

fn render(entries: &[EqualFindings<'_>], width: usize, text: &mut String) {
    let locations = entries.iter().map(|one| one.location.width());
    let column = locations
        .filter(|width| *width <= LONGEST_LOCATION)
        .max()
        .unwrap_or_default();
    let mut known = BTreeSet::new();
    for one in entries {
        let location = &one.location;
        let color = color(one.finding);
        let severity = one.severity.as_str();
        if location.width() > column {
            let _ = writeln!(text, "  {location}");
        }
        let shown = if location.width() > column {
            ""
        } else {
            location
        };
        let margin = if column == 0 { 2 } else { column + 3 };
        let padding = " ".repeat(margin - 2 - shown.width());
        let first = margin + SEVERITY_WIDTH + 1;
        let subject = one.subject();
        let lines = wrapped(
            &subject,
            width.saturating_sub(first),
            width.saturating_sub(INDENTATION),
        );
        let mut lines = lines.into_iter();
        let line = lines.next().unwrap_or_default();
        let gap = " ".repeat(SEVERITY_WIDTH - severity.len() + 1);
        let _ = writeln!(
            text,
            "  {shown}{padding}{color}{severity}{RESET}{gap}{line}"
        );
        for line in lines {
            let _ = writeln!(text, "{:INDENTATION$}{line}", "");
        }
        if !one.next_step.is_empty() && known.insert(one.cause) {
            let width = width.saturating_sub(INDENTATION);
            for line in wrapped(&one.next_step, width, width) {
                let _ = writeln!(text, "{:INDENTATION$}{line}", "");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_show_is_a_severity_or_a_reason() {
        assert_eq!("all".parse(), Ok(Show::All));
        assert_eq!("warning".parse(), Ok(Show::Severity(Severity::Warning)));
        assert_eq!("noregion".parse(), Ok(Show::Reason(Reason::NoRegion)));
        assert_eq!("none".parse::<Show>(), Err(ParseShowError));
    }
}
