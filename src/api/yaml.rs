//! Decodes YAML into types of the API, with the path of the field that cannot be decoded.

use std::io::Cursor;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{Options, Spanned};

/// A text that is not YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct YamlSyntaxError {
    /// The line, counted from 1; 0 where the parser knows none.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

/// A field that is unknown, missing or of the wrong type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", match .path.as_str() { "" => String::new(), path => format!("{path}: ") })]
pub struct FieldError {
    /// The path of the field, as in `spec.models[0].profiles`; empty for the value itself.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// Why a text cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FromYamlError {
    /// The text is not YAML.
    #[error("this is not YAML: {0}")]
    Syntax(#[from] YamlSyntaxError),
    /// A field has another form than expected.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Decodes a text of one document.
///
/// # Errors
/// The text is not YAML, or a field has another form than expected.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, FromYamlError> {
    let value = serde_saphyr::from_str_with_options(text, options()).map_err(syntax_error)?;
    Ok(decode(value)?)
}

/// A field that cannot be decoded, or a text that is not YAML, with its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {error}")]
pub struct FieldErrorOnLine {
    /// The line, counted from 1; 0 where the parser knows none.
    pub line: u64,
    /// What is wrong.
    pub error: FieldError,
}

/// Decodes a text of one document, with the line of what cannot be decoded. An empty text is the default.
///
/// # Errors
/// The text is not YAML, or a field has another form than expected.
pub fn from_str_by_line<T: DeserializeOwned + Default>(text: &str) -> Result<T, FieldErrorOnLine> {
    let mut path = String::new();
    let decoded = serde_saphyr::with_deserializer_from_str_with_options(text, options(), |yaml| {
        let decoded: Result<Option<T>, _> = serde_path_to_error::deserialize(yaml);
        decoded.map_err(|error| {
            path = error.path().to_string();
            error.into_inner()
        })
    });
    let error = match decoded {
        Ok(decoded) => return Ok(decoded.unwrap_or_default()),
        Err(error) => syntax_error(error),
    };
    Err(FieldErrorOnLine {
        line: error.line,
        error: FieldError {
            path: if path == "." { String::new() } else { path },
            reason: error.message,
        },
    })
}

/// The documents of a text, with their positions; empty ones are skipped.
pub(super) fn documents(text: &str) -> Vec<Result<Spanned<Value>, YamlSyntaxError>> {
    serde_saphyr::read_with_options(&mut Cursor::new(text), options())
        .map(|document| document.map_err(syntax_error))
        .collect()
}

/// The objects of a text, those of Lists one by one. Documents that are not YAML are skipped.
pub fn values(text: &str) -> Vec<Value> {
    let documents = documents(text).into_iter().flatten();
    let items = |document: Value| match document["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![document],
    };
    documents
        .flat_map(|document| items(document.value))
        .collect()
}

/// Decodes a value.
///
/// # Errors
/// The path of the field that has another form than expected.
pub(super) fn decode<T: DeserializeOwned>(value: Value) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        FieldError {
            path: if path == "." { String::new() } else { path },
            reason: error.into_inner().to_string(),
        }
    })
}

fn options() -> Options {
    serde_saphyr::options! { with_snippet: false }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn syntax_error(error: serde_saphyr::Error) -> YamlSyntaxError {
    YamlSyntaxError {
        line: error.location().map_or(0, |location| location.line()),
        message: error.without_snippet().to_string(),
    }
}
