//! A page for an auditor: which data leaves which region, who permits it, what is exempt, what ends when, and every finding.
//!
//! The page is one file and loads nothing. Its content is complete without scripts; the script filters the findings. A policy in the page
//! permits its own style and script alone, so that no text of a finding can become one.

use std::fmt::{self, Write as _};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::changes::ReportChanges;
use super::printable::printable;
use super::{AuditReport, messages};

mod findings;
mod flow;
mod routes;
mod sections;

use routes::DataRoute;

/// The style of the page.
const STYLE: &str = include_str!("html/page.css");

/// The style for readers without scripts, who see every finding at once.
const WITHOUT_SCRIPT: &str = "#list tr[hidden] { display: table-row; }";

/// The script of the page.
const SCRIPT: &str = include_str!("html/page.js");

/// What the page is about, besides the findings.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageOptions<'a> {
    /// What has changed since an earlier report.
    pub changes: Option<&'a ReportChanges>,
}

/// The page.
pub fn html(report: &AuditReport, options: PageOptions<'_>) -> String {
    let routes = DataRoute::of_all(&report.findings);
    let mut page = String::new();
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}' '{}'; script-src '{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Amazon Bedrock model IDs, {}</title>\n<style>{STYLE}</style>\n<noscript><style>{WITHOUT_SCRIPT}</style></noscript>\n</head>\n<body>\n",
        source_hash(STYLE),
        source_hash(WITHOUT_SCRIPT),
        source_hash(SCRIPT),
        report.today,
    );
    sections::header(report, options, &mut page);
    page += "<main id=\"main\">\n";
    sections::summary(report, &routes, &mut page);
    if let Some(changes) = options.changes {
        sections::changes(changes, &mut page);
    }
    sections::routes(&routes, &mut page);
    sections::exemptions(report, &mut page);
    sections::calendar(report, &mut page);
    findings::table(report, &mut page);
    page += "</main>\n";
    let tool = &report.tool;
    let catalog = tool.catalog_date.as_deref().unwrap_or("unknown");
    let _ = write!(
        page,
        "<footer>{} {}, built-in catalog of {}. {}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        tool.name,
        tool.version,
        escaped(catalog),
        escaped(
            messages::summary(report, 0, usize::MAX)
                .lines()
                .next()
                .unwrap_or_default()
        ),
    );
    page
}

/// The hash of an inline text, as a Content Security Policy names it.
fn source_hash(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    format!("sha256-{}", BASE64_STANDARD.encode(digest))
}

/// A text without a meaning in HTML, also between quotation marks.
fn escaped(text: &str) -> impl fmt::Display + use<'_> {
    fmt::from_fn(move |f| {
        for character in printable(text).chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    })
}
