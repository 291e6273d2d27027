//! Strings of JSON: their end and their escapes.

/// Decodes the spelling of a string between its quotes.
///
/// The scanner has validated the spelling; an invalid escape would decode to U+FFFD.
pub(in crate::text) fn decode(spelled: &str) -> String {
    let mut out = Vec::with_capacity(spelled.len() + CHUNK);
    let mut rest = spelled.as_bytes();
    loop {
        // Between its quotes a string has no other quote and no control character. Escapes are near each other, so that runs are
        // copied with the bytes behind them, which are removed again.
        while let Some((chunk, behind)) = rest.split_first_chunk() {
            out.extend_from_slice(chunk);
            if let Some(end) = end_in(*chunk) {
                out.truncate(out.len() - CHUNK + end);
                rest = &rest[end..];
                break;
            }
            rest = behind;
        }
        match *rest {
            [] => break,
            [b'\\', b'u', ref digits @ ..] => {
                let (character, length) = unicode_escape(digits).unwrap_or((INVALID, 0));
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = digits.get(length..).unwrap_or_default();
            }
            [b'\\', letter, ref behind @ ..] => {
                match of_letter(letter) {
                    Some(byte) => out.push(byte),
                    None => out.extend_from_slice(INVALID.encode_utf8(&mut [0; 4]).as_bytes()),
                }
                rest = behind;
            }
            [byte, ref behind @ ..] => {
                out.push(byte);
                rest = behind;
            }
        }
    }
    // The parts of a text between its escapes are texts, and so are escaped characters.
    String::from_utf8(out).unwrap_or_default()
}

/// What an invalid escape decodes to.
const INVALID: char = '\u{fffd}';

/// The byte of an escape of one letter.
const fn of_letter(letter: u8) -> Option<u8> {
    Some(match letter {
        b'"' | b'\\' | b'/' => letter,
        b'b' => 0x8,
        b'f' => 0xc,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        _ => return None,
    })
}

/// The number of bytes before the first one that a JSON string holds only as an escape: a quote, a backslash or a control character.
pub fn end_of_plain_json(bytes: &[u8]) -> usize {
    end_of_run(bytes, 0)
}

/// The position of the first quote, backslash or control character at or after `at`; compares eight bytes at once.
#[inline]
pub(super) fn end_of_run(bytes: &[u8], mut at: usize) -> usize {
    let mut rest = bytes.get(at..).unwrap_or_default();
    while let Some((chunk, behind)) = rest.split_first_chunk() {
        if let Some(end) = end_in(*chunk) {
            return at + end;
        }
        at += CHUNK;
        rest = behind;
    }
    while bytes
        .get(at)
        .is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        at += 1;
    }
    at
}

/// How many bytes are compared at once.
const CHUNK: usize = 8;

/// The position of the first quote, backslash or control character.
#[inline]
fn end_in(chunk: [u8; CHUNK]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    const SPACES: u64 = ONES * b' ' as u64;
    let chunk = u64::from_le_bytes(chunk);
    // Of a byte below 0x80, the subtraction sets the high bit where the byte is what is looked for, as far as the first such byte.
    let found = ((chunk ^ QUOTES).wrapping_sub(ONES)
        | (chunk ^ BACKSLASHES).wrapping_sub(ONES)
        | chunk.wrapping_sub(SPACES))
        & !chunk
        & HIGH;
    (found != 0).then(|| (found.trailing_zeros() / 8) as usize)
}

/// The character of a `\u` escape, or of two that are a surrogate pair, and how many of these bytes it takes; they
/// start after the first `\u`. None for fewer than four hexadecimal digits and for half a pair.
pub(super) fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hexadecimal(bytes)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second = hexadecimal(bytes.get(4..)?.strip_prefix(b"\\u")?)?;
    if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))?;
    Some((character, 10))
}

fn hexadecimal(bytes: &[u8]) -> Option<u32> {
    bytes
        .first_chunk::<4>()?
        .iter()
        .try_fold(0, |number, &byte| {
            Some(number * 16 + char::from(byte).to_digit(16)?)
        })
}
