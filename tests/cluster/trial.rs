//! A trial, and how it is run: on the shared plane or on one of its own, with the evidence when it fails.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::{Result, anyhow, ensure};
use libtest_mimic::Failed;

use crate::{namespaces::Inside, plane::Plane, world::World};

/// Held by the trial whose own plane is running: several at once would be too much for a small machine.
static TURN: Mutex<()> = Mutex::new(());

/// One trial.
pub(crate) struct Trial {
    name: String,
    alone: bool,
    needs_controllers: bool,
    body: fn(&World) -> Result<()>,
}

/// A trial on the plane that all such trials share: it may touch nothing beyond its namespace.
pub(crate) fn plane(name: &str, body: fn(&World) -> Result<()>) -> Trial {
    Trial {
        name: format!("plane::{name}"),
        alone: false,
        needs_controllers: false,
        body,
    }
}

/// A trial on a plane of its own, 8 seconds more, one at a time: for what concerns the whole cluster.
pub(crate) fn alone(name: &str, body: fn(&World) -> Result<()>) -> Trial {
    Trial {
        name: format!("alone::{name}"),
        alone: true,
        needs_controllers: false,
        body,
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

    /// The name with its level, as it is filtered by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the trial can run with these binaries.
    pub(crate) fn possible(&self, inside: &Inside) -> bool {
        !self.needs_controllers || inside.binaries.has_controllers()
    }

    /// The trial in the form of the test harness. Without `inside` it can only be listed.
    pub(crate) fn harnessed(self, inside: Option<&Arc<Inside>>) -> libtest_mimic::Trial {
        let inside = inside.cloned();
        libtest_mimic::Trial::test(self.name.clone(), move || {
            let inside = inside.ok_or("not in its namespaces")?;
            self.run(&inside)
                .map_err(|error| Failed::from(format!("{error:#}")))
        })
    }

    fn run(&self, inside: &Inside) -> Result<()> {
        ensure!(
            self.possible(inside),
            "cannot run: there is no kube-controller-manager in {}; add it, or unset KUBEBUILDER_ASSETS",
            inside.binaries.folder().display()
        );
        if !self.alone {
            return self.on(shared(inside)?);
        }
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        self.on(Arc::new(Plane::start(&inside.binaries)?))
    }

    fn on(&self, plane: Arc<Plane>) -> Result<()> {
        let world = World::new(plane, &self.name, self.alone)?;
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.body)(&world)));
        let outcome =
            outcome.unwrap_or_else(|panic| Err(anyhow!("panicked: {}", message(panic.as_ref()))));
        let outcome = outcome.map_err(|error| anyhow!("{error:#}\n{}", world.evidence()));
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

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}
