//! The cgroups of a node's Pods: the kernel keeps them when their processes are gone, in whatever namespace they were made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

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

/// Allocates more memory in the cgroup of a process than that may have, until the kernel has killed what it contains: first the
/// process, whose `oom_score_adj` the kubelet has raised.
pub(crate) fn exhaust_memory(process: &Path) -> Result<()> {
    const MORE: &str = "160M"; // than the limit of the chart
    let cgroup = memory_cgroup(process)?;
    // `tail` keeps a line that does not end.
    let script = r#"echo $$ > "$0/cgroup.procs" && head -c "$1" /dev/zero | tail > /dev/null"#;
    let status = Command::new("sh")
        .args(["-c", script])
        .arg(&cgroup)
        .arg(MORE)
        .stderr(Stdio::null()) // the shell reports what was killed
        .status()?;
    ensure!(!status.success(), "{} was not exhausted", cgroup.display());
    Ok(())
}

/// The folder of the cgroup that limits the memory of a process.
fn memory_cgroup(process: &Path) -> Result<PathBuf> {
    let text = fs::read_to_string(process.join("cgroup"))?;
    let lines = text.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        Some((parts.next()?, parts.next()?.trim_start_matches('/')))
    });
    let folder = lines
        .filter(|(controllers, _)| {
            controllers.is_empty() || controllers.split(',').any(|one| one == "memory")
        })
        .map(|(controllers, path)| Path::new(ROOT).join(controllers).join(path))
        .find(|folder| folder.join("cgroup.procs").is_file());
    folder.with_context(|| format!("no cgroup with memory: {text}"))
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
