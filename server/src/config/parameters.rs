//! A target's `parameters`: members of the request's body, whatever they are.

use serde_json::Value as Json;

use super::document::{Node, Value};
use super::reading::{Form, Scalar, quoted};

/// What begins a text of the file, which is one whatever it looks like: with variables filled in it need not be JSON.
const TEXT: char = '\u{2}';

/// One value of JSON, as TOML or YAML or a variable says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter(pub Json);

impl Scalar for Parameter {
    const EXPECTED: &'static str = "a value";
    const FORM: Form = Form::Text;

    /// What is no JSON is text: a variable need not be quoted.
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(text) = text.strip_prefix(TEXT) {
            return Ok(Self(Json::String(text.to_owned())));
        }
        match serde_json::from_str(text) {
            Ok(json) => Ok(Self(json)),
            Err(_) if text.starts_with(['{', '[', '"']) => {
                Err(format!("neither text nor JSON: {text}"))
            }
            Err(_) => Ok(Self(Json::String(text.to_owned()))),
        }
    }

    fn literal(&self) -> String {
        literal(&self.0)
    }

    fn text_of(value: &Value) -> Result<Option<String>, String> {
        match value {
            Value::Text(text) => Ok(Some(format!("{TEXT}{text}"))),
            other => Ok(json(other)?.map(|json| json.to_string())),
        }
    }
}

fn json(value: &Value) -> Result<Option<Json>, String> {
    let of_node = |node: &Node| Ok::<_, String>(json(&node.value)?.unwrap_or(Json::Null));
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Text(text) => Json::String(text.clone()),
        Value::Bool(bool) => Json::Bool(*bool),
        Value::Integer(digits) | Value::Float(digits) => {
            serde_json::from_str(digits).map_err(|_| format!("{digits} is no number of JSON"))?
        }
        Value::List(items) => Json::Array(items.iter().map(of_node).collect::<Result<_, _>>()?),
        Value::Table(table) => {
            let members = table.entries.iter();
            let members = members.map(|entry| Ok((entry.key.clone(), of_node(&entry.node)?)));
            Json::Object(members.collect::<Result<_, String>>()?)
        }
    }))
}

/// As TOML, which has no null: a member that is null is left out.
fn literal(json: &Json) -> String {
    match json {
        Json::Null => quoted(""),
        Json::Bool(bool) => bool.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => quoted(text),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<String> = members
                .map(|(name, value)| format!("{} = {}", quoted(name), literal(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameter, Scalar};

    #[test]
    fn reads_and_writes() {
        for (text, written) in [
            ("0", "0"),
            ("0.7", "0.7"),
            ("true", "true"),
            ("low", "\"low\""),
            ("\"low\"", "\"low\""),
            (
                "{\"type\":\"enabled\",\"n\":[1,2]}",
                "{ \"n\" = [1, 2], \"type\" = \"enabled\" }",
            ),
        ] {
            assert_eq!(Parameter::parse(text).unwrap().literal(), written);
        }
        assert!(Parameter::parse("{\"a\":").is_err());
    }
}
