//! Which JSON schemas the API can hold a model to:
//! <https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations>

use crate::json::{Json, Kind, Node};

/// Whether the API takes the schema for structured output and strict tools: every object is closed, and nothing
/// is asked of numbers, texts and lists that it does not know.
pub(super) fn fits(schema: &Json) -> bool {
    Node::parse(schema.as_text().as_bytes()).is_ok_and(|root| {
        let definitions = ["$defs", "definitions"].map(|key| root.get(key));
        node_fits(&root) && definitions.into_iter().flatten().all(|all| no_circle(all))
    })
}

/// Whether no definition refers to itself, through others or not.
fn no_circle(definitions: &Node<'_>) -> bool {
    // Each round takes out what refers to nothing that is left.
    let mut left: Vec<(String, Vec<String>)> = definitions
        .members()
        .map(|(name, definition)| {
            let mut names = Vec::new();
            references(definition, &mut names);
            (name.into_owned(), names)
        })
        .collect();
    loop {
        let names: Vec<String> = left.iter().map(|(name, _)| name.clone()).collect();
        let before = left.len();
        left.retain(|(_, to)| to.iter().any(|name| names.contains(name)));
        if left.is_empty() {
            return true;
        }
        if left.len() == before {
            return false;
        }
    }
}

fn references(node: &Node<'_>, names: &mut Vec<String>) {
    match node.kind() {
        Kind::Object => {
            for (key, value) in node.members() {
                if key == "$ref" && value.kind() == Kind::String {
                    let to = value.str().unwrap_or_default();
                    names.extend(to.rsplit('/').next().map(str::to_owned));
                } else {
                    references(value, names);
                }
            }
        }
        Kind::Array => {
            for item in node.array().unwrap_or_default() {
                references(item, names);
            }
        }
        _ => {}
    }
}

fn node_fits(node: &Node<'_>) -> bool {
    if node.kind() != Kind::Object {
        // `true` and `false` are schemas, too, but not to the API.
        return false;
    }
    if is_object(node) && !closed(node) {
        return false;
    }
    node.members().all(|(key, value)| match &*key {
        "minimum"
        | "maximum"
        | "exclusiveMinimum"
        | "exclusiveMaximum"
        | "multipleOf"
        | "minLength"
        | "maxLength"
        | "maxItems"
        | "uniqueItems"
        | "contains"
        | "prefixItems"
        | "minProperties"
        | "maxProperties"
        | "patternProperties"
        | "propertyNames"
        | "oneOf"
        | "not"
        | "if"
        | "then"
        | "else"
        | "dependentRequired"
        | "dependentSchemas"
        | "unevaluatedProperties"
        | "$dynamicRef" => false,
        "minItems" => value.kind() == Kind::Number && matches!(value.u64(), Ok(0 | 1)),
        "additionalProperties" => value.kind() == Kind::Bool && matches!(value.bool(), Ok(false)),
        // Within the document, and not to itself.
        "$ref" => {
            value.kind() == Kind::String
                && value
                    .str()
                    .is_ok_and(|to| to.starts_with("#/$defs/") || to.starts_with("#/definitions/"))
        }
        "properties" | "$defs" | "definitions" => {
            value.kind() == Kind::Object && value.members().all(|(_, inner)| node_fits(inner))
        }
        "items" => node_fits(value),
        "anyOf" | "allOf" => {
            value.kind() == Kind::Array
                && value.array().is_ok_and(|list| list.iter().all(node_fits))
        }
        "enum" => {
            value.kind() == Kind::Array
                && value.array().is_ok_and(|list| {
                    list.iter()
                        .all(|one| !matches!(one.kind(), Kind::Object | Kind::Array))
                })
        }
        _ => true,
    })
}

fn is_object(node: &Node<'_>) -> bool {
    let Some(kind) = node.get("type") else {
        return node.get("properties").is_some();
    };
    let object =
        |one: &Node<'_>| one.kind() == Kind::String && one.str().is_ok_and(|kind| kind == "object");
    match kind.kind() {
        Kind::Array => kind.array().is_ok_and(|kinds| kinds.iter().any(object)),
        _ => object(kind),
    }
}

fn closed(node: &Node<'_>) -> bool {
    node.get("additionalProperties").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Text;

    #[test]
    fn what_the_api_knows_fits() {
        for (schema, expected) in [
            (r#"{"type":"string"}"#, true),
            (
                r#"{"type":"object","properties":{},"additionalProperties":false}"#,
                true,
            ),
            (r#"{"type":"object","properties":{}}"#, false),
            (r#"{"type":["object","null"],"properties":{}}"#, false),
            (
                r#"{"type":"object","additionalProperties":{"type":"string"}}"#,
                false,
            ),
            (
                r#"{"type":"array","items":{"type":"integer","minimum":0}}"#,
                false,
            ),
            (
                r##"{"type":"array","minItems":1,"items":{"$ref":"#/$defs/a"},"$defs":{"a":{"type":"null"}}}"##,
                true,
            ),
            (
                r##"{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}}}"##,
                false,
            ),
            (
                r#"{"type":"array","minItems":2,"items":{"type":"null"}}"#,
                false,
            ),
            (
                r#"{"anyOf":[{"type":"string","format":"date"},{"enum":["a",1,null]}]}"#,
                true,
            ),
            (r#"{"enum":[{"a":1}]}"#, false),
            (
                r#"{"properties":{"minimum":{"type":"integer"}},"additionalProperties":false}"#,
                true,
            ),
            (r##"{"$ref":"#"}"##, false),
            ("true", false),
        ] {
            let json = Json::parse(Text::from(schema)).unwrap();
            assert_eq!(fits(&json), expected, "{schema}");
        }
    }
}
