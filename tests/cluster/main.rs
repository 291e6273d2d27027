//! Trials against a real control plane: etcd, kube-apiserver and kube-controller-manager of one pinned version.
//!
//! Run them: `cargo test --test cluster [PART OF A NAME]`. Needed are unshare, ip and, for the first run, Go 1.26; not root.
//! The first run builds Kubernetes into `target/plane/` (6 minutes on two cores); `KUBEBUILDER_ASSETS=DIR` uses what is there.
//! `--list` starts nothing.
//!
//! Keep a plane open while working: `make plane` in one terminal; every later run in another joins it and saves the start.
//! It prints how to get a shell in there. A trial that fails on it leaves its namespace for inspection.
//!
//! Write one: a function in `trials/*.rs`, listed by the `trials()` of its file.
//!
//! ```ignore
//! plane("keeps_an_id_that_works", keeps_an_id_that_works)      // .with_controllers() if it needs a Deployment's Pods
//!
//! fn keeps_an_id_that_works(world: &World) -> Result<()> {
//!     world.identity_webhook(&Identity { region: "eu-west-2", ..Identity::default() })?;
//!     world.serve(&Serve { policies: POLICY, ..Serve::default() })?;   // returns when the API server calls it
//!     let output = world.create(POD)?;                                // kubectl: what a user would see
//!     assert_eq!(output.warnings(), Vec::<&str>::new());
//!     assert_eq!(world.get("pod", "chat")?["metadata"]["annotations"], Value::Null);
//!     Ok(())
//! }
//! ```
//!
//! `plane(…)` trials share a plane and run side by side: touch nothing beyond the world's namespace. `alone(…)` trials have
//! one each, in turn: for what concerns the whole cluster. Errors and panics both fail a trial, with what the cluster saw.
//! `kubectl` takes 0.1 s, so several objects go in one call. Pods stay Pending: there is no node.

mod accounts;
mod admin;
mod binaries;
mod certificates;
#[path = "../support/go.rs"]
mod go;
mod hosted;
mod measure;
mod namespaces;
mod open_reports;
#[path = "../support/tools.rs"]
mod pinned;
mod plane;
mod prober;
mod process;
mod proxy;
mod registration;
mod release;
mod server;
mod stand_in;
mod trial;
mod trials;
mod weigh;
mod world;

use std::{
    env,
    process::{ExitCode, exit},
    sync::Arc,
    thread,
};

use anyhow::Result;
use libtest_mimic::Arguments;
use tokio::signal::unix::{SignalKind, signal};

use namespaces::Inside;
use plane::Plane;

/// The argument that holds a plane open instead of running trials.
const HOLD: &str = "hold";

/// The argument that measures a release instead of running trials.
const MEASURE: &str = "measure";

/// The argument that weighs an audit instead of running trials.
const WEIGH: &str = "weigh-audit";

fn main() -> ExitCode {
    start().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn start() -> Result<ExitCode> {
    let first = env::args().nth(1).unwrap_or_default();
    let command = [HOLD, MEASURE, WEIGH].into_iter().find(|one| *one == first);
    let inside = Inside::from_environment()?.map(Arc::new);
    if let Some(inside) = &inside {
        inside.settle()?;
        match command {
            Some(HOLD) => return hold_open(inside),
            Some(MEASURE) => measure::all(Plane::start(&inside.binaries)?)?,
            Some(_) => weigh::audit(inside)?,
            None => {}
        }
        if command.is_some() {
            return Ok(ExitCode::SUCCESS);
        }
        // The first process of a PID namespace ignores every signal that it does not handle.
        thread::spawn(|| {
            let _ = wait_for_signal(); // without handlers only SIGKILL ends the run
            exit(130);
        });
    } else if command.is_some() {
        namespaces::enter(command == Some(HOLD))?;
    }
    let mut arguments = Arguments::from_args();
    let trials = trials::all();
    if inside.is_none()
        && !arguments.list
        && trials
            .iter()
            .any(|trial| selected(&arguments, trial.name()))
    {
        namespaces::enter(false)?;
    }
    if let Some(inside) = &inside {
        let impossible = trials
            .iter()
            .filter(|trial| selected(&arguments, trial.name()) && !trial.possible(inside));
        for trial in impossible {
            eprintln!(
                "without kube-controller-manager this trial cannot run and will fail: {}",
                trial.name()
            );
        }
    }
    arguments.test_threads.get_or_insert(4); // a trial mostly waits for other processes
    let trials = trials
        .into_iter()
        .map(|trial| trial.harnessed(inside.as_ref()))
        .collect();
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// Whether the harness would run a trial of this name.
fn selected(arguments: &Arguments, name: &str) -> bool {
    let matches = |filter: &String| {
        if arguments.exact {
            name == filter
        } else {
            name.contains(filter.as_str())
        }
    };
    !arguments.ignored
        && arguments.filter.as_ref().is_none_or(matches)
        && !arguments.skip.iter().any(matches)
}

/// Starts a plane and keeps it until a signal comes.
fn hold_open(inside: &Inside) -> Result<ExitCode> {
    let plane = Plane::start(&inside.binaries)?;
    let held = inside.open(plane.folder(), plane.address())?;
    println!("KUBECONFIG={}", plane.kubeconfig().display());
    println!("`cargo test --test cluster [NAME]` joins it. A shell in there, with its kubectl:");
    let (config, folder) = (plane.kubeconfig(), inside.binaries.folder());
    println!(
        "  {} env KUBECONFIG={} PATH={}:\"$PATH\" bash",
        held.entrance(),
        config.display(),
        folder.display()
    );
    println!("Ctrl-C ends it.");
    wait_for_signal()?;
    namespaces::close();
    Ok(ExitCode::SUCCESS)
}

/// Blocks until the user or the system asks this process to end.
fn wait_for_signal() -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let (mut interrupt, mut terminate) = (
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
            );
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            Ok(())
        })
}
