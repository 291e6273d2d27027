//! Large YAML files, read in parts of whole documents: the memory does not grow with the file, and threads share its documents.
//!
//! A line that begins with `---` separates documents wherever it is. Only what no document of the file says of another one may be read in
//! parts; where that is not certain, the file is read as a whole.

use std::io::{self, Read};

use memchr::memmem;

use super::digest::{Digest, DigestWriter};

/// The least size of a part, in bytes. Small enough that few parts have an ID, for which they are parsed again.
const PART_BYTES: usize = 32 << 10;

/// The size from which on a file is read in parts, in bytes.
pub(super) const LARGE: usize = 1 << 20;

/// What separates two documents, with the end of the line before.
const SEPARATOR: &[u8] = b"\n---";

/// What concerns more than the document that it is in: templates, directives, and comments that exempt.
const WHOLE_FILE_MARKS: [&str; 4] = ["{{", "{%", "\n%", "bedrock-profiles:"];

/// Some documents of a file, or the whole file.
#[derive(Debug)]
pub(super) struct FilePart {
    /// Which part of the file it is, from 0.
    pub(super) number: usize,
    pub(super) text: String,
    pub(super) start: PartStart,
}

/// What is in a file before a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartStart {
    /// Bytes.
    pub offset: usize,
    /// Lines.
    pub lines: usize,
    /// Documents.
    pub documents: usize,
}

/// Why a file is not read in parts.
#[derive(Debug)]
pub(super) enum DivisionError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It has to be read as a whole, or is no text in UTF-8.
    Indivisible,
}

/// The parts of a file. The number of documents before them is not known.
pub(super) struct FileParts<R> {
    reader: R,
    /// What was read behind the last part.
    rest: Vec<u8>,
    /// The number and the start of the next part.
    number: usize,
    start: PartStart,
    digest: DigestWriter,
}

impl<R: Read> FileParts<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            rest: Vec::new(),
            number: 0,
            start: PartStart::default(),
            digest: DigestWriter::default(),
        }
    }

    /// The digest of all parts until now.
    pub(super) fn digest(self) -> Digest {
        self.digest.finish()
    }

    /// The next part; `None` at the end of the file.
    pub(super) fn next_part(&mut self) -> Result<Option<FilePart>, DivisionError> {
        let mut searched = PART_BYTES;
        loop {
            if let Some(end) = separator(&self.rest, searched) {
                return self.cut(end).map(Some);
            }
            searched = searched.max(self.rest.len().saturating_sub(SEPARATOR.len()));
            let mut more = (&mut self.reader).take(PART_BYTES as u64);
            let read = more.read_to_end(&mut self.rest);
            if read.map_err(DivisionError::Unreadable)? == 0 {
                let end = self.rest.len();
                return (end > 0).then(|| self.cut(end)).transpose();
            }
        }
    }

    fn cut(&mut self, end: usize) -> Result<FilePart, DivisionError> {
        let behind = self.rest.split_off(end);
        let text = std::mem::replace(&mut self.rest, behind);
        self.digest.add(&text);
        let text = String::from_utf8(text).map_err(|_| DivisionError::Indivisible)?;
        let has_mark = |mark: &&str| memmem::find(text.as_bytes(), mark.as_bytes()).is_some();
        if WHOLE_FILE_MARKS.iter().any(has_mark) || text.starts_with('%') {
            return Err(DivisionError::Indivisible);
        }
        let (number, start) = (self.number, self.start);
        self.number += 1;
        self.start.offset += text.len();
        self.start.lines += memchr::memchr_iter(b'\n', text.as_bytes()).count();
        Ok(FilePart {
            number,
            text,
            start,
        })
    }
}

/// The start of the first line from an offset on that separates documents.
fn separator(bytes: &[u8], from: usize) -> Option<usize> {
    let searched = bytes.get(from..)?;
    memmem::find_iter(searched, SEPARATOR).find_map(|at| {
        let line = from + at + 1;
        let behind = bytes.get(from + at + SEPARATOR.len())?;
        matches!(behind, b' ' | b'\t' | b'\r' | b'\n').then_some(line)
    })
}
