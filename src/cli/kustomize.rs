//! `-k`: the manifests of a folder as the installed kustomize renders them.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::scan::FileFormat;
use crate::scan::encoding::Encoding;
use crate::scan::files::SourceFile;

use super::console::message;
use super::interruption::Interruption;

/// The commands that render a folder, the preferred one first.
const COMMANDS: [[&str; 2]; 2] = [["kustomize", "build"], ["kubectl", "kustomize"]];

/// Why a folder is not rendered.
#[derive(Debug, thiserror::Error)]
pub(super) enum KustomizeError {
    /// No command is installed.
    #[error("cannot render {0}: neither kustomize nor kubectl is installed")]
    NotInstalled(PathBuf),
    /// The command cannot be started.
    #[error("cannot render {folder}: cannot run `{command}`: {source}")]
    NotStarted {
        /// The folder.
        folder: PathBuf,
        /// The command.
        command: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A signal has stopped the command.
    #[error("cannot render {folder}: `{command}` was stopped")]
    Stopped {
        /// The folder.
        folder: PathBuf,
        /// The command.
        command: String,
    },
    /// The command has failed, and has printed why.
    #[error("cannot render {folder}: `{command}` failed ({status})")]
    Failed {
        /// The folder.
        folder: PathBuf,
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The command has printed something else than text.
    #[error("cannot render {folder}: the output of `{command}` is no text")]
    NotText {
        /// The folder.
        folder: PathBuf,
        /// The command.
        command: String,
    },
}

/// The rendered manifests of a folder, as a file that has no path. Prints which command renders it, unless `quiet`; the command's own errors go to
/// standard error.
///
/// # Errors
/// No command is installed, or the command fails.
pub(super) fn render(
    folder: &Path,
    interruption: &Interruption,
    quiet: bool,
) -> Result<SourceFile, KustomizeError> {
    let (command, mut child) = start(folder)?;
    if !quiet {
        message!("note: `{command}` renders {}", folder.display());
    }
    let not_started = |source| KustomizeError::NotStarted {
        folder: folder.to_owned(),
        command: command.clone(),
        source,
    };
    let output = child.stdout.take();
    let read = interruption.unless_stopped(move || {
        let mut bytes = Vec::new();
        let read = output.map(|mut output| output.read_to_end(&mut bytes));
        read.transpose().map(|_| bytes)
    });
    let Some(read) = read else {
        // Ctrl-C has ended it too. It has no result that could be lost.
        let _ = child.kill().and_then(|()| child.wait());
        return Err(KustomizeError::Stopped {
            folder: folder.to_owned(),
            command,
        });
    };
    let output = read.map_err(&not_started)?;
    let status = child.wait().map_err(not_started)?;
    if !status.success() {
        return Err(KustomizeError::Failed {
            folder: folder.to_owned(),
            command,
            status,
        });
    }
    let name = format!("<{command} {}>", folder.display());
    let Some((encoding, text)) = Encoding::decode(output) else {
        return Err(KustomizeError::NotText {
            folder: folder.to_owned(),
            command,
        });
    };
    Ok(SourceFile {
        path: None,
        name,
        text,
        encoding,
        format: FileFormat::Yaml,
    })
}

/// Starts the first command that is installed.
fn start(folder: &Path) -> Result<(String, Child), KustomizeError> {
    for words @ [program, subcommand] in COMMANDS {
        let command = words.join(" ");
        let child = Command::new(program)
            .args([subcommand, "--"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        match child {
            Ok(child) => return Ok((command, child)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => {
                return Err(KustomizeError::NotStarted {
                    folder: folder.to_owned(),
                    command,
                    source,
                });
            }
        }
    }
    Err(KustomizeError::NotInstalled(folder.to_owned()))
}
