//! Where a finding is in files.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// A location in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Column after the ID, if the ID is written in this line as it is, and used only here: not by an alias of YAML.
    pub end_column: Option<usize>,
    /// The document in the file, from 0.
    pub document: usize,
    /// The template of a chart that the document was rendered from. Line and column are those in `file`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

impl Source {
    /// The name of what a user edits, and where the lines are counted: the template of a chart, or the file.
    pub fn name(&self) -> Cow<'_, str> {
        match &self.template {
            Some(template) => format!("{template} (lines of {})", self.file).into(),
            None => Cow::Borrowed(&self.file),
        }
    }
}

/// `FILE:LINE:COLUMN`, after the template of a chart if there is one.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line, column) = (&self.file, self.line, self.column);
        match &self.template {
            Some(template) => write!(f, "{template} ({file}:{line}:{column})"),
            None => write!(f, "{file}:{line}:{column}"),
        }
    }
}
