//! Text that a terminal, a log or a client shows as it is: names come from objects and files, and can contain anything.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr as _;

/// The text with escapes in place of control characters, of line separators, and of the characters that change the direction of the
/// text after them.
pub fn printable(text: &str) -> Cow<'_, str> {
    // Most texts are ASCII, which needs no decoding.
    let is_ascii = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_ascii || text.chars().all(is_printable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_printable(character) {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_default());
        }
    }
    Cow::Owned(escaped)
}

/// The text, or the start of it and an ellipsis if it has more than `max` characters.
pub fn shortened(max: usize, text: &str) -> String {
    // No more bytes than characters: the usual case, without counting.
    if text.len() <= max || text.chars().count() <= max {
        return text.to_owned();
    }
    let start = text.chars().take(max.saturating_sub(1));
    start.chain(['…']).collect()
}

/// A number with its noun, such as `2 objects`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The words of a text in lines of at most `first`, then `width` columns. A word that is longer has a line of its own.
pub fn wrapped(text: &str, first: usize, width: usize) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let room = if lines.is_empty() { first } else { width };
        let needed = line.width() + usize::from(!line.is_empty()) + word.width();
        if needed > room && (lines.is_empty() || !line.is_empty()) {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// Whether the character is neither a control character, a separator of lines or paragraphs, nor a control of direction (Unicode's
/// property `Bidi_Control`).
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_escaped_and_letters_are_not() {
        for text in ["", "chat", "größer 模型 مرحبا ‑ é", "a\\b \"c\""] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
        for (text, escaped) in [
            ("a\r\nb\t", "a\\r\\nb\\t"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("a\u{202e}b\u{2066}c", "a\\u{202e}b\\u{2066}c"),
            (
                "\u{2028}\u{200f}\u{61c}\u{7f}\u{85}",
                "\\u{2028}\\u{200f}\\u{61c}\\u{7f}\\u{85}",
            ),
        ] {
            assert_eq!(printable(text), escaped);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(shortened(3, "abc"), "abc");
        assert_eq!(shortened(3, "äöü"), "äöü");
        assert_eq!(shortened(3, "äöüß"), "äö…");
        assert_eq!(shortened(0, "a"), "…");
    }

    #[test]
    fn lines_are_wrapped_at_spaces() {
        assert_eq!(wrapped("a bb ccc", 4, 4), ["a bb", "ccc"]);
        assert_eq!(wrapped("aaaaaa b", 3, 8), ["", "aaaaaa b"]);
        assert_eq!(wrapped("a bbbbbbbb c", 4, 4), ["a", "bbbbbbbb", "c"]);
        assert_eq!(wrapped("", 4, 4), [""]);
    }
}
