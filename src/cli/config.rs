//! The configuration file `.bedrock-profiles.yaml`: what `audit`, `fix` and `resolve` use where no flag says otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::api::yaml::{self, FieldErrorOnLine};
use crate::domain::policy::Globs;
use crate::domain::reason::Reason;
use crate::domain::region::Region;
use crate::report::severity::Severity;
use crate::report::{AuditReport, ExemptedBy, Exemption};
use crate::scan::exemptions::ExemptionRule;
use crate::scan::files::CONFIGURATION;
use crate::scan::path_globs::{GlobError, PathGlobs};

use super::console::message;
use super::fail_on::FailOn;
use super::named_file::read_named;
use super::output::Output;

mod file;

pub use file::{ConfigFile, ExemptionEntry};

/// What ends the search at the root of a git repository.
const GIT: &str = ".git";

/// Which configuration file is used.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigArgs {
    /// Configuration file. Default: `.bedrock-profiles.yaml` of this folder or of the nearest one above it in the repository.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Use no configuration file.
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A field is unknown, or has another form than expected.
    #[error("{}: {error}; docs/cli.md lists the fields", .path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        error: FieldErrorOnLine,
    },
    /// A glob is not valid.
    #[error("{}: {error}", .path.display())]
    Glob {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: GlobError,
    },
}

/// The content of a configuration file, with paths that the process can open; the default where there is none.
#[derive(Debug, Default)]
pub struct Configuration {
    /// Policies to evaluate with.
    pub policies: Vec<PathBuf>,
    /// Mappings to use beside the built-in catalog.
    pub mappings: Vec<PathBuf>,
    /// The region to assume where nothing names one.
    pub region: Option<Region>,
    /// Files and folders to skip.
    pub exclude: PathGlobs,
    /// The least urgent severity that ends the command with exit code 1.
    pub fail_on: Option<FailOn>,
    /// The baseline.
    pub baseline: Option<PathBuf>,
    /// Where an audit of files is written, in which formats.
    pub outputs: Vec<Output>,
    /// Findings that do not count.
    pub exemptions: Vec<ExemptionRule>,
    /// Severities of reasons in place of the usual ones.
    severities: BTreeMap<Reason, Severity>,
}

impl ConfigArgs {
    /// Reads the configuration file of the flags, or else the nearest one. Prints which file is used, unless `quiet`.
    ///
    /// # Errors
    /// The file cannot be read, or is not valid.
    pub fn load(&self, quiet: bool) -> Result<Configuration, ConfigError> {
        let found = match &self.config {
            _ if self.no_config => None,
            Some(path) => Some(path.clone()),
            None => std::env::current_dir().ok().and_then(|here| find(&here)),
        };
        let Some(path) = found else {
            return Ok(Configuration::default());
        };
        let configuration = Configuration::read(&path)?;
        if !quiet {
            message!("note: configuration of {}", path.display());
        }
        Ok(configuration)
    }
}

/// The nearest configuration file, by a path from `here`: in `here` or in a folder above it, up to the root of the git repository, or of
/// the file system where there is no repository.
fn find(here: &Path) -> Option<PathBuf> {
    let mut above = PathBuf::new();
    for folder in here.ancestors() {
        if folder.join(CONFIGURATION).is_file() {
            return Some(above.join(CONFIGURATION));
        }
        if folder.join(GIT).exists() {
            return None;
        }
        above.push("..");
    }
    None
}

impl Configuration {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_named(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let file: ConfigFile =
            yaml::from_str_by_line(&text).map_err(|error| ConfigError::Field {
                path: path.to_owned(),
                error,
            })?;
        Self::of(file, path)
    }

    /// The configuration of a file at `path`, to whose folder its paths are relative.
    fn of(file: ConfigFile, path: &Path) -> Result<Self, ConfigError> {
        let folder = path.parent().unwrap_or(path);
        let in_folder = |paths: &[PathBuf]| paths.iter().map(|path| folder.join(path)).collect();
        let output = |one: Output| Output {
            file: one.file.map(|file| folder.join(file)),
            ..one
        };
        let here = std::env::current_dir().map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let glob_error = |error: GlobError| ConfigError::Glob {
            path: path.to_owned(),
            error,
        };
        let exemptions = exemptions(&file, path, &here)?;
        let severities = file.severities.into_iter();
        Ok(Self {
            policies: in_folder(&file.policies),
            mappings: in_folder(&file.mappings),
            region: file.region,
            exclude: PathGlobs::new(&here, folder, &file.exclude).map_err(glob_error)?,
            fail_on: file.fail_on,
            exemptions,
            outputs: file.outputs.into_iter().map(output).collect(),
            baseline: file.baseline.map(|path| folder.join(path)),
            severities: severities.map(|(name, one)| (name.0, one.0)).collect(),
        })
    }

    /// The report with the severities of this configuration.
    pub fn applied_to(&self, report: AuditReport) -> AuditReport {
        if self.severities.is_empty() {
            return report;
        }
        report.map_findings(|one| {
            let reason = one.listed_reason();
            one.configured_severity = reason
                .and_then(|reason| self.severities.get(&reason))
                .copied();
        })
    }
}

/// The exemptions of a file at `path`.
fn exemptions(
    file: &ConfigFile,
    path: &Path,
    here: &Path,
) -> Result<Vec<ExemptionRule>, ConfigError> {
    let folder = path.parent().unwrap_or(path);
    let rule = |(index, one): (usize, &ExemptionEntry)| {
        let paths = one.path.as_ref().map(|glob| {
            PathGlobs::new(here, folder, std::slice::from_ref(glob)).map_err(|error| {
                let path = path.to_owned();
                ConfigError::Glob { path, error }
            })
        });
        Ok(ExemptionRule {
            paths: paths.transpose()?,
            reason: one.reason.map(|name| name.0),
            models: one.model.as_ref().map(|glob| Globs::new([glob])),
            exemption: Exemption {
                by: ExemptedBy::Configuration,
                written_at: format!("{}, exemptions[{index}]", path.display()),
                until: one.until,
                owner: one.owner.clone(),
                ticket: one.ticket.clone(),
            },
        })
    };
    file.exemptions.iter().enumerate().map(rule).collect()
}
