//! Converts custom resources to the types of the domain, and validates them. Values of the domain are valid, and are not checked
//! again.
//!
//! Pure. Controllers, webhook and CLI call the same functions, so that they agree about every object.

use std::fmt;

use jiff::civil::Date;

use crate::domain::id::{Geography, ModelId};
use crate::domain::region::Region;

mod mapping;
mod policy;

pub use mapping::mapping;
pub use policy::{label_selector, policy};

/// Why an object is invalid: all problems at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Invalid {
    /// Kind and name, such as `InferenceProfilePolicy/default`.
    pub object: String,
    /// Field and problem, in the order of the object.
    pub problems: Vec<FieldProblem>,
}

/// A problem of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Path of the field, such as `spec.models[3].profiles[0].id`.
    pub field: String,
    /// The problem, and the remedy.
    pub message: String,
}

impl Invalid {
    /// An object that cannot be parsed as its kind.
    pub fn unreadable(object: String, error: &impl fmt::Display) -> Self {
        let problem = FieldProblem {
            field: "spec".to_owned(),
            message: error.to_string(),
        };
        Self {
            object,
            problems: vec![problem],
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not used:", self.object)?;
        for FieldProblem { field, message } in &self.problems {
            write!(f, " {field}: {message};")?;
        }
        write!(f, " correct it and apply it again")
    }
}

/// Collects problems while an object is read.
#[derive(Default)]
struct Problems(Vec<FieldProblem>);

impl Problems {
    /// Takes the value, or notes what is wrong with `field`.
    fn take<T, E: fmt::Display>(
        &mut self,
        field: impl FnOnce() -> String,
        value: Result<T, E>,
    ) -> Option<T> {
        value
            .map_err(|error| self.note(field(), error.to_string()))
            .ok()
    }

    fn note(&mut self, field: String, message: String) {
        self.0.push(FieldProblem { field, message });
    }

    fn region(&mut self, field: impl FnOnce() -> String, text: &str) -> Option<Region> {
        self.take(field, Region::parse(text))
    }

    fn regions(&mut self, field: &str, texts: &[String]) -> Box<[Region]> {
        (0..)
            .zip(texts)
            .filter_map(|(at, text): (usize, _)| self.region(|| format!("{field}[{at}]"), text))
            .collect()
    }

    fn model(&mut self, field: impl FnOnce() -> String, text: &str) -> Option<ModelId> {
        self.take(field, ModelId::parse(text))
    }

    fn geography(&mut self, field: impl FnOnce() -> String, text: &str) -> Option<Geography> {
        self.take(field, Geography::parse(text))
    }

    fn date(&mut self, field: impl FnOnce() -> String, text: &str) -> Option<Date> {
        // The parser knows more spellings than the schema that the API server has.
        let date = text
            .parse()
            .ok()
            .filter(|date: &Date| date.to_string() == text)
            .ok_or_else(|| format!("`{text}` is not a date: write it as `2026-10-27`"));
        self.take(field, date)
    }

    fn finish<T>(self, object: String, value: T) -> Result<T, Invalid> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(Invalid {
                object,
                problems: self.0,
            })
        }
    }
}

#[cfg(test)]
mod tests;
