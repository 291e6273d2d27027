//! Placeholders, which a template engine, a shell, the kubelet or a gateway replaces.

/// The delimiters of template actions.
const TEMPLATES: [(&str, &str); 2] = [("{{", "}}"), ("{%", "%}")];

/// Whether a text contains a placeholder.
pub fn has_placeholder(text: &str) -> bool {
    text.contains('$')
        || text.starts_with("os.environ/")
        || TEMPLATES.iter().any(|(open, _)| text.contains(open))
}

/// Whether the text between `before` and `after` is inside a template action, or adjoins one that may complete the name.
pub(super) fn is_in_template(before: &str, after: &str) -> bool {
    TEMPLATES.iter().any(|(open, close)| {
        let touches = before.ends_with(close) || after.starts_with(open);
        let is_inside = || before.rfind(open) > before.rfind(close) && after.contains(close);
        touches || is_inside()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_shells_and_gateways_have_placeholders() {
        for text in ["{{ a }}", "b-{% a %}", "${A}", "$(A)", "os.environ/A"] {
            assert!(has_placeholder(text), "{text}");
        }
        for text in ["", "us-east-1", "{a}", "100%", "my os.environ/A", "}} %}"] {
            assert!(!has_placeholder(text), "{text}");
        }
    }

    #[test]
    fn a_name_inside_or_next_to_a_template_action_is_in_a_template() {
        let cases = [
            ("{{ a }}", "", true),
            ("", "{% a %}", true),
            ("x {{ default \"", "\" }}", true),
            ("{% if a == '", "' %}", true),
            ("{{ a }} ", "", false),
            ("{{ a }}, ", " {{ b }}", false),
            ("{{ a }} {{ b '", "' }}", true),
            ("{{ ", "", false),
            ("", " }}", false),
            ("{", "}", false),
            ("", "", false),
        ];
        for (before, after, expected) in cases {
            assert_eq!(is_in_template(before, after), expected, "{before}ID{after}");
        }
    }
}
