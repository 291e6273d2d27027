//! A trial, and how it is run: on the shared plane, on one of its own or on the node, with the evidence when it fails.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::{Result, anyhow, bail};
use libtest_mimic::Failed;

use crate::{namespaces::Inside, node::Node, plane::Plane, world::World};

/// Held by the trial that has a plane to itself: several at once would be too much for a small machine.
static TURN: Mutex<()> = Mutex::new(());

/// The level of trials on a node.
pub(crate) const NODE: &str = "node";

/// The level of trials with the engines of Argo CD and Flux.
pub(crate) const GITOPS: &str = "gitops";

/// The level of trials with the AWS CLI.
pub(crate) const AWS_CLI: &str = "aws-cli";

/// What a trial runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ground {
    Shared,
    Alone,
    Node,
}

/// One trial.
pub(crate) struct Trial {
    name: String,
    ground: Ground,
    on_request: Option<&'static str>,
    needs_controllers: bool,
    body: fn(&World) -> Result<()>,
}

/// A trial on the plane that all such trials share: it may touch nothing beyond its namespace.
pub(crate) fn plane(name: &str, body: fn(&World) -> Result<()>) -> Trial {
    Trial {
        name: format!("plane::{name}"),
        ground: Ground::Shared,
        on_request: None,
        needs_controllers: false,
        body,
    }
}

/// A trial on a plane of its own, 8 seconds more, one at a time: for what concerns the whole cluster.
pub(crate) fn alone(name: &str, body: fn(&World) -> Result<()>) -> Trial {
    Trial {
        name: format!("alone::{name}"),
        ground: Ground::Alone,
        on_request: None,
        needs_controllers: false,
        body,
    }
}

/// A trial on the plane with a node, which such trials share, one after the other: whatever it makes beyond its namespace, it removes.
pub(crate) fn node(name: &str, body: fn(&World) -> Result<()>) -> Trial {
    Trial {
        name: format!("{NODE}::{name}"),
        ground: Ground::Node,
        on_request: Some(NODE),
        needs_controllers: true,
        body,
    }
}

/// A trial with the engine of Argo CD or Flux, on the plane that all `plane::` trials share.
pub(crate) fn gitops(name: &str, body: fn(&World) -> Result<()>) -> Trial {
    Trial {
        name: format!("{GITOPS}::{name}"),
        on_request: Some(GITOPS),
        ..plane(name, body).with_controllers()
    }
}

/// A trial with the AWS CLI, on a plane of its own.
pub(crate) fn aws_cli(name: &str, body: fn(&World) -> Result<()>) -> Trial {
    Trial {
        name: format!("{AWS_CLI}::{name}"),
        on_request: Some(AWS_CLI),
        ..alone(name, body)
    }
}

impl Trial {
    /// Says that the trial lives on what kube-controller-manager does, such as making the Pods of a Deployment.
    pub(crate) fn with_controllers(self) -> Self {
        Self {
            needs_controllers: true,
            ..self
        }
    }

    /// Gives the trial a plane of its own, for what concerns the whole cluster.
    pub(crate) fn with_own_plane(self) -> Self {
        Self {
            ground: Ground::Alone,
            ..self
        }
    }

    /// The name with its level, as it is filtered by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The level that has to be asked for, if the trial does not run with the others.
    pub(crate) fn on_request(&self) -> Option<&'static str> {
        self.on_request
    }

    /// Why the trial cannot run here, if it cannot.
    pub(crate) fn skip_reason(&self, inside: &Inside) -> Option<String> {
        if self.needs_controllers && !inside.binaries.has_controllers() {
            return Some(format!(
                "there is no kube-controller-manager in {}; add it, or unset KUBEBUILDER_ASSETS",
                inside.binaries.folder().display()
            ));
        }
        match &inside.node {
            Some(Err(reason)) if self.ground == Ground::Node => Some(reason.clone()),
            _ => None,
        }
    }

    /// The trial in the form of the test harness. Without `inside` it can only be listed.
    pub(crate) fn into_harness_trial(self, inside: Option<&Arc<Inside>>) -> libtest_mimic::Trial {
        let inside = inside.cloned();
        libtest_mimic::Trial::test(self.name.clone(), move || {
            let inside = inside.ok_or("not in its namespaces")?;
            self.run(&inside)
                .map_err(|error| Failed::from(format!("{error:#}")))
        })
    }

    fn run(&self, inside: &Inside) -> Result<()> {
        if let Some(skip_reason) = self.skip_reason(inside) {
            bail!("cannot run: {skip_reason}");
        }
        if self.ground == Ground::Shared {
            return self.on(shared(inside)?, None);
        }
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ground == Ground::Node {
            let (plane, node) = shared_node(inside)?;
            return self.on(plane, Some(node));
        }
        self.on(Arc::new(Plane::start(&inside.binaries)?), None)
    }

    fn on(&self, plane: Arc<Plane>, node: Option<Arc<Node>>) -> Result<()> {
        let shared_node = node.is_some();
        let mut world = World::new(plane, &self.name, self.ground == Ground::Alone)?;
        let before = world.namespaces()?;
        if let Some(node) = node {
            world = world.with_node(node);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.body)(&world)));
        let outcome =
            outcome.unwrap_or_else(|panic| Err(anyhow!("panicked: {}", message(panic.as_ref()))));
        let outcome = outcome.map_err(|error| anyhow!("{error:#}\n{}", world.diagnostics()));
        if shared_node {
            world.remove_namespaces_but(&before);
        }
        world.end(outcome.is_err());
        outcome
    }
}

/// The plane of all `plane::` trials, started by the first of them.
fn shared(inside: &Inside) -> Result<Arc<Plane>> {
    static SHARED: OnceLock<Result<Arc<Plane>, String>> = OnceLock::new();
    let plane =
        SHARED.get_or_init(|| Plane::join_or_start(inside).map_err(|error| format!("{error:#}")));
    plane
        .clone()
        .map_err(|error| anyhow!("there is no control plane: {error}"))
}

/// A plane with a node.
type Equipped = (Arc<Plane>, Arc<Node>);

/// The plane and the node of all `node::` trials, started by the first of them.
fn shared_node(inside: &Inside) -> Result<Equipped> {
    static SHARED: OnceLock<Result<Equipped, String>> = OnceLock::new();
    let start = || {
        let plane = Arc::new(Plane::start(&inside.binaries)?);
        let node = Node::start(&plane, inside.node_tools()?)
            .map_err(|error| anyhow!("{error:#}\n{}", plane.last_log_lines("kube-system")))?;
        Ok((plane, Arc::new(node)))
    };
    let shared =
        SHARED.get_or_init(|| start().map_err(|error: anyhow::Error| format!("{error:#}")));
    shared
        .clone()
        .map_err(|error| anyhow!("there is no node: {error}"))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}
