//! A value that fits a JSON schema: <https://json-schema.org/draft/2020-12>

use serde_json::{Map, Value, json};

/// Past this depth only what is required is filled in.
const FULL_DEPTH: usize = 6;
/// Past this depth a schema cannot be satisfied.
const MAX_DEPTH: usize = 32;

/// The same value each time. `pattern` and `not` are not looked at.
pub(super) fn sample(schema: &Value) -> Value {
    if schema.is_null() {
        return json!({});
    }
    Sampler { root: schema }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = reference
                .strip_prefix('#')
                .and_then(|path| self.root.pointer(path));
            return target.map_or(Value::Null, |target| self.value(target, depth + 1));
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
            return value.clone();
        }
        for any in ["anyOf", "oneOf"] {
            if let Some(choices) = schema[any].as_array() {
                // Deep inside, null is the way out of a recursion.
                let null = choices.iter().find(|choice| choice["type"] == "null");
                let choice = null.filter(|_| depth > FULL_DEPTH).or(choices.first());
                return choice.map_or(Value::Null, |choice| self.value(choice, depth + 1));
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let mut whole = self.typed(schema, depth);
            for part in parts {
                match (&mut whole, self.value(part, depth + 1)) {
                    (Value::Object(all), Value::Object(more)) => all.extend(more),
                    (whole, value) => *whole = value,
                }
            }
            return whole;
        }
        self.typed(schema, depth)
    }

    fn typed(&self, schema: &Value, depth: usize) -> Value {
        let kind = match &schema["type"] {
            Value::Array(kinds)
                if depth > FULL_DEPTH && kinds.iter().any(|kind| kind == "null") =>
            {
                "null"
            }
            Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or("null"),
            Value::String(kind) => kind,
            _ if schema["items"].is_object() => "array",
            _ if schema["properties"].is_object() || depth == 0 => "object",
            _ => "string",
        };
        match kind {
            "object" => self.object(schema, depth),
            "array" => {
                let least = schema["minItems"].as_u64();
                let count = least.unwrap_or(u64::from(depth <= FULL_DEPTH)).min(100);
                let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
                let prefix = schema["prefixItems"]
                    .as_array()
                    .map_or(&[][..], Vec::as_slice);
                let count = usize::try_from(count.min(most))
                    .unwrap_or(0)
                    .max(prefix.len());
                let item = |at| self.value(prefix.get(at).unwrap_or(&schema["items"]), depth + 1);
                (0..count).map(item).collect()
            }
            "string" => string(schema).into(),
            "integer" => integer(schema).into(),
            "number" => number(schema),
            "boolean" => true.into(),
            _ => Value::Null,
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.iter().any(|required| required == name);
            if is_required || depth <= FULL_DEPTH {
                object.insert(name.clone(), self.value(property, depth + 1));
            }
        }
        for name in required.iter().filter_map(Value::as_str) {
            object.entry(name).or_insert_with(|| "simulated".into());
        }
        object.into()
    }
}

fn string(schema: &Value) -> String {
    let text = match schema["format"].as_str() {
        Some("date-time") => "2025-01-01T00:00:00Z",
        Some("date") => "2025-01-01",
        Some("time") => "00:00:00Z",
        Some("duration") => "PT1S",
        Some("email") => "simulated@example.com",
        Some("hostname") => "example.com",
        Some("ipv4") => "192.0.2.1",
        Some("ipv6") => "2001:db8::1",
        Some("uri") => "https://example.com/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "simulated",
    };
    let length = |key: &str| {
        schema[key]
            .as_u64()
            .and_then(|length| usize::try_from(length).ok())
    };
    let mut text = text.to_owned();
    if let Some(least) = length("minLength") {
        text.extend(std::iter::repeat_n(
            '.',
            least.min(10_000).saturating_sub(text.len()),
        ));
    }
    if let Some(most) = length("maxLength") {
        text.truncate(most);
    }
    text
}

fn integer(schema: &Value) -> i64 {
    let bound = |key: &str| schema[key].as_f64();
    let least = bound("minimum").map(f64::ceil);
    let above = bound("exclusiveMinimum").map(|bound| bound.floor() + 1.0);
    let most = bound("maximum").map(f64::floor);
    let under = bound("exclusiveMaximum").map(|bound| bound.ceil() - 1.0);
    let value = least.into_iter().chain(above).fold(1.0, f64::max);
    let value = most.into_iter().chain(under).fold(value, f64::min);
    let step = bound("multipleOf")
        .filter(|step| *step > 0.0)
        .unwrap_or(1.0);
    ((value / step).ceil() * step) as i64
}

fn number(schema: &Value) -> Value {
    let bound = |key: &str| schema[key].as_f64();
    let mut value = bound("minimum").unwrap_or(1.0).max(1.0);
    if let Some(above) = bound("exclusiveMinimum") {
        value = value.max(above + 0.5);
    }
    if let Some(most) = bound("maximum") {
        value = value.min(most);
    }
    if let Some(under) = bound("exclusiveMaximum").filter(|under| value >= *under) {
        value = match bound("minimum").or(bound("exclusiveMinimum")) {
            Some(least) => f64::midpoint(least, under),
            None => under - 0.5,
        };
    }
    json!(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_has_a_value_of_its_type() {
        let value = sample(&json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["c", "f"]},
                "days": {"type": "integer", "minimum": 3},
                "share": {"type": "number", "maximum": 0.5},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
                "maybe": {"type": ["string", "null"]},
                "place": {"$ref": "#/$defs/place"},
                "either": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
                "when": {"type": "string", "format": "date"},
            },
            "required": ["city", "extra"],
            "$defs": {"place": {"type": "object", "properties": {"lat": {"type": "number"}}}},
        }));
        let expected = json!({
            "city": "simulated", "unit": "c", "days": 3, "share": 0.5, "tags": ["sim"],
            "maybe": "simulated", "place": {"lat": 1.0}, "either": true, "when": "2025-01-01",
            "extra": "simulated",
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_recursive_schema_ends() {
        let tree = json!({
            "type": "object",
            "properties": {
                "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#"}},
            },
            "required": ["next", "children"],
        });
        assert!(sample(&tree)["next"]["next"].is_object());
        let endless =
            json!({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]});
        assert!(sample(&endless)["a"]["a"].is_object());
    }

    #[test]
    fn no_schema_is_an_empty_object() {
        assert_eq!(sample(&Value::Null), json!({}));
        assert_eq!(sample(&json!({})), json!({}));
    }
}
