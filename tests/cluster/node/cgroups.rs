//! The cgroups of a node's Pods: the kernel keeps them when their processes are gone, in whatever namespace they were made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use anyhow::Result;

/// The beginning of the names of all such cgroups.
const PREFIX: &str = "bedrock-profiles-trials-";

const ROOT: &str = "/sys/fs/cgroup";

/// Makes the cgroup of a node, in every hierarchy that the machine has, and says its name as the kubelet wants it.
pub(super) fn make() -> Result<String> {
    let name = format!("{PREFIX}{:08x}", fastrand::u32(..));
    for hierarchy in hierarchies() {
        fs::create_dir_all(hierarchy.join(&name))?;
    }
    Ok(format!("/{name}"))
}

/// Removes what runs left that were cut short. What is in use stays, as the kernel sees to it.
pub(super) fn sweep() {
    for hierarchy in hierarchies() {
        for cgroup in folders(&hierarchy) {
            let name = cgroup.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(PREFIX) {
                remove(&cgroup);
            }
        }
    }
}

/// Ends every other process of this PID namespace, and removes the cgroups. Only as its first process, at the end of everything.
pub(crate) fn end() {
    let _ = Command::new("kill").args(["-9", "-1"]).status(); // the namespace ends them at the latest
    thread::sleep(Duration::from_millis(200)); // they leave their cgroups a moment after the signal
    sweep();
}

/// The roots of all hierarchies: of cgroup v2 the only one, of v1 one for each controller.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").is_file() {
        return vec![root.to_owned()];
    }
    folders(root)
}

fn remove(cgroup: &Path) {
    for child in folders(cgroup) {
        remove(&child);
    }
    let _ = fs::remove_dir(cgroup); // in use
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let links = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    entries.filter(links).map(|entry| entry.path()).collect()
}
