//! Replaces the content of a file so that nothing of the user's is lost, and writes files of results.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use xattr::FileExt as _;

use crate::scan::files::SourceFile;

use super::interruption::Interruption;

/// Why a file is not replaced. It is as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReplaceError {
    /// The file cannot be written.
    #[error("cannot write {path}: {source}; the file is unchanged")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file may not be written by anyone.
    #[error("{0} is read-only; the file is unchanged")]
    ReadOnly(PathBuf),
    /// The file has other names, which would keep the old text.
    #[error(
        "{path} has {links} names (hard links), of which one would change; the file is unchanged"
    )]
    Linked {
        /// The file.
        path: PathBuf,
        /// The number of its names.
        links: u64,
    },
    /// The file is not as it was read.
    #[error(
        "{0} was changed by another program after it was read; the file is unchanged, run the command again"
    )]
    Changed(PathBuf),
}

/// A file of results that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
pub struct OutputError {
    path: PathBuf,
    source: std::io::Error,
}

/// Replaces the text of `file`, which is at `path`, by renaming a temporary file, so that no reader sees a part of it. Owner, mode
/// and extended attributes stay; symbolic links are followed.
///
/// # Errors
/// The file cannot be replaced so. It is as it was, and no temporary file stays.
pub(super) fn replace(
    path: &Path,
    file: &SourceFile,
    text: &str,
    interruption: &Interruption,
) -> Result<(), ReplaceError> {
    interruption.hold(|| replace_uninterrupted(path, file, text))
}

fn replace_uninterrupted(path: &Path, file: &SourceFile, text: &str) -> Result<(), ReplaceError> {
    let io = |source| ReplaceError::Io {
        path: path.to_owned(),
        source,
    };
    let target = fs::canonicalize(path).map_err(io)?;
    let metadata = fs::metadata(&target).map_err(io)?;
    if metadata.permissions().readonly() {
        return Err(ReplaceError::ReadOnly(path.to_owned()));
    }
    if metadata.nlink() > 1 {
        return Err(ReplaceError::Linked {
            path: path.to_owned(),
            links: metadata.nlink(),
        });
    }
    let temporary = copy_of(&target, &metadata, &file.encoding.encode(text)).map_err(io)?;
    // As late as possible: what is written between this and the renaming is lost.
    if fs::read(&target).map_err(io)? != file.encoding.encode(&file.text) {
        return Err(ReplaceError::Changed(path.to_owned()));
    }
    let persisted = temporary.persist(&target);
    persisted.map_err(|error| io(error.error))?;
    Ok(())
}

/// Writes a result to `path` by renaming a temporary file, so that no reader sees a part of it. Symbolic links are followed, and a file
/// that exists keeps its mode. A pipe or device is written to as it is.
///
/// # Errors
/// The file cannot be written. If it exists, it is as it was.
pub(super) fn write_output(
    path: &Path,
    bytes: &[u8],
    interruption: &Interruption,
) -> Result<(), OutputError> {
    let persist =
        |target: &Path, permissions| interruption.hold(|| persist(target, bytes, permissions));
    let written = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            let target = fs::canonicalize(path);
            target.and_then(|target| persist(&target, metadata.permissions()))
        }
        Ok(_) => fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(bytes)),
        // The umask takes the permissions that the user gives to no others.
        Err(_) => persist(path, fs::Permissions::from_mode(0o666)),
    };
    written.map_err(|source| OutputError {
        path: path.to_owned(),
        source,
    })
}

fn persist(target: &Path, bytes: &[u8], permissions: fs::Permissions) -> std::io::Result<()> {
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    let mut temporary = tempfile::Builder::new()
        .permissions(permissions)
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.persist(target).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file beside `target` with these bytes, and its owner, mode and extended attributes.
fn copy_of(
    target: &Path,
    metadata: &fs::Metadata,
    bytes: &[u8],
) -> std::io::Result<tempfile::NamedTempFile> {
    let folder = target.parent().unwrap_or(target);
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    let file = temporary.as_file();
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        fchown(file, Some(metadata.uid()), Some(metadata.gid()))?;
    }
    // After the owner, whose change clears bits of the mode.
    file.set_permissions(metadata.permissions())?;
    for name in xattr::list(target)? {
        if let Some(value) = xattr::get(target, &name)? {
            file.set_xattr(&name, &value)?;
        }
    }
    file.sync_all()?;
    Ok(temporary)
}
