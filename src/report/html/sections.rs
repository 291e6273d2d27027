//! The parts of the page before the findings.

use std::fmt::Write as _;

use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::report::changes::{ChangedFindingText, ReportChanges};
use crate::report::model_ends::model_ends;
use crate::report::printable::counted;
use crate::report::severity::Severity;
use crate::report::{AuditReport, FindingRecord};

use super::routes::{Consent, DataRoute};
use super::{PageOptions, escaped, flow};

/// How many users of a route are named.
const MOST_NAMED: usize = 3;

pub(super) fn header(report: &AuditReport, options: PageOptions<'_>, page: &mut String) {
    let counts = &report.summary;
    let subject = match counts.files {
        Some(files) => format!(
            "{} with {}",
            counted(files, "file"),
            counted(counts.objects, "object")
        ),
        None => format!("a cluster with {}", counted(counts.objects, "object")),
    };
    let _ = write!(
        page,
        "<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n<header>\n<h1>Amazon Bedrock model IDs</h1>\n<p>Audit of {subject}, on {}.</p>\n",
        report.today,
    );
    let parts: Vec<_> = report.unread_parts().filter(|one| one.is_error).collect();
    if !parts.is_empty() {
        *page += "<div class=\"incomplete\" role=\"note\"><strong>Incomplete.</strong> Not everything was read:<ul>\n";
        for part in parts {
            let file = part.file.map(|file| format!("{file}: "));
            let text = format!("{}{}", file.unwrap_or_default(), part.problem);
            let _ = writeln!(page, "<li>{}</li>", escaped(&text));
        }
        *page += "</ul></div>\n";
    }
    *page += "<nav aria-label=\"Parts of the report\"><ul>\n";
    let changes = options.changes.map(|_| ("changes", "Changes"));
    let links = [
        ("routes", "Routes of data"),
        ("exemptions", "Exemptions"),
        ("calendar", "Ends of life"),
        ("findings", "Findings"),
    ];
    for (id, name) in changes.into_iter().chain(links) {
        let _ = writeln!(page, "<li><a href=\"#{id}\">{name}</a></li>");
    }
    *page += "</ul></nav>\n</header>\n";
}

/// The numbers that a reader looks for first.
pub(super) fn summary(report: &AuditReport, routes: &[DataRoute], page: &mut String) {
    *page += "<section aria-labelledby=\"summary\"><h2 id=\"summary\">Summary</h2>\n<dl class=\"numbers\">\n";
    let mut number = |name: &str, count: usize, class: &str| {
        let _ = writeln!(
            page,
            "<div class=\"{class}\"><dt>{name}</dt><dd>{count}</dd></div>"
        );
    };
    for severity in Severity::ALL {
        let count = report
            .findings
            .iter()
            .filter(|one| one.severity() == severity)
            .count();
        number(severity.as_str(), count, severity.as_str());
    }
    let crossing: usize = routes
        .iter()
        .filter(|one| one.crosses())
        .map(DataRoute::ids)
        .sum();
    let class = if crossing > 0 { "border" } else { "" };
    number("IDs that cross a border", crossing, class);
    *page += "</dl></section>\n";
}

/// The drawing of the routes, and the same as a table.
pub(super) fn routes(routes: &[DataRoute], page: &mut String) {
    *page += "<section aria-labelledby=\"routes\"><h2 id=\"routes\">Routes of data</h2>\n\
        <p>From the region that a workload calls to the regions that may answer, once the policies have acted. \
        Lines across a border are <span class=\"key\">emphasised</span>.</p>\n";
    if routes.is_empty() {
        *page += "<p>No ID with a known region is called.</p></section>\n";
        return;
    }
    *page += "<figure class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Drawing of the routes\">\n";
    flow::flow(routes, page);
    *page += "</figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table of the routes\"><table>\n\
        <caption>Routes, those across a border first</caption>\n\
        <thead><tr><th scope=\"col\">From</th><th scope=\"col\">ID that is sent</th><th scope=\"col\">May be answered in</th>\
        <th scope=\"col\">Borders</th><th scope=\"col\">Permitted by</th><th scope=\"col\">Used by</th></tr></thead>\n<tbody>\n";
    for route in routes {
        let class = if route.crosses() {
            " class=\"crossing\""
        } else {
            ""
        };
        let to = match &route.to {
            None => "not known".to_owned(),
            Some(to) if to.contains("*") => "any region".to_owned(),
            Some(to) => to.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        let borders = route.borders.iter();
        let borders: Vec<_> = borders.map(|[from, to]| format!("{from} → {to}")).collect();
        let borders = if route.to.is_none() {
            "not known".to_owned()
        } else {
            borders.join(", ")
        };
        let consent = match &route.consent {
            Consent::NotNeeded => String::new(),
            Consent::Policy { name, field } => format!("policy {name}, field {field}"),
            Consent::Author => "the author of the object".to_owned(),
        };
        let _ = writeln!(
            page,
            "<tr{class}><th scope=\"row\">{}</th><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escaped(&place_of(route.from)),
            escaped(&route.id),
            escaped(&to),
            escaped(&borders),
            escaped(&consent),
            escaped(&users(route)),
        );
    }
    *page += "</tbody></table></div></section>\n";
}

fn place_of(region: Region) -> String {
    format!("{region} ({})", region.jurisdiction().name())
}

fn users(route: &DataRoute) -> String {
    let named: Vec<_> = route
        .users
        .keys()
        .take(MOST_NAMED)
        .map(String::as_str)
        .collect();
    match route.users.len().saturating_sub(MOST_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// What does not count, and until when.
pub(super) fn exemptions(report: &AuditReport, page: &mut String) {
    *page += "<section aria-labelledby=\"exemptions\"><h2 id=\"exemptions\">Exemptions and opt-outs</h2>\n";
    let exempt: Vec<_> = report.findings.iter().filter_map(exemption).collect();
    if exempt.is_empty() {
        *page += "<p>None.</p></section>\n";
        return;
    }
    *page += "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table of the exemptions\"><table><caption>IDs that are exempt, and IDs that an annotation opts out</caption>\n\
        <thead><tr><th scope=\"col\">Place</th><th scope=\"col\">ID</th><th scope=\"col\">By</th><th scope=\"col\">Last day</th>\
        <th scope=\"col\">Owner</th><th scope=\"col\">Ticket</th></tr></thead>\n<tbody>\n";
    for (one, cells) in exempt {
        let _ = write!(
            page,
            "<tr><th scope=\"row\">{}</th><td><code>{}</code></td>",
            escaped(&one.place()),
            escaped(&one.before)
        );
        for cell in cells {
            let _ = write!(page, "<td>{}</td>", escaped(&cell));
        }
        *page += "</tr>\n";
    }
    *page += "</tbody></table></div></section>\n";
}

/// What exempts a finding: by what, the last day, the owner and the ticket.
fn exemption(one: &FindingRecord) -> Option<(&FindingRecord, [String; 4])> {
    if let Some(exemption) = &one.exempt {
        let until = exemption
            .until
            .map_or_else(|| "none".to_owned(), |day| day.to_string());
        let owner = exemption.owner.clone().unwrap_or_default();
        let ticket = exemption.ticket.clone().unwrap_or_default();
        return Some((one, [exemption.written_at.clone(), until, owner, ticket]));
    }
    let is_opted_out = one.reason == Some(Reason::OptedOut);
    is_opted_out.then(|| {
        let until = one
            .opt_out_until
            .map_or_else(|| "none".to_owned(), |last| last.to_string());
        (
            one,
            ["annotation".to_owned(), until, String::new(), String::new()],
        )
    })
}

/// Which models end when.
pub(super) fn calendar(report: &AuditReport, page: &mut String) {
    *page += "<section aria-labelledby=\"calendar\"><h2 id=\"calendar\">Ends of life</h2>\n";
    let ends = model_ends(&report.findings, None);
    if ends.is_empty() {
        *page += "<p>No model in use has a known end.</p></section>\n";
        return;
    }
    *page += "<ol class=\"calendar\">\n";
    for end in &ends {
        let class = if end.date <= report.today {
            "ended"
        } else {
            "ahead"
        };
        let _ = write!(
            page,
            "<li class=\"{class}\"><time datetime=\"{}\">{}</time> <span>{}</span> <code>{}</code><ul>",
            end.date,
            end.date,
            end.when(report.today),
            escaped(&end.model),
        );
        let notes = end.notes(report.today).map(str::to_owned);
        for sentence in end.users_by_region().chain(end.successors()).chain(notes) {
            let _ = write!(page, "<li>{}</li>", escaped(&sentence));
        }
        *page += "</ul></li>\n";
    }
    *page += "</ol></section>\n";
}

/// What has changed since an earlier report.
pub(super) fn changes(changes: &ReportChanges, page: &mut String) {
    let _ = write!(
        page,
        "<section aria-labelledby=\"changes\"><h2 id=\"changes\">Changes since {}</h2>\n<p>{}</p>\n",
        escaped(&changes.since),
        escaped(&changes.summary()),
    );
    let parts = [
        ("New", &changes.new),
        ("No longer found", &changes.gone),
        ("Changed", &changes.changed),
    ];
    for (name, findings) in parts {
        if findings.is_empty() {
            continue;
        }
        let _ = write!(
            page,
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table: {name}\"><table><caption>{name}: {}</caption>\n\
             <thead><tr><th scope=\"col\">Place</th><th scope=\"col\">ID</th><th scope=\"col\">Then</th><th scope=\"col\">Now</th></tr></thead>\n<tbody>\n",
            findings.len()
        );
        for ChangedFindingText {
            place,
            id,
            then,
            now,
        } in findings
        {
            let _ = writeln!(
                page,
                "<tr><th scope=\"row\">{}</th><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                escaped(place),
                escaped(id),
                escaped(then),
                escaped(now),
            );
        }
        *page += "</tbody></table></div>\n";
    }
    *page += "</section>\n";
}
