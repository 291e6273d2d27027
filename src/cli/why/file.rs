//! An object of a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::api::yaml;
use crate::catalog;
use crate::domain::kinds::BuiltInKind;
use crate::domain::object::{Object, ObjectKind};
use crate::domain::policy::Namespace;
use crate::domain::view::Namespaces;
use crate::report::ToolVersion;
use crate::scan::config_maps::ConfigMapCollector;
use crate::scan::files::{FileSelection, SourceFile, read_pipe};
use crate::scan::namespaces::NamespaceCollector;
use crate::scan::{ParsedFile, Scan, reference};
use crate::why::{DryRunAnswer, WhyInput, WhyReport, explain, is_answered_by_dry_run};

use super::super::cluster_args::block_on;
use super::super::console::message;
use super::super::file_args::DEFAULT_NAMESPACE;
use super::super::tally::Tally;
use super::Args;
use super::named_object::NamedObject;
use super::surroundings::{Surroundings, dry_run};

/// The maximum number of objects that an error lists.
const MAX_LISTED: usize = 5;

/// Explains an object of a file, as if it were created now.
pub(super) fn report(
    args: &Args,
    path: &Path,
    name: Option<&NamedObject>,
    tally: &mut Tally,
) -> anyhow::Result<WhyReport> {
    let sources = read(path)?;
    let parsed: Vec<_> = sources
        .iter()
        .map(|source| ParsedFile::parse(&source.name, &source.text, source.format))
        .collect();
    for file in &parsed {
        for error in &file.unread {
            let (name, line, problem) = (file.name, error.line, &error.problem);
            message!("note: {name}:{line}: {problem}; this document was read line by line");
        }
    }
    let objects: Vec<_> = parsed.iter().flat_map(ParsedFile::objects).collect();
    let default = args.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    let object = selected(&objects, name, args.namespace.as_deref(), path)?;
    let own = object.field(&["metadata", "namespace"]);
    let namespace = own.filter(|own| !own.is_empty()).unwrap_or(default);
    let mut input = surroundings(args, object, namespace, tally, || {
        stored(&sources, object, namespace)
    })?;

    let mut namespaces = NamespaceCollector::default();
    for file in &parsed {
        namespaces.add(file);
    }
    if let Some(of_file) = namespaces.namespaces.remove(namespace) {
        input.namespace.labels.extend(of_file.labels);
        input.namespace.annotations.extend(of_file.annotations);
    }
    let observed = (
        input.namespace.name.clone(),
        Arc::new(input.namespace.clone()),
    );
    input.view.namespaces = Arc::new(Namespaces::Observed([observed].into()));
    let mut config_maps = ConfigMapCollector::default();
    let scan = Scan {
        view: &input.view,
        today: input.today,
        namespace: default,
        edit: None,
        exemptions: &[],
        selector: None,
    };
    for file in &parsed {
        config_maps.add(&scan, file);
    }
    input.view.config_maps = Arc::new(config_maps.references);
    let reference = reference(object, namespace);
    explain(object, reference, input).context("there is no policy to evaluate with")
}

/// The files at a path.
fn read(path: &Path) -> anyhow::Result<Vec<Arc<SourceFile>>> {
    let selection = FileSelection::new(&[], false)?;
    let paths: [PathBuf; 1] = [path.to_owned()];
    let files = selection.inputs(&paths, read_pipe);
    let read: Result<Vec<_>, _> = files.map(|file| file?.read()).collect();
    Ok(read?)
}

/// The object of this name; or the only one that the webhook could change.
fn selected<'o, 't>(
    objects: &'o [Object<'t>],
    name: Option<&NamedObject>,
    namespace: Option<&str>,
    path: &Path,
) -> anyhow::Result<&'o Object<'t>> {
    let path = match path.to_str() {
        Some("-") => "standard input".into(),
        _ => path.to_string_lossy(),
    };
    let is_it = |object: &Object<'_>| match name {
        Some(name) => {
            let own = object.field(&["metadata", "namespace"]);
            let fits = |wanted| own.is_none_or(|own| own == wanted);
            name.is_of(object) && namespace.is_none_or(fits)
        }
        None => matches!(
            object.kind,
            ObjectKind::Pod | ObjectKind::Template | ObjectKind::ConfigMap
        ),
    };
    let found: Vec<_> = objects.iter().filter(|object| is_it(object)).collect();
    match (&found[..], name) {
        ([one], _) => Ok(one),
        ([], Some(name)) => bail!("{path} has no {name}{}", listed(objects.iter())),
        ([], None) => bail!(
            "{path} has no Pod, ConfigMap or workload{}",
            listed(objects.iter())
        ),
        (_, Some(name)) => bail!("{path} has {name} more than once; -n NAMESPACE selects one"),
        (several, None) => bail!(
            "{path} has {} objects that could be rewritten: name one as KIND/NAME{}",
            several.len(),
            listed(several.iter().copied())
        ),
    }
}

/// The first objects, for an error.
fn listed<'o, 't: 'o>(objects: impl Iterator<Item = &'o Object<'t>>) -> String {
    let objects = objects.filter(|one| one.kind != ObjectKind::Plain);
    let names = objects.filter_map(|one| {
        let (kind, name) = (one.field(&["kind"])?, one.field(&["metadata", "name"])?);
        Some(format!("{kind}/{name}"))
    });
    let mut names: Vec<_> = names.collect();
    match names.len().saturating_sub(MAX_LISTED) {
        _ if names.is_empty() => String::new(),
        0 => format!("; it has {}", names.join(", ")),
        more => {
            names.truncate(MAX_LISTED);
            format!("; it has {} and {more} more", names.join(", "))
        }
    }
}

/// The object with all of its fields, for a dry run; `None` if the file is no YAML, such as the template of a chart.
fn stored(
    sources: &[Arc<SourceFile>],
    object: &Object<'_>,
    namespace: &str,
) -> Option<serde_json::Value> {
    let field = |path: &[&str]| object.field(path).unwrap_or_default();
    let (kind, name) = (field(&["kind"]), field(&["metadata", "name"]));
    let mut values = sources.iter().flat_map(|source| yaml::values(&source.text));
    values.find(|value| {
        let own = value["metadata"]["namespace"].as_str();
        value["kind"] == kind
            && value["metadata"]["name"].as_str().unwrap_or_default() == name
            && own.is_none_or(|own| own == namespace)
    })
}

/// What is around the object: of the cluster that the flags select, or else of the flags alone.
fn surroundings(
    args: &Args,
    object: &Object<'_>,
    namespace: &str,
    tally: &mut Tally,
    stored: impl FnOnce() -> Option<serde_json::Value>,
) -> anyhow::Result<WhyInput> {
    let configuration = args.config.load(true)?;
    let tool = ToolVersion::current(catalog::date()?);
    let today = (args.evaluation.today())();
    let mut input = if args.cluster.is_selected() {
        block_on(async {
            let pager = args.cluster.connect().await?.pager;
            let around = Surroundings::read(args, &pager, namespace, object.kind, tally).await?;
            let kind = kind_of(object);
            let is_answered = is_answered_by_dry_run(&around.view, object.kind, &around.namespace);
            let dry_run = match (kind, stored()) {
                _ if args.no_dry_run => DryRunAnswer::not_sent(
                    "not known: no dry run was sent, because of --no-dry-run",
                ),
                _ if !is_answered => DryRunAnswer::of_workload(),
                (Some(kind), Some(object)) => dry_run(&pager, kind, namespace, &object).await,
                _ => DryRunAnswer::not_sent("not known: the file is no YAML that can be created"),
            };
            anyhow::Ok(WhyInput {
                tool,
                today,
                view: around.view,
                namespace: around.namespace,
                no_policy: around.no_policy,
                configurations: around.configurations,
                live: None,
                dry_run,
            })
        })?
    } else {
        let evaluation = args.evaluation.or_of(&configuration);
        WhyInput {
            tool,
            today,
            view: evaluation.view_printing_warnings()?,
            namespace: Namespace::named(namespace),
            no_policy: false,
            configurations: Vec::new(),
            live: None,
            dry_run: DryRunAnswer::not_sent(
                "not known: no cluster was read; --cluster or --context NAME selects one",
            ),
        }
    };
    input.view.assumed_region = configuration.region;
    Ok(input)
}

fn kind_of(object: &Object<'_>) -> Option<&'static BuiltInKind> {
    let version = object.field(&["apiVersion"]).unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    BuiltInKind::find(group, object.field(&["kind"])?)
}
