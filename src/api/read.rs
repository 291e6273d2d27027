//! Reads custom resources from YAML or JSON text: several documents, and Lists of them.
//!
//! Checks the form alone: names of fields, their types and the words of each enum. Touches no file.

use bedrock_profiles_engine::in_group;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml::Value;

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
#[error("{origin}, document {document}{}: {problem}", .item.map(|item| format!(", items[{item}]")).unwrap_or_default())]
pub struct ReadError {
    /// Where the text came from, mostly a file name.
    pub origin: String,
    /// Which document of the text, counted from 1.
    pub document: usize,
    /// Which item, counted from 0, where the document is a List.
    pub item: Option<usize>,
    /// What is wrong, and what to do.
    pub problem: DocumentProblem,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentProblem {
    /// The text is not YAML; the text names line and column.
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
    #[error("{kind} {name:?}: {message}; correct the field, `kubectl explain` describes each")]
    Field {
        /// The kind as written.
        kind: String,
        /// The name of the object.
        name: String,
        /// What is wrong with which field.
        message: String,
    },
}

const API_VERSION: &str = in_group!("v1alpha1");
const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// Reads every custom resource in `text`, in order. Empty documents are skipped, Lists opened.
/// `origin` names the text in errors. The first error ends the reading.
pub fn read(text: &str, origin: &str) -> Result<Vec<Resource>, ReadError> {
    let untabbed = without_json_tabs(text);
    let text = untabbed.as_deref().unwrap_or(text);
    let mut resources = Vec::new();
    for (index, deserializer) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let at = |item, problem| ReadError {
            origin: origin.to_owned(),
            document: index + 1,
            item,
            problem,
        };
        let document = Value::deserialize(deserializer)
            .map_err(|error| at(None, DocumentProblem::Syntax(error.to_string())))?;
        if document.is_null() {
            continue;
        }
        if let Some(items) = list_items(&document) {
            for (item, value) in items.iter().enumerate() {
                resources.push(resource(value).map_err(|problem| at(Some(item), problem))?);
            }
        } else {
            resources.push(resource(&document).map_err(|problem| at(None, problem))?);
        }
    }
    Ok(resources)
}

/// The items of a `v1` List or of a list of one of our kinds, as `kubectl get -o yaml` prints them.
fn list_items(document: &Value) -> Option<&Vec<Value>> {
    matches!(
        text_at(document, "kind"),
        "List" | "InferenceProfileMappingList" | "InferenceProfilePolicyList"
    )
    .then(|| document.get("items")?.as_sequence())
    .flatten()
}

fn resource(value: &Value) -> Result<Resource, DocumentProblem> {
    let object = value.as_mapping().ok_or(DocumentProblem::NotAnObject)?;
    let kind = text_at(value, "kind").to_owned();
    let read: fn(&Value, &str) -> Result<Resource, DocumentProblem> = match kind.as_str() {
        "InferenceProfileMapping" => |value, kind| typed(value, kind).map(Resource::Mapping),
        "InferenceProfilePolicy" => |value, kind| typed(value, kind).map(Resource::Policy),
        _ => return Err(DocumentProblem::UnknownKind { kind }),
    };
    let found = text_at(value, "apiVersion");
    if found != API_VERSION {
        let found = found.to_owned();
        return Err(DocumentProblem::Version { kind, found });
    }
    for key in object.keys() {
        let key = key.as_str().unwrap_or("?");
        if !FIELDS.contains(&key) {
            return Err(DocumentProblem::UnknownField(key.to_owned(), kind));
        }
    }
    if name_of(value).is_empty() {
        return Err(DocumentProblem::NoName(kind));
    }
    read(value, &kind)
}

/// Decodes `value` by way of its text: only the decoder of texts knows the path of the field that it stops at.
fn typed<T: DeserializeOwned>(value: &Value, kind: &str) -> Result<T, DocumentProblem> {
    let decoded = serde_yaml::to_string(value).and_then(|text| serde_yaml::from_str(&text));
    decoded.map_err(|error| {
        let message = error.to_string();
        // The line would be one of the text made here, not of the file.
        let message = message.split(" at line ").next().unwrap_or_default();
        DocumentProblem::Field {
            kind: kind.to_owned(),
            name: name_of(value).to_owned(),
            message: message.to_owned(),
        }
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

/// JSON may be indented by tabs, YAML may not. `None`: the text needs no change.
fn without_json_tabs(text: &str) -> Option<String> {
    if !text.contains('\t') || !text.trim_start().starts_with('{') {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

#[cfg(test)]
mod tests;
