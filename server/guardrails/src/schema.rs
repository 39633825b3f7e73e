//! JSON schemas of replies: <https://json-schema.org/draft/2020-12>

use std::sync::Arc;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// A schema, compiled.
#[derive(Clone, Debug)]
pub struct Schema(Arc<Validator>);

/// Why a schema is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("is not a JSON schema: {0}")]
    Invalid(String),
    #[error("is larger than 256 KiB")]
    TooLarge,
}

const LARGEST: usize = 256 << 10;

impl Schema {
    /// # Errors
    /// What is wrong with it.
    pub fn new(schema: &Value) -> Result<Self, SchemaError> {
        if schema.to_string().len() > LARGEST {
            return Err(SchemaError::TooLarge);
        }
        let validator = jsonschema::options()
            // In linear time.
            .with_pattern_options(PatternOptions::regex())
            .build(schema)
            .map_err(|error| SchemaError::Invalid(error.to_string()))?;
        Ok(Self(Arc::new(validator)))
    }

    /// Whether a text is JSON of this schema.
    pub fn allows(&self, text: &str) -> bool {
        serde_json::from_str(text).is_ok_and(|value| self.0.is_valid(&value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_json_of_the_schema() {
        let schema = serde_json::json!({
            "type": "object",
            "properties": {"age": {"type": "integer", "minimum": 0}},
            "required": ["age"],
        });
        let schema = Schema::new(&schema).unwrap();
        assert!(schema.allows(" {\"age\": 3}\n"));
        assert!(!schema.allows("{\"age\": -3}"));
        assert!(!schema.allows("The age is 3."));
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert!(Schema::new(&serde_json::json!({"type": "objekt"})).is_err());
        assert!(Schema::new(&serde_json::json!({"pattern": "("})).is_err());
        let outside = serde_json::json!({"$ref": "https://schemas.example/x.json"});
        assert!(Schema::new(&outside).is_err());
    }
}
