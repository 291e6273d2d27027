//! Strings of JSON: their end and their escapes.

/// Decodes the spelling of a string between its quotes.
///
/// The scanner has validated the spelling; an invalid escape would decode to U+FFFD.
pub(in crate::text) fn decode(spelled: &str) -> String {
    let mut out = String::with_capacity(spelled.len());
    let mut rest = spelled;
    loop {
        // Between its quotes a string has no other quote and no control character. Escapes are near each other.
        let backslash = end_of_run(rest.as_bytes(), 0);
        if backslash >= rest.len() {
            break;
        }
        out.push_str(&rest[..backslash]);
        let (character, length) = escaped(&rest.as_bytes()[backslash + 1..]);
        out.push(character);
        rest = rest.get(backslash + 1 + length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// The character of an escape, and how many bytes it takes behind its backslash, where these bytes start.
fn escaped(bytes: &[u8]) -> (char, usize) {
    const INVALID: char = '\u{fffd}';
    let character = match bytes.first() {
        Some(&same @ (b'"' | b'\\' | b'/')) => char::from(same),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let (character, length) = unicode_escape(&bytes[1..]).unwrap_or((INVALID, 0));
            return (character, length + 1);
        }
        _ => INVALID,
    };
    (character, 1)
}

/// The position of the first quote, backslash or control character at or after `at`; compares eight bytes at once.
pub(super) fn end_of_run(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    const SPACES: u64 = ONES * b' ' as u64;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let chunk = u64::from_le_bytes(*chunk);
        // Of a byte below 0x80, the subtraction sets the high bit where the byte is what is looked for, as far as the first such byte.
        let found = ((chunk ^ QUOTES).wrapping_sub(ONES)
            | (chunk ^ BACKSLASHES).wrapping_sub(ONES)
            | chunk.wrapping_sub(SPACES))
            & !chunk
            & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes
        .get(at)
        .is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        at += 1;
    }
    at
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
