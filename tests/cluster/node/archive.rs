//! An image of one file, as an archive that containerd imports: what `FROM scratch` and `COPY` would make.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::namespaces::run;

/// Packs the program as the entry point of an image of this name, into `folder`, and says where the archive is.
pub(super) fn pack(program: &Path, name: &str, folder: &Path) -> Result<PathBuf> {
    let layout = tempfile::tempdir_in(folder)?;
    fs::create_dir_all(layout.path().join("blobs/sha256"))?;
    let (parent, file) = (
        program.parent().unwrap_or(Path::new("/")),
        program.file_name().unwrap_or_default().to_string_lossy(),
    );
    let layer = layout.path().join("layer.tar");
    tar(&layer, parent, &file)?;
    let content = fs::read(&layer)?;
    fs::remove_file(&layer)?;

    let layer = blob(layout.path(), "image.layer.v1.tar", &content)?;
    let config = json!({"architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }, "os": "linux",
        "config": {"Entrypoint": [format!("/{file}")], "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}});
    let config = blob(
        layout.path(),
        "image.config.v1+json",
        config.to_string().as_bytes(),
    )?;
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config, "layers": [layer]});
    let mut manifest = blob(
        layout.path(),
        "image.manifest.v1+json",
        manifest.to_string().as_bytes(),
    )?;
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    fs::write(layout.path().join("index.json"), index.to_string())?;
    fs::write(
        layout.path().join("oci-layout"),
        json!({"imageLayoutVersion": "1.0.0"}).to_string(),
    )?;

    let archive = folder.join(format!("{file}.tar"));
    tar(&archive, layout.path(), ".")?;
    Ok(archive)
}

fn tar(archive: &Path, folder: &Path, what: &str) -> Result<()> {
    let (archive, folder) = (archive.display().to_string(), folder.display().to_string());
    run(
        "tar",
        &[
            "--create",
            "--owner=0",
            "--group=0",
            "--file",
            &archive,
            "--directory",
            &folder,
            what,
        ],
    )
}

/// Stores a blob under its digest, and describes it.
fn blob(layout: &Path, kind: &str, content: &[u8]) -> Result<Value> {
    use std::fmt::Write as _;

    let mut hex = String::new();
    for byte in digest(&SHA256, content).as_ref() {
        write!(hex, "{byte:02x}")?;
    }
    fs::write(layout.join("blobs/sha256").join(&hex), content)?;
    Ok(
        json!({"mediaType": format!("application/vnd.oci.{kind}"), "digest": format!("sha256:{hex}"), "size": content.len()}),
    )
}
