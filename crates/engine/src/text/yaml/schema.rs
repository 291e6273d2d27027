//! Kinds of scalars by the core schema of YAML 1.2.

use crate::text::Kind;
use granit_parser::Tag;

/// The kind of a plain scalar without a tag.
pub(in crate::text) fn plain_kind(text: &str) -> Kind {
    let scalar = match text {
        "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False"
        | "FALSE" | ".nan" | ".NaN" | ".NAN" => true,
        _ => is_number(text),
    };
    if scalar { Kind::Scalar } else { Kind::String }
}

/// Whether any plain scalar without a tag that contains this part is a string.
pub(in crate::text) fn makes_a_string(part: &str) -> bool {
    let may_be_of_another = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.~".contains(&byte);
    !part.bytes().all(may_be_of_another)
}

/// The kind of a scalar with a tag; unknown tags are those of strings.
pub(super) fn tagged_kind(tag: &Tag) -> Kind {
    match tag.core_suffix() {
        Some("null" | "bool" | "int" | "float") => Kind::Scalar,
        _ => Kind::String,
    }
}

fn is_number(text: &str) -> bool {
    let all = |digits: &str, allowed: fn(&u8) -> bool| {
        !digits.is_empty() && digits.as_bytes().iter().all(allowed)
    };
    if let Some(octal) = text.strip_prefix("0o") {
        return all(octal, |byte| matches!(byte, b'0'..=b'7'));
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return all(hexadecimal, u8::is_ascii_hexdigit);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let ".inf" | ".Inf" | ".INF" = unsigned {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let some = !whole.is_empty() || !fraction.is_empty();
    some && digits(whole)
        && digits(fraction)
        && exponent.is_none_or(|exponent| all(exponent, u8::is_ascii_digit))
}
