//! Schemas of what is sent and of what is answered, by their names.
//!
//! A type may look different in the two directions: what has a default can be left out by who sends it, and is always
//! there in an answer. Where it does, the one that is sent is called `NameInput`.

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::{Contract, SchemaSettings};
use serde_json::{Map, Value};

use super::operation::SchemaOf;

const PLACE: &str = "/components/schemas";
const INPUT: &str = "Input";

/// Collects the schemas that a document refers to.
#[derive(Debug)]
pub(super) struct Schemas {
    sent: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Schemas {
    pub fn new() -> Self {
        Self {
            sent: generator(Contract::Deserialize, false),
            answered: generator(Contract::Serialize, false),
        }
    }

    /// What a client sends. References in it are right after [`Self::finish`].
    pub fn sent(&mut self, schema: SchemaOf) -> Value {
        schema(&mut self.sent).to_value()
    }

    /// What it is answered.
    pub fn answered(&mut self, schema: SchemaOf) -> Value {
        schema(&mut self.answered).to_value()
    }

    /// All that were referred to; and the names in what was sent that are others now.
    pub fn finish(mut self) -> (Map<String, Value>, Renamed) {
        let mut answered = self.answered.take_definitions(true);
        let sent = self.sent.take_definitions(true);
        let mut renamed = Renamed::default();
        // One that refers to one that differs does so, too.
        loop {
            let before = renamed.0.len();
            for (name, schema) in &sent {
                let other = answered.get(name);
                let differs = other.is_some_and(|other| other != schema);
                if differs || (other.is_some() && renamed.is_in(schema)) {
                    renamed.0.insert(name.clone());
                }
            }
            if renamed.0.len() == before {
                break;
            }
        }
        for (name, mut schema) in sent {
            renamed.apply(&mut schema);
            let name = if renamed.0.contains(&name) {
                name + INPUT
            } else {
                name
            };
            answered.insert(name, schema);
        }
        (answered, renamed)
    }
}

/// The parameters that an object's properties are: name, schema, and whether it has to be there.
pub(super) fn parameters(schema: SchemaOf) -> Vec<(String, Value, bool)> {
    let mut generator = generator(Contract::Deserialize, true);
    let mut object = schema(&mut generator).to_value();
    let required = object["required"].take();
    let is_required = |name: &String| {
        let required = required.as_array().into_iter().flatten();
        required.into_iter().any(|one| one == name)
    };
    let Value::Object(properties) = object["properties"].take() else {
        return Vec::new();
    };
    let parameters = properties.into_iter().map(|(name, mut schema)| {
        without_null(&mut schema);
        let required = is_required(&name);
        (name, schema, required)
    });
    parameters.collect()
}

/// A query has no `null`: what is not there is left out.
fn without_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|one| one != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|one| one["type"] != "null");
    }
    if schema.get("default").is_some_and(Value::is_null)
        && let Some(schema) = schema.as_object_mut()
    {
        schema.remove("default");
    }
}

fn generator(contract: Contract, inline: bool) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = PLACE.into();
        settings.meta_schema = None;
        settings.contract = contract;
        settings.inline_subschemas = inline;
    });
    settings.into_generator()
}

/// Names of types that look different when they are sent.
#[derive(Debug, Default)]
pub(super) struct Renamed(BTreeSet<String>);

impl Renamed {
    /// Makes the references of what is sent right.
    pub fn apply(&self, schema: &mut Value) {
        match schema {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name == "$ref"
                        && let Some(target) = referred(value)
                        && self.0.contains(target)
                    {
                        *value = format!("#{PLACE}/{target}{INPUT}").into();
                    } else {
                        self.apply(value);
                    }
                }
            }
            Value::Array(all) => all.iter_mut().for_each(|one| self.apply(one)),
            _ => {}
        }
    }

    /// Whether one of them is referred to.
    fn is_in(&self, schema: &Value) -> bool {
        match schema {
            Value::Object(fields) => fields.iter().any(|(name, value)| {
                let refers =
                    name == "$ref" && referred(value).is_some_and(|target| self.0.contains(target));
                refers || self.is_in(value)
            }),
            Value::Array(all) => all.iter().any(|one| self.is_in(one)),
            _ => false,
        }
    }
}

/// The name in a reference.
fn referred(reference: &Value) -> Option<&str> {
    let name = reference.as_str()?.strip_prefix('#')?;
    name.strip_prefix(PLACE)?.strip_prefix('/')
}
