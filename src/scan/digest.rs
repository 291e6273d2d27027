//! Digests of texts: whether a file is as it was read before, and whether two ConfigMaps are equal, without a copy of either.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use aws_lc_rs::digest::{Context, SHA256};

/// The digest of the text of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

/// The digest of a text that is read in parts.
pub(super) struct DigestWriter(Context);

impl Digest {
    /// The digest of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut writer = DigestWriter::default();
        writer.add(text.as_bytes());
        writer.finish()
    }
}

impl Default for DigestWriter {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl DigestWriter {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Digest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.finish().as_ref());
        Digest(bytes)
    }
}

/// A number for a value within one run: equal for equal values, and different for others but for one pair in 2⁶⁴.
pub(super) fn fingerprint_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
