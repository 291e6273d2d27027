//! The output formats of commands that print one report.

use serde::Serialize;

use super::{console, yaml};

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// For people, within the width of the terminal.
    Text,
    /// One JSON object.
    Json,
    /// The same as YAML.
    Yaml,
}

impl ReportFormat {
    /// Prints a report, whose text for people depends on the width of a line.
    pub(super) fn print(
        self,
        report: &impl Serialize,
        text: impl FnOnce(usize) -> String,
    ) -> anyhow::Result<()> {
        match self {
            Self::Text => console::print(&text(console::width())),
            Self::Json => {
                let json = serde_json::to_string_pretty(report)? + "\n";
                console::print_document(json.as_bytes())
            }
            Self::Yaml => console::print_document(yaml::to_string(report)?.as_bytes()),
        }
    }
}
