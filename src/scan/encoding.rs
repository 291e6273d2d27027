//! How the text of a file is stored: UTF-8, or UTF-16 with a byte order mark, which YAML and JSON permit too.

/// How a text is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16 with the low byte first, and a byte order mark.
    Utf16Le,
    /// UTF-16 with the high byte first, and a byte order mark.
    Utf16Be,
}

impl Encoding {
    /// The text of a file, without the byte order mark of UTF-16; `None` if it is no text.
    pub fn decode(bytes: Vec<u8>) -> Option<(Self, String)> {
        match bytes.as_slice() {
            [0xff, 0xfe, rest @ ..] => Some((Self::Utf16Le, utf16(rest, u16::from_le_bytes)?)),
            [0xfe, 0xff, rest @ ..] => Some((Self::Utf16Be, utf16(rest, u16::from_be_bytes)?)),
            _ => Some((Self::Utf8, String::from_utf8(bytes).ok()?)),
        }
    }

    /// The bytes of a text, with the byte order mark of UTF-16.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let marked = || [0xfeff].into_iter().chain(text.encode_utf16());
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16Le => marked().flat_map(u16::to_le_bytes).collect(),
            Self::Utf16Be => marked().flat_map(u16::to_be_bytes).collect(),
        }
    }
}

/// `None` if a unit is incomplete, or has no partner.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, rest) = bytes.as_chunks();
    let units = units.iter().copied().map(unit);
    let text: Option<String> = char::decode_utf16(units).map(Result::ok).collect();
    text.filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_as_it_was_stored() {
        let text = "model: größer 𝄞\r\n";
        for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be] {
            let bytes = encoding.encode(text);
            assert_eq!(Encoding::decode(bytes), Some((encoding, text.to_owned())));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        for bytes in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"caf\xe9", b"\x80"] {
            assert_eq!(Encoding::decode(bytes.to_vec()), None, "{bytes:?}");
        }
    }
}
