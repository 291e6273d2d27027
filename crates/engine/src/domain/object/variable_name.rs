//! The name of a variable, which `envFrom` joins from a prefix and a key.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The name of a variable. Equality and order depend on the joined text only.
#[derive(Debug, Clone, Copy)]
pub struct VariableName<'t> {
    prefix: &'t str,
    rest: &'t str,
}

impl<'t> VariableName<'t> {
    /// A name without a prefix.
    pub const fn named(name: &'t str) -> Self {
        Self::prefixed("", name)
    }

    /// The name that `envFrom` builds from a prefix and the key of a ConfigMap.
    pub const fn prefixed(prefix: &'t str, key: &'t str) -> Self {
        Self { prefix, rest: key }
    }

    /// The whole name.
    pub fn text(self) -> Cow<'t, str> {
        if self.prefix.is_empty() {
            return Cow::Borrowed(self.rest);
        }
        Cow::Owned(self.to_string())
    }

    /// The name without the prefix of `envFrom`.
    pub const fn key(self) -> &'t str {
        self.rest
    }

    /// Whether every API server accepts the name, including versions before the relaxed rule: letters, digits, `-`, `.` and
    /// `_`, no digit first, and no relative path.
    pub fn is_accepted_everywhere(self) -> bool {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let reads_as_a_path = self.bytes().eq(*b".") || self.bytes().take(2).eq(*b"..");
        self.bytes().next().is_some_and(|b| !b.is_ascii_digit())
            && self.bytes().all(fits)
            && !reads_as_a_path
    }

    /// The key with which an item of `envFrom` with this prefix defines the variable; `None` if no key does.
    pub fn key_behind(self, prefix: &str) -> Option<Cow<'t, str>> {
        if self.prefix == prefix {
            return Some(Cow::Borrowed(self.rest)).filter(|key| !key.is_empty());
        }
        let starts_so = self.bytes().take(prefix.len()).eq(prefix.bytes());
        let longer = self.prefix.len() + self.rest.len() > prefix.len();
        (starts_so && longer).then(|| Cow::Owned(self.to_string().split_off(prefix.len())))
    }

    fn bytes(self) -> impl Iterator<Item = u8> + use<'t> {
        self.prefix.bytes().chain(self.rest.bytes())
    }
}

impl<'t> From<&'t str> for VariableName<'t> {
    fn from(name: &'t str) -> Self {
        Self::named(name)
    }
}

impl fmt::Display for VariableName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        f.write_str(self.rest)
    }
}

impl PartialEq for VariableName<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for VariableName<'_> {}

impl Ord for VariableName<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl PartialOrd for VariableName<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for VariableName<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.bytes() {
            state.write_u8(byte);
        }
        state.write_u8(u8::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_equal_if_their_joined_texts_are() {
        let (whole, parts) = (VariableName::named("AB"), VariableName::prefixed("A", "B"));
        assert_eq!(whole, parts);
        assert_eq!(whole.cmp(&parts), Ordering::Equal);
        assert!(VariableName::named("AC") > parts);
        assert_eq!(parts.to_string(), "AB");
    }

    #[test]
    fn the_key_is_the_rest_after_the_prefix() {
        let name = VariableName::prefixed("APP_", "MODEL");
        for (prefix, key) in [
            ("APP_", Some("MODEL")),
            ("", Some("APP_MODEL")),
            ("A", Some("PP_MODEL")),
            ("APP_M", Some("ODEL")),
            ("APP_MODEL", None),
            ("APP_MODELS", None),
            ("B", None),
        ] {
            assert_eq!(name.key_behind(prefix).as_deref(), key, "{prefix}");
        }
    }

    #[test]
    fn names_that_some_api_server_refuses_are_not_accepted_everywhere() {
        for (prefix, key, accepted) in [
            ("", "MODEL", true),
            ("", "model-id.x_1", true),
            ("", ".model", true),
            ("APP_", "1", true),
            ("", "1MODEL", false),
            ("", "", false),
            ("", ".", false),
            (".", ".model", false),
            ("", "a=b", false),
            ("", "ä", false),
        ] {
            let name = VariableName::prefixed(prefix, key);
            assert_eq!(name.is_accepted_everywhere(), accepted, "{name}");
        }
    }
}
