//! Texts that are filled in elsewhere: by a template, a shell, the kubelet or a gateway.

/// How what a template fills in begins and ends.
const TEMPLATES: [(&str, &str); 2] = [("{{", "}}"), ("{%", "%}")];

/// Whether a text, or a part of it, is replaced by another that is filled in elsewhere.
pub fn is_filled_in(text: &str) -> bool {
    text.contains('$')
        || text.starts_with("os.environ/")
        || TEMPLATES.iter().any(|(open, _)| text.contains(open))
}

/// Whether what is between `before` and `after` is a part of a template, or touches one that may write the rest of its
/// name.
pub(super) fn is_of_a_template(before: &str, after: &str) -> bool {
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
    fn a_text_is_filled_in_by_templates_shells_and_gateways() {
        for text in ["{{ a }}", "b-{% a %}", "${A}", "$(A)", "os.environ/A"] {
            assert!(is_filled_in(text), "{text}");
        }
        for text in ["", "us-east-1", "{a}", "100%", "my os.environ/A", "}} %}"] {
            assert!(!is_filled_in(text), "{text}");
        }
    }

    #[test]
    fn a_name_is_of_a_template_that_it_touches_or_is_in() {
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
            assert_eq!(
                is_of_a_template(before, after),
                expected,
                "{before}ID{after}"
            );
        }
    }
}
