//! `Schema`, a subset of OpenAPI 3.0's, as JSON Schema: <https://ai.google.dev/api/caching#Schema>

use std::borrow::Cow;

use crate::json::{Json, Node, ObjectWriter, Writer, object};
use crate::text::Text;
use crate::wire::gemini::{camel, member};

/// The same schema as JSON Schema says it: types in lower case, `null` as a type of its own, definitions under
/// `$defs`. What JSON Schema calls the same is copied, and so is what nobody here knows.
pub(super) fn to_json_schema(schema: &Node<'_>) -> Json {
    let written = object(|out| write_members(schema, out));
    Json::of_valid(Text::from_utf8(written).expect("JSON is UTF-8"))
}

fn write(schema: &Node<'_>, out: Writer<'_>) {
    if schema.object().is_ok() {
        out.object(|out| write_members(schema, out));
    } else {
        out.json(&schema.json());
    }
}

fn write_members(schema: &Node<'_>, out: &mut ObjectWriter<'_>) {
    let nullable = member(schema, "nullable").is_some_and(|value| value.bool() == Ok(true));
    let typed = member(schema, "type").and_then(|kind| kind.str().ok());
    let typed = typed.filter(|kind| *kind != "TYPE_UNSPECIFIED");
    for (key, value) in schema.members() {
        if value.is_null() && &*key != "default" {
            continue;
        }
        let name = camel(key.clone());
        match &*name {
            "type" => write_type(value, typed.as_deref(), nullable, out),
            // Said by the type, or by one more alternative; the order is that of the properties.
            "nullable" | "propertyOrdering" => {}
            // The format of a text that is one of a list.
            "format" if value.str().is_ok_and(|format| format == "enum") => {}
            "enum" => out.array("enum", |values| {
                let given = value.array().unwrap_or_default();
                for one in given {
                    values.json(&one.json());
                }
                if nullable && !given.iter().any(Node::is_null) {
                    values.item().plain("null");
                }
            }),
            "anyOf" | "oneOf" | "allOf" | "prefixItems" => out.array(&name, |schemas| {
                for one in value.array().unwrap_or_default() {
                    write(one, schemas.item());
                }
                if nullable && typed.is_none() && name == "anyOf" {
                    schemas.object(|null| null.string("type", "null"));
                }
            }),
            "items" | "additionalProperties" => write(value, out.member(&name)),
            "properties" => write_map(value, out.member("properties")),
            "defs" | "$defs" => write_map(value, out.member("$defs")),
            "ref" | "$ref" => match value.str() {
                Ok(path) => out.string("$ref", &path.replace("#/defs/", "#/$defs/")),
                Err(_) => out.json("$ref", &value.json()),
            },
            // Whole numbers of 64 bits are texts in this JSON.
            "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties"
            | "maxProperties" => {
                let number = value.str().ok().and_then(|text| text.parse::<u64>().ok());
                match number {
                    Some(number) => out.plain(&name, number),
                    None => out.json(&name, &value.json()),
                }
            }
            "example" => out.array("examples", |examples| examples.json(&value.json())),
            "title" | "description" | "format" | "default" | "minimum" | "maximum" | "pattern"
            | "required" => out.json(&name, &value.json()),
            _ => out.json(&key, &value.json()),
        }
    }
}

fn write_type(value: &Node<'_>, typed: Option<&str>, nullable: bool, out: &mut ObjectWriter<'_>) {
    let Some(typed) = typed else {
        if value.str().is_err() {
            out.json("type", &value.json());
        }
        return;
    };
    let lower = typed.to_ascii_lowercase();
    if nullable && lower != "null" {
        out.array("type", |types| {
            types.string(&lower);
            types.string("null");
        });
    } else {
        out.string("type", &lower);
    }
}

/// Schemas by names that are nobody's business.
fn write_map(map: &Node<'_>, out: Writer<'_>) {
    out.object(|out| {
        for (name, schema) in map.members() {
            let name: Cow<'_, str> = name;
            write(schema, out.member(&name));
        }
    });
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn converted(schema: Value) -> Value {
        let body = Bytes::from(schema.to_string());
        let node = Node::parse(&body).unwrap();
        serde_json::from_str(to_json_schema(&node).as_str()).unwrap()
    }

    #[test]
    fn types_and_null_are_json_schemas() {
        assert_eq!(
            converted(json!({
                "type": "OBJECT",
                "properties": {
                    "max_items": {"type": "STRING", "nullable": true},
                    "kind": {"type": "STRING", "format": "enum", "enum": ["a", "b"], "nullable": true},
                    "tags": {"type": "ARRAY", "items": {"type": "INTEGER"}, "max_items": "3"},
                    "either": {"anyOf": [{"type": "NUMBER"}, {"type": "STRING"}], "nullable": true},
                    "pet": {"ref": "#/defs/Pet"},
                },
                "propertyOrdering": ["kind"],
                "required": ["kind"],
                "defs": {"Pet": {"type": "OBJECT", "example": {"type": "CAT"}}},
            })),
            json!({
                "type": "object",
                "properties": {
                    "max_items": {"type": ["string", "null"]},
                    "kind": {"type": ["string", "null"], "enum": ["a", "b", null]},
                    "tags": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
                    "either": {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]},
                    "pet": {"$ref": "#/$defs/Pet"},
                },
                "required": ["kind"],
                "$defs": {"Pet": {"type": "object", "examples": [{"type": "CAT"}]}},
            })
        );
    }

    #[test]
    fn json_schema_is_left_as_it_is() {
        let schema = json!({
            "type": ["string", "null"], "x-own": {"nullable": true}, "additionalProperties": false,
        });
        assert_eq!(converted(schema.clone()), schema);
    }
}
