//! The table of all findings, and the controls that filter it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::report::severity::Severity;
use crate::report::{AuditReport, FindingRecord, messages};

use super::escaped;

/// How many findings are shown at first: a browser takes seconds for the layout of ten thousand rows.
const SHOWN: usize = 500;

pub(super) fn table(report: &AuditReport, page: &mut String) {
    *page += "<section aria-labelledby=\"findings\"><h2 id=\"findings\">Findings</h2>\n";
    if report.findings.is_empty() {
        *page += "<p>None.</p></section>\n";
        return;
    }
    controls(report, page);
    let total = report.findings.len();
    let shown = total.min(SHOWN);
    let _ = write!(
        page,
        "<p id=\"count\" role=\"status\" aria-live=\"polite\">{shown} of {total} shown</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table of the findings\"><table id=\"list\">\n\
         <caption>Every finding, in the order of files and objects</caption>\n\
         <thead><tr><th scope=\"col\">Severity</th><th scope=\"col\">Place</th><th scope=\"col\">ID</th><th scope=\"col\">Result</th>\
         <th scope=\"col\">Region</th><th scope=\"col\">Policy</th></tr></thead>\n<tbody>\n",
    );
    for (at, one) in report.findings.iter().enumerate() {
        row(one, at >= SHOWN, page);
    }
    *page += "</tbody></table></div>\n<p id=\"more\" hidden><button type=\"button\">Show more</button> <button type=\"button\">Show all</button></p></section>\n";
}

/// Hidden until the script runs, without which they do nothing.
fn controls(report: &AuditReport, page: &mut String) {
    let severities: BTreeSet<_> = report
        .findings
        .iter()
        .map(FindingRecord::severity)
        .collect();
    let namespaces: BTreeSet<_> = report.findings.iter().map(namespace).collect();
    *page += "<form id=\"filter\" hidden role=\"search\" aria-label=\"Filter the findings\">\n\
        <label>Search <input type=\"search\" id=\"words\" autocomplete=\"off\" placeholder=\"ID, place, region, policy\"></label>\n";
    *page += "<label>Namespace <select id=\"namespace\"><option value=\"\">all</option>";
    for one in namespaces.into_iter().filter(|one| !one.is_empty()) {
        let _ = write!(page, "<option>{}</option>", escaped(one));
    }
    *page += "</select></label>\n<fieldset><legend>Severity</legend>";
    for severity in Severity::ALL
        .into_iter()
        .filter(|one| severities.contains(one))
    {
        let _ = write!(
            page,
            "<label><input type=\"checkbox\" name=\"severity\" value=\"{severity}\" checked> {severity}</label>"
        );
    }
    *page += "</fieldset>\n<button type=\"reset\">Show all</button>\n</form>\n";
}

fn namespace(one: &FindingRecord) -> &str {
    one.object.as_ref().map_or("", |object| &object.namespace)
}

fn row(one: &FindingRecord, is_hidden: bool, page: &mut String) {
    let severity = one.severity();
    let source = one.source.as_ref().map(ToString::to_string);
    let place = one.place();
    let result = result(one);
    let region = one.region.as_ref().map(ToString::to_string);
    let _ = write!(
        page,
        "<tr data-s=\"{severity}\" data-n=\"{}\"{}><td class=\"{severity}\">{severity}</td><th scope=\"row\">{}",
        escaped(namespace(one)),
        if is_hidden { " hidden" } else { "" },
        escaped(&place),
    );
    if let Some(source) = source.filter(|source| *source != place) {
        let _ = write!(page, " <small>{}</small>", escaped(&source));
    }
    let _ = write!(
        page,
        "</th><td><code>{}</code></td><td>{}",
        escaped(&messages::id(one)),
        escaped(&result),
    );
    let step = messages::next_step(one);
    if !step.is_empty() {
        let _ = write!(page, " <small>{}</small>", escaped(&step));
    }
    let _ = writeln!(
        page,
        "</td><td>{}</td><td>{}</td></tr>",
        escaped(&region.unwrap_or_default()),
        escaped(&one.policy),
    );
}

/// The replacement, or why there is none.
fn result(one: &FindingRecord) -> String {
    match (&one.exempt, &one.after, one.severity()) {
        (Some(exemption), ..) => format!("exempt {exemption}"),
        (None, Some(after), Severity::Change | Severity::Note) => {
            let preview = if one.preview { " (preview)" } else { "" };
            let mode = match one.mode {
                crate::domain::policy::Mode::Rewrite => "",
                crate::domain::policy::Mode::Deny => " (denied)",
                crate::domain::policy::Mode::DryRun => " (DryRun)",
            };
            format!("{after}{mode}{preview}")
        }
        _ => one.cause().to_string(),
    }
}
