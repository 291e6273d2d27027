//! What every command that judges is told: mappings, policies and the day.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::api::{
    self, InferenceProfileMapping, InferenceProfilePolicy, InferenceProfilePolicySpec, ReadError,
    Resource,
};
use crate::catalog;
use crate::domain::snapshot::{Problem, Snapshot, View};
use crate::validate::{self, Invalid};

/// By what is judged.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Judging {
    /// Policy to judge by, as YAML or JSON; can be given several times. Without one: the default policy in mode Rewrite.
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<PathBuf>,
    /// Mapping beside the built-in catalog, as YAML or JSON; can be given several times.
    #[arg(long = "mapping", value_name = "FILE")]
    pub mappings: Vec<PathBuf>,
    /// Judge without the built-in catalog.
    #[arg(long)]
    pub no_builtin: bool,
    /// Judge as of this day, which decides over dates of end of life. Without it: today.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub today: Option<Date>,
}

/// Why there is nothing to judge by.
#[derive(Debug, thiserror::Error)]
pub enum JudgingError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// A file holds no custom resources of ours.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An object breaks a rule.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

impl Judging {
    /// The view that the flags describe, and what is wrong with its objects although they are well-formed.
    /// `default` is the policy where none is given.
    pub fn view(
        &self,
        default: InferenceProfilePolicySpec,
    ) -> Result<(View, Vec<Problem>), JudgingError> {
        let mut mappings = Vec::new();
        let mut policies = Vec::new();
        if !self.no_builtin {
            mappings.push(catalog::builtin()?);
        }
        for path in self.mappings.iter().chain(&self.policies) {
            for resource in read(path)? {
                match resource {
                    Resource::Mapping(mapping) => mappings.push(mapping),
                    Resource::Policy(policy) => policies.push(policy),
                }
            }
        }
        if policies.is_empty() {
            policies.push(InferenceProfilePolicy::new("default", default));
        }
        build(&mappings, &policies)
    }

    /// The view, with what is wrong with its objects told on the standard error.
    pub fn told_view(&self, default: InferenceProfilePolicySpec) -> Result<View, JudgingError> {
        let (view, problems) = self.view(default)?;
        for problem in problems {
            anstream::eprintln!("warning: {problem}");
        }
        Ok(view)
    }

    /// The day that decides over dates of end of life.
    pub fn today(&self) -> impl Fn() -> Date + Send + Sync + 'static {
        let fixed = self.today;
        move || {
            fixed.unwrap_or_else(|| {
                jiff::Timestamp::now()
                    .to_zoned(jiff::tz::TimeZone::UTC)
                    .date()
            })
        }
    }
}

fn build(
    mappings: &[InferenceProfileMapping],
    policies: &[InferenceProfilePolicy],
) -> Result<(View, Vec<Problem>), JudgingError> {
    let mappings = mappings
        .iter()
        .map(validate::mapping)
        .collect::<Result<Vec<_>, _>>()?;
    let policies = policies
        .iter()
        .map(validate::policy)
        .collect::<Result<Vec<_>, _>>()?;
    let (snapshot, problems) = Snapshot::build(mappings, policies);
    Ok((View::of(snapshot), problems))
}

fn read(path: &Path) -> Result<Vec<Resource>, JudgingError> {
    let text = std::fs::read_to_string(path).map_err(|source| JudgingError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(api::read(&text, &path.display().to_string())?)
}
