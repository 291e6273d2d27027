//! Where `audit` writes its report, in which formats.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use crate::cli::console;

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
}

/// A value of `-o`: a format, and the file that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        "-o names two formats for standard output: write one of them to a file, as FORMAT=FILE"
    )]
    TwoPrinted,
    #[error("-o names {0} twice: two formats cannot be in one file")]
    OneFile(PathBuf),
}

/// A report in a format.
#[derive(Debug)]
pub(super) enum RenderedReport {
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
}

impl RenderedReport {
    /// The text without colours.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Coloured(text) => anstream::adapter::strip_str(text).to_string(),
            Self::Document(text) => text.clone(),
        }
    }

    /// Prints the text, with colours where they are wanted.
    pub(super) fn print(&self) -> anyhow::Result<()> {
        match self {
            Self::Coloured(text) => console::print(text),
            Self::Document(text) => console::print_document(text.as_bytes()),
        }
    }
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
