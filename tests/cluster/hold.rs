//! Control planes that are held open for people.

use std::{
    fs,
    mem::ManuallyDrop,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Result;

use crate::{
    deployment::Deployment,
    helm::CHART,
    namespaces::{self, Held, Inside, PROXIES},
    node::{self, Node},
    pinned::HELM_4,
    plane::Plane,
    release::NAME,
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
    // The release ends with the plane: uninstalling it would need an API server that still runs.
    let _release = ManuallyDrop::new(Deployment::install(&world)?);
    let apps = world.neighbour("apps")?;
    world.apply_in(&apps, WORKLOADS)?;
    print_examples(world.namespace(), &apps);
    let programs = programs(inside, &plane)?;
    let held = inside.open(plane.folder(), plane.address())?;
    print_entrance(&held, &plane, &programs);
    wait_for_signal()?;
    namespaces::close();
    node::end();
    Ok(ExitCode::SUCCESS)
}

fn print_examples(release: &str, apps: &str) {
    println!("bedrock-profiles is installed in the namespace {release}; three Pods run in {apps}.");
    println!(
        "A shell in the folder of the repository has kubectl, helm and bedrock-profiles. Try there:"
    );
    println!("  kubectl get pods --namespace {apps} --output yaml | grep bedrock-profiles.dev");
    println!("  bedrock-profiles audit --all-namespaces");
    println!(
        "  helm upgrade {NAME} {CHART} --namespace {release} --reuse-values --set policy.mode=DryRun"
    );
    println!("The shell:");
}

/// A folder with the programs that a user types.
fn programs(inside: &Inside, plane: &Plane) -> Result<PathBuf> {
    let folder = plane.folder().join("programs");
    fs::create_dir_all(&folder)?;
    let kubectl = inside.binaries.folder().join("kubectl");
    let product = PathBuf::from(env!("CARGO_BIN_EXE_bedrock-profiles"));
    for (program, name) in [
        (kubectl, "kubectl"),
        (HELM_4.path()?, "helm"),
        (product, "bedrock-profiles"),
    ] {
        symlink(program, folder.join(name))?;
    }
    Ok(folder)
}

/// Prints the command of a shell in the folder of the repository, without the proxies of the machine.
fn print_entrance(held: &Held, plane: &Plane, programs: &Path) {
    let unset = PROXIES.map(|name| format!("-u {name} -u {}", name.to_lowercase()));
    println!(
        "  {} env --chdir={} {} KUBECONFIG={} PATH={}:\"$PATH\" bash",
        held.enter_command(),
        env!("CARGO_MANIFEST_DIR"),
        unset.join(" "),
        plane.kubeconfig().display(),
        programs.display()
    );
    println!("Ctrl-C ends it.");
}
