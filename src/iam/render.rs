//! Policies for Terraform and CloudFormation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::document::{IamPolicy, IamStatement};

/// The data sources of Terraform that make the policies, by their names.
pub fn terraform(policies: &[(String, IamPolicy)]) -> String {
    let mut text = String::from("data \"aws_caller_identity\" \"current\" {}\n");
    let mut names = UniqueNames::default();
    for (name, policy) in policies {
        let words: Vec<_> = words(name).map(str::to_ascii_lowercase).collect();
        let name = names.unique(format!("bedrock_{}", words.join("_")), "_");
        let _ = writeln!(text, "\ndata \"aws_iam_policy_document\" \"{name}\" {{");
        for (at, statement) in policy.statement.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            terraform_statement(statement, &mut text);
        }
        text.push_str("}\n");
    }
    text
}

fn terraform_statement(statement: &IamStatement, text: &mut String) {
    text.push_str("  statement {\n");
    if let Some(sid) = &statement.sid {
        let _ = writeln!(text, "    sid = {}", quoted(sid));
    }
    list("actions", &statement.action, "    ", text);
    list("resources", &statement.resource, "    ", text);
    for (operator, keys) in &statement.condition {
        for (key, values) in keys {
            text.push_str("    condition {\n");
            let _ = writeln!(text, "      test     = {}", quoted(operator));
            let _ = writeln!(text, "      variable = {}", quoted(key));
            list("values", &values.0, "      ", text);
            text.push_str("    }\n");
        }
    }
    text.push_str("  }\n");
}

fn list(name: &str, values: &[String], indentation: &str, text: &mut String) {
    let _ = writeln!(text, "{indentation}{name} = [");
    for value in values {
        let _ = writeln!(text, "{indentation}  {},", quoted(value));
    }
    let _ = writeln!(text, "{indentation}]");
}

/// A text of Terraform's language; the account is an interpolation. ARNs and names have no other character that needs an escape.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A template of CloudFormation with a managed policy for each name, attached to the role if that is known.
pub fn cloudformation(policies: &[(String, Option<String>, IamPolicy)]) -> Value {
    let mut resources = BTreeMap::new();
    let mut names = UniqueNames::default();
    for (name, role, policy) in policies {
        let capitalised = words(name).map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_ascii_uppercase() + rest
        });
        let logical = names.unique(format!("Bedrock{}", capitalised.collect::<String>()), "");
        let mut properties = json!({
            "Description": format!("Models of Amazon Bedrock that {name} calls"),
            "PolicyDocument": substituted(json!(policy)),
        });
        if let Some(role) = role {
            properties["Roles"] = json!([role]);
        }
        let resource = json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": properties});
        resources.insert(logical, resource);
    }
    json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})
}

/// The value with a call of `Fn::Sub` for each text that names a pseudo parameter.
fn substituted(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("${") => json!({"Fn::Sub": text}),
        Value::Array(values) => values.into_iter().map(substituted).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields
                .map(|(key, value)| (key, substituted(value)))
                .collect()
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// The words of letters and digits in a name.
fn words(name: &str) -> impl Iterator<Item = &str> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty())
}

/// Names that were given, each once.
#[derive(Default)]
struct UniqueNames(BTreeSet<String>);

impl UniqueNames {
    /// The name, with a number if it was given before.
    fn unique(&mut self, name: String, separator: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}{separator}{number}"));
        let mut names = std::iter::once(name.clone()).chain(numbered);
        let unused = names.find(|name| !self.0.contains(name));
        let unused = unused.unwrap_or(name);
        self.0.insert(unused.clone());
        unused
    }
}
