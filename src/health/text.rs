//! The results for people: each group with its checks, and what to do about those that are not passed.

use crate::report::text_page::{GREEN, RED, RESET, TextPage, YELLOW};

use super::check::{CheckResult, CheckState};
use super::report::CheckReport;

/// The column of what a check has observed.
const COLUMN: usize = 32;

/// The report in lines of at most `width` columns, except for words that are longer. The text contains colours, which the caller strips
/// for other outputs than a terminal.
pub fn text(report: &CheckReport, width: usize) -> String {
    let mut page = TextPage::new(width);
    page.paragraph(0, &subject(report));
    for group in &report.groups {
        page.heading(group.group.heading());
        for result in &group.checks {
            add(&mut page, result);
        }
    }
    let summary = report.summary;
    let mut counts = vec![format!("{} passed", summary.passed)];
    for (count, name) in [
        (summary.warnings, "with a warning"),
        (summary.failed, "failed"),
        (summary.unknown, "unknown"),
    ] {
        if count > 0 {
            counts.push(format!("{count} {name}"));
        }
    }
    page.heading(&counts.join(", "));
    page.text
}

fn subject(report: &CheckReport) -> String {
    let server = &report.server;
    match (&report.namespace, &report.release) {
        (Some(namespace), Some(release)) if report.before_installation => {
            format!("{server}, before an installation of {release} in namespace {namespace}")
        }
        (Some(namespace), Some(release)) => {
            format!("{server}, release {release} in namespace {namespace}")
        }
        _ => server.clone(),
    }
}

fn add(page: &mut TextPage, result: &CheckResult) {
    let (color, state) = match result.state {
        CheckState::Passed => (GREEN, "passed "),
        CheckState::Warning => (YELLOW, "warning"),
        CheckState::Failed => (RED, "FAILED "),
        CheckState::Unknown => (YELLOW, "unknown"),
    };
    let label = format!("{color}{state}{RESET}  {}", result.check.as_str());
    page.labelled(&label, COLUMN, &result.detail);
    if let Some(hint) = &result.hint {
        page.paragraph(COLUMN, &format!("Next: {hint}"));
        page.paragraph(COLUMN, &result.check.page());
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Check;
    use super::*;
    use crate::report::ToolVersion;

    #[test]
    fn what_is_not_passed_has_a_hint_and_a_page_within_the_width() {
        let results = vec![
            Check::ServerVersion.passed("v1.36.0 at https://c"),
            Check::CatalogAge.warning(
                "the catalog is of 2026-01-01, 333 days old",
                "Upgrade to a release with a newer catalog.",
            ),
            Check::LeaseHeld.failed("no replica holds the Lease", "Read the log."),
        ];
        let today = "2026-11-30".parse().unwrap();
        let report = CheckReport::new(
            ToolVersion::current(None),
            today,
            "https://c".to_owned(),
            results,
        );
        let colored = text(&report, 80);
        let plain = anstream::adapter::strip_str(&colored).to_string();
        assert!(plain.lines().all(|line| line.len() <= 80), "{plain}");
        assert!(
            plain.starts_with("https://c\n\nKubernetes\n  passed   ServerVersion"),
            "{plain}"
        );
        let hint = format!(
            "{:COLUMN$}Next: Read the log.\n{:COLUMN$}docs/check.md#leaseheld\n",
            "", ""
        );
        assert!(plain.contains(&hint), "{plain}");
        assert!(
            plain.ends_with("\n1 passed, 1 with a warning, 1 failed\n"),
            "{plain}"
        );
        assert!(report.has_failed());
    }
}
