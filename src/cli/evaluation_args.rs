//! Flags that every evaluating command has: policies, mappings and the date. They are read into the view to evaluate with.

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use crate::api::{
    self, InferenceProfileMapping, InferenceProfilePolicy, InferenceProfilePolicySpec, ReadError,
    Resource,
};
use crate::catalog::{self, CatalogError};
use crate::domain::snapshot::{Problem, Snapshot};
use crate::domain::view::View;
use crate::runtime::error_text::error_text;
use crate::validate::{self, Invalid};

use super::config::Configuration;
use super::console::message;
use super::named_file::read_named;

/// Policies and mappings to evaluate with.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct EvaluationArgs {
    /// Policy to evaluate with, a YAML or JSON file; can be given several times. Default: the default policy in mode Rewrite.
    #[arg(long = "policy", value_name = "FILE")]
    pub policies: Vec<PathBuf>,
    /// Mapping to use beside the built-in catalog, a YAML or JSON file; can be given several times.
    #[arg(long = "mapping", value_name = "FILE")]
    pub mappings: Vec<PathBuf>,
    /// Evaluate without the built-in catalog.
    #[arg(long)]
    pub no_builtin: bool,
    /// Date to compare end-of-life dates with. Default: the current date in UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub today: Option<Date>,
}

/// Why the flags give no view to evaluate with.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationArgsError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file cannot be parsed into custom resources.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The embedded catalog is not valid.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A custom resource is not valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A file contains no object of the kind that its flag is for.
    #[error("{path} contains no {kind}: add one to the file, or remove {flag}")]
    MissingKind {
        /// The file.
        path: PathBuf,
        /// The kind that the flag is for.
        kind: &'static str,
        /// The flag that named the file.
        flag: &'static str,
    },
    /// Neither the catalog nor a file gives a mapping.
    #[error("--no-builtin removes the only mapping: add one with --mapping")]
    NoMapping,
    /// More than one of these errors.
    #[error("{}", .0.iter().map(|error| error_text(error)).collect::<Vec<_>>().join("\nerror: "))]
    Several(Vec<EvaluationArgsError>),
}

/// The spec of the default policy of the command line, for when no policy is given: the defaults of the API in mode Rewrite.
pub fn default_policy() -> InferenceProfilePolicySpec {
    InferenceProfilePolicySpec {
        mode: api::Mode::Rewrite,
        ..InferenceProfilePolicySpec::default()
    }
}

impl EvaluationArgs {
    /// The view that the flags describe, and the problems of objects that are valid one by one.
    /// `default` is the policy to use where no policy is given.
    pub fn view(
        &self,
        default: InferenceProfilePolicySpec,
    ) -> Result<(View, Vec<Problem>), EvaluationArgsError> {
        self.inputs()?.build(Some(default))
    }

    /// The objects that the flags describe.
    pub(super) fn inputs(&self) -> Result<Inputs, EvaluationArgsError> {
        let mut inputs = Inputs::default();
        if !self.no_builtin {
            inputs.mappings.push(catalog::builtin()?);
        }
        self.add_files(&mut inputs);
        Ok(inputs)
    }

    /// The view that the flags describe, by [`default_policy`] where no policy is given. Prints the problems as warnings.
    pub fn view_printing_warnings(&self) -> Result<View, EvaluationArgsError> {
        Ok(print_warnings(self.view(default_policy())?))
    }

    /// The valid custom resources of a cluster and the objects that the flags describe: policies of the flags replace those of the
    /// cluster, mappings of the flags are added. A cluster without mappings gets the catalog.
    pub(super) fn inputs_of_cluster(
        &self,
        cluster: ClusterResources,
    ) -> Result<Inputs, EvaluationArgsError> {
        let mut inputs = Inputs::default();
        self.add_files(&mut inputs);
        let ClusterResources {
            mut mappings,
            policies,
            ..
        } = cluster;
        if self.no_builtin {
            mappings.retain(|mapping| mapping.metadata.name.as_deref() != Some(catalog::NAME));
        } else if mappings.is_empty() {
            inputs.mappings.push(catalog::builtin()?);
        }
        inputs.mappings.extend(mappings);
        if inputs.policies.is_empty() {
            inputs.policies = policies;
        }
        Ok(inputs)
    }

    /// The arguments, with the policies and mappings of the configuration where there are none.
    #[must_use]
    pub fn or_of(&self, configuration: &Configuration) -> Self {
        let or = |given: &[PathBuf], configured: &[PathBuf]| {
            let paths = if given.is_empty() { configured } else { given };
            paths.to_vec()
        };
        Self {
            policies: or(&self.policies, &configuration.policies),
            mappings: or(&self.mappings, &configuration.mappings),
            ..self.clone()
        }
    }

    /// The date to compare end-of-life dates with.
    pub fn today(&self) -> impl Fn() -> Date + Send + Sync + 'static {
        let fixed = self.today;
        move || fixed.unwrap_or_else(current_date)
    }

    fn add_files(&self, inputs: &mut Inputs) {
        for path in &self.mappings {
            inputs.add_file(path, "--mapping");
        }
        for path in &self.policies {
            inputs.add_file(path, "--policy");
        }
    }
}

/// The current date in UTC.
pub(super) fn current_date() -> Date {
    let now = jiff::Timestamp::now();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The valid custom resources of a cluster.
#[derive(Debug, Clone, Default)]
pub(super) struct ClusterResources {
    pub(super) mappings: Vec<InferenceProfileMapping>,
    pub(super) policies: Vec<InferenceProfilePolicy>,
    /// Whether the cluster has no definition of policies.
    pub(super) lacks_policy_kind: bool,
}

impl ClusterResources {
    /// An invalid object is printed as a warning and ignored, as the controllers do.
    pub(super) fn retain_valid(resources: Vec<Resource>) -> Self {
        let (mappings, policies) = by_kind(resources);
        Self {
            mappings: retain_valid(mappings, validate::mapping),
            policies: retain_valid(policies, validate::policy),
            lacks_policy_kind: false,
        }
    }
}

/// The view, once its problems are printed.
pub(super) fn print_warnings((view, problems): (View, Vec<Problem>)) -> View {
    for problem in problems {
        message!("warning: {problem}");
    }
    view
}

/// The custom resources to evaluate with, and every error in the files that should have given more.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) mappings: Vec<InferenceProfileMapping>,
    pub(super) policies: Vec<InferenceProfilePolicy>,
    errors: Vec<EvaluationArgsError>,
}

impl Inputs {
    /// Adds every custom resource of the file, which must contain one of the kind that `flag` is for.
    fn add_file(&mut self, path: &Path, flag: &'static str) {
        let (mappings, policies) = match read(path) {
            Ok(resources) => by_kind(resources),
            Err(error) => return self.errors.push(error),
        };
        let (kind, is_missing) = if flag == "--policy" {
            ("InferenceProfilePolicy", policies.is_empty())
        } else {
            ("InferenceProfileMapping", mappings.is_empty())
        };
        self.mappings.extend(mappings);
        self.policies.extend(policies);
        if is_missing {
            self.errors.push(EvaluationArgsError::MissingKind {
                path: path.to_owned(),
                kind,
                flag,
            });
        }
    }

    /// The objects, with [`default_policy`] if there is no policy.
    pub(super) fn with_default_policy(mut self) -> Self {
        self.add_default(default_policy());
        self
    }

    fn add_default(&mut self, spec: InferenceProfilePolicySpec) {
        if self.policies.is_empty() {
            let policy = InferenceProfilePolicy::new("default", spec);
            self.policies.push(policy);
        }
    }

    /// The view of the objects, and the problems of objects that are valid one by one. `default` is the policy to use where there is none.
    pub(super) fn build(
        mut self,
        default: Option<InferenceProfilePolicySpec>,
    ) -> Result<(View, Vec<Problem>), EvaluationArgsError> {
        if self.mappings.is_empty() && self.errors.is_empty() {
            return Err(EvaluationArgsError::NoMapping);
        }
        if let Some(spec) = default {
            self.add_default(spec);
        }
        let mut errors = self.errors;
        let mappings = validate_all(&self.mappings, validate::mapping, &mut errors);
        let policies = validate_all(&self.policies, validate::policy, &mut errors);
        match errors.pop() {
            None => {
                let (snapshot, problems) = Snapshot::build(mappings, policies);
                Ok((View::of(snapshot), problems))
            }
            Some(error) if errors.is_empty() => Err(error),
            Some(error) => {
                errors.push(error);
                Err(EvaluationArgsError::Several(errors))
            }
        }
    }
}

/// Mappings and policies.
pub(super) fn by_kind(
    resources: Vec<Resource>,
) -> (Vec<InferenceProfileMapping>, Vec<InferenceProfilePolicy>) {
    let (mut mappings, mut policies) = (Vec::new(), Vec::new());
    for resource in resources {
        match resource {
            Resource::Mapping(mapping) => mappings.push(mapping),
            Resource::Policy(policy) => policies.push(policy),
        }
    }
    (mappings, policies)
}

/// The valid objects; the errors of the others are printed as warnings.
pub(super) fn retain_valid<W, D>(
    mut objects: Vec<W>,
    validate: impl Fn(&W) -> Result<D, Invalid>,
) -> Vec<W> {
    objects.retain(|object| match validate(object) {
        Ok(_) => true,
        Err(error) => {
            message!("warning: {error}");
            false
        }
    });
    objects
}

/// The valid objects in their validated form; the errors of the others are added to `errors`.
fn validate_all<W, D>(
    objects: &[W],
    validate: impl Fn(&W) -> Result<D, Invalid>,
    errors: &mut Vec<EvaluationArgsError>,
) -> Vec<D> {
    let mut valid = Vec::new();
    for object in objects {
        match validate(object) {
            Ok(object) => valid.push(object),
            Err(error) => errors.push(error.into()),
        }
    }
    valid
}

/// The mappings of a file, which must contain one.
pub(super) fn mappings_of_file(
    path: &Path,
    flag: &'static str,
) -> Result<Vec<InferenceProfileMapping>, EvaluationArgsError> {
    let (mappings, _) = by_kind(read(path)?);
    if mappings.is_empty() {
        return Err(EvaluationArgsError::MissingKind {
            path: path.to_owned(),
            kind: "InferenceProfileMapping",
            flag,
        });
    }
    Ok(mappings)
}

/// The mappings and policies of a file.
pub(super) fn resources_of_file(
    path: &Path,
) -> Result<(Vec<InferenceProfileMapping>, Vec<InferenceProfilePolicy>), EvaluationArgsError> {
    Ok(by_kind(read(path)?))
}

fn read(path: &Path) -> Result<Vec<Resource>, EvaluationArgsError> {
    let text = read_named(path).map_err(|source| EvaluationArgsError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(api::read(&text, &path.display().to_string())?)
}
