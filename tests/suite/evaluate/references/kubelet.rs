//! What a kubelet makes of a container's variables, written from its rules and apart from the code under test: `envFrom` in
//! order, then `env` in order, `$(X)` expanded in literal values from what was defined before.

use std::collections::BTreeMap;

use serde_json::Value;

/// Texts by key.
pub(crate) type Data = BTreeMap<String, String>;

/// What Pods of a namespace may refer to, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    pub(crate) maps: BTreeMap<String, Data>,
    pub(crate) secrets: BTreeMap<String, Data>,
}

/// The variables of a container; `None` where it does not start for want of something that it requires.
pub(crate) fn variables(container: &Value, cluster: &Cluster) -> Option<Data> {
    let mut all = Data::new();
    for item in list(container, "envFrom") {
        let (source, from) = match item.get("configMapRef") {
            Some(source) => (source, &cluster.maps),
            None => (&item["secretRef"], &cluster.secrets),
        };
        let prefix = item["prefix"].as_str().unwrap_or_default();
        match from.get(source["name"].as_str()?) {
            Some(data) => all.extend(
                data.iter()
                    .map(|(key, text)| (format!("{prefix}{key}"), text.clone())),
            ),
            None if source["optional"] == true => {}
            None => return None,
        }
    }
    for entry in list(container, "env") {
        let name = entry["name"].as_str()?;
        let literal = entry["value"].as_str().unwrap_or_default();
        let text = if !literal.is_empty() {
            expanded(literal, &all)
        } else if let Some(source) = entry.get("valueFrom") {
            match taken(source, cluster) {
                Taken::Text(text) => text,
                Taken::Nothing => continue,
                Taken::Missing => return None,
            }
        } else {
            String::new()
        };
        all.insert(name.to_owned(), text);
    }
    Some(all)
}

enum Taken {
    Text(String),
    Nothing,
    Missing,
}

fn taken(source: &Value, cluster: &Cluster) -> Taken {
    let (selector, from) = match (source.get("configMapKeyRef"), source.get("secretKeyRef")) {
        (Some(selector), _) => (selector, &cluster.maps),
        (None, Some(selector)) => (selector, &cluster.secrets),
        (None, None) => return Taken::Text("of the Pod".to_owned()),
    };
    let field = |name: &str| selector[name].as_str().unwrap_or_default();
    match from
        .get(field("name"))
        .and_then(|data| data.get(field("key")))
    {
        Some(text) => Taken::Text(text.clone()),
        None if selector["optional"] == true => Taken::Nothing,
        None => Taken::Missing,
    }
}

/// `$$` is a dollar sign, `$(X)` the variable if there is one, everything else itself.
fn expanded(text: &str, variables: &Data) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            out.push('$');
            rest = behind;
        } else if let Some((name, behind)) =
            rest.strip_prefix('(').and_then(|rest| rest.split_once(')'))
        {
            match variables.get(name) {
                Some(value) => out.push_str(value),
                None => out.extend(["$(", name, ")"]),
            }
            rest = behind;
        } else {
            out.push('$');
        }
    }
    out + rest
}

fn list<'v>(container: &'v Value, field: &str) -> impl Iterator<Item = &'v Value> {
    container[field].as_array().into_iter().flatten()
}

#[test]
fn a_dollar_sign_is_itself_a_variable_or_an_escape() {
    let variables = Data::from([("X".to_owned(), "y$$(X)".to_owned())]);
    for (text, expected) in [
        ("$(X)", "y$$(X)"),
        ("a$(X)b", "ay$$(X)b"),
        ("$$(X)", "$(X)"),
        ("$$$(X)", "$y$$(X)"),
        ("$(Y) $X $( $", "$(Y) $X $( $"),
        ("a$$$$b", "a$$b"),
    ] {
        assert_eq!(expanded(text, &variables), expected, "{text}");
    }
}
