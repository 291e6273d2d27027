//! How the texts of a container or of a document use a name: `us.$(BASE_MODEL_ID)` puts a prefix before its value.

use std::collections::BTreeMap;

use crate::domain::id::Geography;
use crate::text::{NodeId, Tree};

/// A use of a name whose value a program completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameUse {
    /// A prefix or a variable precedes the value without a separator.
    Prefixed,
    /// The value is the end of an ARN.
    InArn,
}

/// The names that texts use, without those that are used alone.
#[derive(Debug, Clone, Default)]
pub struct NameUses<'t> {
    names: BTreeMap<&'t str, NameUse>,
    /// The last keys of the names that consist of several keys.
    last_keys: BTreeMap<&'t str, NameUse>,
}

impl<'t> NameUses<'t> {
    /// Reads the uses in the strings of a node and below it.
    pub fn of_strings(tree: &'t Tree<'_>, node: NodeId) -> Self {
        let spelling = &tree.source().as_bytes()[tree.raw(node)];
        let is_escaped =
            tree.has_numeric_escapes() && memchr::memmem::find(spelling, br"\u0024").is_some();
        let texts = tree.strings_with(node, b'$').filter(|_| !is_escaped);
        let texts = texts.unwrap_or_else(|| tree.strings(node).collect());
        Self::of(texts.into_iter().filter_map(|node| tree.text(node)))
    }

    /// Reads the uses in `texts`: `$(X)`, `${X}` and `$X`.
    pub fn of(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut uses = Self::default();
        for text in texts {
            for at in memchr::memchr_iter(b'$', text.as_bytes()) {
                // Most variables are used alone, so the text before them is read first.
                if let Some(how) = use_behind(&text[..at])
                    && let Some(name) = name_at(&text[at..])
                {
                    uses.names.entry(name).or_insert(how);
                }
            }
        }
        for (name, how) in &uses.names {
            if let Some((_, last)) = name.rsplit_once('.') {
                uses.last_keys.entry(last).or_insert(*how);
            }
        }
        uses
    }

    /// The use of a name, which texts may write with the keys of the mappings around it (`${bedrock.model-id}`).
    pub fn how(&self, name: &str) -> Option<NameUse> {
        let own = self.names.get(name);
        own.or_else(|| self.last_keys.get(name)).copied()
    }
}

/// The name of the variable that `text`, which starts with a dollar sign, refers to.
fn name_at(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let braced = rest.strip_prefix(['(', '{']);
    let is_name = |c: char| {
        c.is_ascii_alphanumeric() || c == '_' || (braced.is_some() && matches!(c, '.' | '-'))
    };
    let rest = braced.unwrap_or(rest);
    let name = &rest[..rest.find(|c| !is_name(c)).unwrap_or(rest.len())];
    // A shell's `${X-default}`; its names have no lower-case letters by convention, and those of properties no capitals.
    let name = match name.split_once('-') {
        Some((shell, _)) if !shell.bytes().any(|byte| byte.is_ascii_lowercase()) => shell,
        _ => name,
    };
    (!name.is_empty()).then_some(name)
}

/// The use of a variable behind `before`.
fn use_behind(before: &str) -> Option<NameUse> {
    // Most variables are behind a blank or a quote.
    let is_joined = |last: u8| {
        last.is_ascii_alphanumeric() || matches!(last, b'.' | b'/' | b'-' | b'_' | b')' | b'}')
    };
    if !before.bytes().next_back().is_some_and(is_joined) {
        return None;
    }
    if before.ends_with("foundation-model/") {
        return Some(NameUse::InArn);
    }
    let stem = before.strip_suffix('.').unwrap_or(before);
    let word = stem
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .map_or((None, stem), |at| {
            (
                stem[at..].chars().next(),
                &stem[at + stem[at..].chars().next().map_or(1, char::len_utf8)..],
            )
        });
    let is_variable = match word {
        (Some(')' | '}'), name) => name.is_empty(),
        (Some('$'), name) => !name.is_empty(),
        _ => false,
    };
    let is_geography = stem.len() < before.len() && Geography::is_known_prefix(word.1);
    (is_variable || is_geography).then_some(NameUse::Prefixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_before_a_variable_is_a_prefix_of_its_value() {
        for text in [
            "us.$(BASE)",
            "--model=us.$(BASE)",
            "bedrock/us.${BASE}",
            "exec app --model \"us.$BASE\"",
            "$(GEO).$(BASE)",
            "${GEO}${BASE}",
            "us.${BASE:-x}",
            "us.${BASE-x}",
        ] {
            let uses = NameUses::of([text]);
            assert_eq!(uses.how("BASE"), Some(NameUse::Prefixed), "{text}");
        }
        for text in [
            "$(BASE)",
            "--model=$(BASE)",
            "bedrock/$(BASE)",
            "\"$BASE\"",
            "x $BASED",
            "us.$(BASED)",
        ] {
            assert_eq!(NameUses::of([text]).how("BASE"), None, "{text}");
        }
    }

    #[test]
    fn the_strings_of_a_document_are_read_however_a_dollar_sign_is_spelled() {
        for source in [
            r#"{"a": "x", "b": ["$(X) us.$(BASE)", "y"]}"#,
            r#"{"a": "$(X)", "b": ["us.\u0024(BASE)"]}"#,
        ] {
            let tree = Tree::json(source).unwrap();
            let uses = NameUses::of_strings(&tree, tree.root());
            assert_eq!(uses.how("BASE"), Some(NameUse::Prefixed), "{source}");
        }
    }

    #[test]
    fn the_end_of_an_arn_is_no_prefix() {
        let text = "arn:aws:bedrock:us-east-1::foundation-model/$(BASE)";
        assert_eq!(NameUses::of([text]).how("BASE"), Some(NameUse::InArn));
    }

    #[test]
    fn a_name_may_have_the_keys_around_it() {
        let uses = NameUses::of(["us.${bedrock.model-id}"]);
        assert_eq!(uses.how("model-id"), Some(NameUse::Prefixed));
        assert_eq!(uses.how("id"), None);
    }
}
