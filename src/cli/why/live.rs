//! An object of a cluster.

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::audit::list_path;
use crate::catalog;
use crate::cluster::list::{ListError, Pager};
use crate::domain::kinds::BuiltInKind;
use crate::domain::object::{Object, ObjectKind};
use crate::report::{ObjectReference, ToolVersion};
use crate::text::Tree;
use crate::why::{DryRunAnswer, WhyInput, WhyReport, explain, is_answered_by_dry_run};

use super::super::cluster_args::block_on;
use super::super::tally::Tally;
use super::Args;
use super::named_object::NamedObject;
use super::surroundings::{Surroundings, dry_run};

/// What refers to ConfigMaps in the JSON of an object.
const REFERENCE: &str = "\"configMap";

/// Explains an object of the cluster.
pub(super) fn report(
    args: &Args,
    name: &NamedObject,
    tally: &mut Tally,
) -> anyhow::Result<WhyReport> {
    let Some(kind) = name.built_in else {
        let kinds: Vec<_> = BuiltInKind::all().map(|kind| kind.kind).collect();
        bail!(
            "the webhook does not review {name}: name one of the kinds {}, or a file with -f",
            kinds.join(", ")
        );
    };
    block_on(async {
        let connection = args.cluster.connect().await?;
        let pager = connection.pager;
        let namespace = args.namespace.clone();
        let namespace = namespace.unwrap_or(connection.clients.namespace);
        let text = read(&pager, kind, &namespace, &name.name).await?;
        let tree = Tree::json(&text).context("the API server's response is not an object")?;
        let object = Object::of_kind(&tree, tree.root(), kind.api_version, kind.kind);
        let mut around = Surroundings::read(args, &pager, &namespace, object.kind, tally).await?;
        if object.kind != ObjectKind::ConfigMap && text.contains(REFERENCE) {
            around.read_config_maps(&pager).await?;
        }
        let dry_run = if args.no_dry_run {
            DryRunAnswer::not_sent("not known: no dry run was sent, because of --no-dry-run")
        } else if is_answered_by_dry_run(&around.view, object.kind, &around.namespace) {
            let object: Value = serde_json::from_str(&text)?;
            dry_run(&pager, kind, &namespace, &object).await
        } else {
            DryRunAnswer::of_workload()
        };
        let reference = ObjectReference {
            api_version: kind.api_version.to_owned(),
            kind: kind.kind.to_owned(),
            namespace,
            name: name.name.clone(),
        };
        let input = WhyInput {
            tool: ToolVersion::current(catalog::date()?),
            today: (args.evaluation.today())(),
            view: around.view,
            namespace: around.namespace,
            no_policy: around.no_policy,
            configurations: around.configurations,
            live: Some(around.times),
            dry_run,
        };
        explain(&object, reference, input).context("there is no policy to evaluate with")
    })
}

/// The object, as JSON.
async fn read(
    pager: &Pager,
    kind: &'static BuiltInKind,
    namespace: &str,
    name: &str,
) -> anyhow::Result<String> {
    let path = list_path(kind, Some(namespace));
    let (kind, plural) = (kind.kind, kind.plural);
    match pager.get(&format!("{path}/{name}")).await {
        Ok(Some(text)) => Ok(text),
        Ok(None) => bail!(
            "{kind} {namespace}/{name} does not exist; `kubectl get {plural} -n {namespace}` lists what does"
        ),
        Err(ListError::Forbidden) => bail!(
            "cannot read {kind} {namespace}/{name}: forbidden; grant the verb get on {plural}"
        ),
        Err(error) => Err(error.into()),
    }
}
