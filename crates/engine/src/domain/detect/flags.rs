//! The flags of a container's command in exec form, as settings beside the variables.

use crate::domain::context_rules::Sibling;
use crate::text::{NodeId, Tree};

/// A flag, or an assignment before a command, with its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flag<'t> {
    /// The name, without dashes.
    pub(super) name: &'t str,
    /// The value; `true` for a flag without one.
    pub(super) value: &'t str,
    /// The element with the value.
    pub(super) node: NodeId,
}

/// The flags among the elements of `command` and `args`. Elements that are scripts have none.
pub(super) fn flags<'t>(tree: &'t Tree<'_>, container: NodeId) -> Vec<Flag<'t>> {
    let lists = ["command", "args"].map(|field| tree.get(container, field));
    let words: Vec<_> = lists
        .into_iter()
        .flatten()
        .flat_map(|list| tree.children(list))
        .filter_map(|node| Some((node, tree.text(node)?)))
        .collect();
    let flag = |(at, &(node, word)): (usize, &(NodeId, &'t str))| {
        // The word may be a script.
        if let Some(sign) = memchr::memchr(b'=', word.as_bytes()) {
            let (name, value) = (&word[..sign], &word[sign + 1..]);
            let dashes = name.len() - name.trim_start_matches('-').len();
            let name = name.trim_start_matches('-');
            // Java's system properties.
            let name = name
                .strip_prefix('D')
                .filter(|_| dashes == 1)
                .unwrap_or(name);
            return is_name(name).then_some(Flag { name, value, node });
        }
        let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'))?;
        let next = words.get(at + 1).filter(|(_, next)| !next.starts_with('-'));
        let (node, value) = next.copied().unwrap_or((node, "true"));
        is_name(name).then_some(Flag { name, value, node })
    };
    words.iter().enumerate().filter_map(flag).collect()
}

impl<'t> Flag<'t> {
    /// The flag for the context rules.
    pub(super) fn sibling(self) -> Sibling<'t> {
        Sibling::with_text(self.name, self.value)
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 128 && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_their_values() {
        let source = r#"{"command": ["env", "A=b", "app"], "args": ["--x=1", "--y", "2", "-Dz.z=3", "--on", "--off", "exec app --w=5", "-c"]}"#;
        let tree = Tree::json(source).unwrap();
        let found: Vec<_> = flags(&tree, tree.root())
            .iter()
            .map(|flag| format!("{}={}", flag.name, flag.value))
            .collect();
        assert_eq!(
            found,
            [
                "A=b",
                "x=1",
                "y=2",
                "z.z=3",
                "on=true",
                "off=exec app --w=5",
                "c=true"
            ]
        );
    }
}
