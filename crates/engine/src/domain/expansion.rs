//! The syntax of `$(X)` in the texts of a container, as the kubelet expands it.

/// A part of a text with variables in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextPart<'t> {
    /// Characters that stay as they are.
    Text(&'t str),
    /// `$(X)`, by its name.
    Variable(&'t str),
}

/// The parts of `text`, in order. `$$` is a dollar sign, and `$(` without its end is text.
pub(crate) fn parts(text: &str) -> impl Iterator<Item = TextPart<'_>> {
    let mut rest = text;
    // Behind the last `)` no `$(` has to look for its end.
    let from_last_end = text.rfind(')').map(|at| text.len() - at);
    std::iter::from_fn(move || {
        let may_end = from_last_end.is_some_and(|length| length <= rest.len());
        let (part, behind) = split_first(rest, may_end)?;
        rest = behind;
        Some(part)
    })
}

/// The first part of `text` and what follows; `None` at the end. `may_end` is whether `text` has a `)`.
fn split_first(text: &str, may_end: bool) -> Option<(TextPart<'_>, &str)> {
    let Some(behind) = text.strip_prefix('$') else {
        let (part, behind) = text.split_at(text.find('$').unwrap_or(text.len()));
        return (!part.is_empty()).then_some((TextPart::Text(part), behind));
    };
    if let Some(behind) = behind.strip_prefix('$') {
        return Some((TextPart::Text("$"), behind));
    }
    let variable = behind
        .strip_prefix('(')
        .filter(|_| may_end)
        .and_then(|open| open.split_once(')'));
    Some(match variable {
        Some((name, behind)) => (TextPart::Variable(name), behind),
        None => (TextPart::Text("$"), behind),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        parts(text)
            .map(|part| match part {
                TextPart::Text(text) => text.to_owned(),
                TextPart::Variable(name) => format!("<{name}>"),
            })
            .collect()
    }

    #[test]
    fn variables_are_expanded_as_the_kubelet_does() {
        // From the tests of k8s.io/kubernetes/third_party/forked/golang/expansion.
        let cases = [
            ("", ""),
            ("$(VAR_A)", "<VAR_A>"),
            ("___$(VAR_B)___", "___<VAR_B>___"),
            ("$(VAR_A)$(VAR_B)", "<VAR_A><VAR_B>"),
            ("f000-$$VAR_A", "f000-$VAR_A"),
            ("$$(VAR_B)_foo", "$(VAR_B)_foo"),
            ("$$$(VAR_A)", "$<VAR_A>"),
            ("$$$$(FOO_A)", "$$(FOO_A)"),
            ("$VAR_A", "$VAR_A"),
            ("foo$(VAR_Aend", "foo$(VAR_Aend"),
            ("$(VAR_A", "$(VAR_A"),
            ("$$(VAR_A", "$(VAR_A"),
            ("$()", "<>"),
            ("foo$", "foo$"),
            ("é$(Ü)$é", "é<Ü>$é"),
        ];
        for (text, expected) in cases {
            assert_eq!(expanded(text), expected, "{text}");
        }
    }
}
