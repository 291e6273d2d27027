//! Control planes that are held open for people.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Result;

use crate::{
    deployment::Deployment,
    namespaces::{self, Held, Inside},
    node::{self, Node},
    pinned::HELM_4,
    plane::Plane,
    wait_for_signal,
    world::World,
};

/// What runs in the playground.
const WORKLOADS: &str = include_str!("assets/workloads.yaml");

/// Starts a plane, which other runs join, and keeps it until a signal comes.
pub(crate) fn plane(inside: &Inside) -> Result<ExitCode> {
    let plane = Plane::start(&inside.binaries)?;
    let held = inside.open(plane.folder(), plane.address())?;
    println!("KUBECONFIG={}", plane.kubeconfig().display());
    println!("`cargo test --test cluster [NAME]` joins it. A shell in there, with its kubectl:");
    print_entrance(&held, &plane, inside.binaries.folder());
    wait_for_signal()?;
    namespaces::close();
    Ok(ExitCode::SUCCESS)
}

/// Starts a plane with a node, installs a release and three workloads, and keeps all of it until a signal comes.
pub(crate) fn playground(inside: &Inside) -> Result<ExitCode> {
    let plane = Arc::new(Plane::start(&inside.binaries)?);
    let node = Arc::new(Node::start(&plane, inside.node_tools()?)?);
    let world = World::new(plane.clone(), "bedrock-profiles", true)?.with_node(node);
    let _release = Deployment::install(&world)?;
    let apps = world.neighbour("apps")?;
    world.apply_in(&apps, WORKLOADS)?;
    println!(
        "bedrock-profiles is installed in the namespace {}.",
        world.namespace()
    );
    println!("Three workloads run in {apps}; what was done to them:");
    println!("  kubectl get pods --namespace {apps} --output yaml | grep bedrock-profiles.dev");
    println!("A shell in there, with its kubectl and helm:");
    let programs = programs(inside, &plane)?;
    let held = inside.open(plane.folder(), plane.address())?;
    print_entrance(&held, &plane, &programs);
    wait_for_signal()?;
    namespaces::close();
    node::end();
    Ok(ExitCode::SUCCESS)
}

/// A folder with what a person types.
fn programs(inside: &Inside, plane: &Plane) -> Result<PathBuf> {
    let folder = plane.folder().join("programs");
    fs::create_dir_all(&folder)?;
    let kubectl = inside.binaries.folder().join("kubectl");
    for (program, name) in [(kubectl, "kubectl"), (HELM_4.path()?, "helm")] {
        symlink(program, folder.join(name))?;
    }
    Ok(folder)
}

fn print_entrance(held: &Held, plane: &Plane, programs: &Path) {
    println!(
        "  {} env KUBECONFIG={} PATH={}:\"$PATH\" bash",
        held.entrance(),
        plane.kubeconfig().display(),
        programs.display()
    );
    println!("Ctrl-C ends it.");
}
