//! The definitions of OpenReports, from its Go module: pinned by `assets/openreports/go.sum`, and never part of this repository.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::binaries;

/// The module, and the version that `assets/openreports/go.mod` pins.
const MODULE: &str = "github.com/openreports/reports-api";
const VERSION: &str = "v0.2.1";

/// Fetches the definitions once. Needs the network, so it comes before the namespaces; who has no Go misses them only in the
/// trials that read them.
pub(crate) fn fetch() -> Result<()> {
    if kept().is_file() {
        return Ok(());
    }
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/assets/openreports");
    let output = Command::new("go")
        .args(["mod", "download", "-json", MODULE])
        .current_dir(module)
        .envs([("GOFLAGS", ""), ("GOWORK", "off")])
        .output()
        .context("cannot start go")?;
    ensure!(
        output.status.success(),
        "cannot fetch {MODULE}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let folder = Path::new(report["Dir"].as_str().context("go names no folder")?);
    fs::create_dir_all(binaries::tools_folder())?;
    let draft = tempfile::NamedTempFile::new_in(binaries::tools_folder())?;
    fs::copy(folder.join("config/install.yaml"), draft.path())?;
    draft.persist(kept())?;
    Ok(())
}

/// The definitions as YAML.
pub(crate) fn definitions() -> Result<String> {
    fs::read_to_string(kept()).with_context(|| {
        format!("there are no definitions of OpenReports: run once with Go and the network, which fetches {MODULE} {VERSION}")
    })
}

fn kept() -> PathBuf {
    binaries::tools_folder().join(format!("openreports-{VERSION}.yaml"))
}
