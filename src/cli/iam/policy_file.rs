//! Files with policy documents.

use std::path::{Path, PathBuf};

use crate::cli::named_file::read_named_bytes;
use crate::iam::{IamPolicy, IamPolicyError};
use crate::scan::encoding::Encoding;

/// Why a policy cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum PolicyFileError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file has no policy.
    #[error("{path}: {error}")]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: IamPolicyError,
    },
}

/// Reads a policy.
pub(super) fn read(path: &Path) -> Result<IamPolicy, PolicyFileError> {
    let unreadable = |source| PolicyFileError::File {
        path: path.to_owned(),
        source,
    };
    let bytes = read_named_bytes(path).map_err(unreadable)?;
    // PowerShell writes what the AWS CLI prints in UTF-16, or with a byte order mark.
    let (_, text) = Encoding::decode(bytes)
        .ok_or_else(|| unreadable(std::io::ErrorKind::InvalidData.into()))?;
    IamPolicy::parse(text.trim_start_matches('\u{feff}')).map_err(|error| PolicyFileError::Policy {
        path: path.to_owned(),
        error,
    })
}
