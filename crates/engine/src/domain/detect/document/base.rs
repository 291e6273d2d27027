//! The texts that are documents, and the context of a whole document.

use std::sync::Arc;

use crate::budget::Budget;
use crate::domain::context_rules::{MatchedNames, NameContext};
use crate::domain::object::FileDocuments;
use crate::domain::reason::Reason;
use crate::domain::region_lookup::{RegionScope, other_document_scopes};
use crate::domain::written_by_tool::is_written_by_tool;
use crate::text::{NodeId, Tree};

/// The extension of a variable's text that is a document: JSON with objects, or several lines with keys. `None` for another
/// text, such as a list of names.
pub(super) fn format_of_variable(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    let is_json = text.starts_with('{') || (text.starts_with('[') && text.contains('{'));
    let has_keys = || text.trim_end().contains('\n') && text.contains([':', '=']);
    if is_json {
        Some(".json")
    } else {
        has_keys().then_some("")
    }
}

/// The context of a whole document.
#[derive(Clone, Default)]
pub(in crate::domain::detect) struct Base<'t> {
    /// The reason for no change of any text of the document.
    pub(super) role: Option<Reason>,
    /// The keys around the document, the nearest first.
    pub(super) path: Vec<&'t str>,
    /// The names beside the document and around it that meet conditions.
    pub(super) scopes: Vec<Arc<MatchedNames<'t>>>,
    /// The regions around the document.
    pub(super) levels: Vec<(Arc<RegionScope>, Option<NodeId>)>,
    /// The name of the variable that is the document, or the keys around it, separated by dots.
    pub(super) region_path: String,
}

impl<'t> Base<'t> {
    /// The context of a document that is a text with these names around it.
    pub(in crate::domain::detect) fn of(around: NameContext<'t>) -> Self {
        Self {
            role: None,
            path: around.own.into_iter().chain(around.path).collect(),
            scopes: around.scopes,
            ..Self::default()
        }
    }

    /// The context of one of these documents of a file.
    pub(super) fn beside(
        mut self,
        documents: FileDocuments<'_>,
        extra_names: &[Box<str>],
        budget: &Budget,
    ) -> Self {
        let scopes = other_document_scopes(documents, extra_names, budget).into_iter();
        let scopes = scopes.map(|scope| (Arc::new(scope), None));
        self.levels.splice(0..0, scopes);
        self
    }

    /// The context of the documents of a file with this name and text.
    pub(super) fn of_file(mut self, name: &str, text: &str, documents: &[Tree<'_>]) -> Self {
        if self.role.is_none() && is_written_by_tool(name, text, documents) {
            self.role = Some(Reason::WrittenByTool);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_objects_and_lines_with_keys_are_documents_in_a_variable() {
        for (text, expected) in [
            ("{\"a\": 1}", Some(".json")),
            ("[{\"a\": 1}]", Some(".json")),
            ("llm:\n  model: x\n", Some("")),
            ("A=b\nC=d", Some("")),
            ("[\"a\", \"b\"]", None),
            ("a,b", None),
            ("model: x", None),
            ("a\nb", None),
        ] {
            assert_eq!(format_of_variable(text), expected, "{text}");
        }
    }
}
