//! Files that are read when they are evaluated, and again when another file decides about them, so that no text stays in memory.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;

use super::FileFormat;
use super::encoding::Encoding;
use super::parts::LARGE;
use super::source_file::{FileError, SourceFile};

/// A file to evaluate.
#[derive(Debug, Clone)]
pub struct InputFile(InputContent);

#[derive(Debug, Clone)]
enum InputContent {
    /// A file that can be read again.
    OnDisk(PathBuf),
    /// What can be read once, such as standard input.
    Held(Arc<SourceFile>),
}

impl InputFile {
    /// A file that can be read again.
    pub const fn on_disk(path: PathBuf) -> Self {
        Self(InputContent::OnDisk(path))
    }

    /// What cannot be read again.
    pub fn held(file: SourceFile) -> Self {
        Self(InputContent::Held(Arc::new(file)))
    }

    /// The name for findings.
    pub fn name(&self) -> String {
        match &self.0 {
            InputContent::OnDisk(path) => path.display().to_string(),
            InputContent::Held(file) => file.name.clone(),
        }
    }

    /// Whether the file can be read again.
    pub const fn is_on_disk(&self) -> bool {
        matches!(self.0, InputContent::OnDisk(_))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// The file cannot be read, or is no text.
    pub fn read(&self) -> Result<Arc<SourceFile>, FileError> {
        match &self.0 {
            InputContent::OnDisk(path) => SourceFile::read(path).map(Arc::new),
            InputContent::Held(file) => Ok(Arc::clone(file)),
        }
    }

    /// The text of a large file that may have many documents; `None` for a file that is read as a whole.
    pub(super) fn large(&self) -> Option<Box<dyn Read>> {
        match &self.0 {
            InputContent::OnDisk(path) => {
                if FileFormat::of(path) != FileFormat::Yaml {
                    return None;
                }
                let size = path.metadata().ok()?.len();
                let file = (size >= LARGE as u64).then(|| File::open(path).ok())??;
                Some(Box::new(file))
            }
            InputContent::Held(file) => {
                let is_yaml = file.format == FileFormat::Yaml && file.encoding == Encoding::Utf8;
                let text = HeldText(Arc::clone(file));
                (is_yaml && file.text.len() >= LARGE).then(|| Box::new(Cursor::new(text)) as _)
            }
        }
    }
}

/// The text of a file that is held.
struct HeldText(Arc<SourceFile>);

impl AsRef<[u8]> for HeldText {
    fn as_ref(&self) -> &[u8] {
        self.0.text.as_bytes()
    }
}
