//! Where a report is written, in which formats.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error, ValueEnum};
use jiff::civil::Date;
use serde::Deserialize;

use crate::report::changes::ReportChanges;
use crate::report::formats::{self, FormatOptions};
use crate::report::html::{PageOptions, html};
use crate::report::model_ends::{calendar, model_ends};
use crate::report::text::{self, GroupBy, Show, TextOptions};
use crate::report::{AuditReport, terminal};

use super::console::{self, DEFAULT_WIDTH};
use super::interruption::Interruption;
use super::replace_file::write_output;
use super::repository::repository_paths;
use super::tally::Tally;
use super::yaml;

/// Output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AuditFormat {
    /// What is to be done and what cannot work, for people.
    Text,
    /// A table of all findings with many columns.
    Wide,
    /// The report as JSON.
    Json,
    /// Each finding as JSON on a line of its own.
    Jsonl,
    /// The report as YAML.
    Yaml,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// A report of tests, one suite for each file.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
    /// A comment on a pull request.
    Markdown,
    /// A calendar of the ends of life of the models in use.
    Ics,
    /// A page for an auditor: routes of data, exemptions, ends of life, findings.
    Html,
}

/// A value of `-o`: a format, and the file that is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Output {
    /// The format.
    pub format: AuditFormat,
    /// The file; `None` for standard output.
    pub file: Option<PathBuf>,
}

/// Reads `FORMAT` and `FORMAT=FILE`.
#[derive(Debug, Clone)]
pub(super) struct OutputParser;

/// The outputs of one run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outputs<'a> {
    /// The format of standard output.
    pub(super) printed: AuditFormat,
    /// The files and their formats.
    pub(super) files: Vec<(AuditFormat, &'a Path)>,
}

/// Values of `-o` that cannot be together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutputsError {
    #[error(
        "-o or `outputs` names two formats for standard output: write one of them to a file, as FORMAT=FILE"
    )]
    TwoPrinted,
    #[error("-o or `outputs` names {0} twice: two formats cannot be in one file")]
    OneFile(PathBuf),
}

/// What a report shows, in formats that show a part of it.
#[derive(Clone, Copy)]
pub(super) struct ReportOptions<'a> {
    /// Which findings are shown.
    pub(super) show: &'a [Show],
    /// By what text groups them.
    pub(super) group_by: GroupBy,
    /// The last day of the ends of life that text shows in place of the findings.
    pub(super) horizon: Option<Date>,
    /// What has changed since an earlier report, which a page shows.
    pub(super) changes: Option<&'a ReportChanges>,
}

/// A report in a format.
#[derive(Debug)]
enum RenderedReport {
    /// A text for people, with colours.
    Coloured(String),
    /// A text for programs.
    Document(String),
}

impl TypedValueParser for OutputParser {
    type Value = Output;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Output, Error> {
        let bytes = value.as_bytes();
        let (format, file) =
            bytes
                .iter()
                .position(|byte| *byte == b'=')
                .map_or((value, None), |at| {
                    let file = Path::new(OsStr::from_bytes(&bytes[at + 1..]));
                    (OsStr::from_bytes(&bytes[..at]), Some(file))
                });
        let format = EnumValueParser::<AuditFormat>::new().parse_ref(command, arg, format)?;
        if file == Some(Path::new("")) {
            let problem = "expected the name of a file after `=`\n";
            return Err(Error::raw(ErrorKind::InvalidValue, problem).with_cmd(command));
        }
        let file = file.filter(|file| *file != Path::new("-"));
        Ok(Output {
            format,
            file: file.map(Path::to_owned),
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let formats = EnumValueParser::<AuditFormat>::new();
        let values: Vec<_> = formats.possible_values()?.collect();
        Some(Box::new(values.into_iter()))
    }
}

impl<'a> Outputs<'a> {
    /// The outputs of the values of `-o`. Text is printed unless a value names another format without a file.
    ///
    /// # Errors
    /// Two values are for standard output, or for one file.
    pub(super) fn of(values: &'a [Output]) -> Result<Self, OutputsError> {
        let (mut printed, mut files) = (None, Vec::new());
        for value in values {
            match &value.file {
                None if printed.is_some() => return Err(OutputsError::TwoPrinted),
                None => printed = Some(value.format),
                Some(file) if files.iter().any(|(_, other)| other == file) => {
                    return Err(OutputsError::OneFile(file.clone()));
                }
                Some(file) => files.push((value.format, file.as_path())),
            }
        }
        let printed = printed.unwrap_or(AuditFormat::Text);
        Ok(Self { printed, files })
    }

    /// Writes the files. One that cannot be written is an error of `tally`.
    pub(super) fn write(
        &self,
        report: &AuditReport,
        options: ReportOptions<'_>,
        interruption: &Interruption,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        for (format, path) in &self.files {
            let text = render(report, *format, options, DEFAULT_WIDTH)?;
            if let Err(error) = write_output(path, text.plain().as_bytes(), interruption) {
                tally.error(&error);
            }
        }
        Ok(())
    }

    /// Prints the report to standard output.
    pub(super) fn print(
        &self,
        report: &AuditReport,
        options: ReportOptions<'_>,
    ) -> anyhow::Result<()> {
        render(report, self.printed, options, console::width())?.print()
    }
}

/// `FORMAT` or `FORMAT=FILE`, as in the configuration file.
impl TryFrom<String> for Output {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err(format!("`{text}` has no name of a file after `=`")),
            Some((format, file)) => (format, Some(file)),
            None => (&*text, None),
        };
        let format = AuditFormat::from_str(format, false).map_err(|_| {
            format!(
                "`{format}` is no format: write {}",
                format_names().join(", ")
            )
        })?;
        let file = file.filter(|file| *file != "-");
        Ok(Self {
            format,
            file: file.map(PathBuf::from),
        })
    }
}

/// The names of all formats.
pub(super) fn format_names() -> Vec<String> {
    let values = AuditFormat::value_variants().iter();
    let values = values.filter_map(AuditFormat::to_possible_value);
    values.map(|value| value.get_name().to_owned()).collect()
}

impl RenderedReport {
    /// The text without colours.
    fn plain(&self) -> String {
        match self {
            Self::Coloured(text) => anstream::adapter::strip_str(text).to_string(),
            Self::Document(text) => text.clone(),
        }
    }

    /// Prints the text, with colours where they are wanted.
    fn print(&self) -> anyhow::Result<()> {
        match self {
            Self::Coloured(text) => console::print(text),
            Self::Document(text) => console::print_document(text.as_bytes()),
        }
    }
}

/// A report in a format, in lines of at most `width` columns if it is for people.
fn render(
    report: &AuditReport,
    format: AuditFormat,
    ReportOptions {
        show,
        group_by,
        horizon,
        changes,
    }: ReportOptions<'_>,
    width: usize,
) -> anyhow::Result<RenderedReport> {
    let ends = || model_ends(&report.findings, horizon);
    let paths = repository_paths()?;
    let options = FormatOptions {
        show,
        paths: &paths,
    };
    let text = match format {
        AuditFormat::Text if horizon.is_some() => {
            let text = calendar(&ends(), report.today, width);
            return Ok(RenderedReport::Coloured(text + &incomplete(report)));
        }
        AuditFormat::Text => {
            let options = TextOptions {
                show,
                group_by,
                width,
            };
            return Ok(RenderedReport::Coloured(
                text::text(report, options) + &incomplete(report),
            ));
        }
        AuditFormat::Wide => {
            let text = terminal::table(report) + &incomplete(report);
            return Ok(RenderedReport::Coloured(text));
        }
        AuditFormat::Json => serde_json::to_string_pretty(report)? + "\n",
        AuditFormat::Jsonl => json_lines(report)?,
        AuditFormat::Yaml => yaml::to_string(report)?,
        AuditFormat::Sarif => formats::sarif(report, options)?,
        AuditFormat::Junit => formats::junit(report, options),
        AuditFormat::Github => formats::github(report, options),
        AuditFormat::Gitlab => formats::gitlab(report, options)?,
        AuditFormat::Markdown => formats::markdown(report, options),
        AuditFormat::Ics => formats::ics(&ends(), report.today),
        AuditFormat::Html => html(report, PageOptions { changes }),
    };
    Ok(RenderedReport::Document(text))
}

fn json_lines(report: &AuditReport) -> serde_json::Result<String> {
    let mut lines = String::new();
    for finding in report.listed() {
        lines += &serde_json::to_string(&finding)?;
        lines.push('\n');
    }
    Ok(lines)
}

/// The lists that were not read to their end, a line each.
fn incomplete(report: &AuditReport) -> String {
    let mut text = String::new();
    for list in &report.incomplete {
        text.extend(["incomplete: ", list, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str) -> Result<Output, Error> {
        OutputParser.parse_ref(&Command::new("audit"), None, OsStr::new(value))
    }

    fn output(format: AuditFormat, file: Option<&str>) -> Output {
        Output {
            format,
            file: file.map(PathBuf::from),
        }
    }

    #[test]
    fn a_value_is_a_format_and_perhaps_a_file() {
        for (value, format, file) in [
            ("json", AuditFormat::Json, None),
            ("json=-", AuditFormat::Json, None),
            ("sarif=a=b.sarif", AuditFormat::Sarif, Some("a=b.sarif")),
        ] {
            assert_eq!(parsed(value).unwrap(), output(format, file), "{value}");
        }
        for wrong in ["", "=", "=a", "json=", "table", "JSON", "sarif:a"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_configuration_file_has_the_same_values() {
        for value in ["json", "json=-", "sarif=a=b.sarif"] {
            assert_eq!(
                Output::try_from(value.to_owned()).unwrap(),
                parsed(value).unwrap()
            );
        }
        for wrong in ["", "=", "=a", "json=", "table", "JSON", "sarif:a"] {
            assert!(Output::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn text_is_printed_unless_another_format_is() {
        let file = output(AuditFormat::Sarif, Some("a"));
        let json = output(AuditFormat::Json, None);
        let printed = |values: &[Output]| Outputs::of(values).map(|outputs| outputs.printed);
        assert_eq!(printed(&[]), Ok(AuditFormat::Text));
        assert_eq!(printed(std::slice::from_ref(&file)), Ok(AuditFormat::Text));
        assert_eq!(
            printed(&[json.clone(), file.clone()]),
            Ok(AuditFormat::Json)
        );
        assert_eq!(
            printed(&[json.clone(), json]),
            Err(OutputsError::TwoPrinted)
        );
        let same = OutputsError::OneFile("a".into());
        assert_eq!(printed(&[file.clone(), file]), Err(same));
    }
}
