//! Reads the files that flags name.

use std::fs;
use std::path::Path;

use crate::scan::files::is_of_this_process;

/// The text of a file, or of the output of a command that a shell passes as a file, `<(…)`.
///
/// # Errors
/// The file cannot be read, or is a device or a pipe with a name, which may have no end.
pub(super) fn read_named(path: &Path) -> std::io::Result<String> {
    let text = String::from_utf8(read_named_bytes(path)?);
    text.map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error()))
}

/// The content of such a file, in any encoding.
///
/// # Errors
/// As of [`read_named`].
pub(super) fn read_named_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() && !kind.is_dir() && !is_of_this_process(path) {
        return Err(std::io::Error::other("it is not a file"));
    }
    fs::read(path)
}
