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
//! one each, in turn: for what concerns the whole cluster. `node(…)` trials share a plane with a real node, in turn, on which
//! Pods run and the image is loaded; they run where they are asked for, by `make node` (CONTRIBUTING.md says what it needs).
//! `gitops(…)` trials share the plane of the first ones and run the engines of Argo CD and Flux; they run by `make gitops`.
//! `aws_cli(…)` trials run the AWS CLI against a stand-in, each on a plane of its own; they run by `make aws-cli`.
//! Errors and panics both fail a trial, with what the cluster saw. `kubectl` takes 0.1 s, so several objects go in one call.
//! Without a node, Pods stay Pending.

mod accounts;
mod admin;
mod audit_benchmark;
mod bedrock;
#[path = "../support/bedrock_answers.rs"]
mod bedrock_answers;
mod binaries;
mod certificates;
mod clients;
mod counters;
mod creates;
mod deployment;
#[path = "../support/metrics.rs"]
mod exposition;
mod gitops;
#[path = "../support/go.rs"]
mod go;
mod helm;
mod hold;
mod hosted;
mod link;
mod measure;
mod namespaces;
mod node;
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
#[path = "../support/tls_client.rs"]
mod tls_client;
mod trial;
mod trials;
mod webhook_credentials;
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

use namespaces::{Inside, Purpose};
use plane::Plane;
use trial::{AWS_CLI, GITOPS, NODE};

/// The argument that holds a plane open instead of running trials.
const HOLD: &str = "hold";

/// The argument that holds a plane with a node, a release and workloads open.
const PLAYGROUND: &str = "playground";

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
    let command = [HOLD, PLAYGROUND, MEASURE, WEIGH]
        .into_iter()
        .find(|one| *one == first);
    let inside = Inside::from_environment()?.map(Arc::new);
    match (&inside, command) {
        (Some(inside), Some(command)) => return obey(command, inside),
        (Some(inside), None) => {
            inside.prepare()?;
            end_on_signals(inside.is_machine_root());
        }
        (None, Some(command)) => namespaces::enter(Purpose {
            open: command == HOLD,
            node: command == PLAYGROUND,
            engines: false,
        })?,
        (None, None) => {}
    }
    let mut arguments = Arguments::from_args();
    let asked = on_request(&arguments);
    let mut trials = trials::all();
    trials.retain(|trial| trial.on_request() == asked);
    let mut wanted = trials
        .iter()
        .filter(|trial| selected(&arguments, trial.name()))
        .peekable();
    if let Some(inside) = &inside {
        for trial in wanted {
            if let Some(skip_reason) = trial.skip_reason(inside) {
                eprintln!("{} cannot run and will fail: {skip_reason}", trial.name());
            }
        }
    } else if !arguments.list && wanted.peek().is_some() {
        namespaces::enter(Purpose {
            node: asked == Some(NODE),
            engines: asked == Some(GITOPS),
            open: false,
        })?;
    }
    arguments.test_threads.get_or_insert(4); // a trial mostly waits for other processes
    let into_harness_trial = trials
        .into_iter()
        .map(|trial| trial.into_harness_trial(inside.as_ref()))
        .collect();
    let conclusion = libtest_mimic::run(&arguments, into_harness_trial);
    if inside.is_some_and(|inside| inside.is_machine_root()) {
        node::end();
    }
    Ok(conclusion.exit_code())
}

/// Does something else than to run trials.
fn obey(command: &str, inside: &Inside) -> Result<ExitCode> {
    inside.prepare()?;
    match command {
        HOLD => return hold::plane(inside),
        PLAYGROUND => return hold::playground(inside),
        MEASURE => measure::all(Plane::start(&inside.binaries)?)?,
        _ => audit_benchmark::audit(inside)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The first process of a PID namespace ignores every signal that it does not handle.
fn end_on_signals(is_machine_root: bool) {
    thread::spawn(move || {
        let _ = wait_for_signal(); // without handlers only SIGKILL ends the run
        if is_machine_root {
            node::end();
        }
        exit(130);
    });
}

/// The level that the filter begins with, if its trials run only on request: those on a node need root, packages and the image, and
/// those of Argo CD and Flux need programs that take minutes to build, and those with the AWS CLI need its packages.
fn on_request(arguments: &Arguments) -> Option<&'static str> {
    let filter = arguments.filter.as_deref().unwrap_or_default();
    let level = filter.split("::").next();
    [NODE, GITOPS, AWS_CLI]
        .into_iter()
        .find(|one| level == Some(*one))
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
