//! What every command that judges is told: mappings, policies and the day.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::api::{
    self, InferenceProfileMapping, InferenceProfilePolicy, InferenceProfilePolicySpec, ReadError,
    Resource,
};
use crate::catalog;
use crate::domain::snapshot::{Problem, Snapshot};
use crate::domain::view::View;
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
    /// A file is given for what it does not hold.
    #[error("{path} holds no {kind}: add one to it, or leave {flag} out")]
    Lacking {
        /// The file.
        path: PathBuf,
        /// The kind that it was given for.
        kind: &'static str,
        /// The flag that named it.
        flag: &'static str,
    },
    /// There is no mapping to look anything up in.
    #[error("--no-builtin leaves no mapping to judge by: name one by --mapping")]
    NoMapping,
    /// More than one of these.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\nerror: "))]
    Several(Vec<JudgingError>),
}

impl Judging {
    /// The view that the flags describe, and what is wrong with its objects although they are well-formed.
    /// `default` is the policy where none is given.
    pub fn view(
        &self,
        default: InferenceProfilePolicySpec,
    ) -> Result<(View, Vec<Problem>), JudgingError> {
        let mut given = Given::default();
        if !self.no_builtin {
            given.mappings.push(catalog::builtin()?);
        }
        for path in &self.mappings {
            given.take(path, "--mapping");
        }
        for path in &self.policies {
            given.take(path, "--policy");
        }
        given.build(default)
    }

    /// The view, with what is wrong with its objects told on the standard error.
    pub fn told_view(&self, default: InferenceProfilePolicySpec) -> Result<View, JudgingError> {
        let (view, problems) = self.view(default)?;
        for problem in problems {
            anstream::eprintln!("warning: {problem}");
        }
        Ok(view)
    }

    /// The view that a cluster's custom resources describe, and the flags: policies of the flags stand in the place of the
    /// cluster's, mappings beside them. What the cluster does not have is the catalog and the default policy. A bad object of
    /// the cluster is told and not used, as in the cluster itself.
    pub fn view_of_cluster(
        &self,
        cluster: Vec<Resource>,
        default: InferenceProfilePolicySpec,
    ) -> Result<View, JudgingError> {
        let mut given = Given::default();
        for path in &self.mappings {
            given.take(path, "--mapping");
        }
        for path in &self.policies {
            given.take(path, "--policy");
        }
        let (mut mappings, mut policies) = sorted(cluster);
        if self.no_builtin {
            mappings.retain(|mapping| mapping.metadata.name.as_deref() != Some(catalog::NAME));
        } else if mappings.is_empty() {
            given.mappings.push(catalog::builtin()?);
        }
        if !given.policies.is_empty() {
            policies.clear();
        }
        given.mappings.extend(usable(mappings, validate::mapping));
        given.policies.extend(usable(policies, validate::policy));
        let (view, problems) = given.build(default)?;
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

/// What the files hold, and everything that is wrong with them.
#[derive(Default)]
struct Given {
    mappings: Vec<InferenceProfileMapping>,
    policies: Vec<InferenceProfilePolicy>,
    errors: Vec<JudgingError>,
}

impl Given {
    /// Takes what the file holds, whatever the flag; but it has to hold what the flag says.
    fn take(&mut self, path: &Path, flag: &'static str) {
        let (mappings, policies) = match read(path) {
            Ok(resources) => sorted(resources),
            Err(error) => return self.errors.push(error),
        };
        let (kind, lacking) = if flag == "--policy" {
            ("InferenceProfilePolicy", policies.is_empty())
        } else {
            ("InferenceProfileMapping", mappings.is_empty())
        };
        self.mappings.extend(mappings);
        self.policies.extend(policies);
        if lacking {
            self.errors.push(JudgingError::Lacking {
                path: path.to_owned(),
                kind,
                flag,
            });
        }
    }

    fn build(
        mut self,
        default: InferenceProfilePolicySpec,
    ) -> Result<(View, Vec<Problem>), JudgingError> {
        if self.mappings.is_empty() && self.errors.is_empty() {
            return Err(JudgingError::NoMapping);
        }
        if self.policies.is_empty() {
            let policy = InferenceProfilePolicy::new("default", default);
            self.policies.push(policy);
        }
        let mut errors = self.errors;
        let mappings = valid(&self.mappings, validate::mapping, &mut errors);
        let policies = valid(&self.policies, validate::policy, &mut errors);
        match errors.pop() {
            None => {
                let (snapshot, problems) = Snapshot::build(mappings, policies);
                Ok((View::of(snapshot), problems))
            }
            Some(error) if errors.is_empty() => Err(error),
            Some(error) => {
                errors.push(error);
                Err(JudgingError::Several(errors))
            }
        }
    }
}

/// Mappings and policies.
fn sorted(resources: Vec<Resource>) -> (Vec<InferenceProfileMapping>, Vec<InferenceProfilePolicy>) {
    let (mut mappings, mut policies) = (Vec::new(), Vec::new());
    for resource in resources {
        match resource {
            Resource::Mapping(mapping) => mappings.push(mapping),
            Resource::Policy(policy) => policies.push(policy),
        }
    }
    (mappings, policies)
}

/// The objects that are valid; what is wrong with the others is told.
fn usable<W, D>(written: Vec<W>, validate: impl Fn(&W) -> Result<D, Invalid>) -> Vec<W> {
    let is_valid = |object: &W| {
        let told = validate(object).map_err(|error| anstream::eprintln!("warning: {error}"));
        told.is_ok()
    };
    written.into_iter().filter(is_valid).collect()
}

/// The objects that are valid; what is wrong with the others is added to `errors`.
fn valid<W, D>(
    written: &[W],
    validate: impl Fn(&W) -> Result<D, Invalid>,
    errors: &mut Vec<JudgingError>,
) -> Vec<D> {
    let mut valid = Vec::new();
    for object in written {
        match validate(object) {
            Ok(object) => valid.push(object),
            Err(error) => errors.push(error.into()),
        }
    }
    valid
}

fn read(path: &Path) -> Result<Vec<Resource>, JudgingError> {
    let text = std::fs::read_to_string(path).map_err(|source| JudgingError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(api::read(&text, &path.display().to_string())?)
}
