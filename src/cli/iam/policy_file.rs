//! Files with policy documents.

use std::path::{Path, PathBuf};

use crate::iam::{IamPolicy, IamPolicyError};

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
    let text = std::fs::read_to_string(path).map_err(|source| PolicyFileError::File {
        path: path.to_owned(),
        source,
    })?;
    IamPolicy::parse(&text).map_err(|error| PolicyFileError::Policy {
        path: path.to_owned(),
        error,
    })
}
