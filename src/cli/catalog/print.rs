//! Rows and differences as lines of text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::catalog::check::{ListedDifference, ListingEvidence};
use crate::catalog::rows::{RowDifference, RowField, RowKey, RowValue};
use crate::cli::console;
use crate::domain::id::ModelId;
use crate::domain::region::Region;
use crate::report::printable::{printable, wrapped};

/// The indentation of a row below its model.
pub(super) const ROW: usize = 2;

/// The indentation of the rest of a row.
pub(super) const REST: usize = 6;

/// Rows of a model, each with the regions where it is equal.
#[derive(Default)]
pub(super) struct RowLines<'r>(Vec<(String, Vec<&'r RowKey>)>);

impl<'r> RowLines<'r> {
    pub(super) fn add(&mut self, line: String, key: &'r RowKey) {
        match self.0.iter_mut().find(|(known, _)| *known == line) {
            Some((_, keys)) => keys.push(key),
            None => self.0.push((line, vec![key])),
        }
    }

    /// Writes the rows, in lines of the width of the terminal.
    pub(super) fn write(&self, text: &mut String) {
        for (line, keys) in &self.0 {
            let is_profile = |key: &&RowKey| matches!(key.field, RowField::Profile(_));
            let preposition = if keys.iter().all(is_profile) {
                "from"
            } else {
                "in"
            };
            let codes = keys.iter().filter_map(|key| key.region.as_ref());
            let codes: Vec<_> = codes.map(Region::as_str).collect();
            let regions = match codes.as_slice() {
                [] => String::new(),
                [code] => format!(", {preposition} {code}"),
                codes => format!(
                    ", {preposition} {} regions: {}",
                    codes.len(),
                    codes.join(" ")
                ),
            };
            push_wrapped(text, &format!("{line}{regions}"), ROW, REST);
        }
    }
}

/// The differences between two catalogs as text.
pub(super) fn catalog_differences(differences: &[RowDifference]) -> String {
    text(differences.iter().map(|row| (row, sign(row), "")))
}

/// The differences between a catalog and the API as text.
pub(super) fn listed_differences(differences: &[ListedDifference]) -> String {
    text(
        differences
            .iter()
            .map(|ListedDifference { row, evidence }| {
                let (sign, note) = match evidence {
                    ListingEvidence::Listed => (sign(row), ""),
                    ListingEvidence::OtherGeography => ('-', " (AWS lists another geography)"),
                    ListingEvidence::NotListed => ('?', " (not listed)"),
                    ListingEvidence::RecentEnd => ('?', " (listed, shortly after its end of life)"),
                };
                (row, sign, note)
            }),
    )
}

fn text<'r>(rows: impl Iterator<Item = (&'r RowDifference, char, &'static str)>) -> String {
    let mut models: BTreeMap<&ModelId, RowLines> = BTreeMap::new();
    for (row, sign, note) in rows {
        let line = format!("{sign} {}{note}", sentence(row));
        models
            .entry(&row.key.model)
            .or_default()
            .add(line, &row.key);
    }
    let mut text = String::new();
    for (model, lines) in models {
        let _ = writeln!(text, "{model}");
        lines.write(&mut text);
    }
    text
}

/// Adds a line, wrapped at the width of the terminal: `first` columns are before its first part, and `rest` before the others.
pub(super) fn push_wrapped(text: &mut String, line: &str, first: usize, rest: usize) {
    let width = console::width();
    let lines = wrapped(&printable(line), width - first, width - rest);
    for (at, line) in lines.iter().enumerate() {
        let indentation = if at == 0 { first } else { rest };
        let _ = writeln!(text, "{:indentation$}{line}", "");
    }
}

const fn sign(row: &RowDifference) -> char {
    match (&row.before, &row.after) {
        (None, _) => '+',
        (_, None) => '-',
        (Some(_), Some(_)) => '~',
    }
}

fn sentence(row: &RowDifference) -> String {
    let field = &row.key.field;
    match (&row.before, &row.after) {
        (Some(before), Some(after)) => format!("{} instead of {before}", clause(field, after)),
        (Some(one), None) | (None, Some(one)) => clause(field, one),
        (None, None) => field.to_string(),
    }
}

/// A row as words.
pub(super) fn clause(field: &RowField, value: &RowValue) -> String {
    match field {
        RowField::Profile(_) => format!("{field} {value}"),
        RowField::Direct
        | RowField::State
        | RowField::EndOfLife
        | RowField::Successor
        | RowField::Aliases
        | RowField::Knowledge => format!("{field}: {value}"),
    }
}
