//! Parts of the configuration that operators change while the gateway runs: JSON in the words of the file. What is read
//! and told here is what the file's reader reads, with the same messages.

mod logging;
mod model;
mod price;
mod provider;
mod settings;

pub use logging::{logging, logging_settings};
pub use model::{model, model_settings};
pub use price::{price_names, price_settings, put_price, remove_price};
pub use provider::{provider, provider_settings};
pub use settings::{different_settings, put_settings, settings};

use serde::Serialize;
use serde_json::Value as Json;
use shared::policies::FieldError;

use super::Config;
use super::check::check;
use super::document::{Entry, Node, Table, Value};
use super::problem::Problem;
use super::reading::{Environment, Reader, Scalar, Section};

/// What is wrong with a configuration that came about by edits.
pub fn problems(config: &Config) -> Vec<Problem> {
    let environment = Environment::default();
    let mut reader = Reader::new(&environment, String::new());
    check(config, &mut reader);
    reader.problems
}

/// Reads a value as if it stood in a file. Variables play no part: the environment is not the operators' business.
fn read<R>(
    value: &impl Serialize,
    read: impl FnOnce(&mut Section<'_, '_>) -> R,
) -> Result<R, Vec<FieldError>> {
    let json = serde_json::to_value(value).expect("settings have string keys only");
    let Value::Table(table) = node(json).value else {
        unreachable!("settings are structs");
    };
    let environment = Environment::default();
    let mut reader = Reader::new(&environment, String::new());
    let value = reader.read(&table, read);
    if reader.problems.is_empty() {
        return Ok(value);
    }
    let problems = reader.problems.into_iter();
    Err(problems
        .map(|problem| FieldError {
            field: problem.path,
            message: problem.message,
        })
        .collect())
}

fn node(json: Json) -> Node {
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(bool) => Value::Bool(bool),
        Json::Number(number) if number.is_f64() => Value::Float(number.to_string()),
        Json::Number(number) => Value::Integer(number.to_string()),
        Json::String(text) => Value::Text(text.replace("${", "$${")),
        Json::Array(items) => Value::List(items.into_iter().map(node).collect()),
        Json::Object(members) => {
            let entries = members.into_iter().map(|(key, value)| Entry {
                key,
                line: 1,
                node: node(value),
            });
            Value::Table(Table {
                entries: entries.collect(),
            })
        }
    };
    Node { value, line: 1 }
}

/// A value as a file would have it, without quotes.
fn written(value: &impl Scalar) -> String {
    value.literal().trim_matches('"').to_owned()
}
