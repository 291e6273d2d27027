//! Reads custom resources from YAML or JSON text: several documents, and Lists of them.
//!
//! Checks the form alone: names of fields, their types and the words of each enum. Touches no file.

use bedrock_profiles_engine::in_group;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::yaml::{self, FieldError};
use super::{InferenceProfileMapping, InferenceProfilePolicy};

/// A custom resource of this product.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a few exist per process, read once at start"
)]
pub enum Resource {
    /// Which profile serves which model from which region.
    Mapping(InferenceProfileMapping),
    /// What to do with the IDs that are found.
    Policy(InferenceProfilePolicy),
}

/// Why a text could not be read as custom resources: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}, line {line}{}: {problem}", .item.map(|item| format!(", items[{item}]")).unwrap_or_default())]
pub struct ReadError {
    /// Where the text came from, mostly a file name.
    pub origin: String,
    /// The line where the document begins or where it cannot be parsed, counted from 1.
    pub line: u64,
    /// Which item, counted from 0, where the document is a List.
    pub item: Option<usize>,
    /// What is wrong, and what to do.
    pub problem: DocumentProblem,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentProblem {
    /// The text is not YAML.
    #[error("this is not YAML: {0}; correct the syntax")]
    Syntax(String),
    /// The document is a list, a number or a text.
    #[error("an object with apiVersion and kind is expected here")]
    NotAnObject,
    /// The kind is neither a mapping nor a policy.
    #[error(
        "kind {kind:?} is unknown here; write InferenceProfileMapping or InferenceProfilePolicy, or remove the document"
    )]
    UnknownKind {
        /// The kind as written; empty where there is none.
        kind: String,
    },
    /// The kind is known, its group or version is not.
    #[error("apiVersion {found:?} does not serve {kind}; write {version}", version = API_VERSION)]
    Version {
        /// The kind as written.
        kind: String,
        /// The group and version as written; empty where there is none.
        found: String,
    },
    /// A field of the object itself is unknown.
    #[error("unknown field `{0}`; a {1} has apiVersion, kind, metadata, spec and status")]
    UnknownField(String, String),
    /// The object has no name.
    #[error("metadata.name is missing; give the {0} a name, since answers and merging refer to it")]
    NoName(String),
    /// A field is unknown, missing or of the wrong type; the text names it.
    #[error("{kind} {name:?}: {error}; correct the field, `kubectl explain` describes each")]
    Field {
        /// The kind as written.
        kind: String,
        /// The name of the object.
        name: String,
        /// What is wrong with which field.
        error: Box<FieldError>,
    },
}

const API_VERSION: &str = in_group!("v1alpha1");
const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// Reads every custom resource in `text`, in order. Empty documents are skipped, Lists opened.
/// `origin` names the text in errors. The first error ends the reading.
pub fn read(text: &str, origin: &str) -> Result<Vec<Resource>, ReadError> {
    let mut resources = Vec::new();
    for document in yaml::documents(text) {
        let (line, document) = match document {
            Ok(Spanned { value, defined, .. }) => (defined.line(), value),
            Err(error) => {
                return Err(ReadError {
                    origin: origin.to_owned(),
                    line: error.line,
                    item: None,
                    problem: DocumentProblem::Syntax(error.message),
                });
            }
        };
        let at = |item, problem| ReadError {
            origin: origin.to_owned(),
            line,
            item,
            problem,
        };
        match list_items(document) {
            Ok(items) => {
                for (item, value) in items.into_iter().enumerate() {
                    resources.push(resource(value).map_err(|problem| at(Some(item), problem))?);
                }
            }
            Err(document) => {
                resources.push(resource(document).map_err(|problem| at(None, problem))?);
            }
        }
    }
    Ok(resources)
}

/// The items of a `v1` List or of a list of one of our kinds, as `kubectl get -o yaml` prints them; else the document.
fn list_items(mut document: Value) -> Result<Vec<Value>, Value> {
    let is_list = matches!(
        text_at(&document, "kind"),
        "List" | "InferenceProfileMappingList" | "InferenceProfilePolicyList"
    );
    match document.get_mut("items") {
        Some(Value::Array(items)) if is_list => Ok(std::mem::take(items)),
        _ => Err(document),
    }
}

fn resource(value: Value) -> Result<Resource, DocumentProblem> {
    let object = value.as_object().ok_or(DocumentProblem::NotAnObject)?;
    let kind = text_at(&value, "kind").to_owned();
    let read: fn(Value, String) -> Result<Resource, DocumentProblem> = match kind.as_str() {
        "InferenceProfileMapping" => |value, kind| typed(value, kind).map(Resource::Mapping),
        "InferenceProfilePolicy" => |value, kind| typed(value, kind).map(Resource::Policy),
        _ => return Err(DocumentProblem::UnknownKind { kind }),
    };
    let found = text_at(&value, "apiVersion");
    if found != API_VERSION {
        let found = found.to_owned();
        return Err(DocumentProblem::Version { kind, found });
    }
    if let Some(key) = object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(DocumentProblem::UnknownField(key.to_owned(), kind));
    }
    if name_of(&value).is_empty() {
        return Err(DocumentProblem::NoName(kind));
    }
    read(value, kind)
}

fn typed<T: DeserializeOwned>(value: Value, kind: String) -> Result<T, DocumentProblem> {
    let name = name_of(&value).to_owned();
    yaml::decode(value).map_err(|error| DocumentProblem::Field {
        kind,
        name,
        error: Box::new(error),
    })
}

fn name_of(value: &Value) -> &str {
    value
        .get("metadata")
        .map(|metadata| text_at(metadata, "name"))
        .unwrap_or_default()
}

fn text_at<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
