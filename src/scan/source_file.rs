//! Files that were read.

use std::path::{Path, PathBuf};

use super::encoding::Encoding;
use super::{FileFormat, ParsedFile};

/// A file that was read.
#[derive(Debug)]
pub struct SourceFile {
    /// The path; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The name for findings.
    pub name: String,
    /// The text.
    pub text: String,
    /// How the text is stored.
    pub encoding: Encoding,
    /// The format.
    pub format: FileFormat,
}

impl SourceFile {
    /// Parses the text.
    pub fn parse(&self) -> ParsedFile<'_> {
        ParsedFile::parse(&self.name, &self.text, self.format)
    }
}

/// Why a file is not evaluated.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("cannot read {name}: {source}")]
    Unreadable {
        /// The name of the file.
        name: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file is no text.
    #[error("{name} is neither UTF-8 nor UTF-16, and was skipped")]
    NotText {
        /// The name of the file.
        name: String,
    },
    /// The path is a URL, which is not fetched.
    #[error(
        "cannot read {name}: URLs are not fetched; `curl -fsSL {name}` writes it into a pipe, which `-` reads"
    )]
    Url {
        /// The URL.
        name: String,
    },
    /// The path names a pipe or a device, which may have no end.
    #[error("cannot read {name}: it is neither a file nor a folder; write `-` for standard input")]
    NotAFile {
        /// The name of the file.
        name: String,
    },
    /// The file is not as it was read before.
    #[error(
        "{name} was changed by another program while files were read, and was not evaluated; run the command again"
    )]
    Changed {
        /// The name of the file.
        name: String,
    },
}

impl FileError {
    /// The name of the file.
    pub fn name(&self) -> &str {
        match self {
            Self::Unreadable { name, .. }
            | Self::NotText { name }
            | Self::Url { name }
            | Self::NotAFile { name }
            | Self::Changed { name } => name,
        }
    }
}

impl SourceFile {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        match path.metadata() {
            Ok(file) if !file.is_file() => {
                let name = path.display().to_string();
                Err(FileError::NotAFile { name })
            }
            Ok(_) => Self::of_bytes(path, std::fs::read(path)),
            Err(source) => {
                let name = path.display().to_string();
                Err(if is_url(&name) {
                    FileError::Url { name }
                } else {
                    FileError::Unreadable { name, source }
                })
            }
        }
    }

    /// The file at a path with these bytes; `-` is standard input.
    pub(super) fn of_bytes(
        path: &Path,
        bytes: std::io::Result<Vec<u8>>,
    ) -> Result<Self, FileError> {
        let stdin = path == Path::new("-");
        let name = if stdin {
            "<stdin>".to_owned()
        } else {
            path.display().to_string()
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(source) => return Err(FileError::Unreadable { name, source }),
        };
        let Some((encoding, text)) = Encoding::decode(bytes) else {
            return Err(FileError::NotText { name });
        };
        let format = match FileFormat::of(path) {
            FileFormat::Other if stdin && text.trim_start().starts_with('{') => FileFormat::Json,
            FileFormat::Other if stdin => FileFormat::Yaml,
            format @ (FileFormat::Json | FileFormat::Yaml | FileFormat::Other) => format,
        };
        Ok(Self {
            path: (!stdin).then(|| path.to_owned()),
            name,
            text,
            encoding,
            format,
        })
    }
}

fn is_url(name: &str) -> bool {
    let schemes = ["https://", "http://"];
    schemes.iter().any(|scheme| name.starts_with(scheme))
}
