//! The chart templates that the documents of a file were rendered from: `helm template` writes `# Source: PATH` at the start of each
//! document.

use std::path::{Component, Path};

/// The templates of the documents of a file, by line.
pub(super) struct RenderedTemplates<'t> {
    /// The lines, from 1, with which documents start, and their templates.
    starts: Vec<(usize, Option<&'t str>)>,
}

/// What Helm writes before the name of a template.
const MARK: &str = "# Source: ";

/// The start of a document.
const SEPARATOR: &str = "---";

impl<'t> RenderedTemplates<'t> {
    /// Those of a text before which a file has `lines` lines.
    pub(super) fn of(text: &'t str, lines: usize) -> Self {
        let mut starts = Vec::new();
        if text.contains(MARK) {
            let mut is_start = false;
            for (number, line) in (lines + 1..).zip(text.lines()) {
                let template = line.strip_prefix(MARK).map(str::trim_end);
                if let Some(template) = template.filter(|name| is_start && is_template(name)) {
                    starts.push((number, Some(template)));
                }
                let behind = line.strip_prefix(SEPARATOR);
                is_start = behind
                    .is_some_and(|text| text.trim_start().len() < text.len() || text.is_empty());
                if is_start {
                    starts.push((number, None));
                }
            }
        }
        Self { starts }
    }

    /// The template of the document that a line is in.
    pub(super) fn at(&self, line: usize) -> Option<&'t str> {
        let next = self.starts.partition_point(|(start, _)| *start <= line);
        let (_, template) = self.starts.get(next.checked_sub(1)?)?;
        *template
    }
}

/// Whether a comment names a template of a chart: other comments name where a text comes from in the same way.
fn is_template(name: &str) -> bool {
    let is_folder_of_charts = |part: Component<'_>| {
        let part = part.as_os_str();
        part == "templates" || part == "crds"
    };
    !name.contains([' ', ':']) && Path::new(name).components().any(is_folder_of_charts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_the_template_at_its_start() {
        let text = "---\n# Source: web/templates/a.yaml\nkind: Pod\n---\r\n# Source: web/charts/db/templates/b.yaml\r\nkind: Pod\n---\nkind: Pod\n";
        let templates = RenderedTemplates::of(text, 0);
        let found: Vec<_> = (1..=8).map(|line| templates.at(line)).collect();
        let (a, b) = (
            Some("web/templates/a.yaml"),
            Some("web/charts/db/templates/b.yaml"),
        );
        assert_eq!(found, [None, a, a, None, b, b, None, None]);
    }

    #[test]
    fn every_separator_ends_a_template() {
        let text = "---\n# Source: web/templates/a.yaml\nkind: Pod\n--- # by hand\nkind: Pod\n";
        let templates = RenderedTemplates::of(text, 0);
        assert_eq!(templates.at(3), Some("web/templates/a.yaml"));
        assert_eq!(templates.at(5), None);
    }

    #[test]
    fn other_comments_name_no_template() {
        for text in [
            "# Source: web/templates/a.yaml\n",
            "---\n# Source: https://example.com/templates/a.yaml\n",
            "---\n# Source: the templates of the web team\n",
            "---\n# Source: web/a.yaml\n",
            "---\nkind: Pod\n# Source: web/templates/a.yaml\n",
        ] {
            let last = text.lines().count();
            assert_eq!(RenderedTemplates::of(text, 0).at(last), None, "{text}");
        }
    }
}
